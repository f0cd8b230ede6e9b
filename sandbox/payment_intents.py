"""The PaymentIntent calls: create, retrieve, update, confirm, cancel, capture, list."""

from typing import Any

from sandbox import confirmation, payment_methods
from sandbox.accounts import Account
from sandbox.amounts import check_amount
from sandbox.answers import page
from sandbox.errors import invalid, missing, refused, unexpected_state
from sandbox.events import emit
from sandbox.intent_changes import blank, describe, steer, take_method
from sandbox.intent_parameters import check
from sandbox.parameters import Params
from sandbox.store import Object

CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")

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
    intent = blank(account, params["amount"], currency)
    steer(intent, params)
    describe(account, intent, params)
    account.insert(intent)
    emit(account, "payment_intent.created", intent)
    take_method(account, intent, params)
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
    steer(intent, params)
    describe(account, intent, params)
    intent["last_payment_error"] = None
    take_method(account, intent, params)
    return account.update(intent)


def confirm(account: Account, params: Params, intent_id: str) -> Object:
    intent = _load(account, params, intent_id)
    check(account, params)
    _check_may_confirm(intent, params)
    if params.get("amount_to_confirm", intent["amount"]) != intent["amount"]:
        raise refused(
            "The amount_to_confirm must match the amount of the PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="amount_to_confirm",
        )
    steer(intent, params)
    describe(account, intent, params)
    take_method(account, intent, params)
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
    describe(account, intent, params)
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
