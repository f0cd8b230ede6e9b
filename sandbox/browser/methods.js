/** The form of each payment method: its fields, its texts, what it sends to the API. */
import { accountNumberProblem, formatIban, ibanProblem, plainIban, routingNumberProblem } from "./bank-account.js";
import {
  brandOf, cvcProblem, digitsOf, expiryParts, expiryProblem, formatExpiry, formatNumber, numberProblem,
} from "./card.js";
import { asksPostalCode, countryChoices, likelyCountry, postalCodeProblem, saysZip } from "./countries.js";
import { Field, make } from "./fields.js";

/**
 * @typedef {object} Context what every form is made from
 * @property {any} texts
 * @property {string} language
 * @property {any} element options of the Payment Element
 * @property {(detail: any) => void} onCardDetails
 */

const SHOWN_BRANDS = ["visa", "mastercard", "amex", "discover"];
const KNOWN_ICONS = [...SHOWN_BRANDS, "diners", "jcb", "unionpay"];

/** @param {string} name */
const icon = (name) => make("img", { src: `${name}.svg`, alt: "", class: "Icon", width: "24", height: "16" });

/** A method without fields: one that leaves the page. */
export class RedirectForm {
  /** @type {Field[]} */
  fields = [];

  /**
   * @param {string} type
   * @param {Context} context
   */
  constructor(type, { texts }) {
    this.type = type;
    const name = texts.methodNames[type];
    const words = type === "ideal" || !name ? texts.redirectBank : texts.redirect(name);
    this.node = make(
      "div",
      { class: "Redirect" },
      make("span", { class: "Redirect-icon", "aria-hidden": "true" }),
      make("p", { class: "Text" }, words),
    );
  }

  /** @returns {any} payment_method_data */
  data() {
    return { type: this.type };
  }

  /** @returns {object} further parameters of the confirmation */
  parameters() {
    return {};
  }
}

/** A form with fields and, below them, the terms that its method needs. */
class FieldForm extends RedirectForm {
  /**
   * @param {string} type
   * @param {Context} context
   */
  constructor(type, context) {
    super(type, context);
    this.context = context;
    this.grid = make("div", { class: "Grid" });
    this.node = make("div", { class: "Form" }, this.grid);
  }

  /**
   * @param {string} name
   * @param {Partial<import("./fields.js").FieldOptions>} options
   */
  add(name, options) {
    const { texts, element } = this.context;
    const field = new Field({ name, label: texts[name], problems: texts.problems, ...options });
    // Disabled for a select, which knows no readonly.
    if (element.readOnly) field.input.toggleAttribute(options.choices ? "disabled" : "readonly", true);
    this.fields.push(field);
    this.grid.append(field.node);
    return field;
  }

  /** @param {string} name of a billing detail; how the page wants it: auto, never, always, if_required */
  wanted(name) {
    const all = this.context.element.fields;
    const asked = all?.[this.type]?.billingDetails ?? all?.billingDetails ?? "auto";
    return typeof asked === "string" ? asked : (asked[name] ?? "auto");
  }

  get defaults() {
    return this.context.element.defaultValues?.billingDetails ?? {};
  }

  addName() {
    const { texts } = this.context;
    return this.add("name", {
      wide: true,
      value: this.defaults.name,
      attributes: { autocomplete: "billing name", placeholder: texts.namePlaceholder },
      problem: (text) => (text.trim() ? null : "incomplete_name"),
    });
  }

  addEmail() {
    return this.add("email", {
      wide: true,
      value: this.defaults.email,
      attributes: { type: "email", autocomplete: "billing email", placeholder: "you@example.com" },
      problem: emailProblem,
    });
  }

  /**
   * @param {string} name as `terms` calls the method
   * @param {(business: string) => string} words
   * @param {"always" | "never"} normally
   */
  addTerms(name, words, normally) {
    const { element, texts } = this.context;
    const asked = element.terms?.[name] ?? "auto";
    if ((asked === "auto" ? normally : asked) !== "always") return;
    const business = element.business?.name ?? texts.merchant;
    this.node.append(make("p", { class: "Text TermsText" }, words(business)));
  }

  /** @param {string} name */
  field(name) {
    return this.fields.find((field) => field.name === name);
  }

  /** @param {string} name */
  valueOf(name) {
    const field = this.field(name);
    return field?.isShown ? field.value.trim() || undefined : undefined;
  }

  billing() {
    const address = { country: this.valueOf("country"), postal_code: this.valueOf("postalCode") };
    return { name: this.valueOf("name"), email: this.valueOf("email"), address };
  }
}

/** @param {string} text */
export function emailProblem(text) {
  const email = text.trim();
  if (!/@.+\./.test(email)) return "incomplete_email";
  return /^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/.test(email) ? null : "invalid_email";
}

class CardForm extends FieldForm {
  #icons = make("span", { class: "Icons", "aria-hidden": "true" });
  #brand = "";

