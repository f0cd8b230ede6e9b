/** The Payment Element: which methods are offered, which is chosen, what is wrong, paying. */
import * as api from "./api.js";
import { make } from "./fields.js";
import { arrange } from "./layout.js";
import { formFor } from "./methods.js";
import { outcomeOf, translated } from "./outcome.js";
import { textsFor } from "./texts.js";

/** Methods that need something this sandbox has no page for. */
const NOT_SHOWN = ["link", "apple_pay", "google_pay"];

/** Options of Elements on which the offered methods depend. */
const CHOOSES_METHODS = [
  "amount", "currency", "mode", "allowedPaymentMethodTypes", "excludedPaymentMethodTypes",
];

const NOTHING_OFFERED = {
  type: "invalid_request_error",
  message: "No valid payment method types for this Payment Intent.",
};

export class PaymentForm {
  /** @type {Map<string, import("./methods.js").RedirectForm>} */
  #forms = new Map();
  /** @type {string[]} */
  #types = [];
  #selected = "";
  #lastChange = "";
  #isReady = false;
  #root;
  #tell;

  /**
   * @param {HTMLElement} root
   * @param {{key: string, group: any, element: any}} settings
   * @param {(event: string, detail?: unknown) => void} tell
   */
  constructor(root, { key, group, element }, tell) {
    this.#root = root;
    this.#tell = tell;
    this.key = key;
    this.group = group;
    this.element = element;
    root.addEventListener("input", () => this.#changed());
    root.addEventListener("focusout", ({ target }) => this.#left(/** @type {HTMLElement} */ (target)));
  }

  get words() {
    return textsFor(this.group.locale);
  }

  /** Ask what may be paid with, then show it. */
  async load() {
    const { types = [], error } = await this.#session();
    if (error) return { error };
    const isKnown = types.join() === this.#types.join();
    this.#types = types;
    if (this.#ordered.length === 0) return { error: NOTHING_OFFERED };
    if (isKnown) return {};
    this.#render();
    const paymentMethods = Object.fromEntries(this.#types.map((type) => [type, { available: true }]));
    this.#tell("availablepaymentmethodschange", { paymentMethods });
    return {};
  }

  /** The answer for what the page wants now, though it may change its mind meanwhile. */
  async #session() {
    for (;;) {
      const asked = JSON.stringify(this.#sessionParameters());
      const answer = await api.session(this.key, JSON.parse(asked));
      if (asked === JSON.stringify(this.#sessionParameters())) return answer;
    }
  }

  #sessionParameters() {
    const { clientSecret, mode, amount, currency, locale } = this.group;
    if (clientSecret) return { client_secret: clientSecret, locale };
    return {
      mode, amount, currency, locale,
      allowed_payment_method_types: this.group.allowedPaymentMethodTypes,
      excluded_payment_method_types: this.group.excludedPaymentMethodTypes,
    };
  }

  /** The offered methods in the order that the page prefers. */
  get #ordered() {
    /** @type {string[]} */
    const first = this.element.paymentMethodOrder ?? [];
    const offered = this.#types.filter((type) => !NOT_SHOWN.includes(type));
    const rank = (/** @type {string} */ type) =>
      first.includes(type) ? first.indexOf(type) : first.length;
    return offered.sort((a, b) => rank(a) - rank(b));
  }

  get #layout() {
    const { layout = {} } = this.element;
    return typeof layout === "string" ? { type: layout } : layout;
  }

  /** Build everything anew, keeping what was typed and chosen. */
  #render() {
    const typed = this.#typed();
    const { texts, language } = this.words;
    document.documentElement.lang = language;
    const context = {
      texts,
      language,
      element: this.element,
      onCardDetails: (/** @type {any} */ detail) => this.#tell("carddetailschange", detail),
    };
    this.#forms = new Map(this.#ordered.map((type) => [type, formFor(type, context)]));
    this.#restore(typed);
    if (!this.#forms.has(this.#selected)) {
      const isCollapsed = this.#forms.size > 1 && this.#layout.defaultCollapsed;
      this.#selected = isCollapsed ? "" : (this.#ordered[0] ?? "");
    }
    this.#place();
    this.#changed();
  }

  #place() {
    const { texts } = this.words;
    const choose = (/** @type {string} */ type) => {
      this.#selected = type;
      this.#changed();
    };
    const layout = this.#layout;
    this.#root.replaceChildren(
      arrange({ forms: this.#forms, selected: this.#selected, layout, texts, choose }),
      make("p", { class: "Badge" }, texts.badge),
    );
  }

  #typed() {
    return [...this.#forms].flatMap(([type, form]) =>
      form.fields.map((field) => ({ type, name: field.name, value: field.value })),
    );
  }

  /** @param {{type: string, name: string, value: string}[]} typed */
  #restore(typed) {
    for (const { type, name, value } of typed) {
      const field = this.#forms.get(type)?.fields.find((one) => one.name === name);
      if (!field || !value) continue;
      field.value = value;
      field.input.dispatchEvent(new Event(field.input.tagName === "SELECT" ? "change" : "input"));
    }
  }

