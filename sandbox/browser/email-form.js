/** The Link Authentication Element without Link: a field for the e-mail address. */
import { Field } from "./fields.js";
import { emailProblem } from "./methods.js";
import { textsFor } from "./texts.js";

export class EmailForm {
  #root;
  #tell;
  /** @type {Field | undefined} */
  #field;

  /**
   * @param {HTMLElement} root
   * @param {{group: any, element: any}} settings
   * @param {(event: string, detail?: unknown) => void} tell
   */
  constructor(root, { group, element }, tell) {
    this.#root = root;
    this.#tell = tell;
    this.group = group;
    this.element = element;
    root.addEventListener("input", () => this.#changed());
    root.addEventListener("focusout", () => {
      if (this.#field && !this.#field.isEmpty) this.submit();
    });
  }

  /** @returns {Promise<{error?: any}>} */
  async load() {
    const { texts, language } = textsFor(this.group.locale);
    document.documentElement.lang = language;
    const value = this.#field?.value || this.element.defaultValues?.email;
    this.#field = new Field({
      name: "email",
      label: texts.email,
      problems: texts.problems,
      value,
      wide: true,
      attributes: { type: "email", autocomplete: "email", placeholder: "you@example.com" },
      problem: emailProblem,
    });
    this.#root.replaceChildren(this.#field.node);
    return {};
  }

  start() {
    if (!this.#field?.isEmpty) this.#changed();
  }

  #changed() {
    const email = this.#field?.value.trim() ?? "";
    const complete = !emailProblem(email);
    this.#tell("change", { empty: email === "", complete, value: { email } });
  }

  submit() {
    this.#field?.showProblem(this.#field.problem);
    return {};
  }

  /** @param {{group?: any, element?: any}} changes */
  async update({ group, element }) {
    Object.assign(this.group, group);
    Object.assign(this.element, element);
    return group && "locale" in group ? this.load() : {};
  }

  focus() {
    this.#field?.input.focus();
  }

  clear() {
    if (this.#field) this.#field.value = "";
    this.#changed();
  }

  collapse() {}
  confirm() {}
  createPaymentMethod() {}
  outcome() {}
}
