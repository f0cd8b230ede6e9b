"""What confirming a PaymentIntent leads to: the state machine behind the doors."""

from typing import NoReturn

from sandbox import charges
from sandbox.accounts import Account
from sandbox.cards import Card
from sandbox.charge_details import AUTHORIZATION_LASTS
from sandbox.disputes import open_disputes
from sandbox.errors import ApiError, declined, declined_method
from sandbox.events import emit
from sandbox.payment_methods import DEBITS, REDIRECTS, bank_of, card_of
from sandbox.store import Object

AUTHENTICATION_FAILED = (
    "The provided PaymentMethod has failed authentication. You can provide"
    " payment_method_data or a new PaymentMethod to attempt to fulfill this"
    " PaymentIntent again."
)


def attempt(account: Account, intent: Object, method: Object) -> None:
    """Try to pay `intent` with `method`; raise the 402 of a decline."""
    intent["payment_method"] = method["id"]
    intent["last_payment_error"] = None
    if method["type"] in REDIRECTS:
        if _is_authenticated(intent):
            _complete(account, intent, method)
        else:
            _ask_to_leave(account, intent)
    elif method["type"] in DEBITS:
        _debit(account, intent, method)
    elif _asks_for_authentication(intent, card_of(method)):
        _challenge(account, intent, method)
    else:
        charge_card(account, intent, method)


def authenticated(account: Account, intent: Object) -> None:
    """The shopper passed the challenge or approved the payment at the bank."""
    method = account.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    intent["_"]["authenticated"] = True
    if intent["confirmation_method"] == "manual":
        intent["status"] = "requires_confirmation"
        account.update(intent)
    elif method["type"] == "card":
        charge_card(account, intent, method)
    else:
        _complete(account, intent, method)


def authentication_failed(account: Account, intent: Object) -> None:
    method = account.get("payment_method", intent["payment_method"])
    error = ApiError(
        400,
        "invalid_request_error",
        AUTHENTICATION_FAILED,
        code="payment_intent_authentication_failure",
        payment_method=method,
    ).error
    fail(account, intent, error)


def charge_card(account: Account, intent: Object, method: Object) -> None:
    """Send the payment to the network; raise the 402 if it declines."""
    card = card_of(method)
    broken = card.three_d_secure == "broken" or (
        card.three_d_secure == "broken if asked" and _is_asked_for(intent)
    )
    if card.is_declined or broken:
        code = card.code or "card_declined"
        _decline(account, intent, method, code=code, decline_code=card.decline_code)
    _complete(account, intent, method)


def capture(account: Account, intent: Object, amount: int) -> None:
    """Take `amount` of the authorised sum and release the rest."""
    charge = account.get("charge", intent["latest_charge"])
    charge |= {
        "captured": True,
        "amount_captured": amount,
        "amount_refunded": charge["amount"] - amount,
    }
    charges.add_balance_transaction(account, charge)
    account.update(charge)
    mark_succeeded(intent, amount)
    account.update(intent)
    emit(account, "charge.captured", charge)
    emit(account, "payment_intent.succeeded", intent)
    open_disputes(account, charge)


def cancel(account: Account, intent: Object, *, reason: str | None) -> None:
    released = intent["status"] == "requires_capture"
    intent |= {
        "status": "canceled",
        "canceled_at": account.now(),
        "cancellation_reason": reason,
        "next_action": None,
        "amount_capturable": 0,
    }
    account.update(intent)
    if released:
        charge = account.get("charge", intent["latest_charge"])
        charge |= {"amount_refunded": charge["amount"], "refunded": True}
        account.update(charge)
        emit(account, "charge.refunded", charge)
    emit(account, "payment_intent.canceled", intent)


def _asks_for_authentication(intent: Object, card: Card) -> bool:
    if _is_authenticated(intent):
        return False
    if card.three_d_secure == "required":
        return True
    return card.three_d_secure == "optional" and _is_asked_for(intent)


def _is_authenticated(intent: Object) -> bool:
    return bool(intent["_"].get("authenticated"))


