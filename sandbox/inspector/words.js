/** How amounts, moments and states read. */

/**
 * @param {number} amount in minor units
 * @param {string} currency
 */
export function money(amount, currency) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amount / 10 ** digits);
}

/** @param {number} seconds since 1970 */
export function clockTime(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

/** @param {number} seconds since 1970 */
export function dateAndTime(seconds) {
  return new Date(seconds * 1000).toLocaleString("en-GB", {
    dateStyle: "medium",
    timeStyle: "medium",
  });
}

/** @param {number} seconds how far sandbox time is ahead of real time */
export function ahead(seconds) {
  if (seconds < 30) {
    return "";
  }
  const minutes = Math.round(seconds / 60);
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor(minutes / 60) % 24, "h"],
    [minutes % 60, "min"],
  ];
  return parts
    .filter(([count]) => count)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ")
    .concat(" ahead");
}

/** @type {Record<string, string>} */
const TONES = {
  succeeded: "good",
  enabled: "good",
  processing: "waiting",
  requires_action: "waiting",
  requires_capture: "waiting",
  pending: "waiting",
  failed: "bad",
  dropped: "bad",
  "given up": "bad",
};

/**
 * Which colour a status has: good, waiting, bad or plain.
 * @param {string} status
 */
export const tone = (status) => TONES[status] ?? "plain";

/** @param {import("./api.js").Delivery} delivery */
export function outcome(delivery) {
  if (delivery.status === "pending") {
    return delivery.tries ? `${delivery.last_answer}, tries again` : "pending";
  }
  return delivery.last_answer ?? delivery.status;
}

/** @param {import("./api.js").Delivery} delivery */
export function place(delivery) {
  if (delivery.endpoint.startsWith("cliws_")) {
    return "stripe listen";
  }
  return delivery.url?.replace(/^https?:\/\//, "") ?? delivery.endpoint;
}
