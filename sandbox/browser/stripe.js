/**
 * window.Stripe for pages that talk to the sandbox: same calls, answers and mistakes
 * as Stripe.js "endive". No card data lives here: forms are frames of another site
 * (localhost instead of 127.0.0.1), the page and a frame speak over a MessagePort.
 */
(() => {
  "use strict";

  /**
   * @typedef {import("@stripe/stripe-js").StripeError} StripeError
   * @typedef {import("@stripe/stripe-js").PaymentIntent} PaymentIntent
   * @typedef {{paymentIntent: PaymentIntent, error?: undefined}
   *   | {paymentIntent?: undefined, error: StripeError}} Outcome
   * @typedef {(call: string, params: any) => Promise<any>} Ask
   * @typedef {import("@stripe/stripe-js").Stripe} OfficialStripe
   * @typedef {import("@stripe/stripe-js").StripeElements} OfficialElements
   * @typedef {import("@stripe/stripe-js").StripePaymentElement} PaymentElement
   */

  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const FRAMES = new URL(script.src);
  if (FRAMES.hostname === "127.0.0.1") FRAMES.hostname = "localhost";

  const LOAD_TIMEOUT = 10_000;
  const CALL_TIMEOUT = 40_000; // longer than a frame's own limit for one API call
  // What a card form of three rows needs, so that the page does not jump when it comes.
  const FIRST_HEIGHT = 256;

  const ELEMENT_TITLES = {
    payment: "Secure payment input frame",
    linkAuthentication: "Secure email input frame",
  };
  const ELEMENT_EVENTS = [
    "ready", "change", "focus", "blur", "escape", "loaderstart", "loaderror",
    "carddetailschange", "availablepaymentmethodschange",
    "savedpaymentmethodupdate", "savedpaymentmethodremove",
  ];
  const REMOVED_CALLS = [
    "handleCardPayment", "confirmPaymentIntent", "handleFpxPayment", "handleCardSetup",
    "confirmSetupIntent", "createSource", "retrieveSource", "initCheckout",
    "initEmbeddedCheckout", "redirectToCheckout",
  ];
  // All that Stripe's types name and the sandbox has no use for.
  const ABSENT_CALLS = /** @type {const} */ ([
    "confirmAcssDebitPayment", "confirmUsBankAccountPayment", "confirmAlipayPayment",
    "confirmAuBecsDebitPayment", "confirmBancontactPayment", "confirmBilliePayment",
    "confirmBlikPayment", "confirmBoletoPayment", "confirmCardPayment", "confirmCashappPayment",
    "confirmCustomerBalancePayment", "confirmEpsPayment", "confirmFpxPayment",
    "confirmGiropayPayment", "confirmGrabPayPayment", "confirmIdealPayment",
    "confirmKlarnaPayment", "confirmKonbiniPayment", "confirmMobilepayPayment",
    "confirmMultibancoPayment", "confirmOxxoPayment", "confirmP24Payment",
    "confirmPayByBankPayment", "confirmPayNowPayment", "confirmPayPalPayment",
    "confirmPixPayment", "confirmPromptPayPayment", "confirmSepaDebitPayment",
    "confirmSofortPayment", "confirmTwintPayment", "confirmWechatPayPayment",
    "handleCardAction", "verifyMicrodepositsForPayment", "createRadarSession",
    "collectBankAccountForPayment", "createConfirmationToken", "confirmSetup",
    "confirmAcssDebitSetup", "confirmUsBankAccountSetup", "confirmAuBecsDebitSetup",
    "confirmBacsDebitSetup", "confirmBancontactSetup", "confirmBlikSetup", "confirmCardSetup",
    "confirmCashappSetup", "confirmIdealSetup", "confirmAmazonPaySetup", "confirmPayPalSetup",
    "confirmSepaDebitSetup", "confirmSofortSetup", "confirmAffirmPayment",
    "confirmAfterpayClearpayPayment", "verifyMicrodepositsForSetup",
    "collectBankAccountForSetup", "retrieveSetupIntent", "processOrder", "retrieveOrder",
    "paymentRequest", "createToken", "verifyIdentity", "collectFinancialConnectionsAccounts",
    "collectBankAccountToken", "createEphemeralKeyNonce", "initCheckoutElementsSdk",
    "initCheckoutFormSdk", "createEmbeddedCheckoutPage", "initializePricing",
  ]);

  class IntegrationError extends Error {
    name = "IntegrationError";
  }

  /** @returns {{error: StripeError}} */
  const unreachable = () => ({
    error: {
      type: "api_connection_error",
      message:
        "We could not reach the payment service. Check your connection and try again.",
    },
  });

  /**
   * One iframe and the line to it. A frame that is moved or reloaded is connected anew.
   */
  class Frame {
    /** @type {MessagePort | undefined} */
    #port;
    #calls = new Map();
    #nextCall = 1;
    #onEvent;

    /**
     * @param {URL | string} address
     * @param {string} title
     * @param {(name: string, detail: any) => void} onEvent `connected` comes first
     */
    constructor(address, title, onEvent) {
      this.#onEvent = onEvent;
      this.iframe = document.createElement("iframe");
      this.iframe.name = `__privateStripeFrame${Math.floor(Math.random() * 1e6)}`;
      this.iframe.title = title;
      this.iframe.style.border = "none";
      this.iframe.addEventListener("load", () => this.#connect());
      this.iframe.src = String(address);
    }

    #connect() {
      const { port1, port2 } = new MessageChannel();
      this.#port?.close();
      this.#port = port1;
      port1.onmessage = ({ data }) => {
        if ("event" in data) return this.#onEvent(data.event, data.detail);
        this.#calls.get(data.id)?.(data.result);
      };
      // Only a document of this origin receives the port; an error page does not.
      this.iframe.contentWindow?.postMessage({ endive: "connect" }, FRAMES.origin, [port2]);
    }

    /**
     * Ask the frame; a frame that is gone or silent answers with a connection error.
     * @param {string} call
     * @param {any} [params]
     * @returns {Promise<any>}
     */
    call(call, params) {
      const id = this.#nextCall++;
      return new Promise((resolve) => {
        const timer = setTimeout(() => this.#calls.get(id)(unreachable()), CALL_TIMEOUT);
        this.#calls.set(id, (/** @type {any} */ result) => {
          clearTimeout(timer);
          this.#calls.delete(id);
          resolve(result);
        });
        if (this.#port) this.#port.postMessage({ id, call, params });
        else this.#calls.get(id)(unreachable());
      });
    }

    close() {
      this.#port?.close();
      this.#port = undefined;
      this.iframe.remove();
      for (const answer of [...this.#calls.values()]) answer(unreachable());
    }
  }

  /** @param {string} file */
  const frameAddress = (file) => new URL(`/endive/frames/${file}`, FRAMES);

  /**
   * The hidden frame that makes calls which need no form.
   * @type {Promise<Frame | null> | undefined}
   */
  let controller;

  /** @returns {Promise<Frame | null>} */
  function openController() {
    controller ??= new Promise((resolve) => {
      const frame = new Frame(frameAddress("controller.html"), "", (name) => {
        if (name === "connected") resolve(frame);
      });
      frame.iframe.name = `__privateStripeController${Math.floor(Math.random() * 1e6)}`;
      frame.iframe.setAttribute("aria-hidden", "true");
      frame.iframe.tabIndex = -1;
      frame.iframe.style.display = "none";
      document.body.append(frame.iframe);
      setTimeout(() => resolve(null), LOAD_TIMEOUT);
    });
    return controller.then((frame) => {
      if (!frame) controller = undefined;
      return frame;
    });
  }

  /** Whose key and language a call is made with, where no form is involved. */
  class Account {
    /**
     * @param {string} key
     * @param {string | undefined} locale
     */
    constructor(key, locale) {
      this.key = key;
      this.locale = locale;
    }

    /** @type {Ask} */
    ask = async (call, params) => {
      const frame = await openController();
      const { key, locale } = this;
      return frame ? frame.call(call, { key, locale, ...params }) : unreachable();
    };
  }

  /**
   * One Element as the page sees it: handlers, a place in the page, a frame once mounted.
   */
  class MountedElement {
    /** @type {Frame | undefined} */
    frame;
    /** Whether the frame has its settings and takes calls. */
    isMounted = false;
    #isReady = false;
    /** @type {HTMLElement | undefined} */
    #place;
    /** @type {Map<string, Set<Function>>} */
    #handlers = new Map();
    #destroyed = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #loadTimer;

    /**
     * @param {ElementGroup} group
     * @param {"payment" | "linkAuthentication"} type
     * @param {any} options
     */
    constructor(group, type, options) {
      this.group = group;
      this.type = type;
      this.options = { ...options };
    }

    /** @param {string | HTMLElement} where */
    mount(where) {
      this.#mustLive();
      const place = typeof where === "string" ? document.querySelector(where) : where;
      if (typeof where === "string" && !place) {
        throw new IntegrationError(
          `The selector you specified (${where}) applies to no DOM elements that are currently on the page. ` +
            "Make sure the element exists on the page before calling mount().",
        );
      }
      if (!(place instanceof HTMLElement)) {
        throw new IntegrationError(
          "Invalid DOM element. Call mount() with a valid DOM element or selector.",
        );
      }
      if (place === this.#place && this.frame) return;
      this.unmount();
      this.#place = place;
      place.classList.add("StripeElement");
      place.replaceChildren(this.#openFrame().iframe);
      this.#loadTimer = setTimeout(() => this.#failToLoad(unreachable().error), LOAD_TIMEOUT);
    }

    #openFrame() {
      const frame = new Frame(
        frameAddress("element.html"),
        ELEMENT_TITLES[this.type],
        (name, detail) => this.#receive(name, detail),
      );
      // Four pixels on each side leave room for focus rings inside the frame.
      Object.assign(frame.iframe.style, {
        display: "block",
        width: "calc(100% + 8px)",
        margin: "-4px",
        height: this.type === "payment" ? `${FIRST_HEIGHT}px` : "90px",
        visibility: "hidden",
        userSelect: "none",
      });
      this.frame = frame;
      return frame;
    }

    /**
     * @param {string} name
     * @param {any} detail
     */
    #receive(name, detail) {
      const { frame } = this;
      if (!frame) return;
      if (name === "connected") {
        this.isMounted = true;
        frame.call("mount", { type: this.type, ...this.group.forFrame(), element: this.options });
      } else if (name === "painted") {
        frame.iframe.style.colorScheme = detail.scheme;
        frame.iframe.style.visibility = "visible";
      } else if (name === "height") {
        frame.iframe.style.height = `${detail}px`;
      } else if (name === "enter") {
        // As with Stripe: Enter raises "submit" even where the page's button is disabled.
        this.#place?.closest("form")?.dispatchEvent(
          new Event("submit", { bubbles: true, cancelable: true }),
        );
      } else if (name === "loaderror") {
        this.#failToLoad(detail.error);
      } else {
        this.#tell(name, detail);
      }
    }

    /**
     * @param {string} name
     * @param {any} detail
     */
    #tell(name, detail) {
      if (name === "ready") {
        clearTimeout(this.#loadTimer);
        this.#isReady = true;
      }
      if (name === "change") {
        this.#place?.classList.toggle("StripeElement--complete", detail.complete);
        this.#place?.classList.toggle("StripeElement--empty", detail.empty);
        this.group.valueChanged(this.type, detail.value);
      }
      if (name === "focus" || name === "blur") {
        this.#place?.classList.toggle("StripeElement--focus", name === "focus");
      }
      this.#emit(name, detail);
    }

    /** @param {StripeError} error */
    #failToLoad(error) {
      clearTimeout(this.#loadTimer);
      if (!this.#isReady) this.#emit("loaderror", { error });
    }

    /**
     * @param {string} name
     * @param {any} [detail]
     */
    #emit(name, detail) {
      const event = { elementType: this.type, ...detail };
      for (const handler of [...(this.#handlers.get(name) ?? [])]) handler(event);
    }

    /**
     * @param {string} name
     * @param {Function} handler
     */
    on(name, handler) {
      if (!ELEMENT_EVENTS.includes(name)) {
        console.warn(`[Stripe.js] "${name}" is not an event of this Element.`);
      }
      if (typeof handler !== "function") {
        throw new IntegrationError(`Invalid handler for "${name}": pass a function.`);
      }
      if (!this.#handlers.has(name)) this.#handlers.set(name, new Set());
      this.#handlers.get(name)?.add(handler);
    }

    /**
     * @param {string} name
     * @param {Function} handler
     */
    once(name, handler) {
      const first = (/** @type {any} */ event) => {
        this.#handlers.get(name)?.delete(first);
        handler(event);
      };
      this.on(name, first);
    }

    /**
     * @param {string} name
     * @param {Function} [handler]
     */
    off(name, handler) {
      if (handler) this.#handlers.get(name)?.delete(handler);
      else this.#handlers.delete(name);
    }

    /** @param {any} options */
    update(options) {
      this.#mustLive();
      checkElementOptions({ ...this.options, ...options });
      Object.assign(this.options, options);
      if (this.isMounted) this.frame?.call("update", { element: options });
    }

    /** @param {"focus" | "blur" | "clear" | "collapse"} act */
    perform(act) {
      this.#mustLive();
      if (act === "focus") this.frame?.iframe.focus();
      if (this.isMounted) this.frame?.call(act);
    }

    unmount() {
      clearTimeout(this.#loadTimer);
      this.isMounted = false;
      this.#isReady = false;
      this.frame?.close();
      this.frame = undefined;
      this.#place?.classList.remove(
        "StripeElement", "StripeElement--complete", "StripeElement--empty", "StripeElement--focus",
      );
      this.#place = undefined;
    }

    destroy() {
      this.#mustLive();
      this.unmount();
      this.#destroyed = true;
      this.group.forget(this.type);
    }

    #mustLive() {
      if (this.#destroyed) {
        throw new IntegrationError(
          "This Element has already been destroyed. Please create a new one.",
        );
      }
    }
  }

  /**
   * What the page may do with an Element, in Stripe's words.
   * @param {MountedElement} element
   */
  function publicElement(element) {
    /** @type {PaymentElement} */
    const face = {
      mount: (/** @type {string | HTMLElement} */ where) => element.mount(where),
      unmount: () => element.unmount(),
      destroy: () => element.destroy(),
      focus: () => element.perform("focus"),
      blur: () => element.perform("blur"),
      clear: () => element.perform("clear"),
      collapse: () => {
        element.perform("collapse");
        return face;
      },
      update: (/** @type {any} */ options) => {
        element.update(options);
        return face;
      },
      on: (/** @type {string} */ name, /** @type {Function} */ handler) => {
        element.on(name, handler);
        return face;
      },
      once: (/** @type {string} */ name, /** @type {Function} */ handler) => {
        element.once(name, handler);
        return face;
      },
      off: (/** @type {string} */ name, /** @type {Function | undefined} */ handler) => {
        element.off(name, handler);
        return face;
      },
    };
    return face;
  }

  /** The Elements of one purchase: its amount or intent, appearance, language. */
  class ElementGroup {
    /** @type {Map<string, {element: MountedElement, face: any}>} */
    #elements = new Map();
    /** @type {Set<() => void>} */
    #onUpdateEnd = new Set();
    #submitted = false;
    email = "";

    /**
     * @param {string} key
     * @param {any} options
     */
    constructor(key, options) {
      checkGroupOptions(options);
      this.key = key;
      this.options = { ...options };
    }

    get isDeferred() {
      return Boolean(this.options.mode);
    }

    /** @returns {string | undefined} */
    get locale() {
      return this.options.locale;
    }

    get payment() {
      return this.#elements.get("payment")?.element;
    }

    /** @type {Ask} */
    ask = (call, params) => this.mounted("stripe.confirmPayment()").call(call, params);

    /** What a frame has to know. */
    forFrame() {
      return { key: this.key, group: this.options };
    }

    /**
     * @param {string} type
     * @param {any} [options]
     */
    create(type, options) {
      if (type !== "payment" && type !== "linkAuthentication") {
        throw new IntegrationError(
          `A valid Element name must be provided. Valid Elements are: payment, linkAuthentication. You passed: ${type}.`,
        );
      }
      if (this.#elements.has(type)) {
        throw new IntegrationError(`Can only create one Element of type ${type}.`);
      }
      if (type === "payment") this.#mustKnowWhatIsPaid();
      if (type === "payment") checkElementOptions(options ?? {});
      const element = new MountedElement(this, type, options);
      const face = publicElement(element);
      this.#elements.set(type, { element, face });
      return face;
    }

    #mustKnowWhatIsPaid() {
      if (this.isDeferred || this.options.clientSecret) return;
      throw new IntegrationError(
        "In order to create a payment element, you must pass a clientSecret or a mode with amount and currency when creating the Elements group.",
      );
    }

    /** @param {string} type */
    getElement(type) {
      return this.#elements.get(type)?.face ?? null;
    }

    /** @param {string} type */
    forget(type) {
      this.#elements.delete(type);
    }

    /**
     * @param {string} type
     * @param {any} value
     */
    valueChanged(type, value) {
      if (type === "linkAuthentication") this.email = value.email;
    }

    /** @param {any} options */
    async update(options) {
      const next = { ...this.options, ...options };
      if ("clientSecret" in (options ?? {})) {
        throw new IntegrationError("elements.update(): clientSecret cannot be changed.");
      }
      if (this.options.clientSecret && ("amount" in options || "mode" in options)) {
        throw new IntegrationError(
          "elements.update(): amount and mode belong to the PaymentIntent here; update it on your server and call elements.fetchUpdates().",
        );
      }
      checkGroupOptions(next);
      this.options = next;
      // How it looks may change at any time.
      if (Object.keys(options).some((name) => name !== "appearance")) this.#submitted = false;
      await this.#tellFrames("update", { group: options });
      for (const handler of this.#onUpdateEnd) handler();
    }

    /**
     * @param {string} name
     * @param {() => void} handler
     */
    on(name, handler) {
      if (name === "update-end") this.#onUpdateEnd.add(handler);
    }

    async fetchUpdates() {
      if (!this.options.clientSecret) {
        throw new IntegrationError(
          "elements.fetchUpdates() can only be used with elements created with a clientSecret.",
        );
      }
      const [answer] = await this.#tellFrames("reload");
      return answer?.error ? { error: { message: answer.error.message } } : {};
    }

    async submit() {
      const answer = await this.mounted("elements.submit()").call("submit");
      if (!answer.error) this.#submitted = true;
      return answer;
    }

    /**
     * The frame of the mounted Payment Element.
     * @param {string} call named in the error when there is none
     */
    mounted(call) {
      const frame = this.payment?.frame;
      if (!frame) {
        throw new IntegrationError(
          `Invalid value for ${call}: elements should have a mounted Payment Element or Express Checkout Element.`,
        );
      }
      return frame;
    }

    /** Deferred: the form must have been submitted since amount or currency last changed. */
    mustBeSubmitted() {
      if (this.isDeferred && !this.#submitted) {
        throw new IntegrationError(
          "elements.submit() must be called before stripe.confirmPayment().",
        );
      }
    }

    /**
     * @param {string} call
     * @param {any} [params]
     */
    #tellFrames(call, params) {
      const mounted = [...this.#elements.values()].filter(({ element }) => element.isMounted);
      return Promise.all(mounted.map(({ element }) => element.frame?.call(call, params)));
    }
  }

  /** @param {any} options */
  function checkGroupOptions(options) {
    const removed = ["paymentMethodTypes", "payment_method_types"].find((name) => name in options);
    if (removed) {
      throw new IntegrationError(
        `Invalid value for elements(): ${removed} is no longer supported. Use allowedPaymentMethodTypes or excludedPaymentMethodTypes.`,
      );
    }
    if (options.mode && options.clientSecret) {
      throw new IntegrationError(
        "Invalid value for elements(): you cannot specify both clientSecret and mode.",
      );
    }
    if (options.clientSecret) checkSecret("elements()", options.clientSecret);
    if (!options.mode) return;
    if (!["payment", "subscription", "setup"].includes(options.mode)) {
      throw new IntegrationError(
        `Invalid value for elements(): mode should be one of payment, subscription, setup. You specified: ${options.mode}.`,
      );
    }
    if (options.mode === "setup") return;
    const { amount, currency } = options;
    if (!Number.isSafeInteger(amount) || amount < (options.mode === "payment" ? 1 : 0)) {
      throw new IntegrationError(
        `Invalid value for elements(): amount should be a positive integer in the currency's smallest unit. You specified: ${amount}.`,
      );
    }
    if (typeof currency !== "string" || !/^[a-z]{3}$/.test(currency)) {
      throw new IntegrationError(
        `Invalid value for elements(): currency should be a lower-case three-letter code. You specified: ${currency}.`,
      );
    }
  }

  const PAYMENT_ELEMENT_OPTIONS = [
    "defaultValues", "business", "paymentMethodOrder", "fields", "readOnly", "terms",
    "wallets", "walletOptions", "layout", "applePay",
  ];
  const FIELD_VALUES = ["auto", "never", "always", "if_required"];

  /**
   * Options of the Payment Element: a wrong value throws, an unknown name is only noted.
   * @param {any} options
   */
  function checkElementOptions(options) {
    const wrong = (/** @type {string} */ name, /** @type {string} */ wanted, /** @type {any} */ value) => {
      throw new IntegrationError(
        `Invalid value for elements.create("payment"): ${name} should be ${wanted}. You specified: ${JSON.stringify(value)}.`,
      );
    };
    for (const name of Object.keys(options)) {
      if (PAYMENT_ELEMENT_OPTIONS.includes(name)) continue;
      console.warn(`[Stripe.js] Unrecognized elements.create("payment") option: ${name}.`);
    }
    const { layout, fields, terms, readOnly, paymentMethodOrder } = options;
    const type = layout?.type ?? layout;
    const layouts = ["tabs", "accordion", "auto"];
    if (layout !== undefined && !layouts.includes(type)) {
      wrong("layout", `one of ${layouts.join(", ")}`, type);
    }
    for (const [name, value] of leaves(fields, "fields")) {
      if (!FIELD_VALUES.includes(value)) wrong(name, `one of ${FIELD_VALUES.join(", ")}`, value);
    }
    for (const [name, value] of leaves(terms, "terms")) {
      const wanted = ["auto", "always", "never"];
      if (!wanted.includes(value)) wrong(name, `one of ${wanted.join(", ")}`, value);
    }
    if (readOnly !== undefined && typeof readOnly !== "boolean") wrong("readOnly", "a boolean", readOnly);
    if (paymentMethodOrder !== undefined && !Array.isArray(paymentMethodOrder)) {
      wrong("paymentMethodOrder", "an array", paymentMethodOrder);
    }
  }

  /**
   * @param {any} value
   * @param {string} name
   * @returns {[string, any][]} what stands at the ends of nested objects, with its path
   */
  function leaves(value, name) {
    if (value === undefined) return [];
    if (value === null || typeof value !== "object") return [[name, value]];
    return Object.entries(value).flatMap(([key, part]) => leaves(part, `${name}.${key}`));
  }

  /**
   * @param {string} call
   * @param {any} secret
   */
  function checkSecret(call, secret) {
    if (typeof secret !== "string" || !/^pi_[A-Za-z0-9]+_secret_[A-Za-z0-9]+$/.test(secret)) {
      throw new IntegrationError(
        `Invalid value for ${call} intent secret: value should be a client secret of the form \${id}_secret_\${secret}. You specified: ${secret}.`,
      );
    }
  }

  /**
   * Fields the Payment Element was told not to collect must come with the confirmation.
   * @param {any} fields
   * @param {any} given billing_details of confirmParams
   */
  function checkNeverFields(fields, given) {
    const asked = fields?.billingDetails;
    const part = (/** @type {any} */ from, /** @type {string} */ name) =>
      typeof from === "string" ? from : from?.[name];
    const address = part(asked, "address");
    const wanted = [
      ...["name", "email", "phone"].map((name) => [name, part(asked, name), given?.[name]]),
      ...[
        ["country", "country"], ["postal_code", "postalCode"], ["state", "state"],
        ["city", "city"], ["line1", "line1"], ["line2", "line2"],
      ].map(([name, option]) => [
        `address.${name}`, part(address, option), given?.address?.[name],
      ]),
    ];
    for (const [name, option, value] of wanted) {
      if (option !== "never" || value !== undefined) continue;
      throw new IntegrationError(
        `You specified "never" for fields.billing_details.${name} when creating the payment Element, but did not pass ` +
          `confirmParams.payment_method_data.billing_details.${name} when calling stripe.confirmPayment(). If you opt out of ` +
          "collecting data via the payment Element using the fields option, the data must be passed in when calling stripe.confirmPayment().",
      );
    }
  }

  /**
   * Show the bank's question over the page until it is answered or closed.
   * @param {string} address
   * @param {string | undefined} locale
   * @returns {Promise<{paymentIntent?: PaymentIntent, error?: StripeError}>}
   */
  function showChallenge(address, locale) {
    return new Promise((resolve) => {
      const dialog = document.createElement("dialog");
      dialog.setAttribute("aria-label", "3D Secure");
      Object.assign(dialog.style, {
        boxSizing: "border-box", width: "100%", height: "100%", maxWidth: "none",
        maxHeight: "none", margin: "0", padding: "0", border: "none", display: "grid",
        placeItems: "center", background: "rgba(10, 14, 25, 0.6)", overflow: "hidden",
      });
      const finish = (/** @type {any} */ answer) => {
        clearTimeout(timer);
        frame.close();
        document.documentElement.style.overflow = scrolling;
        dialog.close();
        dialog.remove();
        resolve(answer);
      };
      const frame = new Frame(address, "3D Secure", (name, detail) => {
        if (name === "connected") {
          clearTimeout(timer);
          frame.call("speak", locale);
        }
        if (name === "done") finish(detail);
      });
      Object.assign(frame.iframe.style, {
        width: "min(440px, calc(100vw - 24px))", height: "min(420px, 100vh)", borderRadius: "12px",
        background: "#fff", colorScheme: "light",
      });
      const timer = setTimeout(() => finish(unreachable()), LOAD_TIMEOUT);
      dialog.addEventListener("cancel", async (event) => {
        event.preventDefault();
        finish(await frame.call("fail"));
      });
      const scrolling = document.documentElement.style.overflow;
      document.documentElement.style.overflow = "hidden";
      dialog.append(frame.iframe);
      document.body.append(dialog);
      dialog.showModal();
      frame.iframe.focus();
    });
  }

  /** A promise for a page that is being left. */
  const leaving = () => new Promise(() => {});

  /**
   * Do what the intent asks for next: nothing, a challenge in the page, or leaving it.
   * @param {PaymentIntent} intent
   * @param {Account | ElementGroup} asker whose frame confirmed it
   * @returns {Promise<Outcome>}
   */
  async function followNextAction(intent, asker) {
    const action = /** @type {any} */ (intent.next_action);
    if (intent.status !== "requires_action" || !action) return { paymentIntent: intent };
    if (action.type === "redirect_to_url") {
      window.location.assign(action.redirect_to_url.url);
      return /** @type {Promise<Outcome>} */ (leaving());
    }
    if (action.type === "use_stripe_sdk") {
      const { paymentIntent, error } = await showChallenge(
        action.use_stripe_sdk.stripe_js,
        asker.locale,
      );
      return paymentIntent ? asker.ask("outcome", { intent: paymentIntent }) : { error: error ?? unreachable().error };
    }
    return { paymentIntent: intent };
  }

  /**
   * @param {string} returnUrl
   * @param {PaymentIntent} intent
   */
  function leaveFor(returnUrl, intent) {
    const url = new URL(returnUrl);
    url.searchParams.set("payment_intent", intent.id);
    url.searchParams.set("payment_intent_client_secret", intent.client_secret ?? "");
    const done = ["succeeded", "processing", "requires_capture"].includes(intent.status);
    url.searchParams.set("redirect_status", done ? "succeeded" : "pending");
    window.location.assign(url);
    return /** @type {Promise<any>} */ (leaving());
  }

  /**
   * @param {any} returnUrl
   * @param {string} redirect
   */
  function checkReturnUrl(returnUrl, redirect) {
    if (returnUrl === undefined && redirect === "if_required") return;
    if (returnUrl === undefined) {
      throw new IntegrationError(
        'stripe.confirmPayment(): confirmParams.return_url is required unless redirect is "if_required".',
      );
    }
    if (!URL.canParse(returnUrl) || !/^https?:/.test(returnUrl)) {
      throw new IntegrationError(
        `stripe.confirmPayment(): confirmParams.return_url must be a full address. You specified: ${returnUrl}.`,
      );
    }
  }

  /** @type {WeakMap<object, ElementGroup>} */
  const groups = new WeakMap();

  /**
   * @param {any} elements
   * @param {string} call
   */
  function groupOf(elements, call) {
    const group = groups.get(elements);
    if (!group) {
      throw new IntegrationError(
        `Invalid value for ${call}: elements should be an object created by stripe.elements().`,
      );
    }
    return group;
  }

  /**
   * The two Elements here, typed as Stripe types them.
   * @typedef {Omit<OfficialElements, "create" | "getElement">} OfficialGroup
   * @typedef {{create(type: "payment" | "linkAuthentication", options?: object): PaymentElement,
   *   getElement(type: string): PaymentElement | null}} Creation
   */

  /**
   * @param {string} key
   * @param {any} defaults
   * @returns {OfficialGroup & Creation}
   */
  function createElements(key, defaults) {
    const group = new ElementGroup(key, defaults);
    const face = {
      create: (/** @type {any} */ type, /** @type {any} */ options) => group.create(type, options),
      getElement: (/** @type {any} */ type) => group.getElement(type),
      update: (/** @type {any} */ options) => group.update(options),
      on: (/** @type {any} */ name, /** @type {any} */ handler) => group.on(name, handler),
      fetchUpdates: () => group.fetchUpdates(),
      submit: () => group.submit(),
    };
    groups.set(face, group);
    return face;
  }

  /**
   * @param {Account} account
   * @param {any} options
   * @returns {Promise<Outcome>}
   */
  async function confirmPayment(account, options) {
    const call = "stripe.confirmPayment()";
    if (!options || typeof options !== "object") {
      throw new IntegrationError(`${call} expects an object with elements or clientSecret.`);
    }
    const { elements, confirmParams = {}, redirect = "always" } = options;
    if (!["always", "if_required"].includes(redirect)) {
      throw new IntegrationError(
        `Invalid value for ${call}: redirect should be one of always, if_required. You specified: ${redirect}.`,
      );
    }
    checkReturnUrl(confirmParams.return_url, redirect);
    const group = elements && groupOf(elements, call);
    const clientSecret = options.clientSecret ?? group?.options.clientSecret;
    checkSecret(call, clientSecret);

    const answer = group
      ? await confirmForm(group, clientSecret, confirmParams)
      : await confirmWithoutForm(account, clientSecret, confirmParams);
    if (answer.error) return answer;
    const outcome = await followNextAction(answer.paymentIntent, group ?? account);
    if (outcome.error || redirect === "if_required") return outcome;
    return leaveFor(confirmParams.return_url, outcome.paymentIntent);
  }

  /**
   * @param {ElementGroup} group
   * @param {string} clientSecret
   * @param {any} confirmParams
   */
  function confirmForm(group, clientSecret, confirmParams) {
    const frame = group.mounted("stripe.confirmPayment()");
    group.mustBeSubmitted();
    const given = confirmParams.payment_method_data?.billing_details;
    checkNeverFields(group.payment?.options.fields, given);
    return frame.call("confirm", { clientSecret, confirmParams, email: group.email });
  }

  /**
   * @param {Account} account
   * @param {string} clientSecret
   * @param {any} confirmParams
   */
  function confirmWithoutForm(account, clientSecret, confirmParams) {
    const { payment_method, confirmation_token } = confirmParams;
    if (!payment_method && !confirmation_token) {
      throw new IntegrationError(
        "stripe.confirmPayment(): pass elements, or confirmParams.payment_method with a clientSecret.",
      );
    }
    return account.ask("confirm", { clientSecret, confirmParams });
  }

  /**
   * @param {Account} account
   * @param {any} clientSecret
   * @returns {Promise<Outcome>}
   */
  async function retrievePaymentIntent(account, clientSecret) {
    checkSecret("stripe.retrievePaymentIntent", clientSecret);
    return account.ask("retrieve", { clientSecret });
  }

  /**
   * @param {Account} account
   * @param {any} options
   * @returns {Promise<Outcome>}
   */
  async function handleNextAction(account, options) {
    checkSecret("stripe.handleNextAction", options?.clientSecret);
    const answer = await retrievePaymentIntent(account, options.clientSecret);
    return answer.error ? answer : followNextAction(answer.paymentIntent, account);
  }

  /**
   * @param {any} options
   * @returns {Promise<import("@stripe/stripe-js").PaymentMethodResult>}
   */
  async function createPaymentMethod(options) {
    const call = "stripe.createPaymentMethod()";
    if (!options?.elements) {
      throw new IntegrationError(`${call}: pass {elements}; other forms are not part of the sandbox.`);
    }
    const group = groupOf(options.elements, call);
    const data = options.params ?? {};
    return group.mounted(call).call("createPaymentMethod", { data, email: group.email });
  }

  /** @param {any} key */
  function checkKey(key) {
    if (typeof key !== "string" || key === "") {
      throw new IntegrationError(
        "Please call Stripe() with your publishable key. You used an empty string.",
      );
    }
    if (/^(sk|rk)_/.test(key)) {
      throw new IntegrationError(
        "You should not use your secret key with Stripe.js. Please pass a publishable key instead.",
      );
    }
    if (!/^pk_(test|live)_/.test(key)) {
      throw new IntegrationError(
        "Invalid value for Stripe(): apiKey should be a publishable key that begins with pk_.",
      );
    }
  }

  /**
   * @typedef {typeof ABSENT_CALLS[number]} AbsentCall
   *
   * @param {string} key
   * @param {import("@stripe/stripe-js").StripeConstructorOptions} [options]
   */
  function Stripe(key, options = {}) {
    checkKey(key);
    const { locale } = options;
    const account = new Account(key, locale);
    /** @type {{[call in keyof OfficialStripe as call extends AbsentCall ? never : call]: OfficialStripe[call]}} */
    const implemented = {
      elements: (/** @type {any} */ given = {}) =>
        /** @type {OfficialElements} */ (createElements(key, { locale, ...given })),
      // Stripe's overloads promise more than one type can say: no paymentIntent unless
      // redirect is "if_required".
      confirmPayment: (/** @type {any} */ given) =>
        /** @type {Promise<any>} */ (confirmPayment(account, given)),
      retrievePaymentIntent: (/** @type {any} */ secret) => retrievePaymentIntent(account, secret),
      handleNextAction: (/** @type {any} */ given) => handleNextAction(account, given),
      createPaymentMethod,
      registerAppInfo: () => {},
    };
    /** @type {Record<string, any>} */
    const stripe = { ...implemented, _registerWrapper: () => {} };
    for (const name of REMOVED_CALLS) {
      stripe[name] = () => {
        throw new IntegrationError(`stripe.${name}() was removed from Stripe.js.`);
      };
    }
    for (const name of ABSENT_CALLS) {
      stripe[name] = () => {
        throw new IntegrationError(`stripe.${name}() is not part of the sandbox.`);
      };
    }
    return stripe;
  }
  Stripe.version = "endive";

  /** @type {import("@stripe/stripe-js").StripeConstructor} */
  window.Stripe = /** @type {any} */ (Stripe);
})();
