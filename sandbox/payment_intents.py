"""The PaymentIntent calls: create, retrieve, update, confirm, cancel, capture, list."""

from typing import Any

from sandbox import confirmation, payment_methods
from sandbox.accounts import Account
from sandbox.answers import page
from sandbox.errors import invalid, missing, refused, unexpected_state
from sandbox.events import emit
from sandbox.ids import new_id, random_text
from sandbox.intent_parameters import check, check_amount
from sandbox.parameters import Params, merge_metadata
from sandbox.store import Object

CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")

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
FOR_CONFIRMING = (
    "error_on_requires_action",
    "off_session",
    "return_url",
    "use_stripe_sdk",
)


def create(account: Account, params: Params) -> Object:
    check(account, params)
    for name in ("amount", "currency"):
        if name not in params:
            raise missing(name)
    currency = params["currency"].lower()
    check_amount(params["amount"], currency)
    if not params.get("confirm"):
        for name in FOR_CONFIRMING:
            if name in params and name != "use_stripe_sdk":
                raise invalid(
                    f"The parameter `{name}` cannot be passed when creating a"
                    " PaymentIntent unless `confirm` is set to true.",
                    code="parameter_unknown",
                    param=name,
                )
    intent = _blank(account, params["amount"], currency)
    _steer(intent, params)
    _describe(account, intent, params)
    account.insert(intent)
    emit(account, "payment_intent.created", intent)
    _take_method(account, intent, params)
    if params.get("confirm"):
        _confirm(account, intent, params)
    return intent


def retrieve(account: Account, params: Params, intent_id: str) -> Object:
    return _load(account, params, intent_id)


def update(account: Account, params: Params, intent_id: str) -> Object:
    intent = _load(account, params, intent_id)
    check(account, params)
    _check_may_update(intent, params)
    if "amount" in params or "currency" in params:
        intent["amount"] = params.get("amount", intent["amount"])
        intent["currency"] = str(params.get("currency", intent["currency"])).lower()
        check_amount(intent["amount"], intent["currency"])
    _steer(intent, params)
    _describe(account, intent, params)
    intent["last_payment_error"] = None
    _take_method(account, intent, params)
    return account.update(intent)


def confirm(account: Account, params: Params, intent_id: str) -> Object:
    intent = _load(account, params, intent_id)
    check(account, params)
    _check_may_confirm(intent, params)
    _steer(intent, params)
    _describe(account, intent, params)
    _take_method(account, intent, params)
    _confirm(account, intent, params)
    return intent


def cancel(account: Account, params: Params, intent_id: str) -> Object:
    intent = _load(account, params, intent_id)
    method = account.store.get(intent["payment_method"] or "")
    final = intent["status"] not in CANCELABLE
    moving = intent["status"] == "processing" and (
        method is None or method["type"] != "us_bank_account"
    )
    if final or moving:
        raise unexpected_state(
            intent,
            "You cannot cancel this PaymentIntent because it has a status of"
            f" {intent['status']}. Only a PaymentIntent with one of the following"
            f" statuses may be canceled: {', '.join(CANCELABLE)}.",
        )
    confirmation.cancel(account, intent, reason=params.get("cancellation_reason"))
    return intent


def capture(account: Account, params: Params, intent_id: str) -> Object:
    intent = _load(account, params, intent_id)
    if intent["status"] == "succeeded" and intent["capture_method"] == "manual":
        raise unexpected_state(
            intent,
            "This PaymentIntent could not be captured because it has already been"
            " captured.",
        )
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            intent,
            "This PaymentIntent could not be captured because it has a status of"
            f" {intent['status']}. Only a PaymentIntent with one of the following"
            " statuses may be captured: requires_capture.",
        )
    whole: int = intent["amount_capturable"]
    amount: int = params.get("amount_to_capture", whole)
    if not 1 <= amount <= whole:
        raise refused(
            f"The amount_to_capture ({amount}) must be between 1 and the capturable"
            f" amount ({whole}).",
            param="amount_to_capture",
        )
    _describe(account, intent, params)
    confirmation.capture(account, intent, amount)
    return intent


def list_all(account: Account, params: Params) -> Object:
    return page(
        account,
        "payment_intent",
        params,
        url="/v1/payment_intents",
        filters=("customer",),
    )


def by_client_secret(account: Account, intent_id: str, client_secret: str) -> Object:
    """Return the intent that the browser holds the secret of."""
    intent = account.get("payment_intent", intent_id, param="intent")
    if client_secret != intent["client_secret"]:
        raise invalid(
            "The client_secret provided does not match the client_secret associated"
            " with the PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="client_secret",
        )
    return intent


def _load(account: Account, params: Params, intent_id: str) -> Object:
    if account.publishable and "client_secret" not in params:
        raise missing("client_secret")
    if "client_secret" in params:
        return by_client_secret(account, intent_id, params["client_secret"])
    return account.get("payment_intent", intent_id, param="intent")


def _blank(account: Account, amount: int, currency: str) -> Object:
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


