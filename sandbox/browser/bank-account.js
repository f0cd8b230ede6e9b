/** IBANs and US routing numbers. */

/** @type {Record<string, number>} lengths of the SEPA countries' numbers */
const IBAN_LENGTHS = {
  AD: 24, AT: 20, BE: 16, BG: 22, CH: 21, CY: 28, CZ: 24, DE: 22, DK: 18, EE: 20, ES: 24, FI: 18,
  FR: 27, GB: 22, GI: 23, GR: 27, HR: 21, HU: 28, IE: 22, IS: 26, IT: 27, LI: 21, LT: 20, LU: 20,
  LV: 21, MC: 27, MT: 31, NL: 18, NO: 15, PL: 28, PT: 25, RO: 24, SE: 24, SI: 19, SK: 24, SM: 27,
  VA: 22,
};

/** @param {string} text */
export const plainIban = (text) => text.replace(/[^a-z0-9]/gi, "").toUpperCase();

/** @param {string} text */
export function formatIban(text) {
  const plain = plainIban(text).slice(0, IBAN_LENGTHS[plainIban(text).slice(0, 2)] ?? 34);
  return plain.replace(/(.{4})(?=.)/g, "$1 ");
}

/**
 * @param {string} text
 * @returns {string | null} the error's code
 */
export function ibanProblem(text) {
  const iban = plainIban(text);
  const length = IBAN_LENGTHS[iban.slice(0, 2)];
  if (iban.length < 2) return "incomplete_iban";
  if (!length) return "invalid_iban";
  if (iban.length < length) return "incomplete_iban";
  const moved = iban.slice(4) + iban.slice(0, 4);
  const digits = moved.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n ? null : "invalid_iban";
}

/** @param {string} text */
export function routingNumberProblem(text) {
  if (!/^\d{9}$/.test(text)) return "incomplete_routing_number";
  const sum = [...text].reduce((total, digit, i) => total + Number(digit) * [3, 7, 1][i % 3], 0);
  return sum % 10 === 0 ? null : "invalid_routing_number";
}

/** @param {string} text */
export const accountNumberProblem = (text) =>
  text.length >= 4 ? null : "incomplete_account_number";
