"""Stripe's smallest units: 0, 2 and 3 decimals and the two special cases."""

from decimal import Decimal

import pytest

from checkout import money


@pytest.mark.parametrize(
    ("currency", "written", "amount"),
    [
        ("usd", "500", 50_000),
        ("jpy", "500", 500),
        ("krw", "500", 500),
        ("isk", "500", 50_000),
        ("ugx", "500", 50_000),
        ("kwd", "500", 500_000),
        ("usd", "19.99", 1999),
        ("kwd", "1.25", 1250),
        ("huf", "500", 50_000),
    ],
)
def test_integer_sent_and_amount_shown_are_the_same_money(currency, written, amount):
    assert money.from_decimal(Decimal(written), currency) == amount
    assert money.to_decimal(amount, currency) == Decimal(written)


@pytest.mark.parametrize(
    ("currency", "written"),
    [("usd", "1.005"), ("jpy", "1.5"), ("isk", "1.5"), ("ugx", "0.01"),
     ("kwd", "1.0005"), ("kwd", "1.005"), ("usd", "NaN"), ("usd", "Infinity")],
)  # fmt: skip
def test_price_the_currency_cannot_express_is_refused(currency, written):
    with pytest.raises(ValueError, match=r"amount|part"):
        money.from_decimal(Decimal(written), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        (2990, "eur", "en", "€29.90"),
        (2990, "eur", "de", "29,90\xa0€"),
        (500, "jpy", "en", "¥500"),
        (500, "jpy", "de", "500\xa0¥"),
        (1_234_567, "usd", "en", "$12,345.67"),
        (1250, "kwd", "en", "KWD\xa01.250"),
        (50_000, "isk", "en", "ISK\xa0500"),
        (50_000, "ugx", "en", "UGX\xa0500"),
        (100, "usd", "xx", "$1.00"),
    ],
)
def test_amounts_read_as_people_write_them(amount, currency, language, text):
    assert money.display(amount, currency, language) == text


def test_minimum_amounts_are_stripes():
    assert money.minimum("usd") == 50
    assert money.minimum("gbp") == 30
    assert money.minimum("jpy") == 50
    assert money.minimum("huf") == 17_500
    assert money.minimum("kwd") == 10
