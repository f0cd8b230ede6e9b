/** One labelled input with its error: what all forms of the frames are made of. */

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/**
 * @typedef {object} FieldOptions
 * @property {string} name
 * @property {string} label
 * @property {Record<string, string>} [attributes] of the input
 * @property {string} [value]
 * @property {string} [hint] for screen readers, after the label
 * @property {boolean} [wide] takes a row of its own
 * @property {Node} [icons] shown at the end of the input
 * @property {{value: string, label: string}[]} [choices] makes it a select
 * @property {(text: string) => string} [format]
 * @property {(text: string) => string | null} [problem] code of what is wrong
 * @property {Record<string, string>} problems texts by code
 */

export class Field {
  #options;
  #error;
  #hint;
  #label;
  #before = "";

  /** @param {FieldOptions} options */
  constructor(options) {
    const { name } = options;
    this.#options = options;
    this.name = name;
    this.input = this.#makeInput();
    this.#label = make("label", { class: "Label", for: `Field-${name}` }, options.label);
    this.#hint = make("span", { id: `Hint-${name}`, class: "visually-hidden" }, options.hint ?? "");
    this.#error = make("p", { id: `Error-${name}`, class: "Error", "aria-live": "polite" });
    const box = make("div", { class: "Field-box" }, this.input);
    if (options.icons) box.append(options.icons);
    this.node = make(
      "div",
      { class: options.wide ? "Field Field--wide" : "Field" },
      this.#label, box, this.#hint, this.#error,
    );
    this.node.classList.toggle("Field--select", Boolean(options.choices));
    if (options.value) this.value = options.value;
    this.#refresh();
  }

  /** @returns {HTMLInputElement & HTMLSelectElement} */
  #makeInput() {
    const { name, attributes, choices } = this.#options;
    const common = { name, id: `Field-${name}`, class: "Input", ...attributes };
    if (!choices) {
      const input = make("input", { type: "text", spellcheck: "false", ...common });
      input.addEventListener("input", () => this.#typed());
      return input;
    }
    const options = choices.map(({ value, label }) => make("option", { value }, label));
    const select = make("select", common, ...options);
    select.addEventListener("change", () => this.#refresh());
    return select;
  }

  get value() {
    return this.input.value;
  }

  set value(text) {
    const { format } = this.#options;
    this.input.value = format ? format(text) : text;
    this.#before = this.value;
    this.#refresh();
  }

  get isEmpty() {
    return !this.#options.choices && this.value.trim() === "";
  }

  /** @returns {string | null} */
  get problem() {
    return this.#options.problem?.(this.value) ?? null;
  }

  get isShown() {
    return !this.node.hidden;
  }

  set isShown(shown) {
    this.node.hidden = !shown;
    if (!shown) this.showProblem(null);
  }

  /** @param {{label?: string, hint?: string}} words */
  relabel({ label, hint }) {
    if (label !== undefined) this.#label.textContent = label;
    if (hint !== undefined) this.#hint.textContent = hint;
  }

  /** @param {string | null} code */
  showProblem(code) {
    this.#error.textContent = code ? this.#options.problems[code] : "";
    this.node.classList.toggle("Field--invalid", Boolean(code));
    this.input.classList.toggle("Input--invalid", Boolean(code));
    this.#label.classList.toggle("Label--invalid", Boolean(code));
    if (code) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    this.#describe(Boolean(code));
  }

  /** @param {boolean} withError */
  #describe(withError) {
    const ids = [this.#hint.textContent && this.#hint.id, withError && this.#error.id];
    const described = ids.filter(Boolean).join(" ");
    if (described) this.input.setAttribute("aria-describedby", described);
    else this.input.removeAttribute("aria-describedby");
  }

  /** Format what was typed and leave the caret after the same digit. */
  #typed() {
    const { format } = this.#options;
    if (format) this.#reformat(format);
    this.#before = this.value;
    this.#refresh();
  }

  /** @param {(text: string) => string} format */
  #reformat(format) {
    const { input } = this;
    const text = input.value;
    const caret = input.selectionStart ?? text.length;
    const atEnd = caret === text.length;
    // Deleting a separator would bring it straight back: take the digit before it too.
    const lostSeparator = this.#before.startsWith(text) && count(text) === count(this.#before);
    const kept = lostSeparator && text !== this.#before ? text.replace(/[\p{L}\p{N}][^\p{L}\p{N}]*$/u, "") : text;
    const formatted = format(kept);
    if (formatted === text) return;
    input.value = formatted;
    const place = atEnd ? formatted.length : indexAfter(formatted, count(text.slice(0, caret)));
    if (document.activeElement === input) input.setSelectionRange(place, place);
  }

  #refresh() {
    this.input.classList.toggle("Input--empty", this.isEmpty);
    this.node.classList.toggle("Field--empty", this.isEmpty);
    // An error goes away as soon as what is typed is right, never while it is typed.
    if (this.input.hasAttribute("aria-invalid") && !this.problem) this.showProblem(null);
    this.#describe(this.input.hasAttribute("aria-invalid"));
  }
}

/** @param {string} text */
const count = (text) => text.replace(/[^\p{L}\p{N}]/gu, "").length;

/**
 * Where the caret stands after `wanted` letters or digits.
 * @param {string} text
 * @param {number} wanted
 */
function indexAfter(text, wanted) {
  for (let index = 0; index <= text.length; index++) {
    if (count(text.slice(0, index)) >= wanted) return index;
  }
  return text.length;
}
