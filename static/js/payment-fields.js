import { text } from "./texts.js";

const PATIENCE_MILLISECONDS = 9_000;

/** Stripe's variable for each of ours; the element is another document. */
const VARIABLES = {
  fontFamily: "--font",
  borderRadius: "--radius",
  colorPrimary: "--accent",
  colorBackground: "--field",
  colorText: "--ink",
  colorTextSecondary: "--ink-soft",
  colorTextPlaceholder: "--ink-faint",
  colorDanger: "--danger",
  inputColorBorder: "--line-strong",
};

/**
 * <payment-fields data-publishable-key data-amount data-minimum data-currency>: Stripe's
 * Payment Element. Raises "fields-state" and, when the shopper types, "fields-edit".
 */
export class PaymentFields extends HTMLElement {
  /** @type {"loading" | "ready" | "failed"} */
  state = "loading";
  /** @type {StripeClient | undefined} */
  #stripe;
  /** @type {StripeElements | undefined} */
  #elements;
  /** @type {number | undefined} */
  #timer;
  #ended = new AbortController();

  connectedCallback() {
    const { signal } = this.#ended;
    this.#become("loading");
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const dress = () => this.#elements?.update({ appearance: appearance() });
    dark.addEventListener("change", dress, { signal });
    if ("Stripe" in window) return this.mount();
    const script = document.querySelector("script[data-stripe]");
    const begin = () => this.#begin();
    script?.addEventListener("load", begin, { signal });
    script?.addEventListener("error", begin, { signal });
    // The script may have failed before this module ran; the page has then loaded, too.
    window.addEventListener("load", begin, { signal });
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#ended.abort();
  }

  #begin() {
    if (this.#elements) return;
    // A blocker may also leave something else in the script's place.
    if ("Stripe" in window) this.mount();
    else this.#become("failed");
  }

  /** Show an empty form. */
  mount() {
    // What follows on the page stays where it is while the next form loads.
    if (this.state === "ready") this.style.minBlockSize = `${this.offsetHeight}px`;
    this.#elements?.getElement("payment")?.destroy();
    this.#become("loading");
    const { publishableKey = "", amount, minimum, currency } = this.dataset;
    const locale = /** @type {StripeElementLocale} */ (document.documentElement.lang);
    this.#stripe ??= Stripe(publishableKey, { locale });
    this.#elements = this.#stripe.elements({
      mode: "payment",
      // Stripe mounts nothing for less; such an amount cannot be paid anyway.
      amount: Math.max(Number(amount), Number(minimum)),
      currency: currency ?? "",
      appearance: appearance(),
      locale,
    });
    const element = this.#elements.create("payment", {
      layout: { type: "accordion", defaultCollapsed: false, radios: "auto" },
      // The form asks for it once, and passes it on when it confirms.
      fields: { billingDetails: { email: "never" } },
    });
    element.on("ready", () => this.#become("ready"));
    element.on("loaderror", () => this.#become("failed"));
    // A form that has just been mounted tells of a change, too.
    element.on("change", ({ empty }) => empty || this.#raise("fields-edit"));
    element.mount(/** @type {HTMLElement} */ (this.querySelector("[data-mount]")));
  }

  /** @param {number} amount in smallest units, above zero */
  set amount(amount) {
    if (Number(this.dataset.amount) === amount) return;
    this.dataset.amount = String(amount);
    this.#elements?.update({ amount });
  }

  /** The form itself shows what is wrong with what was typed. */
  async submit() {
    const { error } = await /** @type {StripeElements} */ (this.#elements).submit();
    return error ?? null;
  }

  /**
   * Ask the bank for the money. A page that has to be left never gets an answer.
   * @param {{clientSecret: string, returnUrl: string, email: string}} payment
   * @returns {Promise<PaymentIntentResult>}
   */
  confirm({ clientSecret, returnUrl, email }) {
    return /** @type {StripeClient} */ (this.#stripe).confirmPayment({
      elements: /** @type {StripeElements} */ (this.#elements),
      clientSecret,
      confirmParams: {
        return_url: returnUrl,
        payment_method_data: { billing_details: { email } },
      },
      redirect: "if_required",
    }).catch((error) => ({ error }));
  }

  /** @param {"loading" | "ready" | "failed"} state */
  #become(state) {
    clearTimeout(this.#timer);
    if (state === "loading") {
      this.#timer = setTimeout(() => this.#become("failed"), PATIENCE_MILLISECONDS);
    }
    if (state === "ready") this.style.minBlockSize = "";
    this.state = state;
    this.dataset.state = state;
    const note = this.querySelector("[data-note]");
    const notes = { loading: text("loading"), failed: text("blocked"), ready: "" };
    if (note) note.textContent = notes[state];
    this.#raise("fields-state");
  }

  /** @param {string} name */
  #raise(name) {
    this.dispatchEvent(new Event(name, { bubbles: true }));
  }
}

/**
 * The page's own custom properties, as values.
 * @returns {Appearance}
 */
function appearance() {
  const style = getComputedStyle(document.documentElement);
  const entries = Object.entries(VARIABLES);
  const variables = entries.map(([theirs, ours]) => [theirs, style.getPropertyValue(ours).trim()]);
  const field = { borderColor: style.getPropertyValue("--line-strong").trim(), boxShadow: "none" };
  return {
    theme: matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "stripe",
    variables: {
      ...Object.fromEntries(variables),
      // Whoever reads with larger text gets it in the card form, too.
      fontSizeBase: style.fontSize,
      spacingUnit: "4px",
      gridRowSpacing: "16px",
    },
    rules: {
      ".Input": { ...field, paddingTop: "11px", paddingBottom: "11px" },
      ".Label": { fontSize: "15px", fontWeight: "500" },
    },
    disableAnimations: matchMedia("(prefers-reduced-motion: reduce)").matches,
  };
}

customElements.define("payment-fields", PaymentFields);
