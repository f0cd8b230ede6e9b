/** The page at the sandbox's address: looks once a second, draws what has changed. */

import { act, watch } from "./api.js";
import { deliveryPane, eventPane, intentPane } from "./detail.js";
import { drawDelivery, drawEvent, drawIntent, update } from "./rows.js";
import { ahead, dateAndTime } from "./words.js";

/** @typedef {"intents" | "events" | "deliveries"} Kind */

const EVERY = 1000;
const SLOWLY = 3000;

/** @type {{ version: string, held: boolean, listeners: number, intents: import("./api.js").Intent[], events: import("./api.js").Event[], deliveries: import("./api.js").Delivery[] }} */
let seen = { version: "", held: false, listeners: 0, intents: [], events: [], deliveries: [] };
/** @type {{ kind: Kind, key: string } | null} */
let chosen = null;
/** @type {string | null} The PaymentIntent to which events and deliveries are narrowed. */
let only = null;

/**
 * @param {string} name of a data- attribute, or that and its value
 * @returns {HTMLElement}
 */
function part(name) {
  const found = document.querySelector(`[data-${name}]`);
  if (!(found instanceof HTMLElement)) {
    throw new Error(`The page has no data-${name}`);
  }
  return found;
}

async function look() {
  const looksOn = await refresh();
  setTimeout(lookWhenSeen, looksOn ? EVERY : SLOWLY);
}

/** A page in the background does not ask. */
function lookWhenSeen() {
  if (document.visibilityState === "visible") {
    look();
  } else {
    document.addEventListener("visibilitychange", lookWhenSeen, { once: true });
  }
}

/** @returns {Promise<boolean>} whether the sandbox answered */
async function refresh() {
  try {
    const news = await watch(seen.version);
    showClock(news.now);
    part("state").dataset.state = "live";
    part("state").textContent = "live";
    if (news.version !== seen.version && news.intents) {
      seen = /** @type {typeof seen} */ (news);
      draw();
      await drawDetail();
    }
    return true;
  } catch (error) {
    part("state").dataset.state = "lost";
    part("state").textContent = "not answering";
    return false;
  }
}

/** @param {number} now */
function showClock(now) {
  part("clock").textContent = dateAndTime(now);
  part("ahead").textContent = ahead(now - Date.now() / 1000);
}

function draw() {
  const typed = /** @type {HTMLInputElement} */ (part("filter")).value.trim().toLowerCase();
  /** @param {{ intent: string | null, type: string | null, object: string | null }} thing */
  const isWanted = (thing) =>
    (only === null || thing.intent === only) && `${thing.type} ${thing.object} ${thing.intent}`.toLowerCase().includes(typed);
  const events = seen.events.filter(isWanted);
  const deliveries = seen.deliveries.filter(isWanted);
  const deliveriesOf = Map.groupBy(seen.deliveries, (one) => one.event);

  update(part("list=intents"), seen.intents, (one) => one.id, drawIntent, keyOf("intents"));
  update(part("list=events"), events, (one) => one.id, (one) => drawEvent(one, deliveriesOf.get(one.id) ?? []), keyOf("events"));
  update(part("list=deliveries"), deliveries, (one) => String(one.seq), drawDelivery, keyOf("deliveries"));
  for (const [kind, things] of Object.entries({ intents: seen.intents, events, deliveries })) {
    part(`count=${kind}`).textContent = things.length === 100 ? "newest 100" : String(things.length);
    part(`empty=${kind}`).hidden = things.length > 0;
  }
  part("chosen").hidden = only === null;
  part("chosen-id").textContent = only;
  part("listeners").textContent = seen.listeners ? `${seen.listeners} × stripe listen` : "";
  part("hold").setAttribute("aria-pressed", String(seen.held));
  part("hold").textContent = seen.held ? "Release deliveries" : "Hold deliveries";
}

/** @param {Kind} kind */
const keyOf = (kind) => (chosen?.kind === kind ? chosen.key : null);

async function drawDetail() {
  if (chosen === null) {
    return;
  }
  const { kind, key } = chosen;
  const children = await paneOf(kind, key);
  // Meanwhile something else may have been chosen.
  if (children && chosen?.kind === kind && chosen.key === key) {
    const pane = part("detail");
    const text = children.map((child) => child.textContent).join("");
    // What has not changed stays as it was folded and scrolled.
    if (pane.textContent !== text) {
      pane.replaceChildren(...children);
    }
  }
}

/**
 * @param {Kind} kind
 * @param {string} key
 */
function paneOf(kind, key) {
  if (kind === "intents") {
    return intentPane(key, does);
  }
  if (kind === "events") {
    return eventPane(key, seen.deliveries.filter((one) => one.event === key), does);
  }
  const delivery = seen.deliveries.find((one) => String(one.seq) === key);
  return delivery && deliveryPane(delivery, does);
}

/**
 * What a button does: act, then look at once; a refusal is told.
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 */
function does(path, body) {
  return async () => {
    const problem = part("problem");
    problem.hidden = true;
    try {
      await act(path, body);
      await refresh();
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
      problem.hidden = false;
    }
  };
}

/** @param {Event} event */
function choose(event) {
  const row = event.target instanceof Element ? event.target.closest("[data-key]") : null;
  const list = row?.parentElement?.dataset.list;
  if (!row || !list) {
    return;
  }
  chosen = { kind: /** @type {Kind} */ (list), key: row.getAttribute("data-key") ?? "" };
  if (chosen.kind === "intents") {
    only = chosen.key;
  }
  part("detail").scrollTop = 0;
  part("detail").scrollIntoView({ block: "nearest" });
  draw();
  drawDetail();
}

/**
 * The arrow keys go from row to row.
 * @param {KeyboardEvent} event
 */
function walk(event) {
  const row = event.target instanceof Element ? event.target.closest("[data-key]") : null;
  const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
  const inside = next?.firstElementChild;
  if (inside instanceof HTMLElement) {
    event.preventDefault();
    inside.focus();
    inside.click();
  }
}

/** @param {Kind} kind */
function openTab(kind) {
  for (const name of ["events", "deliveries"]) {
    part(`tab=${name}`).setAttribute("aria-selected", String(name === kind));
    part(`panel=${name}`).hidden = name !== kind;
  }
}

document.querySelector("main")?.addEventListener("click", choose);
document.querySelector("main")?.addEventListener("keydown", walk);
part("filter").addEventListener("input", draw);
part("tab=events").addEventListener("click", () => openTab("events"));
part("tab=deliveries").addEventListener("click", () => openTab("deliveries"));
part("all").addEventListener("click", () => {
  only = null;
  draw();
});
part("hold").addEventListener("click", () => does("deliveries", { action: seen.held ? "release" : "hold" })());
for (const control of document.querySelectorAll("[data-advance]")) {
  const seconds = Number(control.getAttribute("data-advance"));
  control.addEventListener("click", does("clock", { advance: seconds }));
}
look();
