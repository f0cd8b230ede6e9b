/** Stripe's Appearance API: themes, variables and rules, turned into CSS of the frame. */

/** @type {Record<string, Record<string, string>>} */
const THEMES = {
  stripe: {
    colorPrimary: "#0570de",
    colorBackground: "#ffffff",
    colorText: "#30313d",
    colorTextSecondary: "#6d6e78",
    colorTextPlaceholder: "#757680",
    colorDanger: "#df1b41",
    inputColorBorder: "#d8dce3",
    inputBoxShadow: "0 1px 1px rgba(0, 0, 0, 0.03), 0 3px 6px rgba(0, 0, 0, 0.02)",
    borderRadius: "5px",
  },
  night: {
    colorPrimary: "#4b9fff",
    colorBackground: "#30313d",
    colorText: "#f3f4f8",
    colorTextSecondary: "#b4b7c4",
    colorTextPlaceholder: "#a3a6b4",
    colorDanger: "#fe87a1",
    inputColorBorder: "#4d4f60",
    inputBoxShadow: "0 2px 4px rgba(0, 0, 0, 0.3)",
    borderRadius: "5px",
  },
  flat: {
    colorPrimary: "#0570de",
    colorBackground: "#f1f2f4",
    colorText: "#30313d",
    colorTextSecondary: "#62636d",
    colorTextPlaceholder: "#6d6e78",
    colorDanger: "#c9143a",
    inputColorBorder: "#e1e4e9",
    inputBoxShadow: "none",
    borderRadius: "4px",
  },
};

const RULE = /^\.[A-Za-z]+(--[a-z]+)?(::?[a-z-]+)*(\s+\.[A-Za-z]+(--[a-z]+)?(::?[a-z-]+)*)*$/;

const rules = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, rules];

/** @param {string} name */
const kebab = (name) => name.replace(/[A-Z0-9]+/g, (part) => `-${part.toLowerCase()}`);

/**
 * Dress the frame.
 * @param {any} appearance
 * @returns {"light" | "dark"} the colour scheme that this makes
 */
export function dress(appearance = {}) {
  const theme = THEMES[appearance.theme] ?? THEMES.stripe;
  const variables = { ...theme, ...appearance.variables };
  const root = document.documentElement;
  for (const property of [...root.style]) root.style.removeProperty(property);
  for (const [name, value] of Object.entries(variables)) {
    root.style.setProperty(`--${kebab(name)}`, String(value));
  }
  const scheme = isDark(variables.colorBackground) ? "dark" : "light";
  root.style.colorScheme = scheme;
  root.dataset.labels = appearance.labels === "floating" ? "floating" : "above";
  root.dataset.inputs = appearance.inputs === "condensed" ? "condensed" : "spaced";
  root.toggleAttribute("data-still", Boolean(appearance.disableAnimations));
  replaceRules(appearance.rules ?? {});
  return scheme;
}

/** @param {Record<string, Record<string, string>>} wanted */
function replaceRules(wanted) {
  rules.replaceSync("");
  for (const [selector, declarations] of Object.entries(wanted)) {
    if (!RULE.test(selector)) {
      console.warn(`[Stripe.js] "${selector}" is not a supported appearance rule.`);
      continue;
    }
    // A rule for a state outweighs the theme's own; one for every .Input does not.
    const isState = /--|:/.test(selector);
    const text = `${isState ? ":root " : ""}${selector} {}`;
    const index = rules.insertRule(text, rules.cssRules.length);
    const { style } = /** @type {CSSStyleRule} */ (rules.cssRules[index]);
    for (const [name, value] of Object.entries(declarations)) {
      style.setProperty(kebab(name), String(value));
    }
  }
}

/** @param {string} color any CSS colour */
function isDark(color) {
  const brush = new OffscreenCanvas(1, 1).getContext("2d");
  if (!brush) return false;
  brush.fillStyle = color;
  brush.fillRect(0, 0, 1, 1);
  const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 110;
}
