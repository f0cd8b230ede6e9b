/** Calls to the API with the publishable key, as Stripe's own frames make them. */

const TIMEOUT = 30_000;

const CONNECTION_ERROR = {
  type: "api_connection_error",
  message: "We could not reach the payment service. Check your connection and try again.",
};

/**
 * Flatten nested values to Stripe's form encoding: `a[b]=c`, `a[0]=c`.
 * @param {any} value
 * @param {string} [prefix]
 * @returns {[string, string][]}
 */
export function formFields(value, prefix = "") {
  if (value === undefined || value === null) return [];
  if (typeof value !== "object") return [[prefix, String(value)]];
  return Object.entries(value).flatMap(([name, part]) =>
    formFields(part, prefix ? `${prefix}[${name}]` : name),
  );
}

/**
 * @param {string} key
 * @param {string} method
 * @param {string} path
 * @param {object} params
 * @returns {Promise<{body?: any, error?: any}>} never throws for what a network can do
 */
async function request(key, method, path, params) {
  const form = new URLSearchParams(formFields(params));
  const isGet = method === "GET";
  try {
    const response = await fetch(isGet ? `${path}?${form}` : path, {
      method,
      headers: { Authorization: `Bearer ${key}`, "Stripe-Version": "2026-10-28.endive" },
      body: isGet ? undefined : form,
      signal: AbortSignal.timeout(TIMEOUT),
      credentials: "omit",
    });
    const body = await response.json();
    if (response.ok) return { body };
    return { error: body.error ?? { type: "api_error", message: "An unexpected error occurred." } };
  } catch {
    return { error: CONNECTION_ERROR };
  }
}

/** @param {string} clientSecret */
const intentPath = (clientSecret) => `/v1/payment_intents/${clientSecret.split("_secret_")[0]}`;

/** @param {{body?: any, error?: any}} answer */
const asIntent = ({ body, error }) => (error ? { error } : { paymentIntent: body });

/** @param {{key: string, clientSecret: string}} params */
export async function retrieve({ key, clientSecret }) {
  const params = { client_secret: clientSecret };
  return asIntent(await request(key, "GET", intentPath(clientSecret), params));
}

/** @param {{key: string, clientSecret: string, params: object}} call */
export async function confirm({ key, clientSecret, params }) {
  const all = { ...params, use_stripe_sdk: true, client_secret: clientSecret };
  return asIntent(await request(key, "POST", `${intentPath(clientSecret)}/confirm`, all));
}

/**
 * @param {string} key
 * @param {object} params
 */
export async function createPaymentMethod(key, params) {
  const { body, error } = await request(key, "POST", "/v1/payment_methods", params);
  return error ? { error } : { paymentMethod: body };
}

/**
 * What may be paid with here.
 * @param {string} key
 * @param {object} params
 * @returns {Promise<{types?: string[], error?: any}>}
 */
export async function session(key, params) {
  const { body, error } = await request(key, "GET", "/v1/elements/sessions", params);
  return error ? { error } : { types: body.payment_method_types };
}
