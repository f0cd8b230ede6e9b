"""Which amounts Stripe charges: currencies, minimums, smallest units.

https://docs.stripe.com/currencies
"""

from sandbox.errors import ApiError, invalid, refused

# Minimum charge in the smallest unit, per currency; others: like USD 0.50.
MINIMUM = {
    "usd": 50, "aed": 200, "ars": 50, "aud": 50, "brl": 50, "cad": 50, "chf": 50,
    "cop": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400,
    "huf": 17500, "idr": 50, "ils": 50, "inr": 50, "jpy": 50, "krw": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "php": 50, "pln": 200, "ron": 200, "rub": 50,
    "sek": 300, "sgd": 50, "thb": 1000, "zar": 50,
}  # fmt: skip
MAXIMUM = 99_999_999
WITHOUT_DECIMALS_TEXT = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
WITHOUT_DECIMALS = set(WITHOUT_DECIMALS_TEXT.split())
IN_HUNDREDS = {"isk", "ugx"}
IN_TENS = {"bhd", "jod", "kwd", "omr", "tnd"}
OTHERS = """
afn all amd ang aoa awg azn bam bbd bdt bgn bmd bnd bob bsd bwp byn bzd cdf crc cve dop
dzd egp etb fjd fkp gel gip gmd gtq gyd hnl htg jmd kes kgs khr kyd kzt lak lbp lkr lrd
lsl mad mdl mkd mmk mnt mop mur mvr mwk mzn nad ngn nio npr pab pen pgk pkr qar rsd sar
sbd scr shp sle sos srd std szl tjs top try ttd twd tzs uah uyu uzs wst xcd yer zmw
"""
CURRENCIES = (
    set(MINIMUM) | WITHOUT_DECIMALS | IN_HUNDREDS | IN_TENS | set(OTHERS.split())
)


def check_amount(amount: int, currency: str) -> None:
    """Refuse what Stripe would not charge."""
    if currency not in CURRENCIES:
        raise invalid(f"Invalid currency: {currency}.", param="currency")
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount < MINIMUM.get(currency, 1):
        raise too_small(currency)
    if amount > MAXIMUM:
        raise refused(
            "Amount must be no more than 99999999.",
            code="amount_too_large",
            param="amount",
        )
    step = 100 if currency in IN_HUNDREDS else 10 if currency in IN_TENS else 1
    if amount % step:
        raise refused(
            f"Invalid amount: {currency} amounts are multiples of {step}.",
            code="invalid_charge_amount",
            param="amount",
        )


def too_small(currency: str) -> ApiError:
    minimum = shown(MINIMUM[currency], currency)
    return refused(
        f"Amount must be at least {minimum} {currency}",
        code="amount_too_small",
        param="amount",
    )


def shown(amount: int, currency: str) -> str:
    """The amount as Stripe's messages write it: `$10.00`."""
    sign = "$" if currency == "usd" else ""
    if currency in WITHOUT_DECIMALS:
        return f"{sign}{amount}"
    if currency in IN_TENS:
        return f"{sign}{amount // 1000}.{amount % 1000:03d}"
    return f"{sign}{amount // 100}.{amount % 100:02d}"
