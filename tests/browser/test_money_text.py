"""Amounts read the same whether the server or the browser writes them."""

from django.templatetags.static import static
from playwright.sync_api import Page

from checkout import money

FORMAT = """async ([module, how, amounts]) => {
  const { moneyFormat } = await import(module);
  return amounts.map(moneyFormat(how));
}"""


def test_browser_and_server_write_money_alike(page: Page) -> None:
    page.goto("/")
    for currency in ("usd", "eur", "gbp", "jpy", "kwd", "isk", "chf"):
        for language in ("en", "de"):
            how = {
                "currency": currency,
                "exponent": money.exponent(currency),
                "decimals": money.decimals(currency),
                "language": language,
            }
            step = money.step(currency)
            amounts = [step * count for count in (0, 1, 50, 1299, 990_000)]
            written = page.evaluate(FORMAT, [static("js/cart.js"), how, amounts])

            assert written == [
                money.display(amount, currency, language) for amount in amounts
            ]
