"""What the PaymentIntent calls take."""

from sandbox.accounts import Account
from sandbox.errors import invalid
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
    unsupported,
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
}
WITHOUT_EFFECT = dict.fromkeys(("amount_details", "hooks", "payment_details"), anything)
CONFIRMING: dict[str, Parser] = {
    "error_on_requires_action": boolean,
    "mandate": text,
    "mandate_data": anything,
    "off_session": either(boolean, anything),
    "return_url": text,
    "use_stripe_sdk": boolean,
    "radar_options": anything,
    "confirmation_token": unsupported,
}
DESCRIBING: dict[str, Parser] = {
    "customer": text,
    "description": or_unset(text),
    "metadata": metadata,
    "statement_descriptor": or_unset(text),
    "statement_descriptor_suffix": or_unset(text),
    "payment_method_configuration": text,
    "transfer_group": text,
    "application_fee_amount": unsupported,
    "customer_account": unsupported,
    "transfer_data": unsupported,
}
SHARED = STEERED | METHOD | DESCRIBING | WITHOUT_EFFECT | EXPAND

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
        "on_behalf_of": unsupported,
    }
)
UPDATE = fields(SHARED | {"amount": integer, "currency": text})
# Stripe.js sends its key and the client secret in the form.
FROM_BROWSER: dict[str, Parser] = {"client_secret": text, "key": text}
CONFIRM = fields(
    STEERED
    | METHOD
    | CONFIRMING
    | WITHOUT_EFFECT
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
        "application_fee_amount": unsupported,
        "transfer_data": unsupported,
    }
    | WITHOUT_EFFECT
)
LIST = fields(
    PAGE | {"created": RANGE, "customer": text, "customer_account": unsupported}
)
SEARCH = fields(EXPAND | {"query": text, "limit": integer, "page": integer})

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
