"""Charges: one per attempt that reached a network."""

from sandbox import balance
from sandbox.accounts import Account
from sandbox.answers import page
from sandbox.charge_details import details, outcome
from sandbox.errors import declined_method
from sandbox.events import emit
from sandbox.ids import new_id
from sandbox.parameters import EXPAND, PAGE, RANGE, Params, fields, text
from sandbox.payment_methods import card_of
from sandbox.store import Object

RETRIEVE = fields(EXPAND)
LIST = fields(
    PAGE
    | {
        "created": RANGE,
        "customer": text,
        "payment_intent": text,
        "transfer_group": text,
    }
)

# Seconds until the fees of an asynchronous capture are known.
FEES_KNOWN_IN = 2


def retrieve(account: Account, params: Params, charge_id: str) -> Object:
    return account.get("charge", charge_id, param="charge")


def list_all(account: Account, params: Params) -> Object:
    filters = ("customer", "payment_intent")
    return page(account, "charge", params, url="/v1/charges", filters=filters)


def make(
    account: Account, intent: Object, method: Object, *, status: str, captured: bool
) -> Object:
    """Record an attempt: `succeeded`, `pending` or `failed`."""
    charge = _blank(account, intent, method)
    charge |= {
        "status": status,
        "captured": captured,
        "paid": status == "succeeded",
        "amount_captured": intent["amount"]
        if captured and status == "succeeded"
        else 0,
        "outcome": outcome(method, status),
    }
    if charge["paid"]:
        charge["receipt_url"] = _receipt_url(charge)
    _use_up(account, intent, method)
    return account.insert(charge)


def mark_failed(charge: Object, *, code: str, message: str) -> None:
    charge |= {
        "status": "failed",
        "paid": False,
        "captured": False,
        "failure_code": code,
        "failure_message": message,
    }


def decline(
    account: Account,
    intent: Object,
    method: Object,
    *,
    code: str,
    decline_code: str | None,
) -> tuple[Object, Object]:
    """Record an attempt that was declined; return the charge and the error."""
    refusal = declined_method(code, decline_code, method)
    charge = make(account, intent, method, status="failed", captured=False)
    mark_failed(charge, code=code, message=str(refusal))
    account.update(charge)
    emit(account, "charge.failed", charge)
    return charge, refusal.error | {"charge": charge["id"]}


def add_balance_transaction(account: Account, charge: Object) -> None:
    """Book the charge: amount, fee and net."""
    charge["balance_transaction"] = balance.book(
        account,
        amount=charge["amount_captured"],
        fee=round(charge["amount_captured"] * 0.029) + 30,
        kind="charge",
        source=charge["id"],
        currency=charge["currency"],
        available=_funds_of(account, charge) == "available",
    )["id"]


def fees_known(account: Account, charge_id: str) -> None:
    """On the agenda after an asynchronous capture."""
    charge = account.get("charge", charge_id)
    if charge["balance_transaction"] is None and charge["captured"]:
        add_balance_transaction(account, charge)
        account.update(charge)
        emit(account, "charge.updated", charge, previous={"balance_transaction": None})


def _blank(account: Account, intent: Object, method: Object) -> Object:
    charge_id = new_id("py" if method["type"] != "card" else "ch")
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX SHOP",
        "captured": False,
        "created": account.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": account.livemode,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details(account, intent, method),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }


def _use_up(account: Account, intent: Object, method: Object) -> None:
    """A PaymentMethod that belongs to no customer serves one attempt."""
    if intent["setup_future_usage"] and intent["customer"]:
        method["customer"] = intent["customer"]
    method["_"]["used"] = method["customer"] is None
    account.update(method)


def _funds_of(account: Account, charge: Object) -> str:
    method = account.store.get(charge["payment_method"])
    if method is None or method["type"] != "card":
        return "pending"
    return card_of(method).funds


def _receipt_url(charge: Object) -> str:
    return f"https://pay.stripe.com/receipts/payment/{charge['id']}"
