/** Card numbers, dates and codes: brands, grouping, what is complete or wrong. */

/**
 * @typedef {object} Brand
 * @property {string} name as Stripe calls it
 * @property {RegExp} pattern of its first digits, as far as typed
 * @property {number[]} lengths a number may have
 * @property {number[]} groups digits between spaces
 * @property {number} cvc digits of its security code
 */

/** @type {Brand} */
const UNKNOWN = { name: "unknown", pattern: /^/, lengths: [16], groups: [4, 4, 4, 4], cvc: 3 };

/** @type {Brand[]} */
const BRANDS = [
  { name: "visa", pattern: /^4/, lengths: [16], groups: [4, 4, 4, 4], cvc: 3 },
  {
    name: "mastercard",
    pattern: /^(5[1-5]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720)|5062)/,
    lengths: [16],
    groups: [4, 4, 4, 4],
    cvc: 3,
  },
  { name: "amex", pattern: /^3[47]/, lengths: [15], groups: [4, 6, 5], cvc: 4 },
  {
    name: "diners",
    pattern: /^(30[0-5]|309|36|3[89])/,
    lengths: [14, 16],
    groups: [4, 4, 4, 4],
    cvc: 3,
  },
  { name: "jcb", pattern: /^35/, lengths: [16], groups: [4, 4, 4, 4], cvc: 3 },
  {
    name: "unionpay",
    pattern: /^62/,
    lengths: [16, 17, 18, 19],
    groups: [4, 4, 4, 4, 3],
    cvc: 3,
  },
  {
    name: "discover",
    pattern: /^(6011|64[4-9]|65)/,
    lengths: [16],
    groups: [4, 4, 4, 4],
    cvc: 3,
  },
];

/**
 * @param {string} text
 * @returns {string}
 */
export const digitsOf = (text) => text.replace(/\D/g, "");

/**
 * @param {string} number
 * @returns {Brand}
 */
export function brandOf(number) {
  const digits = digitsOf(number);
  return BRANDS.find(({ pattern }) => digits && pattern.test(digits)) ?? UNKNOWN;
}

/** @param {string} text */
export function formatNumber(text) {
  const brand = brandOf(text);
  let rest = digitsOf(text).slice(0, Math.max(...brand.lengths));
  // Diners numbers of 14 digits are grouped 4-6-4, the longer ones in fours.
  const isShortDiners = brand.name === "diners" && rest.length <= 14;
  const groups = [];
  for (const size of isShortDiners ? [4, 6, 4] : brand.groups) {
    if (rest) groups.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return groups.join(" ");
}

/** @param {string} digits */
function passesLuhn(digits) {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/**
 * @param {string} text
 * @returns {string | null} the error's code, null when the number is fine
 */
export function numberProblem(text) {
  const digits = digitsOf(text);
  const { lengths } = brandOf(digits);
  if (digits.length < Math.min(...lengths)) return "incomplete_number";
  if (passesLuhn(digits) && lengths.includes(digits.length)) return null;
  return digits.length < Math.max(...lengths) ? "incomplete_number" : "invalid_number";
}

/**
 * `MM / YY` from anything typed or filled in: 1230, 12/30, 12/2030, 1/30.
 * @param {string} text
 */
export function formatExpiry(text) {
  const [first, second] = text.split("/").map(digitsOf);
  // "1/" is January; "1 / 34" is a month in the middle of being corrected.
  const digits = /^\d\//.test(text) ? `0${first}${second}` : digitsOf(text);
  const padded = /^[2-9]/.test(digits) ? `0${digits}` : digits;
  const month = padded.slice(0, 2);
  const year = /^20\d\d$/.test(padded.slice(2)) ? padded.slice(4) : padded.slice(2, 4);
  return padded.length >= 2 ? `${month} / ${year}` : month;
}

/** @param {string} text as formatted */
export function expiryParts(text) {
  const [month, year] = text.split("/").map(digitsOf);
  return { month: Number(month), year: 2000 + Number(year) };
}

/**
 * @param {string} text
 * @param {Date} [today]
 */
export function expiryProblem(text, today = new Date()) {
  const digits = digitsOf(text);
  const { month, year } = expiryParts(text);
  if (digits.length >= 2 && (month < 1 || month > 12)) return "invalid_expiry_month";
  if (digits.length < 4) return "incomplete_expiry";
  const thisYear = today.getFullYear();
  if (year < thisYear) return "invalid_expiry_year_past";
  if (year === thisYear && month < today.getMonth() + 1) return "invalid_expiry_month_past";
  return year > thisYear + 50 ? "invalid_expiry_year" : null;
}

/**
 * @param {string} text
 * @param {Brand} brand
 */
export const cvcProblem = (text, brand) =>
  digitsOf(text).length === brand.cvc ? null : "incomplete_cvc";
