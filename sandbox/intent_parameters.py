"""What the PaymentIntent calls take."""

from sandbox.accounts import Account
from sandbox.errors import ApiError, invalid, refused
from sandbox.parameters import (
    EXPAND,
    PAGE,
    RANGE,
    SHIPPING,
    Params,
    Parser,
    anything,
    boolean,
    either,
    fields,
    integer,
    list_of,
    metadata,
    one_of,
    or_unset,
    text,
)
from sandbox.payment_methods import PAYMENT_METHOD_DATA, TYPES

STEERED: dict[str, Parser] = {
    "allowed_payment_method_types": list_of(text),
    "excluded_payment_method_types": or_unset(list_of(text)),
    "payment_method_types": list_of(one_of(*TYPES, "link")),
    "payment_method_options": fields(dict.fromkeys((*TYPES, "link"), anything)),
    "capture_method": one_of("automatic", "automatic_async", "manual"),
}
METHOD: dict[str, Parser] = {
    "payment_method": or_unset(text),
    "payment_method_data": PAYMENT_METHOD_DATA,
    "setup_future_usage": or_unset(one_of("off_session", "on_session")),
    "receipt_email": or_unset(text),
    "shipping": or_unset(SHIPPING),
    "amount_details": anything,
    "hooks": anything,
    "payment_details": anything,
}
CONFIRMING: dict[str, Parser] = {
    "error_on_requires_action": boolean,
    "mandate": text,
    "mandate_data": anything,
    "off_session": either(boolean, anything),
    "return_url": text,
    "use_stripe_sdk": boolean,
    "radar_options": anything,
}
DESCRIBING: dict[str, Parser] = {
    "customer": text,
    "description": or_unset(text),
    "metadata": metadata,
    "statement_descriptor": or_unset(text),
    "statement_descriptor_suffix": or_unset(text),
    "payment_method_configuration": text,
    "transfer_group": text,
}
SHARED = STEERED | METHOD | DESCRIBING | EXPAND

CREATE = fields(
    SHARED
    | CONFIRMING
    | {
        "amount": integer,
        "currency": text,
        "confirm": boolean,
        "confirmation_method": one_of("automatic", "manual"),
        "automatic_payment_methods": fields(
            {"enabled": boolean, "allow_redirects": one_of("always", "never")}
        ),
    }
)
UPDATE = fields(SHARED | {"amount": integer, "currency": text})
# Stripe.js sends its key and the client secret in the form.
FROM_BROWSER: dict[str, Parser] = {"client_secret": text, "key": text}
CONFIRM = fields(
    STEERED
    | METHOD
    | CONFIRMING
    | EXPAND
    | FROM_BROWSER
    | {"amount_to_confirm": integer}
)
RETRIEVE = fields(EXPAND | FROM_BROWSER)
CANCEL = fields(
    EXPAND
    | {
        "cancellation_reason": one_of(
            "duplicate", "fraudulent", "requested_by_customer", "abandoned"
        )
    }
)
CAPTURE = fields(
    EXPAND
    | {
        "amount_to_capture": integer,
        "final_capture": boolean,
        "metadata": metadata,
        "statement_descriptor": text,
        "statement_descriptor_suffix": text,
    }
)
LIST = fields(PAGE | {"created": RANGE, "customer": text})
SEARCH = fields(EXPAND | {"query": text, "limit": integer, "page": text})

EXCLUSIVE_WITH_ALLOWED = (
    "excluded_payment_method_types",
    "automatic_payment_methods",
    "payment_method_configuration",
)


def check(account: Account, params: Params) -> None:
    """Refuse combinations that no single parameter shows."""
    if "payment_method_types" in params and "endive" in account.version:
        raise invalid(
            "The payment_method_types parameter is no longer supported. Use"
            " allowed_payment_method_types or excluded_payment_method_types instead.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    if "allowed_payment_method_types" in params:
        for other in EXCLUSIVE_WITH_ALLOWED:
            if other in params:
                raise invalid(
                    "You may only specify one of these parameters:"
                    f" allowed_payment_method_types, {other}.",
                    code="parameters_exclusive",
                    param=other,
                )
    if "payment_method" in params and "payment_method_data" in params:
        raise invalid(
            "You may only specify one of these parameters: payment_method,"
            " payment_method_data.",
            code="parameters_exclusive",
            param="payment_method_data",
        )


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
    minimum = MINIMUM[currency]
    if currency in WITHOUT_DECIMALS:
        shown = f"{minimum}"
    else:
        shown = f"{minimum // 100}.{minimum % 100:02d}"
    sign = "$" if currency == "usd" else ""
    return refused(
        f"Amount must be at least {sign}{shown} {currency}",
        code="amount_too_small",
        param="amount",
    )
