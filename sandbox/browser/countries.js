/** Countries of a billing address and what their postal codes are. */

const CODES =
  "AD AE AF AG AI AL AM AO AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ " +
  "CA CD CF CG CH CI CK CL CM CN CO CR CV CW CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FO FR " +
  "GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IS IT JE JM JO JP " +
  "KE KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ " +
  "NA NC NE NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PY QA RE RO RS RU RW " +
  "SA SB SC SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW TZ " +
  "UA UG US UY UZ VA VC VE VG VN VU WF WS XK YE YT ZA ZM ZW";

// Where the bank checks the postal code of a card (AVS).
const POSTAL_CODES = new Map([
  ["US", /^\d{5}(-?\d{4})?$/],
  ["PR", /^\d{5}(-?\d{4})?$/],
  ["CA", /^[a-z]\d[a-z] ?\d[a-z]\d$/i],
  ["GB", /^[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}$/i],
]);

/** @param {string} language */
export function countryChoices(language) {
  const names = new Intl.DisplayNames([language], { type: "region" });
  return CODES.split(" ")
    .map((value) => ({ value, label: names.of(value) ?? value }))
    .sort((a, b) => a.label.localeCompare(b.label, language));
}

/** The country a visitor most likely lives in, judged by the browser's language. */
export function likelyCountry() {
  const { region } = new Intl.Locale(navigator.language).maximize();
  return region && CODES.includes(region) ? region : "US";
}

/** @param {string} country */
export const asksPostalCode = (country) => POSTAL_CODES.has(country);

/** @param {string} country */
export const saysZip = (country) => country === "US" || country === "PR";

/**
 * @param {string} code
 * @param {string} country
 */
export function postalCodeProblem(code, country) {
  const text = code.trim();
  if (POSTAL_CODES.get(country)?.test(text)) return null;
  return text.length < 5 || !saysZip(country) ? "incomplete_zip" : "invalid_zip";
}
