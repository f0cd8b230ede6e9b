/** What became of an intent, in the words of the page's language. */

/**
 * @param {any} error as the API gave it
 * @param {any} texts
 */
export function translated(error, texts) {
  const { declines } = texts;
  const message = declines[error.decline_code] ?? declines[error.code] ?? declines[error.type];
  return message ? { ...error, message } : error;
}

/**
 * The answer for the page after the bank has spoken.
 * @param {any} intent
 * @param {any} texts
 */
export function outcomeOf(intent, texts) {
  const failure = intent.last_payment_error;
  if (intent.status !== "requires_payment_method" || !failure) return { paymentIntent: intent };
  return { error: { ...translated(failure, texts), payment_intent: intent } };
}
