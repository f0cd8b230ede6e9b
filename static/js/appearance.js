/** How the Payment Element looks: the page's own custom properties, as values. */

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

/** @returns {Appearance} */
export function appearance() {
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
