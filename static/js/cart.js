/** What a cart adds up to, as people read it. The server prices it again before charging. */

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

/**
 * Return a function that shows smallest units: 1099 usd is "$10.99".
 *
 * `exponent` is how many decimals Stripe's smallest unit has, `decimals` how many people
 * write; they differ for ISK and UGX.
 * @param {{currency: string, exponent: number, decimals: number, language: string}} how
 * @returns {(amount: number) => string}
 */
export function moneyFormat({ currency, exponent, decimals, language }) {
  const format = new Intl.NumberFormat(language, {
    style: "currency",
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return (amount) => format.format(Number(`${amount}e-${exponent}`));
}
