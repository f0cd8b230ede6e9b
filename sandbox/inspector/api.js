/** What the page asks of the sandbox, with the control token it was served with. */

/** @typedef {{ id: string, amount: number, currency: string, status: string, description: string | null, created: number, livemode: number }} Intent */
/** @typedef {{ id: string, type: string, created: number, object: string, intent: string }} Event */
/** @typedef {{ seq: number, event: string, endpoint: string, status: string, tries: number, last_answer: string | null, next_at: number, type: string | null, object: string | null, intent: string | null, url: string | null }} Delivery */
/** @typedef {{ version: string, now: number, held?: boolean, listeners?: number, intents?: Intent[], events?: Event[], deliveries?: Delivery[] }} Seen */
/** @typedef {{ id: string, object: string, [name: string]: any }} StripeObject */

const token = document.querySelector("meta[name=control-token]")?.getAttribute("content") ?? "";

/**
 * What has changed since the version the page knows.
 * @param {string} since
 * @returns {Promise<Seen>}
 */
export const watch = (since) => call("GET", `watch?since=${encodeURIComponent(since)}`);

/**
 * One object, and the charges, refunds and disputes that belong to it.
 * @param {string} id
 * @returns {Promise<{ object: StripeObject, related: StripeObject[] }>}
 */
export const show = (id) => call("GET", `objects/${encodeURIComponent(id)}`);

/**
 * Act as the bank, the shopper or Stripe; see sandbox/README.md, "Control".
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 * @returns {Promise<any>}
 */
export const act = (path, body = {}) => call("POST", path, body);

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 * @returns {Promise<any>}
 */
async function call(method, path, body) {
  const response = await fetch(`/_sandbox/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(typeof answer.error === "string" ? answer.error : answer.error.message);
  }
  return answer;
}
