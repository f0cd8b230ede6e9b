import { readQuantity } from "./cart.js";

/** <quantity-stepper>: two buttons with `data-step` around a number input. */
class QuantityStepper extends HTMLElement {
  connectedCallback() {
    this.#show();
    this.addEventListener("click", (event) => this.#step(event));
    this.addEventListener("change", () => (this.quantity = this.quantity));
    this.addEventListener("input", () => this.#show());
  }

  get quantity() {
    return readQuantity(this.#input.value);
  }

  set quantity(quantity) {
    this.#input.value = String(quantity);
    this.#show();
  }

  get #input() {
    return /** @type {HTMLInputElement} */ (this.querySelector("input"));
  }

  /** @param {Event} event */
  #step({ target }) {
    const button = target instanceof Element && target.closest("[data-step]");
    if (!(button instanceof HTMLButtonElement)) return;
    if (button.getAttribute("aria-disabled") === "true") return;
    this.quantity = readQuantity(String(this.quantity + Number(button.dataset.step)));
    this.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #show() {
    for (const button of this.querySelectorAll("button")) {
      const end = Number(button.dataset.step) < 0 ? this.#input.min : this.#input.max;
      // Not `disabled`: the button keeps the focus of whoever steps by keyboard.
      button.setAttribute("aria-disabled", String(this.quantity === Number(end)));
    }
  }
}

customElements.define("quantity-stepper", QuantityStepper);
