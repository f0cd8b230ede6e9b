import { text } from "./texts.js";

const KEPT_EMAIL = "email";
const UNFINISHED = "[data-unfinished]";

/** What a payment form shows: the button, its reason, progress, what went wrong. */
export class PaymentView {
  #isEmailRefused = false;

  /** @param {HTMLElement} root the form's element */
  constructor(root) {
    this.root = root;
  }

  /**
   * Lock or free the form.
   * @param {{isBusy: boolean, reason: string, minimum: string, label: string}} state
   */
  show({ isBusy, reason, minimum, label }) {
    const form = this.#place("form");
    form.ariaBusy = String(isBusy);
    for (const set of form.querySelectorAll("fieldset")) set.disabled = isBusy;
    this.#place("[type=submit]").toggleAttribute("disabled", isBusy || reason !== "");
    if (label) this.#write("[data-pay]", label);
    // A form that is loading or blocked says so in its own place.
    const isSaid = isBusy || reason === "loading" || reason === "blocked";
    this.#write("[data-reason]", isSaid ? "" : text(reason, { minimum }));
    // What is locked takes no focus: a field refused meanwhile gets it now.
    if (isBusy || !this.#isEmailRefused) return;
    this.#isEmailRefused = false;
    this.emailInput?.focus();
  }

  /**
   * Say what is going on, and where the order can be seen meanwhile.
   * @param {string} sentence
   * @param {string} [orderUrl]
   */
  progress(sentence, orderUrl = "") {
    const box = this.#place(".progress");
    box.style.visibility = "";
    const isNew = this.#place("[data-progress]").textContent !== sentence;
    this.#write("[data-progress]", sentence);
    // Once: whoever scrolls away stays there.
    if (sentence && isNew) box.scrollIntoView({ block: "nearest" });
    const link = this.#place("[data-order-link]");
    link.hidden = orderUrl === "";
    link.setAttribute("href", orderUrl);
  }

  /** An order speaks for itself now; the room stays until the form is free. */
  hush() {
    this.#place(".progress").style.visibility = "hidden";
  }

  /**
   * Say what went wrong, or nothing any more.
   * @param {string} sentence
   */
  fail(sentence, { focus = true, reference = "" } = {}) {
    const alert = this.#write("[data-error]", sentence);
    if (reference) {
      const small = document.createElement("small");
      small.textContent = text("reference", { reference });
      alert.append(" ", small);
    }
    if (sentence && focus) alert.focus();
  }

  get failure() {
    return this.#place("[data-error]").textContent;
  }

  /**
   * Ask for another e-mail address.
   * @param {string} sentence
   */
  refuseEmail(sentence) {
    this.emailInput?.setAttribute("aria-invalid", "true");
    this.#write("[data-email-error]", sentence);
    this.emailInput?.focus();
    this.#isEmailRefused = true;
  }

  /** Take back what was said. */
  clear() {
    this.fail("");
    this.#isEmailRefused = false;
    this.emailInput?.removeAttribute("aria-invalid");
    if (this.emailInput) this.#write("[data-email-error]", "");
  }

  /** @param {Document} page a fresh copy of this one */
  takeUnfinished(page) {
    const fresh = page.querySelector(UNFINISHED);
    const old = this.root.querySelector(UNFINISHED);
    // A link that says the same keeps the focus.
    if (fresh && !fresh.isEqualNode(old)) old?.replaceWith(fresh);
    for (const card of page.querySelectorAll("order-card:not([data-status=pending])")) {
      const same = `order-card[data-status=pending][data-url="${card.getAttribute("data-url")}"]`;
      this.root.querySelector(same)?.replaceWith(card);
    }
  }

  /** What the form itself is about to say. */
  dropOwnUnfinished() {
    this.root.querySelector(`${UNFINISHED} [data-own]`)?.remove();
  }

  /** Keep the e-mail for a reload: browsers forget the fields of a page never stored. */
  keepEmail() {
    const input = this.emailInput;
    if (!input) return;
    input.value ||= sessionStorage.getItem(KEPT_EMAIL) ?? "";
    input.addEventListener("input", () => sessionStorage.setItem(KEPT_EMAIL, input.value));
  }

  get emailInput() {
    return /** @type {HTMLInputElement | null} */ (this.root.querySelector("[type=email]"));
  }

  /**
   * @param {string} selector
   * @param {string} sentence
   */
  #write(selector, sentence) {
    const place = this.#place(selector);
    // A live region speaks whenever it is written to.
    if (place.textContent !== sentence) place.textContent = sentence;
    return place;
  }

  /** @param {string} selector */
  #place(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }
}
