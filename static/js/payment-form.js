import { PaymentFields } from "./payment-fields.js";
import { ShoppingCart } from "./shopping-cart.js";
import { readCard, showCard } from "./order-card.js";
import { statesOf } from "./order-status.js";
import { outcomeOf, reasonNotToPay } from "./payment-outcome.js";
import { postJson, readJson, readPage } from "./server.js";
import { declineText, text } from "./texts.js";

// The order whose payment was started in this tab and whose end it has not seen.
const UNDER_WAY = "payment under way";
const LONG_WAIT = 20_000;
// By then the shop has asked Stripe itself, should no event have come.
const ASK_AGAIN = 10_000;

/**
 * <payment-form data-start-url data-minimum [data-checkout] [data-email]>: takes an order
 * from the press of Pay to the moment when the server knows how it ended.
 */
class PaymentForm extends HTMLElement {
  #isBusy = false;
  #ended = new AbortController();

  connectedCallback() {
    const { signal } = this.#ended;
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#pay();
    });
    this.addEventListener("cart-change", () => this.#edited());
    this.addEventListener("fields-edit", () => this.#edited());
    this.addEventListener("input", () => this.#edited());
    this.addEventListener("fields-state", () => this.#show());
    window.addEventListener("pageshow", (event) => this.#returned(event), { signal });
    window.addEventListener("online", () => this.#renew({ mayReload: true }), { signal });
    this.#show();
    this.#resume();
  }

  disconnectedCallback() {
    this.#ended.abort();
  }

  // --- Pay --------------------------------------------------------------------------

  #pay() {
    if (this.#isBusy || this.#reason || !this.#hasEmail()) return;
    if (!navigator.onLine) return this.#fail(text("offline"));
    this.#run(async () => {
      // First of all: a wallet opens only in answer to the press itself.
      const checked = this.#fields.submit();
      this.#progress(text("contacting"));
      const error = await checked;
      if (error) return error.type === "validation_error" || this.#fail(text("no_answer"));
      await this.#answered(await this.#start());
    });
  }

  /** @returns {Promise<Answer>} */
  async #start() {
    const { startUrl = "" } = this.dataset;
    const answer = await postJson(startUrl, this.#wish, this.#csrfToken);
    if (answer.kind !== "refused" || answer.error?.code !== "csrf_failed") return answer;
    await this.#renew();
    return postJson(startUrl, this.#wish, this.#csrfToken);
  }

  /** @param {Answer} answer */
  async #answered(answer) {
    if (answer.kind === "silent") {
      return this.#fail(text(navigator.onLine ? "unreachable" : "offline"));
    }
    if (answer.kind === "refused") return this.#refused(answer.error);
    const { order, client_secret: clientSecret } = answer.body;
    if (!clientSecret) return this.#finish(order);
    await this.#confirm(order, clientSecret);
  }

  /** @param {Refusal | null} error */
  async #refused(error) {
    if (error?.code === "price_changed") return this.#reprice(error);
    if (error?.code === "already_paid" && error.order) {
      await this.#finish(error.order);
      return this.#fail(error.message, { focus: false });
    }
    this.#fail(error?.message ?? text("server_error"));
  }

  /**
   * @param {OrderState} order
   * @param {string} clientSecret
   */
  async #confirm(order, clientSecret) {
    sessionStorage.setItem(UNDER_WAY, order.url);
    const returnUrl = new URL(order.url, location.href).href;
    const result = await this.#fields.confirm({ clientSecret, returnUrl, email: this.#email });
    const outcome = outcomeOf(result, (code) => text(`decline.${code}`) !== "");
    if (outcome.kind === "waiting") {
      this.#progress(text("confirming"));
      return this.#follow(order.url);
    }
    if (outcome.kind === "unknown") return this.#findOut(order.url);
    sessionStorage.removeItem(UNDER_WAY);
    if (outcome.kind === "declined") this.#fail(declineText(outcome.code));
  }

  // --- Wait for what the server knows -----------------------------------------------

  /**
   * Ask until the order is decided.
   * @param {string} orderUrl
   */
  async #follow(orderUrl) {
    for await (const { order, elapsed } of statesOf(orderUrl, this.#ended.signal)) {
      if (order && order.status !== "pending") return this.#decided(order);
      if (order && elapsed > LONG_WAIT) {
        this.#progress(text("long_wait", { number: order.number }), order.url);
      }
    }
  }

  /**
   * The answer of the bank was lost: find out whether the order was paid.
   * @param {string} orderUrl
   */
  async #findOut(orderUrl) {
    this.#progress(text("checking"), orderUrl);
    let asked = 0;
    for await (const { order, elapsed } of statesOf(orderUrl, this.#ended.signal)) {
      if (order && order.status !== "pending") return this.#decided(order);
      if (!order || elapsed - asked < ASK_AGAIN) continue;
      asked = elapsed;
      const answer = await postJson(`${orderUrl}payment/`, {}, this.#csrfToken);
      // Still payable: then nothing has been paid.
      if (answer.kind === "answered" && answer.body.client_secret) {
        sessionStorage.removeItem(UNDER_WAY);
        return this.#fail(text("not_paid"));
      }
    }
  }

  /** @param {OrderState} order */
  async #decided(order) {
    if (order.status !== "canceled") return this.#finish(order);
    sessionStorage.removeItem(UNDER_WAY);
    await this.#renew();
    this.#fail(order.message);
  }

  /**
   * Show the order as the server does, and be ready for another.
   * @param {OrderState} order
   */
  async #finish(order) {
    sessionStorage.removeItem(UNDER_WAY);
    const card = await readCard(order.url);
    if (!card) return location.assign(order.url);
    document.title = card.dataset.title ?? document.title;
    showCard(card);
    if (!this.#cart) return this.remove();
    await this.#renew();
    this.#cart.reset();
    this.#fields.mount();
  }

  // --- Reload, second tab, Back -----------------------------------------------------

  async #resume() {
    const orderUrl = sessionStorage.getItem(UNDER_WAY);
    if (!orderUrl || (!this.#cart && orderUrl !== location.pathname)) return;
    const answer = await readJson(`${orderUrl}status/`);
    if (answer.kind === "refused") return sessionStorage.removeItem(UNDER_WAY);
    this.#run(() => this.#findOut(orderUrl));
  }

  /** @param {PageTransitionEvent} event */
  #returned({ persisted }) {
    if (!persisted) return;
    // A payment that left the page for the bank has no end here.
    if (this.#isBusy) return location.reload();
    this.#run(() => this.#renew({ mayReload: true }));
  }

  /** Take checkout and CSRF token from a fresh copy of this page. */
  async #renew({ mayReload = false } = {}) {
    const page = await readPage(location.pathname);
    if (!page) return;
    const fresh = page.querySelector("payment-form");
    const isSame = fresh instanceof HTMLElement && fresh.dataset.checkout === this.dataset.checkout;
    if (mayReload && !isSame) return location.reload();
    if (!(fresh instanceof HTMLElement)) return;
    this.dataset.checkout = fresh.dataset.checkout;
    this.#tokenInput.value = tokenInput(fresh).value;
  }

  // --- Parts ------------------------------------------------------------------------

  get #fields() {
    return /** @type {PaymentFields} */ (this.querySelector("payment-fields"));
  }

  get #cart() {
    return /** @type {ShoppingCart | null} */ (this.querySelector("shopping-cart"));
  }

  get #tokenInput() {
    return tokenInput(this);
  }

  get #csrfToken() {
    return this.#tokenInput.value;
  }

  get #emailInput() {
    return /** @type {HTMLInputElement | null} */ (this.querySelector("[type=email]"));
  }

  get #email() {
    return this.#emailInput?.value.trim() ?? this.dataset.email ?? "";
  }

  get #amount() {
    return this.#cart?.amount ?? Number(this.#fields.dataset.amount);
  }

  get #reason() {
    const minimum = Number(this.dataset.minimum);
    return reasonNotToPay({ fields: this.#fields.state, amount: this.#amount, minimum });
  }

  /** What `POST` says; nothing, for an order that exists. */
  get #wish() {
    if (!this.#cart) return {};
    return {
      checkout: this.dataset.checkout,
      lines: this.#cart.lines,
      email: this.#email,
      amount: this.#amount,
      currency: this.#fields.dataset.currency,
    };
  }

  // --- Show -------------------------------------------------------------------------

  /**
   * Do one thing at a time, with everything locked meanwhile.
   * @param {() => Promise<unknown>} act
   */
  async #run(act) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#fail("");
    this.#show();
    try {
      await act();
    } finally {
      this.#isBusy = false;
      this.#progress("");
      this.#show();
    }
  }

  #edited() {
    if (this.#isBusy) return;
    this.#fail("");
    this.#emailInput?.removeAttribute("aria-invalid");
    this.#write("[data-email-error]", "");
    this.#show();
  }

  #show() {
    const reason = this.#reason;
    if (!["empty", "too_small"].includes(reason)) this.#fields.amount = this.#amount;
    const { format } = this.#cart ?? {};
    this.querySelector("form")?.setAttribute("aria-busy", String(this.#isBusy));
    for (const set of this.querySelectorAll("fieldset")) set.disabled = this.#isBusy;
    const button = /** @type {HTMLButtonElement} */ (this.querySelector("[type=submit]"));
    button.disabled = this.#isBusy || reason !== "";
    if (format) this.#write("[data-pay]", text("pay", { amount: format(this.#amount) }));
    const shown = { minimum: format?.(Number(this.dataset.minimum)) ?? "" };
    this.#write("[data-reason]", this.#isBusy || reason === "blocked" ? "" : text(reason, shown));
  }

  #hasEmail() {
    const input = this.#emailInput;
    if (!input || (input.validity.valid && /@.+\.[^.]+$/.test(this.#email))) return true;
    input.setAttribute("aria-invalid", "true");
    this.#write("[data-email-error]", text("email"));
    input.focus();
    return false;
  }

  /** @param {Refusal} refusal */
  #reprice({ lines = [], amount = 0 }) {
    const before = this.#amount;
    this.#cart?.reprice(lines);
    const { format = String } = this.#cart ?? {};
    this.#fail(text("price_changed", { old: format(before), new: format(amount) }));
  }

  /**
   * @param {string} sentence
   * @param {string} [orderUrl]
   */
  #progress(sentence, orderUrl = "") {
    this.#write("[data-progress]", sentence);
    const link = /** @type {HTMLAnchorElement} */ (this.querySelector("[data-order-link]"));
    link.hidden = orderUrl === "";
    link.href = orderUrl;
  }

  /**
   * Say what went wrong, or nothing any more.
   * @param {string} sentence
   */
  #fail(sentence, { focus = true } = {}) {
    const alert = this.#write("[data-error]", sentence);
    if (sentence && focus) alert.focus();
  }

  /**
   * @param {string} selector
   * @param {string} sentence
   */
  #write(selector, sentence) {
    const place = /** @type {HTMLElement} */ (this.querySelector(selector));
    // A live region speaks whenever it is written to.
    if (place && place.textContent !== sentence) place.textContent = sentence;
    return place;
  }
}

/** @param {HTMLElement} form */
function tokenInput(form) {
  return /** @type {HTMLInputElement} */ (form.querySelector("[name=csrfmiddlewaretoken]"));
}

customElements.define("payment-form", PaymentForm);
