import { readJson } from "./server.js";

const OFTEN_UNTIL = 5_000;
const STEADY_UNTIL = 30_000;

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
 * @param {string} orderUrl
 * @param {AbortSignal} signal
 * @returns {Promise<OrderState | null>}
 */
async function readState(orderUrl, signal) {
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