  get #form() {
    return this.#forms.get(this.#selected);
  }

  get #shownFields() {
    return this.#form?.fields.filter((field) => field.isShown) ?? [];
  }

  /** From now on the page hears of changes, beginning with how the form stands. */
  start() {
    this.#isReady = true;
    this.#changed();
  }

  #changed() {
    if (!this.#isReady) return;
    const fields = this.#shownFields;
    const detail = {
      empty: fields.every((field) => field.isEmpty || field.name === "country"),
      complete: Boolean(this.#form) && fields.every((field) => !field.problem),
      collapsed: this.#selected === "",
      value: { type: this.#selected },
    };
    const text = JSON.stringify(detail);
    if (text === this.#lastChange) return;
    this.#lastChange = text;
    this.#tell("change", detail);
  }

  /** @param {HTMLElement} target */
  #left(target) {
    const field = this.#shownFields.find(({ input }) => input === target);
    if (field && !field.isEmpty) field.showProblem(field.problem);
  }

  /**
   * Show what is wrong with the chosen form and go to the first of it.
   * @returns {{selectedPaymentMethod?: string, error?: any}}
   */
  submit() {
    const { problems } = this.words.texts;
    if (!this.#form) return validationError("incomplete_payment_method", problems);
    const wrong = this.#shownFields.filter((field) => field.problem);
    for (const field of this.#shownFields) field.showProblem(field.problem);
    if (wrong.length === 0) return { selectedPaymentMethod: this.#selected };
    wrong[0].input.focus();
    return validationError(/** @type {string} */ (wrong[0].problem), problems);
  }

  /**
   * Confirm the intent with what is typed here.
   * @param {{clientSecret: string, confirmParams: any, email: string}} call
   */
  async confirm({ clientSecret, confirmParams, email }) {
    const checked = this.submit();
    if (checked.error) return checked;
    const intent = { key: this.key, clientSecret };
    const mismatch = this.group.mode && (await this.#mismatch(intent));
    if (mismatch) return { error: mismatch };
    const { payment_method_data: given, ...rest } = confirmParams;
    const params = {
      ...rest,
      ...this.#form?.parameters(),
      payment_method_data: this.#paymentMethodData(given, email),
    };
    const answer = await api.confirm({ ...intent, params });
    return answer.error ? { error: translated(answer.error, this.words.texts) } : answer;
  }

  /**
   * What keeps a deferred form from paying this intent.
   * @param {{key: string, clientSecret: string}} intent
   */
  async #mismatch(intent) {
    const { paymentIntent, error } = await api.retrieve(intent);
    if (error) return error;
    const { mode, currency, amount, setupFutureUsage = null } = this.group;
    const compared = [
      ["mode", mode, mode === "setup" ? "payment" : mode],
      ["currency", currency, paymentIntent.currency],
      ["amount", amount, paymentIntent.amount],
      ["setup_future_usage", setupFutureUsage, paymentIntent.setup_future_usage],
    ];
    const odd = compared.find(([, provided, expected]) => provided !== expected);
    if (!odd) return null;
    const [name, provided, expected] = odd;
    return {
      type: "invalid_request_error",
      message:
        `The provided ${name} (${provided}) does not match the expected ${name} (${expected}). ` +
        "Try confirming with a Payment Intent that is configured to use the same parameters as Stripe Elements.",
      payment_intent: paymentIntent,
    };
  }

  /**
   * @param {any} given by the page; what is typed here wins
   * @param {string} email of the e-mail Element
   */
  #paymentMethodData(given, email) {
    const data = this.#form?.data() ?? {};
    const fallback = email ? { email } : {};
    const billing_details = merged({ ...fallback, ...given?.billing_details }, data.billing_details);
    return { ...given, ...data, billing_details };
  }

  /** @param {{data: any, email: string}} call */
  async createPaymentMethod({ data, email }) {
    const checked = this.submit();
    if (checked.error) return checked;
    return api.createPaymentMethod(this.key, this.#paymentMethodData(data, email));
  }

  /** @param {{intent: any}} call */
  outcome({ intent }) {
    return outcomeOf(intent, this.words.texts);
  }

  /** @param {{group?: any, element?: any}} changes */
  async update({ group, element }) {
    Object.assign(this.group, group);
    Object.assign(this.element, element);
    if (this.#types.length && (element || (group && "locale" in group))) this.#render();
    if (group && CHOOSES_METHODS.some((name) => name in group)) return this.load();
    return {};
  }

  focus() {
    const field = this.#shownFields[0]?.input ?? this.#root.querySelector("button");
    field?.focus();
  }

  clear() {
    for (const form of this.#forms.values()) {
      for (const field of form.fields) {
        if (field.name === "country") continue;
        field.value = "";
        field.showProblem(null);
      }
    }
    this.#root.querySelector("input")?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  collapse() {
    if (this.#forms.size < 2) return;
    this.#selected = "";
    this.#place();
    this.#changed();
  }
}

/**
 * @param {string} code
 * @param {Record<string, string>} problems
 */
const validationError = (code, problems) => ({
  error: { type: "validation_error", code, message: problems[code] },
});

/**
 * `over` on top of `under`, undefined not counting, addresses merged likewise.
 * @param {any} under
 * @param {any} [over]
 * @returns {any}
 */
function merged(under, over = {}) {
  const result = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue;
    result[name] = typeof value === "object" ? merged(result[name], value) : value;
  }
  return result;
}
