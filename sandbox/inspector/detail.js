/** Everything about the one thing that was chosen, and what can be done with it. */

import { show } from "./api.js";
import { button, copyButton, element, pill } from "./elements.js";
import { tree } from "./json.js";
import { dateAndTime, money, outcome, place, tone } from "./words.js";

/** @typedef {import("./api.js").StripeObject} StripeObject */
/** @typedef {import("./api.js").Delivery} Delivery */
/** @typedef {(path: string, body?: Record<string, unknown>) => () => unknown} Act */

/**
 * The pane for a PaymentIntent: its state, buttons for the bank and the shopper, JSON.
 * @param {string} id
 * @param {Act} does
 */
export async function intentPane(id, does) {
  const { object: intent, related } = await show(id);
  const error = intent.last_payment_error;
  return [
    heading("PaymentIntent", intent.id),
    element("p", "detail__lead", money(intent.amount, intent.currency), " ", pill(intent.status, tone(intent.status))),
    ...(error ? [element("p", "detail__note", `Last error: ${error.decline_code ?? error.code}`)] : []),
    actions(intentActions(intent, related, does)),
    json("PaymentIntent", intent),
    ...related.map((one) => json(`${one.object} ${one.status}`, one)),
  ];
}

/**
 * @param {StripeObject} intent
 * @param {StripeObject[]} related
 * @param {Act} does
 */
function intentActions(intent, related, does) {
  const path = `payment_intents/${intent.id}`;
  if (intent.status === "processing") {
    return [
      button("The bank pays", does(`${path}/settle`, { outcome: "succeed" })),
      button("The bank refuses", does(`${path}/settle`, { outcome: "fail" })),
    ];
  }
  if (intent.status === "requires_action") {
    return [
      button("The shopper authenticates", does(`${path}/authenticate`, { outcome: "succeed" })),
      button("Authentication fails", does(`${path}/authenticate`, { outcome: "fail" })),
    ];
  }
  const disputes = related.filter((one) => one.object === "dispute");
  if (intent.status === "succeeded" && !disputes.length) {
    const charge = `charges/${intent.latest_charge}/dispute`;
    return [
      button("The cardholder disputes", does(charge, { reason: "fraudulent" })),
      button("The cardholder inquires", does(charge, { reason: "inquiry" })),
    ];
  }
  return [];
}

/**
 * The pane for an event: where it went, and its JSON.
 * @param {string} id
 * @param {Delivery[]} deliveries
 * @param {Act} does
 */
export async function eventPane(id, deliveries, does) {
  const { object: event } = await show(id);
  const items = deliveries.map((one) =>
    element(
      "li",
      "attempt",
      pill(outcome(one), tone(one.status)),
      element("code", "attempt__place", place(one)),
      element("span", "attempt__tries", `${one.tries} ${one.tries === 1 ? "try" : "tries"}`),
    ),
  );
  return [
    heading("Event", event.id),
    element("p", "detail__lead", event.type),
    element("p", "detail__note", dateAndTime(event.created)),
    actions([button("Deliver again", does(`events/${id}/resend`))]),
    element("ul", "attempts", ...items),
    json("Event", event),
  ];
}

/**
 * The pane for one delivery: what became of it, and what was in it.
 * @param {Delivery} delivery
 * @param {Act} does
 */
export async function deliveryPane(delivery, does) {
  const { object: event } = await show(delivery.event);
  const toEndpoint = delivery.endpoint.startsWith("we_") ? { endpoint: delivery.endpoint } : {};
  const facts = [
    ["To", place(delivery)],
    ["Last answer", delivery.last_answer ?? "none yet"],
    ["Tries", String(delivery.tries)],
    [delivery.status === "pending" ? "Next try" : "At", dateAndTime(delivery.next_at)],
  ];
  const terms = facts.flatMap(([name, text]) => [element("dt", "facts__name", name), element("dd", "facts__text", text)]);
  return [
    heading("Delivery", delivery.event),
    element("p", "detail__lead", delivery.type ?? "", " ", pill(delivery.status, tone(delivery.status))),
    element("dl", "facts", ...terms),
    actions([button("Deliver again", does(`events/${delivery.event}/resend`, toEndpoint))]),
    json("Event", event),
  ];
}

/**
 * @param {string} kind
 * @param {string} id
 */
function heading(kind, id) {
  return element("h2", "detail__title", `${kind} `, element("code", "detail__id", id), copyButton(id));
}

/** @param {HTMLElement[]} buttons */
function actions(buttons) {
  const group = element("div", "buttons", ...buttons);
  group.hidden = !buttons.length;
  return group;
}

/**
 * @param {string} title
 * @param {StripeObject} thing
 */
function json(title, thing) {
  const copy = copyButton(JSON.stringify(thing, null, 2), "Copy JSON");
  return element("section", "json", element("h3", "json__title", title, " ", copy), tree(thing));
}