def _steer(intent: Object, params: Params) -> None:
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
    for kind in intent["payment_method_types"]:
        intent["payment_method_options"].setdefault(kind, {})
    intent["payment_method_options"]["card"] = {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    } | intent["payment_method_options"].get("card", {})


def _types(intent: Object) -> list[str]:
    if "types" in intent["_"]:
        chosen: list[str] = intent["_"]["types"]
        return chosen
    types = payment_methods.offered(intent["currency"])
    automatic = intent["automatic_payment_methods"]
    if automatic is not None and automatic.get("allow_redirects") == "never":
        types = [kind for kind in types if kind not in payment_methods.REDIRECTS]
    if intent["capture_method"] == "manual":
        types = [kind for kind in types if kind not in payment_methods.DEBITS]
    allowed = intent["allowed_payment_method_types"]
    excluded = intent["excluded_payment_method_types"] or []
    return [
        kind
        for kind in types
        if (allowed is None or kind in allowed) and kind not in excluded
    ]


def _describe(account: Account, intent: Object, params: Params) -> None:
    for name in PLAIN:
        if name in params:
            intent[name] = params[name] or None
    if params.get("shipping"):
        intent["shipping"] = _shipping(params["shipping"])
    if "metadata" in params:
        intent["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    if "customer" in params:
        account.get("customer", params["customer"], param="customer", status=400)
        intent["customer"] = params["customer"]


def _shipping(typed: Params) -> Object:
    address = typed.get("address", {})
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {
        "address": {name: address.get(name) or None for name in names},
        "carrier": typed.get("carrier") or None,
        "name": typed.get("name"),
        "phone": typed.get("phone") or None,
        "tracking_number": typed.get("tracking_number") or None,
    }


def _take_method(account: Account, intent: Object, params: Params) -> None:
    if params.get("payment_method") == "":
        intent |= {"payment_method": None, "status": "requires_payment_method"}
    elif "payment_method" in params:
        method = payment_methods.named(account, params["payment_method"])
        _use(account, intent, method)
    elif "payment_method_data" in params:
        method = payment_methods.make(account, params["payment_method_data"])
        _use(account, intent, method)


def _use(account: Account, intent: Object, method: Object) -> None:
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


def _check_may_update(intent: Object, params: Params) -> None:
    status = intent["status"]
    if status == "canceled":
        raise unexpected_state(
            intent,
            "This PaymentIntent could not be updated because it has a status of"
            " canceled.",
        )
    if status in OPEN:
        return
    for name in ("amount", "currency", "payment_method", "payment_method_data"):
        if name in params:
            raise unexpected_state(
                intent,
                f"This PaymentIntent's {name} could not be updated because it has a"
                f" status of {status}. You may only update the {name} of a"
                " PaymentIntent with one of the following statuses:"
                f" {', '.join(OPEN)}.",
                param=name,
            )


def _check_may_confirm(intent: Object, params: Params) -> None:
    status = intent["status"]
    if status in OPEN:
        return
    message = (
        f"You cannot confirm this PaymentIntent because it has a status of {status}."
        " Only a PaymentIntent with one of the following statuses may be confirmed:"
        " requires_confirmation, requires_action."
    )
    if status == "succeeded":
        message = (
            "You cannot confirm this PaymentIntent because it has already succeeded"
            " after being previously confirmed."
        )
    elif status == "canceled" and {"payment_method", "payment_method_data"} & set(
        params
    ):
        message = (
            "This PaymentIntent's payment_method could not be updated because it has a"
            " status of canceled. You may only update the payment_method of a"
            " PaymentIntent with one of the following statuses:"
            f" {', '.join(OPEN)}."
        )
    raise unexpected_state(intent, message)


def _confirm(account: Account, intent: Object, params: Params) -> None:
    if intent["payment_method"] is None:
        raise unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment"
            " method. You can either update the PaymentIntent with a payment method"
            " and then confirm it again, or confirm it again directly with a payment"
            " method or ConfirmationToken.",
        )
    method = account.get("payment_method", intent["payment_method"])
    _check_return_url(account, intent, method, params)
    private: dict[str, Any] = intent["_"]
    private["return_url"] = params.get("return_url")
    private["use_stripe_sdk"] = params.get("use_stripe_sdk", False)
    private["no_action"] = bool(
        params.get("error_on_requires_action") or params.get("off_session")
    )
    confirmation.attempt(account, intent, method)


def _check_return_url(
    account: Account, intent: Object, method: Object, params: Params
) -> None:
    if "return_url" in params:
        return
    automatic = intent["automatic_payment_methods"] or {}
    from_server = automatic.get("allow_redirects") == "always" and not (
        account.publishable or params.get("use_stripe_sdk")
    )
    if from_server or method["type"] in payment_methods.REDIRECTS:
        raise refused(
            "This PaymentIntent is configured to accept payment methods enabled in"
            " your Dashboard. Because some of these payment methods might redirect"
            " your customer off of your page, you must provide a `return_url`. If you"
            " don't want to accept redirect-based payment methods, set"
            " `automatic_payment_methods[enabled]` to `true` and"
            " `automatic_payment_methods[allow_redirects]` to `never` when creating"
            " Setup Intents and Payment Intents.",
            param="return_url",
        )
