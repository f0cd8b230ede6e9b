import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf, reasonNotToPay } from "../../static/js/payment-outcome.js";

const isKnown = (code) => code === "payment_intent_authentication_failure";
const unpaid = { status: "requires_payment_method" };

/** What came back, and what may be said. */
const OUTCOMES = [
  [{ paymentIntent: { status: "succeeded" } }, { kind: "waiting" }],
  [{ paymentIntent: { status: "processing" } }, { kind: "waiting" }],
  [{ paymentIntent: unpaid }, { kind: "unpaid" }],
  [{ error: { type: "validation_error", code: "incomplete_number" } }, { kind: "field" }],
  [
    { error: { type: "card_error", code: "card_declined", decline_code: "lost_card" } },
    { kind: "declined", code: "lost_card" },
  ],
  [{ error: { type: "card_error", code: "expired_card" } }, { kind: "declined", code: "expired_card" }],
  [
    { error: { type: "invalid_request_error", code: "payment_intent_authentication_failure" } },
    { kind: "declined", code: "payment_intent_authentication_failure" },
  ],
  [{ error: { type: "invalid_request_error", payment_intent: unpaid } }, { kind: "unpaid" }],
  [
    { error: { type: "invalid_request_error", code: "payment_intent_unexpected_state" } },
    { kind: "unknown" },
  ],
  [{ error: { type: "api_connection_error" } }, { kind: "unknown" }],
  [{ error: { type: "api_error" } }, { kind: "unknown" }],
];

for (const [result, outcome] of OUTCOMES) {
  test(`${JSON.stringify(result)} is ${outcome.kind}`, () => {
    assert.deepEqual(outcomeOf(result, isKnown), outcome);
  });
}

for (const [fields, amount, reason] of [
  ["ready", 1290, ""],
  ["ready", 0, "empty"],
  ["ready", 49, "too_small"],
  ["loading", 0, "empty"],
  ["loading", 1290, "loading"],
  ["failed", 1290, "blocked"],
]) {
  test(`a ${fields} form and ${amount}: ${reason || "can pay"}`, () => {
    assert.equal(reasonNotToPay({ fields, amount, minimum: 50 }), reason);
  });
}
