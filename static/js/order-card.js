import "./tab.js";
import { decided } from "./order-status.js";
import { readPage } from "./server.js";

/**
 * <order-card data-url data-status>: one order as the server shows it, in the shopper's own
 * time. While it is processing it asks, replaces itself by its end and raises "order-change".
 */
export class OrderCard extends HTMLElement {
  #gone = new AbortController();

  connectedCallback() {
    for (const time of this.querySelectorAll("time")) time.textContent = localTime(time.dateTime);
    if (this.dataset.status === "processing") this.#watch();
  }

  disconnectedCallback() {
    this.#gone.abort();
  }

  get url() {
    return this.dataset.url ?? "";
  }

  async #watch() {
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    const order = await decided(this.url, signal, undefined, this.dataset.status);
    if (!order) return;
    // Unpaid after all, perhaps: then the order's own page has a form to pay it.
    if (this.closest("[data-order-page]")) return location.reload();
    const card = await readCard(this.url);
    if (!card) return;
    if (document.title === this.dataset.title) document.title = card.dataset.title ?? "";
    this.replaceWith(card);
    card.dispatchEvent(new Event("order-change", { bubbles: true }));
  }
}

/** @param {string} moment in ISO 8601 */
export function localTime(moment) {
  const { lang } = document.documentElement;
  const format = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });
  return format.format(new Date(moment));
}

/**
 * Take the card out of the order's page; null if the page could not be had.
 * @param {string} orderUrl
 * @returns {Promise<HTMLElement | null>}
 */
export async function readCard(orderUrl) {
  const page = await readPage(orderUrl);
  return page?.querySelector("order-card") ?? null;
}

/**
 * Put the card first among the page's orders, in the place of an older copy, and go there.
 * @param {HTMLElement} card
 */
export function showCard(card) {
  const list = document.querySelector("[data-orders]");
  const old = list?.querySelector(`order-card[data-url="${CSS.escape(card.dataset.url ?? "")}"]`);
  old?.remove();
  list?.querySelector("[data-new]")?.removeAttribute("data-new");
  card.toggleAttribute("data-new", true);
  list?.prepend(card);
  const heading = card.querySelector("h2, h3");
  if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

customElements.define("order-card", OrderCard);
