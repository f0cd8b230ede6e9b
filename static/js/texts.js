/** @type {Record<string, string>} */
let sentences;

/**
 * Return the sentence `name`, its {placeholders} filled with `values`.
 * @param {string} name
 * @param {Record<string, string>} [values]
 */
export function text(name, values = {}) {
  sentences ??= JSON.parse(document.getElementById("payment-texts")?.textContent ?? "{}");
  return fill(sentences[name] ?? "", values);
}

/**
 * @param {string} sentence
 * @param {Record<string, string>} values
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (found, name) => values[name] ?? found);
}

/**
 * Whether a decline has a sentence of its own.
 * @param {string} code
 */
export function hasDeclineText(code) {
  return text(`decline.${code}`) !== "";
}

/**
 * Return the sentence for a decline; every code without its own reads like any other.
 * @param {string} code
 */
export function declineText(code) {
  return text(`decline.${code}`) || text("declined");
}