def _is_asked_for(intent: Object) -> bool:
    options = (intent["payment_method_options"] or {}).get("card") or {}
    return options.get("request_three_d_secure") in ("any", "challenge")


def _challenge(account: Account, intent: Object, method: Object) -> None:
    if intent["_"].get("no_action"):
        code = "authentication_required"
        error = declined_method(code, code, method).error
        fail(account, intent, error)
        raise declined(error, intent)
    path = f"authenticate/{intent['id']}?client_secret={intent['client_secret']}"
    if intent["_"].get("use_stripe_sdk"):
        sdk = {
            "type": "three_d_secure_redirect",
            "stripe_js": f"{account.origin}/{path}",
        }
        action: Object = {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    else:
        action = _redirect(intent, f"{account.origin}/{path}&full=1")
    _require_action(account, intent, action)


def _ask_to_leave(account: Account, intent: Object) -> None:
    path = f"bank/{intent['id']}?client_secret={intent['client_secret']}"
    _require_action(account, intent, _redirect(intent, f"{account.origin}/{path}"))


def _redirect(intent: Object, url: str) -> Object:
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"url": url, "return_url": intent["_"].get("return_url")},
    }


def _require_action(account: Account, intent: Object, action: Object) -> None:
    intent |= {
        "status": "requires_action",
        "next_action": action,
        "latest_charge": None,
    }
    account.update(intent)
    emit(account, "payment_intent.requires_action", intent)


def _decline(
    account: Account,
    intent: Object,
    method: Object,
    *,
    code: str,
    decline_code: str | None,
) -> NoReturn:
    charge, error = charges.decline(
        account, intent, method, code=code, decline_code=decline_code
    )
    intent["latest_charge"] = charge["id"]
    fail(account, intent, error)
    raise declined(error, intent)


def _complete(account: Account, intent: Object, method: Object) -> None:
    if intent["capture_method"] == "manual":
        _authorize(account, intent, method)
    else:
        _succeed(account, intent, method)


def _authorize(account: Account, intent: Object, method: Object) -> None:
    charge = charges.make(account, intent, method, status="succeeded", captured=False)
    intent |= {
        "status": "requires_capture",
        "amount_capturable": intent["amount"],
        "latest_charge": charge["id"],
        "next_action": None,
    }
    account.update(intent)
    emit(account, "charge.succeeded", charge)
    emit(account, "payment_intent.amount_capturable_updated", intent)
    account.later(AUTHORIZATION_LASTS, "authorization_expired", intent["id"])


def _succeed(account: Account, intent: Object, method: Object) -> None:
    charge = charges.make(account, intent, method, status="succeeded", captured=True)
    if intent["capture_method"] == "automatic":
        charges.add_balance_transaction(account, charge)
        account.update(charge)
    else:
        account.later(charges.FEES_KNOWN_IN, "fees_known", charge["id"])
    intent["latest_charge"] = charge["id"]
    mark_succeeded(intent, intent["amount"])
    account.update(intent)
    emit(account, "charge.succeeded", charge)
    emit(account, "payment_intent.succeeded", intent)
    open_disputes(account, charge)


def mark_succeeded(intent: Object, amount: int) -> None:
    intent |= {
        "status": "succeeded",
        "amount_received": amount,
        "amount_capturable": 0,
        "next_action": None,
        "last_payment_error": None,
    }


def _debit(account: Account, intent: Object, method: Object) -> None:
    bank = bank_of(method)
    if bank.blocked:
        code = "card_declined"
        _decline(account, intent, method, code=code, decline_code="fraudulent")
    charge = charges.make(account, intent, method, status="pending", captured=False)
    intent |= {
        "status": "processing",
        "latest_charge": charge["id"],
        "next_action": None,
    }
    account.update(intent)
    emit(account, "payment_intent.processing", intent)
    emit(account, "charge.pending", charge)
    if bank.settles_in is not None:
        account.later(bank.settles_in, "settle", intent["id"])


def fail(account: Account, intent: Object, error: Object) -> None:
    intent["_"].pop("authenticated", None)
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_payment_error": error,
    }
    account.update(intent)
    emit(account, "payment_intent.payment_failed", intent)
