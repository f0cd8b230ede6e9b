/** Small pieces of the page. */

/**
 * @param {string} name
 * @param {string} className
 * @param {...(Node | string)} children
 */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/**
 * @param {string} text
 * @param {() => unknown} press
 * @param {string} [className]
 */
export function button(text, press, className = "button") {
  const made = element("button", className, text);
  made.setAttribute("type", "button");
  made.addEventListener("click", press);
  return made;
}

/**
 * A button that copies, and says so for a moment.
 * @param {string} text
 * @param {string} label
 */
export function copyButton(text, label = "Copy") {
  const made = button(label, copy, "button button--quiet");
  async function copy() {
    await navigator.clipboard.writeText(text);
    made.textContent = "Copied";
    setTimeout(() => {
      made.textContent = label;
    }, 1200);
  }
  return made;
}

/**
 * @param {string} text
 * @param {string} tone
 */
export const pill = (text, tone) => element("span", `pill pill--${tone}`, text);