  /** @param {Context} context */
  constructor(context) {
    super("card", context);
    const { texts } = context;
    if (this.wanted("name") === "always") this.addName();
    this.number = this.add("number", {
      label: texts.cardNumber,
      hint: texts.supportedBrands,
      wide: true,
      icons: this.#icons,
      format: formatNumber,
      problem: numberProblem,
      attributes: { ...NUMERIC, autocomplete: "cc-number", placeholder: "1234 1234 1234 1234" },
    });
    this.expiry = this.add("expiry", {
      format: formatExpiry,
      problem: (text) => expiryProblem(text),
      attributes: { ...NUMERIC, autocomplete: "cc-exp", placeholder: texts.expiryPlaceholder },
    });
    this.cvc = this.add("cvc", {
      icons: make("span", { class: "Icons", "aria-hidden": "true" }, icon("cvc")),
      format: (text) => digitsOf(text).slice(0, brandOf(this.number.value).cvc),
      problem: (text) => cvcProblem(text, brandOf(this.number.value)),
      attributes: { ...NUMERIC, autocomplete: "cc-csc", placeholder: texts.cvcPlaceholder },
    });
    this.#addAddress();
    this.addTerms("card", texts.cardTerms, "never");
    this.number.input.addEventListener("input", () => this.#followBrand());
    this.#followBrand();
  }

  #addAddress() {
    const asked = this.wanted("address");
    /** @param {string} name */
    const collects = (name) =>
      typeof asked === "string" ? asked === "auto" : asked[name] !== "never";
    const { address } = this.defaults;
    if (collects("country")) {
      const country = this.add("country", {
        choices: countryChoices(this.context.language),
        value: address?.country ?? likelyCountry(),
        attributes: { autocomplete: "billing country" },
      });
      country.input.addEventListener("change", () => this.#followCountry());
    }
    if (collects("postalCode")) {
      this.add("postalCode", {
        value: address?.postal_code,
        problem: (text) => postalCodeProblem(text, this.#country()),
        attributes: { autocomplete: "billing postal-code" },
      });
    }
    this.#followCountry();
  }

  #country() {
    return this.field("country")?.value ?? this.defaults.address?.country ?? likelyCountry();
  }

  #followCountry() {
    const country = this.#country();
    const { texts } = this.context;
    const postalCode = this.field("postalCode");
    if (!postalCode) return this.field("country")?.node.classList.add("Field--wide");
    const isZip = saysZip(country);
    postalCode.isShown = asksPostalCode(country);
    postalCode.relabel({ label: isZip ? texts.zip : texts.postalCode });
    postalCode.input.placeholder = POSTAL_CODE_EXAMPLES[country] ?? "";
    if (isZip) postalCode.input.inputMode = "numeric";
    else postalCode.input.removeAttribute("inputmode");
    this.field("country")?.node.classList.toggle("Field--wide", !postalCode.isShown);
  }

  #followBrand() {
    const { texts, onCardDetails } = this.context;
    const brand = brandOf(this.number.value);
    this.cvc.relabel({ hint: brand.cvc === 4 ? texts.cvcHintAmex : texts.cvcHint });
    if (this.cvc.value.length > brand.cvc) this.cvc.value = this.cvc.value;
    if (brand.name === this.#brand) return;
    const isFirst = this.#brand === "";
    this.#brand = brand.name;
    this.#icons.replaceChildren(
      ...(KNOWN_ICONS.includes(brand.name) ? [brand.name] : SHOWN_BRANDS).map(icon),
    );
    const brands = brand.name === "unknown" ? null : [brand.name];
    if (!isFirst) onCardDetails({ loading: false, details: { brands, funding: null } });
  }

  data() {
    const { month, year } = expiryParts(this.expiry.value);
    const card = {
      number: digitsOf(this.number.value),
      exp_month: month,
      exp_year: year,
      cvc: this.cvc.value,
    };
    return { type: "card", card, billing_details: this.billing() };
  }
}

/** @type {Record<string, string>} */
const POSTAL_CODE_EXAMPLES = { US: "12345", PR: "12345", CA: "M5T 1T4", GB: "WS11 1DB" };

const NUMERIC = { inputmode: "numeric", type: "text" };

/** Agreement to be debited, given by submitting the form that shows its text. */
const MANDATE = {
  mandate_data: {
    customer_acceptance: { type: "online", online: { infer_from_client: true } },
  },
};

class SepaDebitForm extends FieldForm {
  /** @param {Context} context */
  constructor(context) {
    super("sepa_debit", context);
    this.iban = this.add("iban", {
      wide: true,
      format: formatIban,
      problem: ibanProblem,
      attributes: { autocomplete: "off", placeholder: "DE00 0000 0000 0000 0000 00" },
    });
    if (this.wanted("name") !== "never") this.addName();
    if (this.wanted("email") !== "never") this.addEmail();
    this.addTerms("sepaDebit", context.texts.sepaTerms, "always");
  }

  data() {
    const sepa_debit = { iban: plainIban(this.iban.value) };
    return { type: "sepa_debit", sepa_debit, billing_details: this.billing() };
  }

  parameters() {
    return MANDATE;
  }
}

class UsBankAccountForm extends FieldForm {
  /** @param {Context} context */
  constructor(context) {
    super("us_bank_account", context);
    if (this.wanted("name") !== "never") this.addName();
    if (this.wanted("email") !== "never") this.addEmail();
    this.routing = this.add("routingNumber", {
      format: (text) => digitsOf(text).slice(0, 9),
      problem: routingNumberProblem,
      attributes: { ...NUMERIC, autocomplete: "off", placeholder: "110000000" },
    });
    this.account = this.add("accountNumber", {
      format: (text) => digitsOf(text).slice(0, 17),
      problem: accountNumberProblem,
      attributes: { ...NUMERIC, autocomplete: "off", placeholder: "000123456789" },
    });
    this.addTerms("usBankAccount", context.texts.usBankTerms, "always");
  }

  data() {
    const us_bank_account = {
      account_holder_type: "individual",
      routing_number: this.routing.value,
      account_number: this.account.value,
    };
    return { type: "us_bank_account", us_bank_account, billing_details: this.billing() };
  }

  parameters() {
    return MANDATE;
  }
}

/**
 * @param {string} type
 * @param {Context} context
 * @returns {RedirectForm}
 */
export function formFor(type, context) {
  if (type === "card") return new CardForm(context);
  if (type === "sepa_debit") return new SepaDebitForm(context);
  if (type === "us_bank_account") return new UsBankAccountForm(context);
  return new RedirectForm(type, context);
}
