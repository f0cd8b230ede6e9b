/** How the page speaks with the shop: answers, refusals and silence told apart. */

// Longer than the shop itself waits for Stripe.
const DEADLINE_MILLISECONDS = 25_000;

/**
 * Fetch JSON; "silent" means that nobody knows whether the request arrived.
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Answer>}
 */
export async function readJson(url, options = {}) {
  const deadline = AbortSignal.timeout(DEADLINE_MILLISECONDS);
  const signal = options.signal ? anyOf(options.signal, deadline) : deadline;
  try {
    const response = await fetch(url, { ...options, signal });
    const isJson = response.headers.get("Content-Type")?.includes("json");
    const body = isJson ? await response.json() : null;
    if (response.ok && body) return { kind: "answered", body };
    const { status } = response;
    const reference = (status >= 500 && response.headers.get("X-Request-ID")) || "";
    return { kind: "refused", status, error: body?.error ?? null, reference };
  } catch {
    return { kind: "silent" };
  }
}

/**
 * @param {string} url
 * @param {object} body
 * @param {string} csrfToken
 */
export function postJson(url, body, csrfToken) {
  return readJson(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken },
    body: JSON.stringify(body),
  });
}

/**
 * Fetch a page of the shop; null if it could not be had.
 * @param {string} url
 * @returns {Promise<Document | null>}
 */
export async function readPage(url) {
  try {
    const signal = AbortSignal.timeout(DEADLINE_MILLISECONDS);
    const response = await fetch(url, { headers: { Accept: "text/html" }, signal });
    if (!response.ok) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

/**
 * @param {AbortSignal} one
 * @param {AbortSignal} other
 */
function anyOf(one, other) {
  const either = new AbortController();
  for (const signal of [one, other]) {
    if (signal.aborted) either.abort();
    signal.addEventListener("abort", () => either.abort(), { once: true });
  }
  return either.signal;
}
