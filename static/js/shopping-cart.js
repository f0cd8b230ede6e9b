import "./quantity-stepper.js";
import { moneyFormat, orderedLines, totalOf } from "./cart.js";

/** @typedef {HTMLElement & {quantity: number}} Stepper */

const STORED = "cart";

/**
 * <shopping-cart data-currency data-exponent data-decimals>: products with quantities and
 * their total. Raises "cart-change"; quantities survive a reload of the tab.
 */
export class ShoppingCart extends HTMLElement {
  /** @type {(amount: number) => string} */
  format = String;

  connectedCallback() {
    const { currency = "", exponent, decimals } = this.dataset;
    const { lang: language } = document.documentElement;
    this.format = moneyFormat({
      currency,
      exponent: Number(exponent),
      decimals: Number(decimals),
      language,
    });
    this.#restore();
    this.#show();
    this.addEventListener("input", () => this.#changed());
    // A browser fills in what it remembers of a form only after the scripts have run.
    window.addEventListener("pageshow", this.#changed);
  }

  disconnectedCallback() {
    window.removeEventListener("pageshow", this.#changed);
  }

  get amount() {
    return totalOf(this.#lines);
  }

  get lines() {
    return orderedLines(this.#lines);
  }

  /**
   * Show the prices of today.
   * @param {Price[]} prices
   */
  reprice(prices) {
    for (const { product, unit_amount: unitAmount } of prices) {
      const row = this.querySelector(`[data-product="${CSS.escape(product)}"]`);
      if (!(row instanceof HTMLElement)) continue;
      row.dataset.unitAmount = String(unitAmount);
      const price = row.querySelector("[data-price]");
      if (price) price.textContent = this.format(unitAmount);
    }
    this.#changed();
  }

  /**
   * Take out what the shop's page of this moment no longer sells.
   * @param {Document} page
   * @returns {string[]} the names of those that had been chosen
   */
  retire(page) {
    const gone = this.#rows.filter((row) => !page.querySelector(rowSelector(row)));
    const chosen = gone.filter((row) => stepper(row).quantity > 0);
    for (const row of gone) row.remove();
    if (gone.length) this.#changed();
    return chosen.map((row) => row.querySelector("h2")?.textContent ?? "");
  }

  /** Go back to the quantities the server wrote into the page. */
  reset() {
    for (const row of this.#rows) {
      stepper(row).quantity = Number(row.querySelector("input")?.defaultValue);
    }
    this.#changed();
  }

  get #rows() {
    return /** @type {HTMLElement[]} */ ([...this.querySelectorAll("[data-product]")]);
  }

  get #lines() {
    return this.#rows.map((row) => ({
      product: row.dataset.product ?? "",
      quantity: stepper(row).quantity,
      unitAmount: Number(row.dataset.unitAmount),
    }));
  }

  #changed = () => {
    const quantities = this.#lines.map(({ product, quantity }) => [product, quantity]);
    sessionStorage.setItem(STORED, JSON.stringify(quantities));
    this.#show();
    this.dispatchEvent(new Event("cart-change", { bubbles: true }));
  };

  #show() {
    const total = this.querySelector("[data-total]");
    if (total) total.textContent = this.format(this.amount);
    for (const row of this.#rows) {
      row.toggleAttribute("data-chosen", stepper(row).quantity > 0);
    }
  }

  #restore() {
    const stored = new Map(JSON.parse(sessionStorage.getItem(STORED) ?? "[]"));
    for (const row of this.#rows) {
      const quantity = stored.get(row.dataset.product);
      if (typeof quantity === "number") stepper(row).quantity = quantity;
    }
  }
}

/** @param {HTMLElement} row */
function rowSelector({ dataset }) {
  return `[data-product="${CSS.escape(dataset.product ?? "")}"]`;
}

/** @param {HTMLElement} row */
function stepper(row) {
  return /** @type {Stepper} */ (row.querySelector("quantity-stepper"));
}

customElements.define("shopping-cart", ShoppingCart);
