"""What the bank says later: debits paid or returned, authorisations expired."""

from sandbox import charges, decline_texts
from sandbox.accounts import Account
from sandbox.confirmation import cancel, fail, mark_succeeded
from sandbox.disputes import open_disputes
from sandbox.errors import ApiError
from sandbox.events import emit
from sandbox.payment_methods import bank_of
from sandbox.store import Object


def settle(account: Account, intent_id: str) -> None:
    """On the agenda for bank debits: the bank has answered."""
    intent = account.get("payment_intent", intent_id)
    if intent["status"] != "processing":
        return
    method = account.get("payment_method", intent["payment_method"])
    bank = bank_of(method)
    if bank.failure:
        settle_as_failed(account, intent, bank.failure)
    else:
        settle_as_paid(account, intent)


def settle_as_paid(account: Account, intent: Object) -> None:
    charge = account.get("charge", intent["latest_charge"])
    charge |= {
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "amount_captured": charge["amount"],
    }
    charges.add_balance_transaction(account, charge)
    account.update(charge)
    mark_succeeded(intent, charge["amount"])
    account.update(intent)
    emit(account, "charge.succeeded", charge)
    emit(account, "payment_intent.succeeded", intent)
    open_disputes(account, charge)


def settle_as_failed(account: Account, intent: Object, code: str) -> None:
    charge = account.get("charge", intent["latest_charge"])
    method = account.get("payment_method", intent["payment_method"])
    message = decline_texts.MESSAGES.get(code, "The bank returned the debit.")
    charges.mark_failed(charge, code=code, message=message)
    account.update(charge)
    emit(account, "charge.failed", charge)
    error = ApiError(
        402,
        "card_error",
        message,
        code=code,
        charge=charge["id"],
        payment_method=method,
    ).error
    fail(account, intent, error)


def authorization_expired(account: Account, intent_id: str) -> None:
    """On the agenda: an authorisation that nobody captured."""
    intent = account.get("payment_intent", intent_id)
    if intent["status"] == "requires_capture":
        cancel(account, intent, reason="automatic")
