import assert from "node:assert/strict";
import { test } from "node:test";
import { moneyFormat } from "../../static/js/cart.js";

for (const [currency, exponent, decimals, language, amount, text] of [
  ["usd", 2, 2, "en", 123456789, "$1,234,567.89"],
  ["usd", 2, 2, "de", 2990, "29,90\u00a0$"],
  ["jpy", 0, 0, "en", 500, "¥500"],
  ["kwd", 3, 3, "en", 1500, "KWD\u00a01.500"],
  ["isk", 2, 0, "en", 50000, "ISK\u00a0500"],
]) {
  test(`${amount} ${currency} reads ${text}`, () => {
    assert.equal(moneyFormat({ currency, exponent, decimals, language })(amount), text);
  });
}
