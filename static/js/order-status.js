import { readJson } from "./server.js";

/** Asking how far an order is: often at first, then less and less. */

const OFTEN_UNTIL = 5_000;
const STEADY_UNTIL = 30_000;

/**
 * Return how long to wait before the next question, in milliseconds.
 * @param {number} elapsed milliseconds since the first one
 */
export function pause(elapsed) {
  if (elapsed < OFTEN_UNTIL) return 500;
  return elapsed < STEADY_UNTIL ? 1_000 : 5_000;
}

/**
 * Yield the order's state again and again; null when the shop did not answer.
 * @param {string} orderUrl
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{order: OrderState | null, elapsed: number}, void>}
 */
export async function* statesOf(orderUrl, signal) {
  const start = performance.now();
  while (!signal.aborted) {
    const order = await readState(orderUrl, signal);
    if (signal.aborted) return;
    const elapsed = performance.now() - start;
    yield { order, elapsed };
    await sleep(pause(elapsed), signal);
  }
}

/**
 * @param {string} orderUrl
 * @param {AbortSignal} signal
 */
async function readState(orderUrl, signal) {
  const answer = await readJson(`${orderUrl}status/`, { signal });
  return answer.kind === "answered" ? /** @type {OrderState} */ (answer.body.order) : null;
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
    // No need to wait on when the connection has just come back.
    window.addEventListener("online", end, { once: true, signal });
  });
}
