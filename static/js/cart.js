/** What a cart adds up to. The server prices it again before anything is charged. */

const MAX_QUANTITY = 99;

/**
 * Read what somebody typed as a quantity; what is no number counts as none.
 * @param {string} text
 * @returns {number} a whole number from 0 to 99
 */
export function readQuantity(text) {
  const quantity = Math.trunc(Number(text));
  return Number.isNaN(quantity) ? 0 : Math.min(Math.max(quantity, 0), MAX_QUANTITY);
}

/**
 * Return the price of all lines in smallest units.
 * @param {CartLine[]} lines
 */
export function totalOf(lines) {
  return lines.reduce((sum, { quantity, unitAmount }) => sum + quantity * unitAmount, 0);
}

/**
 * Return what is ordered, as `POST /orders/` wants it.
 * @param {CartLine[]} lines
 */
export function orderedLines(lines) {
  return lines
    .filter(({ quantity }) => quantity > 0)
    .map(({ product, quantity }) => ({ product, quantity }));
}
