import { readQuantity } from "./cart.js";
import { text } from "./texts.js";

/** <quantity-stepper>: two buttons with `data-step` around a number input. */
class QuantityStepper extends HTMLElement {
  connectedCallback() {
    this.#show();
    this.addEventListener("click", (event) => this.#step(event));
    this.addEventListener("input", () => this.#typed());
    this.addEventListener("change", () => (this.quantity = this.quantity));
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

  /** Say at the field what counts, if that is not what stands in it. */
  #typed() {
    const { value, validity } = this.#input;
    const isOther = validity.badInput || (value !== "" && Number(value) !== this.quantity);
    const note = document.getElementById(this.#input.getAttribute("aria-describedby") ?? "");
    const sentence = isOther ? text("quantity", { quantity: String(this.quantity) }) : "";
    if (note && note.textContent !== sentence) note.textContent = sentence;
    this.#show();
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
