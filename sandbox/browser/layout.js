/** One method alone, or several as accordion or tabs. */
import { make } from "./fields.js";

/**
 * @typedef {object} Arrangement
 * @property {Map<string, import("./methods.js").RedirectForm>} forms
 * @property {string} selected type of the open form, "" for none
 * @property {{type?: string, radios?: string | boolean, spacedAccordionItems?: boolean,
 *   visibleAccordionItemsCount?: number, paymentMethodLogoPosition?: string}} layout
 * @property {any} texts
 * @property {(type: string) => void} choose
 */

const DEFAULT_VISIBLE = 5;

/**
 * @param {Arrangement} arrangement
 * @returns {HTMLElement}
 */
export function arrange(arrangement) {
  const { forms, layout } = arrangement;
  const [only, ...others] = forms.values();
  if (!only) return make("div");
  if (others.length === 0) return make("div", { class: "Single" }, only.node);
  return layout.type === "tabs" ? tabs(arrangement) : accordion(arrangement);
}

/**
 * @param {string} type
 * @param {any} texts
 */
function nameAndIcon(type, texts) {
  const name = texts.methodNames[type] ?? type.replaceAll("_", " ");
  const kind = ["card", "sepa_debit", "us_bank_account"].includes(type) ? type : "redirect";
  const icon = make("span", { class: `MethodIcon MethodIcon--${kind}`, "aria-hidden": "true" });
  return { icon, label: make("span", { class: "MethodName" }, name) };
}

/** @param {Arrangement} arrangement */
function accordion({ forms, selected, layout, texts, choose }) {
  const list = make("div", { class: "Accordion", role: "group", "aria-label": texts.methods });
  list.classList.toggle("Accordion--spaced", layout.spacedAccordionItems === true);
  list.classList.toggle("Accordion--logoAtEnd", layout.paymentMethodLogoPosition === "end");
  const hasRadios = layout.radios !== "never" && layout.radios !== false;
  const items = [...forms].map(([type, form]) => {
    const { icon, label } = nameAndIcon(type, texts);
    const button = make(
      "button",
      { type: "button", class: "AccordionButton", id: `${type}-button`, "aria-controls": `${type}-panel` },
      ...(hasRadios ? [make("span", { class: "Radio", "aria-hidden": "true" })] : []),
      icon, label,
    );
    const panel = make(
      "div",
      { class: "AccordionPanel", id: `${type}-panel`, role: "region", "aria-labelledby": button.id },
      form.node,
    );
    button.addEventListener("click", () => open(type));
    const item = make("div", { class: "AccordionItem" }, button, panel);
    list.append(item);
    return { type, item, button, panel };
  });

  /** @param {string} wanted */
  function show(wanted) {
    for (const { type, item, button, panel } of items) {
      item.classList.toggle("AccordionItem--selected", type === wanted);
      button.setAttribute("aria-expanded", String(type === wanted));
      panel.hidden = type !== wanted;
    }
  }

  /** @param {string} type */
  function open(type) {
    show(type);
    choose(type);
  }

  show(selected);
  const visible = layout.visibleAccordionItemsCount || DEFAULT_VISIBLE;
  if (items.length > visible) hideBehindMore(list, items.slice(visible), texts);
  return list;
}

/**
 * @param {HTMLElement} list
 * @param {{item: HTMLElement, button: HTMLElement}[]} extra
 * @param {any} texts
 */
function hideBehindMore(list, extra, texts) {
  if (extra.some(({ item }) => item.matches(".AccordionItem--selected"))) return;
  const more = make("button", { type: "button", class: "AccordionButton AccordionMore" }, texts.more);
  const row = make("div", { class: "AccordionItem" }, more);
  for (const { item } of extra) item.hidden = true;
  more.addEventListener("click", () => {
    row.remove();
    for (const { item } of extra) item.hidden = false;
    extra[0].button.focus();
  });
  list.append(row);
}

/** @param {Arrangement} arrangement */
function tabs({ forms, selected, texts, choose }) {
  const bar = make("div", { class: "TabList", role: "tablist", "aria-label": texts.methods });
  const items = [...forms].map(([type, form]) => {
    const { icon, label } = nameAndIcon(type, texts);
    label.classList.add("TabLabel");
    const tab = make(
      "button",
      { type: "button", role: "tab", class: "Tab", id: `${type}-tab`, "aria-controls": `${type}-panel` },
      icon, label,
    );
    const panel = make(
      "div",
      { class: "TabPanel", id: `${type}-panel`, role: "tabpanel", "aria-labelledby": tab.id },
      form.node,
    );
    tab.addEventListener("click", () => open(type));
    bar.append(tab);
    return { type, tab, panel };
  });
  bar.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = items.findIndex(({ tab }) => tab === document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = items[(at + step + items.length) % items.length];
    open(next.type);
    next.tab.focus();
  });

  /** @param {string} wanted */
  function show(wanted) {
    items.forEach(({ type, tab, panel }, index) => {
      const isOpen = type === wanted;
      tab.classList.toggle("Tab--selected", isOpen);
      tab.setAttribute("aria-selected", String(isOpen));
      // One stop for the Tab key; arrows move between tabs.
      tab.tabIndex = isOpen || (!wanted && index === 0) ? 0 : -1;
      panel.hidden = !isOpen;
    });
  }

  /** @param {string} type */
  function open(type) {
    show(type);
    choose(type);
  }

  show(selected);
  return make("div", { class: "Tabs" }, bar, ...items.map(({ panel }) => panel));
}
