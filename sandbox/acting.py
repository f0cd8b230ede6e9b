"""Control calls that act as somebody: the shopper, the bank, Stripe itself."""

from starlette.requests import Request

from sandbox import (
    answers,
    disputes,
    events,
    operations,
    pages,
    refunds,
    settling,
    webhook_endpoints,
)
from sandbox.accounts import Account
from sandbox.errors import ApiError
from sandbox.program import Sandbox
from sandbox.store import Object

RETURN_URL = "http://127.0.0.1/return"


class BadControl(Exception):
    """A control call that makes no sense; its text says why."""


async def confirm(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """The shopper types a card number, an IBAN, an account, or picks a method."""
    account, intent = _intent(sandbox, request)
    account.publishable = True
    params = {
        "payment_method_data": _typed(account, body),
        "client_secret": intent["client_secret"],
        "return_url": body.get("return_url", RETURN_URL),
    }
    operation = operations.BY_NAME["payment_intents.confirm"]
    refusal: ApiError | None = None
    with sandbox.store.transaction():
        try:
            intent = operation.run(account, operation.takes(params), intent["id"])
        except ApiError as error:
            if error.status != 402:
                raise
            refusal = error
    if refusal is not None:
        raise refusal
    return _public(intent)


async def authenticate(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """The shopper completes or fails the challenge, or the payment at the bank."""
    account, intent = _intent(sandbox, request)
    with sandbox.store.transaction():
        pages.conclude(account, intent, passed=body.get("outcome") != "fail")
    return _public(intent)


async def settle(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """The bank answers a debit now: `succeed`, or `fail` with a code."""
    account, intent = _intent(sandbox, request)
    if intent["status"] != "processing":
        raise BadControl(f"the intent is {intent['status']}, not processing")
    with sandbox.store.transaction():
        if body.get("outcome") == "fail":
            code = body.get("code", "insufficient_funds")
            settling.settle_as_failed(account, intent, code)
        else:
            settling.settle_as_paid(account, intent)
    return _public(intent)


async def answer_refund(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """The bank answers a refund now: `succeed`, or `fail` with a reason."""
    account, refund = _found(sandbox, "refund", request)
    with sandbox.store.transaction():
        if body.get("outcome") == "fail":
            reason = body.get("reason", "lost_or_stolen_card")
            refunds.fail(account, refund, reason=reason)
        else:
            refunds.succeed(account, refund)
    return _public(refund)


async def dispute_charge(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """The cardholder disputes a charge; the reason `inquiry` only asks."""
    account, charge = _found(sandbox, "charge", request)
    whole: int = charge["amount_captured"]
    with sandbox.store.transaction():
        dispute = disputes.open_dispute(
            account,
            charge,
            reason=body.get("reason", "fraudulent"),
            amount=body.get("amount", whole),
        )
    return _public(dispute)


async def emit_event(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Stripe tells the same fact twice (`copy`), or something of another's."""
    account = sandbox.account()
    with sandbox.store.transaction():
        if "copy" in body:
            event = events.copy(account, account.get("event", body["copy"]))
        elif "type" in body and "object" in body:
            event = events.emit(account, body["type"], body["object"])
        else:
            raise BadControl("say copy, or type and object")
    return _public(event)


async def roll_secret(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """A new signing secret; for a day of sandbox time the old one signs too."""
    account, endpoint = _found(sandbox, "webhook_endpoint", request)
    secret = webhook_endpoints.roll_secret(account, endpoint["id"], body.get("secret"))
    if endpoint["id"] == webhook_endpoints.FORWARDING:
        sandbox.webhook_secret = secret
        sandbox.store.set_setting("webhook_secret", secret)
    return {"secret": secret}


def _intent(sandbox: Sandbox, request: Request) -> tuple[Account, Object]:
    return _found(sandbox, "payment_intent", request)


def _found(sandbox: Sandbox, kind: str, request: Request) -> tuple[Account, Object]:
    """The object of the path, and the account in that object's mode."""
    object_id = request.path_params["id"]
    account = sandbox.account()
    account.livemode = bool(sandbox.store.is_live(object_id))
    return account, account.get(kind, object_id)


def _typed(account: Account, body: Object) -> Object:
    details = {"billing_details": {"email": "shopper@example.com"}}
    if "iban" in body:
        return {"type": "sepa_debit", "sepa_debit": {"iban": body["iban"]}} | details
    if "account_number" in body:
        bank = {
            "account_number": body["account_number"],
            "routing_number": "110000000",
        }
        return {"type": "us_bank_account", "us_bank_account": bank} | details
    if "type" in body:
        return {"type": body["type"]} | details
    number = body.get("number", "4242424242424242")
    year = str(account.clock.month()[0] + 1)
    cvc = "1234" if number.startswith(("34", "37")) else "123"
    card = {"number": number, "exp_month": "12", "exp_year": year, "cvc": cvc}
    return {"type": "card", "card": card} | details


def _public(thing: Object) -> Object:
    shown: Object = answers.public(thing)
    return shown
