"""What the Payment Element asks before it draws itself."""

from sandbox import payment_methods
from sandbox.accounts import Account
from sandbox.amounts import check_amount
from sandbox.errors import missing
from sandbox.parameters import (
    EXPAND,
    Params,
    anything,
    fields,
    integer,
    list_of,
    one_of,
    text,
)
from sandbox.payment_intents import by_client_secret
from sandbox.store import Object

SESSION = fields(
    EXPAND
    | {
        "key": text,
        "client_secret": text,
        "mode": one_of("payment", "setup", "subscription"),
        "amount": integer,
        "currency": text,
        "locale": text,
        "capture_method": one_of("automatic", "automatic_async", "manual"),
        "setup_future_usage": text,
        "allowed_payment_method_types": list_of(text),
        "excluded_payment_method_types": list_of(text),
        "payment_method_options": anything,
    }
)


def session(account: Account, params: Params) -> Object:
    """Return amount, currency and the payment methods to offer."""
    if "client_secret" in params:
        secret = params["client_secret"]
        intent = by_client_secret(account, secret.partition("_secret_")[0], secret)
        return _offer(
            intent["amount"], intent["currency"], intent["payment_method_types"]
        )
    for name in ("amount", "currency"):
        if name not in params:
            raise missing(name)
    currency = params["currency"].lower()
    check_amount(params["amount"], currency)
    excluded = params.get("excluded_payment_method_types", [])
    types = payment_methods.offered(
        currency, capture_method=params.get("capture_method", "automatic_async")
    )
    allowed = params.get("allowed_payment_method_types", types)
    chosen = [kind for kind in types if kind in allowed and kind not in excluded]
    return _offer(params["amount"], currency, chosen)


def _offer(amount: int, currency: str, types: list[str]) -> Object:
    return {
        "object": "elements_session",
        "amount": amount,
        "currency": currency,
        "payment_method_types": types,
    }
