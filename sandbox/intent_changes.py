"""What calls write on a PaymentIntent before anything is confirmed."""

from sandbox import payment_methods
from sandbox.accounts import Account
from sandbox.errors import refused
from sandbox.ids import new_id, random_text
from sandbox.parameters import Params, full_shipping, merge_metadata
from sandbox.store import Object

# Taken as they are; an empty string unsets them.
PLAIN = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)

# What each type's options are when nothing was asked.
OPTIONS: dict[str, Object] = {
    "card": {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    },
    "us_bank_account": {"verification_method": "automatic"},
    "klarna": {"preferred_locale": None},
    "bancontact": {"preferred_language": "en"},
}


def blank(account: Account, amount: int, currency: str) -> Object:
    intent_id = new_id("pi")
    empty = (
        "allowed_payment_method_types",
        "application",
        "application_fee_amount",
        "canceled_at",
        "cancellation_reason",
        "customer",
        "customer_account",
        "description",
        "excluded_payment_method_types",
        "last_payment_error",
        "latest_charge",
        "managed_payments",
        "next_action",
        "on_behalf_of",
        "payment_method",
        "payment_record",
        "processing",
        "receipt_email",
        "review",
        "setup_future_usage",
        "shipping",
        "source",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    )
    intent: Object = {"id": intent_id, "object": "payment_intent"}
    return (
        intent
        | dict.fromkeys(empty)
        | {
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "always"},
            "capture_method": "automatic_async",
            "client_secret": f"{intent_id}_secret_{random_text(25)}",
            "confirmation_method": "automatic",
            "created": account.now(),
            "currency": currency,
            "livemode": account.livemode,
            "metadata": {},
            "payment_method_configuration_details": {
                "id": "pmc_sandboxSandboxSandbox00",
                "parent": None,
            },
            "payment_method_options": {},
            "payment_method_types": [],
            "status": "requires_payment_method",
            "_": {},
        }
    )


def steer(intent: Object, params: Params) -> None:
    """Settle which payment methods the intent takes, and how it captures."""
    automatic = params.get("automatic_payment_methods")
    if automatic is not None and automatic.get("enabled"):
        redirects = automatic.get("allow_redirects", "always")
        intent["automatic_payment_methods"] = {
            "enabled": True,
            "allow_redirects": redirects,
        }
    elif automatic is not None:
        intent["automatic_payment_methods"] = {"enabled": False}
        intent["_"]["types"] = ["card"]
    for name in ("allowed_payment_method_types", "excluded_payment_method_types"):
        if name in params:
            intent[name] = params[name] or None
    if "payment_method_types" in params:
        intent["_"]["types"] = params["payment_method_types"]
        intent["automatic_payment_methods"] = None
        intent["payment_method_configuration_details"] = None
    for name in ("capture_method", "confirmation_method"):
        intent[name] = params.get(name, intent[name])
    if "payment_method_options" in params:
        intent["payment_method_options"] |= params["payment_method_options"]
    intent["payment_method_types"] = _types(intent)
    options = intent["payment_method_options"]
    intent["payment_method_options"] = {
        kind: OPTIONS.get(kind, {}) | options.get(kind, {})
        for kind in intent["payment_method_types"]
    }


def _types(intent: Object) -> list[str]:
    if "types" in intent["_"]:
        chosen: list[str] = intent["_"]["types"]
        return chosen
    types = payment_methods.offered(
        intent["currency"], capture_method=intent["capture_method"]
    )
    automatic = intent["automatic_payment_methods"]
    if automatic is not None and automatic.get("allow_redirects") == "never":
        types = [kind for kind in types if kind not in payment_methods.REDIRECTS]
    allowed = intent["allowed_payment_method_types"]
    excluded = intent["excluded_payment_method_types"] or []
    return [
        kind
        for kind in types
        if (allowed is None or kind in allowed) and kind not in excluded
    ]


def describe(account: Account, intent: Object, params: Params) -> None:
    for name in PLAIN:
        if name in params:
            intent[name] = params[name] or None
    if params.get("shipping"):
        intent["shipping"] = full_shipping(params["shipping"])
    if "metadata" in params:
        intent["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    if "customer" in params:
        account.get("customer", params["customer"], param="customer", status=400)
        intent["customer"] = params["customer"]


def take_method(account: Account, intent: Object, params: Params) -> None:
    if params.get("payment_method") == "":
        intent |= {"payment_method": None, "status": "requires_payment_method"}
    elif "payment_method" in params:
        method = payment_methods.named(account, params["payment_method"])
        _use(account, intent, method)
    elif "payment_method_data" in params:
        method = payment_methods.make(account, params["payment_method_data"])
        _use(account, intent, method)


def _use(account: Account, intent: Object, method: Object) -> None:
    if method["_"].get("used"):
        raise refused(
            "The provided PaymentMethod was previously used with a PaymentIntent"
            " without Customer attachment, shared with a connected account without"
            " Customer attachment, or was detached from a Customer. It may not be used"
            " again.",
            code="payment_method_unexpected_state",
            param="payment_method",
        )
    if method["type"] not in intent["payment_method_types"]:
        raise refused(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this"
            " PaymentIntent. Its payment_method_types are:"
            f" {', '.join(intent['payment_method_types'])}.",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )
    intent |= {
        "payment_method": method["id"],
        "status": "requires_confirmation",
        "next_action": None,
    }
    intent["_"].pop("authenticated", None)
    account.update(intent)
