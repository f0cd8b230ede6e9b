/** The three lists: a row per payment, event and delivery, the newest on top. */

import { element, pill } from "./elements.js";
import { clockTime, money, outcome, place, tone } from "./words.js";

/** @typedef {import("./api.js").Intent} Intent */
/** @typedef {import("./api.js").Event} Event */
/** @typedef {import("./api.js").Delivery} Delivery */

/**
 * Bring a list up to date; rows that stay keep their focus.
 * @template T
 * @param {Element} list
 * @param {T[]} things
 * @param {(thing: T) => string} keyOf
 * @param {(thing: T) => (Node | string)[]} draw
 * @param {string | null} chosen the key of the row that is shown in full
 */
export function update(list, things, keyOf, draw, chosen) {
  const old = new Map([...list.children].map((row) => [row.getAttribute("data-key"), row]));
  const rows = things.map((thing) => {
    const key = keyOf(thing);
    const row = old.get(key) ?? newRow(key, old.size > 0);
    const drawn = draw(thing);
    const text = drawn.map((part) => (typeof part === "string" ? part : part.textContent)).join("|");
    if (row.getAttribute("data-text") !== text) {
      row.setAttribute("data-text", text);
      row.firstElementChild?.replaceChildren(...drawn);
    }
    row.firstElementChild?.setAttribute("aria-pressed", String(key === chosen));
    return row;
  });
  for (const gone of new Set(old.values()).difference(new Set(rows))) {
    gone.remove();
  }
  rows.forEach((row, index) => {
    if (list.children[index] !== row) {
      list.insertBefore(row, list.children[index] ?? null);
    }
  });
}

/**
 * @param {string} key
 * @param {boolean} isNews whether it came while the page was looking
 */
function newRow(key, isNews) {
  const inside = element("button", "row");
  inside.setAttribute("type", "button");
  const row = element("li", isNews ? "rows__news" : "", inside);
  row.setAttribute("data-key", key);
  return row;
}

/** @param {Intent} intent */
export function drawIntent(intent) {
  return [
    element("span", "row__main", money(intent.amount, intent.currency)),
    pill(intent.status, tone(intent.status)),
    element("code", "row__id", intent.id),
    element("span", "row__time", clockTime(intent.created)),
  ];
}

/**
 * @param {Event} event
 * @param {Delivery[]} deliveries
 */
export function drawEvent(event, deliveries) {
  const dots = deliveries.map((one) => {
    const dot = element("span", `dot dot--${tone(one.status)}`);
    dot.setAttribute("role", "img");
    dot.setAttribute("aria-label", one.status);
    dot.title = `${place(one)}: ${outcome(one)}`;
    return dot;
  });
  return [
    element("span", "row__main", event.type),
    element("span", "dots", ...dots, element("span", "unseen", deliveries.map(outcome).join(", "))),
    element("code", "row__id", event.object),
    element("span", "row__time", clockTime(event.created)),
  ];
}

/** @param {Delivery} delivery */
export function drawDelivery(delivery) {
  const tries = delivery.tries > 1 ? `${delivery.tries} tries` : "";
  return [
    element("span", "row__main", delivery.type ?? delivery.event),
    pill(outcome(delivery), tone(delivery.status)),
    element("code", "row__id", place(delivery)),
    element("span", "row__time", tries || clockTime(delivery.next_at)),
  ];
}
