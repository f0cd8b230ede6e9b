import { decided } from "./order-status.js";
import { postJson } from "./server.js";
import { text } from "./texts.js";

/** Waiting until the server knows how a payment ended, and saying so meanwhile. */

/** @typedef {(sentence: string, orderUrl?: string) => void} Say */

const LONG_WAIT = 20_000;
// Time for a payment whose answer was lost to end, before it is called unpaid.
const ASK_AFTER = 10_000;

/**
 * The bank has agreed: return the order when the server knows.
 * @param {string} orderUrl
 * @param {Say} say
 * @param {AbortSignal} signal
 */
export function agreed(orderUrl, say, signal) {
  say(text("confirming"));
  return decided(orderUrl, signal, (order, elapsed) => {
    if (!order) return sayIfOffline(say);
    if (elapsed < LONG_WAIT) return say(text("confirming"));
    return say(text("long_wait", { number: order.number }), orderUrl);
  });
}

/**
 * The bank's answer was lost: return the order as it ended, or a sentence if it is unpaid.
 * @param {string} orderUrl
 * @param {Say} say
 * @param {AbortSignal} signal
 * @param {{csrfToken: () => string, next?: number}} options
 */
export function found(orderUrl, say, signal, { csrfToken, next = ASK_AFTER }) {
  say(text("checking"), orderUrl);
  return decided(orderUrl, signal, async (order, elapsed) => {
    if (!order) return sayIfOffline(say);
    say(text("checking"), orderUrl);
    if (elapsed < next) return undefined;
    next = elapsed + ASK_AFTER;
    const answer = await postJson(`${orderUrl}payment/`, {}, csrfToken());
    // Stripe would still take a payment for it: then it has taken none.
    const isUnpaid = answer.kind === "answered" && answer.body.client_secret;
    if (!isUnpaid) return undefined;
    return order.is_declined ? order.message : text("not_paid");
  });
}

/** @param {Say} say */
function sayIfOffline(say) {
  if (!navigator.onLine) say(text("offline_waiting"));
}
