/** Money as a reader expects it, equal to what the server writes. */

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
