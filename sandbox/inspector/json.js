/** JSON as a tree that folds, coloured by kind. */

import { element } from "./elements.js";

// Branches deeper than this are closed at first.
const OPEN_DEPTH = 3;

/**
 * @param {unknown} value
 * @param {string} [name]
 * @param {number} [depth]
 * @returns {HTMLElement}
 */
export function tree(value, name, depth = 0) {
  const label = name === undefined ? [] : [element("span", "json__name", name), ": "];
  if (value === null || typeof value !== "object") {
    return element("div", "json__line", ...label, leaf(value));
  }
  const entries = filledFirst(Object.entries(value));
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (!entries.length) {
    return element("div", "json__line", ...label, open + close);
  }
  const size = element("span", "json__size", ` ${entries.length}`);
  const branch = document.createElement("details");
  branch.className = "json__branch";
  branch.open = depth < OPEN_DEPTH;
  branch.append(element("summary", "json__line", ...label, open, size));
  const names = Array.isArray(value) ? () => undefined : (/** @type {string} */ key) => key;
  branch.append(...entries.map(([key, entry]) => tree(entry, names(key), depth + 1)));
  branch.append(element("div", "json__line", close));
  return branch;
}

/**
 * The fields that say something, then the empty ones.
 * @param {[string, unknown][]} entries
 */
function filledFirst(entries) {
  const empty = entries.filter(([, value]) => value === null);
  return [...entries.filter(([, value]) => value !== null), ...empty];
}

/** @param {unknown} value */
function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  return element("span", `json__${kind}`, JSON.stringify(value));
}
