import "./tab.js";
import { PaymentFields } from "./payment-fields.js";
import { ShoppingCart } from "./shopping-cart.js";
import { localTime, readCard, showCard } from "./order-card.js";
import { agreed, found, readState } from "./order-status.js";
import { outcomeOf, reasonNotToPay } from "./payment-outcome.js";
import { PaymentView } from "./payment-view.js";
import { postJson, readJson, readPage } from "./server.js";
import { declineText, hasDeclineText, text } from "./texts.js";

// The order whose payment was started in this tab and whose end it has not seen.
const UNDER_WAY = "payment under way";
// When to ask whether an order can still be paid, on a page loaded since it was begun.
const ASK_ON_RETURN = 3_000;
// How often to look whether another tab has paid what stands here as unpaid.
const LOOK_EVERY = 20_000;
const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s.]+$/;

/**
 * <payment-form data-start-url [data-checkout] [data-email] [data-returned]>: takes an order from
 * the press of Pay to the moment when the server knows how it ended.
 */
class PaymentForm extends HTMLElement {
  #isBusy = false;
  #isStale = false;
  // The order whose last attempt was not paid.
  #unpaidUrl = "";
  #ended = new AbortController();
  #view = new PaymentView(this);

  connectedCallback() {
    const { signal } = this.#ended;
    this.#view.keepEmail();
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#pay();
    });
    for (const edit of ["cart-change", "fields-edit", "input"]) {
      this.addEventListener(edit, () => this.#edited());
    }
    this.addEventListener("fields-state", () => this.#show());
    this.addEventListener("order-change", () => this.#renew());
    window.addEventListener("pageshow", (event) => this.#shownAgain(event), { signal });
    window.addEventListener("online", () => this.#refresh(), { signal });
    document.addEventListener("visibilitychange", () => this.#lookAgain(), { signal });
    const looking = setInterval(() => this.#lookAgain(), LOOK_EVERY);
    signal.addEventListener("abort", () => clearInterval(looking));
    this.#show();
    this.#resume();
  }

  disconnectedCallback() {
    this.#ended.abort();
  }

  // --- Pay --------------------------------------------------------------------------

  #pay() {
    if (this.#isBusy || this.#reason) return;
    if (!EMAIL.test(this.#email)) return this.#view.refuseEmail(text("email"));
    if (!navigator.onLine) return this.#view.fail(text("offline"));
    this.#run(async () => {
      // First of all: a wallet opens only in answer to the press itself.
      const checked = this.#fields.submit();
      this.#view.progress(text("contacting"));
      const error = await checked;
      if (!error) return this.#started(await this.#start());
      if (error.type !== "validation_error") this.#view.fail(text("no_answer"));
    });
  }

  /** @returns {Promise<Answer>} */
  async #start() {
    const { startUrl = "" } = this.dataset;
    const closed = await this.#closedByDeclines();
    if (closed) return { kind: "refused", status: 409, error: closed, reference: "" };
    const answer = await postJson(startUrl, this.#wish, this.#csrf.value);
    if (answer.kind !== "refused" || answer.error?.code !== "csrf_failed") return answer;
    await this.#renew();
    return postJson(startUrl, this.#wish, this.#csrf.value);
  }

  /**
   * The last attempt may have closed the order: say so once, before another is placed.
   * @returns {Promise<Refusal | null>}
   */
  async #closedByDeclines() {
    const orderUrl = this.#unpaidUrl;
    this.#unpaidUrl = "";
    const order = orderUrl ? await readState(orderUrl) : null;
    if (order?.closed_reason !== "declined") return null;
    return { code: "order_closed", message: order.message };
  }

  /** @param {Answer} answer */
  async #started(answer) {
    if (answer.kind === "silent") {
      return this.#view.fail(text(navigator.onLine ? "unreachable" : "offline"));
    }
    if (answer.kind === "refused") return this.#refused(answer);
    const { order, client_secret: clientSecret } = answer.body;
    if (!clientSecret) return this.#finish(order);
    return this.#confirm(order.url, clientSecret);
  }

  /** @param {Answer & {kind: "refused"}} refusal */
  async #refused({ status, error, reference }) {
    if (error?.code === "price_changed") return this.#reprice(error);
    if (error?.code === "invalid_cart") return this.#correct(error);
    // Nothing here can be paid any more: only the order's own words help.
    if (error?.code === "order_closed" && !this.#cart) return location.reload();
    if (error?.code === "already_paid" && error.order) return this.#paidBefore(error);
    const unexplained = text(status === 429 ? "too_fast" : "server_error");
    return this.#view.fail(error?.message ?? unexplained, { reference });
  }

  /**
   * Show the order that spent the checkout; another cart than that one is kept.
   * @param {Refusal} refusal
   */
  async #paidBefore({ order, message }) {
    if (!order) return;
    const { number, paid_at: paidAt } = order;
    const fact = paidAt ? text("already_paid", { number, date: localTime(paidAt) }) : message;
    if (!this.#cart || order.amount === this.#amount) {
      await this.#finish(order);
      return this.#view.fail(fact, { focus: false });
    }
    const card = await readCard(order.url);
    if (card) this.#present(card);
    this.#takeCheckout(await this.#renew());
    return this.#view.fail(`${fact} ${text("another_cart")}`);
  }

  /**
   * Show what has to change before the order can be placed.
   * @param {Refusal} refusal
   */
  async #correct({ field, message }) {
    if (field === "email") return this.#view.refuseEmail(message);
    const page = await this.#renew();
    const gone = (page && this.#cart?.retire(page)) ?? [];
    const sentence = gone.length ? text("gone", { products: gone.join(", ") }) : message;
    return this.#view.fail(sentence);
  }

  /** @param {Refusal} refusal */
  #reprice({ lines = [], amount = 0 }) {
    const cart = /** @type {ShoppingCart} */ (this.#cart);
    const old = cart.format(cart.amount);
    cart.reprice(lines);
    this.#view.fail(text("price_changed", { old, new: cart.format(amount) }));
  }

  /**
   * @param {string} orderUrl
   * @param {string} clientSecret
   */
  async #confirm(orderUrl, clientSecret) {
    sessionStorage.setItem(UNDER_WAY, orderUrl);
    const returnUrl = new URL(orderUrl, location.href).href;
    const result = await this.#fields.confirm({ clientSecret, returnUrl, email: this.#email });
    const outcome = outcomeOf(result, hasDeclineText);
    if (outcome.kind === "waiting") return this.#follow(orderUrl);
    if (outcome.kind === "unknown") return this.#findOut(orderUrl);
    sessionStorage.removeItem(UNDER_WAY);
    this.#unpaidUrl = orderUrl;
    if (outcome.kind === "declined") this.#view.fail(declineText(outcome.code));
    if (outcome.kind === "unpaid") this.#view.fail(text("not_paid"));
  }

  // --- Until the server knows -------------------------------------------------------

  #say = this.#view.progress.bind(this.#view);

  /** @param {string} orderUrl */
  async #follow(orderUrl) {
    const order = await agreed(orderUrl, this.#say, this.#ended.signal);
    if (order) await this.#end(order);
  }

  /**
   * @param {string} orderUrl
   * @param {number} [next]
   */
  async #findOut(orderUrl, next) {
    const csrfToken = () => this.#csrf.value;
    const end = await found(orderUrl, this.#say, this.#ended.signal, { csrfToken, next });
    if (typeof end !== "string") return end && this.#end(end);
    sessionStorage.removeItem(UNDER_WAY);
    this.#unpaidUrl = orderUrl;
    return this.#view.fail(end);
  }

  /** @param {OrderState} order */
  async #end(order) {
    const keepsCart = ["replaced", "declined"].includes(order.closed_reason);
    if (!keepsCart || !this.#cart) return this.#finish(order);
    sessionStorage.removeItem(UNDER_WAY);
    // The checkout stays: if another tab has spent it, the next press is told so.
    await this.#renew();
    return this.#view.fail(order.message);
  }

  /**
   * Show the order as the server does, and be ready for another.
   * @param {OrderState} order
   */
  async #finish(order) {
    sessionStorage.removeItem(UNDER_WAY);
    // Before anything that takes time: a reload shows no cart that is bought.
    this.#cart?.reset();
    const card = await readCard(order.url);
    if (!card) return location.assign(order.url);
    document.title = card.dataset.title ?? document.title;
    this.#present(card);
    if (!this.#cart) return this.remove();
    this.#takeCheckout(await this.#renew());
    return this.#fields.mount();
  }

  /** @param {HTMLElement} card */
  #present(card) {
    this.#view.hush();
    showCard(card);
  }

  // --- Reload, second tab, Back -----------------------------------------------------

  async #resume() {
    const { pathname } = location;
    // Back from the bank, perhaps in another browser than the one that went there.
    const hasReturned = this.dataset.returned !== undefined;
    const orderUrl = hasReturned ? pathname : sessionStorage.getItem(UNDER_WAY);
    if (!orderUrl || (!this.#cart && orderUrl !== pathname)) return;
    await this.#run(async () => {
      const start = performance.now();
      this.#say(text("checking"), orderUrl);
      const answer = await readJson(`${orderUrl}status/`);
      if (answer.kind === "refused") return sessionStorage.removeItem(UNDER_WAY);
      return this.#findOut(orderUrl, ASK_ON_RETURN + start - performance.now());
    });
  }

  /** @param {PageTransitionEvent} event */
  #shownAgain({ persisted }) {
    if (!persisted) return;
    // A payment that left this page for the bank has no end here.
    if (this.#isBusy) location.reload();
    else this.#refresh();
  }

  /** Begin anew if the shop's page of this moment is about another purchase or user. */
  async #refresh() {
    if (this.#isBusy || this.#isStale) return;
    if (this.#view.failure === text("offline")) this.#view.fail("");
    // Nobody pays meanwhile, but typing goes on.
    this.#isStale = true;
    this.#show();
    const page = await this.#renew();
    const fresh = page && freshForm(page);
    const isSameUser = page?.body.dataset.user === document.body.dataset.user;
    const isSame = isSameUser && fresh?.dataset.checkout === this.dataset.checkout;
    if (page && !(fresh && isSame)) return location.reload();
    this.#isStale = false;
    this.#show();
  }

  /** Another tab may have paid what stands here as unpaid; nothing else is touched. */
  async #lookAgain() {
    if (document.hidden || this.#isBusy) return;
    const orderUrl = this.#calledUnpaid;
    const order = orderUrl ? await readState(orderUrl) : null;
    if (order && order.status !== "pending" && orderUrl === this.#calledUnpaid) {
      this.#unpaidUrl = "";
      return this.#run(() => this.#end(order));
    }
    if (!this.querySelector("[data-unfinished] p")) return;
    const page = await readPage(location.pathname);
    if (page && !this.#isBusy) this.#view.takeUnfinished(page);
  }

  /** The order of which something on this page says that it is not paid. */
  get #calledUnpaid() {
    if (!this.#cart) return location.pathname;
    return this.#view.failure ? this.#unpaidUrl : "";
  }

  /** Take the CSRF token from a fresh copy of this page, and return the copy. */
  async #renew() {
    const page = await readPage(location.pathname);
    if (!page) return null;
    const fresh = freshForm(page);
    if (fresh) this.#csrf.value = csrfInput(fresh).value;
    this.#view.takeUnfinished(page);
    return page;
  }

  /** @param {Document | null} page where another purchase begins */
  #takeCheckout(page) {
    const checkout = page && freshForm(page)?.dataset.checkout;
    if (checkout) this.dataset.checkout = checkout;
  }

  // --- Parts ------------------------------------------------------------------------

  get #fields() {
    return /** @type {PaymentFields} */ (this.querySelector("payment-fields"));
  }

  get #cart() {
    return /** @type {ShoppingCart | null} */ (this.querySelector("shopping-cart"));
  }

  get #csrf() {
    return csrfInput(this);
  }

  get #email() {
    return this.#view.emailInput?.value.trim() ?? this.dataset.email ?? "";
  }

  get #amount() {
    return this.#cart?.amount ?? Number(this.#fields.dataset.amount);
  }

  get #minimum() {
    return Number(this.#fields.dataset.minimum);
  }

  get #reason() {
    const { state: fields } = this.#fields;
    const reason = reasonNotToPay({ fields, amount: this.#amount, minimum: this.#minimum });
    return reason || (this.#isStale ? "stale" : "");
  }

  /** What stands on the button, unless the order exists. */
  get #label() {
    if (!this.#cart) return "";
    if (!this.#amount) return text("pay_nothing");
    return text("pay", { amount: this.#cart.format(this.#amount) });
  }

  /** What is asked of the shop. */
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

  /**
   * Do one thing at a time, with everything locked meanwhile.
   * @param {() => Promise<unknown>} act
   */
  async #run(act) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#view.clear();
    this.#view.dropOwnUnfinished();
    this.#show();
    try {
      await act();
    } finally {
      this.#isBusy = false;
      this.#view.progress("");
      this.#show();
    }
  }

  #edited() {
    if (this.#isBusy) return;
    this.#view.clear();
    this.#show();
  }

  #show() {
    const reason = this.#reason;
    const isPayable = reason !== "empty" && reason !== "too_small";
    if (isPayable) this.#fields.amount = this.#amount;
    const minimum = this.#cart?.format(this.#minimum) ?? "";
    this.#view.show({ isBusy: this.#isBusy, reason, minimum, label: this.#label });
  }
}

/** @param {Document} page */
function freshForm(page) {
  return /** @type {HTMLElement | null} */ (page.querySelector("payment-form"));
}

/** @param {HTMLElement} form */
function csrfInput(form) {
  return /** @type {HTMLInputElement} */ (form.querySelector("[name=csrfmiddlewaretoken]"));
}

customElements.define("payment-form", PaymentForm);
