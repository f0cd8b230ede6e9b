"""Money: whole numbers in Stripe's smallest unit, always beside their currency.

The one table of exponents, minimum and maximum amounts. Stripe's unit is not always
the currency's own: ISK and UGX have no decimals but are sent as if they had two.
Source: https://docs.stripe.com/currencies
"""

import re
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, parse_pattern


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
# Sent in hundredths although the currency has no smaller part.
WHOLE_IN_HUNDREDTHS = _codes("isk ugx")

# The least Stripe charges, in smallest units. Where a currency is missing, Stripe
# asks for the equivalent of 0.50 USD and only Stripe can tell.
MINIMUM = {
    "usd": 50, "aed": 200, "ars": 50, "aud": 50, "brl": 50, "cad": 50, "chf": 50,
    "cop": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400,
    "huf": 17500, "idr": 50, "ils": 50, "inr": 50, "jpy": 50, "krw": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "php": 50, "pln": 200, "ron": 200, "rub": 50,
    "sek": 300, "sgd": 50, "thb": 1000, "zar": 50,
}  # fmt: skip
MAXIMUM = 99_999_999
# Every currency Stripe charges in that the tables above do not name.
OTHERS = _codes(
    "afn all amd ang aoa awg azn bam bbd bdt bgn bmd bnd bob bsd bwp byn bzd cdf cny "
    "crc cve dop dzd egp etb fjd fkp gel gip gmd gtq gyd hnl htg jmd kes kgs khr kyd "
    "kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mzn nad ngn nio npr "
    "pab pen pgk pkr qar rsd sar sbd scr shp sle sos srd std szl tjs top try ttd twd "
    "tzs uah uyu uzs wst xcd xcg yer zmw"
)
KNOWN = OTHERS | ZERO_DECIMAL | THREE_DECIMAL | WHOLE_IN_HUNDREDTHS | MINIMUM.keys()


def exponent(currency: str) -> int:
    """Return how many decimals Stripe's smallest unit of `currency` has: 0, 2 or 3."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def decimals(currency: str) -> int:
    """Return how many decimals people write in `currency`."""
    return 0 if currency in WHOLE_IN_HUNDREDTHS else exponent(currency)


def step(currency: str) -> int:
    """Return what every amount in `currency` must be a multiple of."""
    if currency in WHOLE_IN_HUNDREDTHS:
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def minimum(currency: str) -> int:
    """Return the least chargeable amount in smallest units."""
    return MINIMUM.get(currency, step(currency))


def to_decimal(amount: int, currency: str) -> Decimal:
    """Return the amount as people write it: 1099 usd is 10.99."""
    return Decimal(amount).scaleb(-exponent(currency))


def from_decimal(value: Decimal, currency: str) -> int:
    """Return the smallest units of a price as people write it.

    Raises ValueError when the currency cannot express it exactly.
    """
    if not value.is_finite():
        raise ValueError("not an amount")
    scaled = value.scaleb(exponent(currency))
    amount = int(scaled)
    if amount != scaled or amount % step(currency):
        raise ValueError(f"{currency.upper()} has no such part")
    return amount


@lru_cache(maxsize=1000)
def display(amount: int, currency: str, language: str) -> str:
    """Return the amount as a reader of `language` expects it: €29.90 or 29,90 €."""
    pattern = _pattern(language, currency.upper(), decimals(currency))
    text: str = pattern.apply(
        to_decimal(amount, currency),
        _locale(language),
        currency=currency.upper(),
        currency_digits=False,
    )
    return text


@lru_cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


@lru_cache
def _pattern(language: str, code: str, digits: int) -> NumberPattern:
    """The locale's currency pattern with our number of decimals, not Babel's.

    Babel does not know CLDR's spacing: a letter and a digit never touch (KWD 1.250).
    """
    locale = _locale(language)
    pattern = locale.currency_formats["standard"].pattern
    symbol = locale.currency_symbols.get(code, code)
    if symbol[-1].isalpha():
        pattern = re.sub(r"¤(?=[#0])", "¤\N{NO-BREAK SPACE}", pattern)
    if symbol[0].isalpha():
        pattern = re.sub(r"(?<=[#0])¤", "\N{NO-BREAK SPACE}¤", pattern)
    parsed = parse_pattern(pattern)
    parsed.frac_prec = (digits, digits)
    return parsed
