/** Asking how an order is, until it is known, and saying so meanwhile. */
import { postJson, readJson } from "./server.js";
import { text } from "./texts.js";

/** @typedef {(sentence: string, orderUrl?: string) => void} Say */

const OFTEN_UNTIL = 5_000;
const STEADY_UNTIL = 30_000;
const LONG_WAIT = 20_000;
// Time for a payment whose answer was lost to end, before it is called unpaid.
const ASK_AFTER = 10_000;

/**
 * How long to wait before the next question: less often as time goes by.
 * @param {number} elapsed
 */
export function pause(elapsed) {
  if (elapsed < OFTEN_UNTIL) return 500;
  return elapsed < STEADY_UNTIL ? 1_000 : 5_000;
}

/**
 * Wait until the order is no longer `status`, and return what it is then.
 *
 * `onWait` is told, after each question, how the order is (null: the shop did not answer)
 * and how long it has been; what it returns other than undefined ends the waiting.
 * @template T
 * @param {string} orderUrl
 * @param {AbortSignal} signal
 * @param {(order: OrderState | null, elapsed: number) => Promise<T | void> | T | void} [onWait]
 * @param {string} [status]
 * @returns {Promise<OrderState | T | undefined>} undefined after `signal`
 */
export async function decided(orderUrl, signal, onWait = () => {}, status = "pending") {
  const start = performance.now();
  while (!signal.aborted) {
    const order = await readState(orderUrl, signal);
    if (signal.aborted) return undefined;
    if (order && order.status !== status) return order;
    const elapsed = performance.now() - start;
    const end = await onWait(order, elapsed);
    if (end !== undefined) return /** @type {T} */ (end);
    await sleep(pause(elapsed), signal);
  }
  return undefined;
}

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

/**
 * Return how the order is; null if the shop did not say.
 * @param {string} orderUrl
 * @param {AbortSignal} [signal]
 * @returns {Promise<OrderState | null>}
 */
export async function readState(orderUrl, signal) {
  const answer = await readJson(`${orderUrl}status/`, { signal });
  return answer.kind === "answered" ? answer.body.order : null;
}

/**
 * Wait, at most until the connection comes back.
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = () => {
      clearTimeout(timer);
      over.abort();
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end, { signal: over.signal });
    window.addEventListener("online", end, { signal: over.signal });
  });
}
