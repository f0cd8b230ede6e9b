/**
 * @typedef {{kind: "waiting" | "unknown" | "field" | "unpaid"}
 *   | {kind: "declined", code: string}} Outcome
 */

/** A PaymentIntent that is waiting for a payment method holds no money. */
const UNPAID = "requires_payment_method";

/**
 * "waiting": the server will know soon. "declined", "unpaid": nothing was charged. "field":
 * the form says it itself. "unknown": the answer was lost or makes no sense: ask the server.
 * @param {PaymentIntentResult} result
 * @param {(code: string) => boolean} isKnown
 * @returns {Outcome}
 */
export function outcomeOf({ paymentIntent, error }, isKnown) {
  if (paymentIntent) return { kind: paymentIntent.status === UNPAID ? "unpaid" : "waiting" };
  if (error.type === "validation_error") return { kind: "field" };
  const code = error.decline_code ?? error.code ?? "";
  if (error.type === "card_error" || isKnown(code)) return { kind: "declined", code };
  return { kind: error.payment_intent?.status === UNPAID ? "unpaid" : "unknown" };
}

/**
 * Name the sentence that says why nobody can pay now.
 * @param {{fields: string, amount: number, minimum: number}} state
 * @returns {"" | "loading" | "blocked" | "empty" | "too_small"}
 */
export function reasonNotToPay({ fields, amount, minimum }) {
  if (fields === "failed") return "blocked";
  if (amount === 0) return "empty";
  if (amount < minimum) return "too_small";
  return fields === "ready" ? "" : "loading";
}
