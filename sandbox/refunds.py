"""Refunds: money back, at once, later, or not after all."""

from sandbox import balance
from sandbox.accounts import Account
from sandbox.amounts import shown
from sandbox.answers import page
from sandbox.errors import invalid, missing, refused
from sandbox.events import emit
from sandbox.ids import new_id
from sandbox.parameters import (
    EXPAND,
    PAGE,
    RANGE,
    Params,
    fields,
    integer,
    merge_metadata,
    metadata,
    one_of,
    text,
    unsupported,
)
from sandbox.payment_methods import card_of
from sandbox.store import Object

CREATE = fields(
    EXPAND
    | {
        "charge": text,
        "payment_intent": text,
        "amount": integer,
        "currency": text,
        "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
        "metadata": metadata,
        "instructions_email": text,
        "customer": unsupported,
        "origin": unsupported,
        "refund_application_fee": unsupported,
        "reverse_transfer": unsupported,
    }
)
UPDATE = fields(EXPAND | {"metadata": metadata})
LIST = fields(PAGE | {"created": RANGE, "charge": text, "payment_intent": text})

# Seconds of sandbox time until the bank has answered.
BANK_ANSWERS_IN = 5


def create(account: Account, params: Params) -> Object:
    charge = _charge(account, params)
    _check_refundable(account, charge)
    left = charge["amount_captured"] - _already_refunded(charge)
    amount: int = params.get("amount", left)
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        currency = charge["currency"]
        raise refused(
            f"Refund amount ({shown(amount, currency)}) is greater than unrefunded"
            f" amount on charge ({shown(left, currency)})",
            param="amount",
        )
    refund = _refund(account, charge, amount, params)
    account.insert(refund)
    _count(account, charge, amount)
    emit(account, "refund.created", refund)
    emit(account, "charge.refunded", charge)
    account.later(BANK_ANSWERS_IN, "refund_answered", refund["id"])
    return refund


def retrieve(account: Account, params: Params, refund_id: str) -> Object:
    return account.get("refund", refund_id, param="refund")


def list_all(account: Account, params: Params) -> Object:
    filters = ("charge", "payment_intent")
    return page(account, "refund", params, url="/v1/refunds", filters=filters)


def update(account: Account, params: Params, refund_id: str) -> Object:
    refund = retrieve(account, {}, refund_id)
    if "metadata" in params:
        old = refund["metadata"]
        refund["metadata"] = merge_metadata(old, params["metadata"])
        account.update(refund)
        _tell(account, refund, {"metadata": old})
    return refund


def cancel(account: Account, params: Params, refund_id: str) -> Object:
    """Cancel what still waits for the shopper; no refund here ever does."""
    refund = retrieve(account, {}, refund_id)
    raise refused(
        f"This refund cannot be canceled because it has a status of"
        f" {refund['status']}. Only a refund with the status requires_action may be"
        " canceled."
    )


def answered(account: Account, refund_id: str) -> None:
    """On the agenda: the bank's reference, or its verdict on a pending refund."""
    refund = account.get("refund", refund_id)
    if refund["_"]["will"] == "failed":
        fail(account, refund, reason="lost_or_stolen_card")
    elif refund["status"] in ("pending", "succeeded"):
        succeed(account, refund)


def succeed(account: Account, refund: Object) -> None:
    old = {"status": refund["status"]} if refund["status"] == "pending" else {}
    refund["status"] = "succeeded"
    refund.pop("pending_reason", None)
    card = refund["destination_details"].get("card")
    if card is not None:
        old["destination_details"] = {"card": dict(card)}
        card |= {"reference": refund["_"]["reference"], "reference_status": "available"}
    account.update(refund)
    _tell(account, refund, old)


def fail(account: Account, refund: Object, *, reason: str) -> None:
    """The bank sends the money back: it is on the account's balance again."""
    if refund["status"] == "failed":
        return
    old = {"status": refund["status"]}
    charge = account.get("charge", refund["charge"])
    returned = balance.book(
        account,
        amount=refund["amount"],
        fee=0,
        kind="refund_failure",
        source=refund["id"],
        currency=refund["currency"],
    )
    refund |= {
        "status": "failed",
        "failure_reason": reason,
        "failure_balance_transaction": returned["id"],
    }
    refund.pop("pending_reason", None)
    account.update(refund)
    _count(account, charge, -refund["amount"])
    emit(account, "refund.failed", refund)
    _tell(account, refund, old)


def _tell(account: Account, refund: Object, old: Object) -> None:
    emit(account, "refund.updated", refund, previous=old)
    emit(account, "charge.refund.updated", refund, previous=old)


def _charge(account: Account, params: Params) -> Object:
    if "charge" in params:
        return account.get("charge", params["charge"], param="charge", status=400)
    if "payment_intent" not in params:
        raise missing("charge")
    intent = account.get(
        "payment_intent", params["payment_intent"], param="payment_intent", status=400
    )
    if intent["status"] != "succeeded":
        raise refused(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to"
            " refund.",
            code="charge_not_refundable",
            param="payment_intent",
        )
    return account.get("charge", intent["latest_charge"])


def _check_refundable(account: Account, charge: Object) -> None:
    if not charge["paid"] or not charge["captured"]:
        raise refused(
            f"Charge {charge['id']} is not captured: it cannot be refunded.",
            code="charge_not_refundable",
        )
    for dispute in account.find("dispute", where=[("charge", "=", charge["id"])]):
        if not dispute["is_charge_refundable"]:
            raise refused(
                f"Charge {charge['id']} has been charged back; cannot issue a refund.",
                code="charge_disputed",
            )
    if charge["refunded"]:
        raise refused(
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
        )


def _already_refunded(charge: Object) -> int:
    """What was refunded of the captured sum, without what a capture released."""
    released = charge["amount"] - charge["amount_captured"]
    refunded: int = charge["amount_refunded"] - released
    return refunded


def _count(account: Account, charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    account.update(charge)


def _refund(account: Account, charge: Object, amount: int, params: Params) -> Object:
    method = account.get("payment_method", charge["payment_method"])
    will = card_of(method).refund if method["type"] == "card" else "pending"
    refund_id = new_id("re" if method["type"] == "card" else "pyr")
    refund: Object = {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": balance.book(
            account,
            amount=-amount,
            fee=0,
            kind="refund",
            source=refund_id,
            currency=charge["currency"],
        )["id"],
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"type": method["type"]},
        "metadata": params.get("metadata") or {},
        "payment_intent": charge["payment_intent"],
        "payment_method": method["id"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if will == "pending" else "succeeded",
        "transfer_reversal": None,
        "_": {"will": will, "reference": new_id("ref")[4:]},
    }
    if will == "pending":
        refund["pending_reason"] = "processing"
    if method["type"] == "card":
        refund["destination_details"]["card"] = {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "pending" if will == "pending" else "refund",
        }
    if "instructions_email" in params:
        refund["instructions_email"] = params["instructions_email"]
    return refund
