"""Charges: one per attempt that reached a network, and their balance transactions."""

from typing import Any

from sandbox import decline_texts
from sandbox.accounts import DAY, Account
from sandbox.answers import page
from sandbox.bank_accounts import BankAccount
from sandbox.cards import Card
from sandbox.errors import ApiError
from sandbox.events import emit
from sandbox.ids import new_id, random_text
from sandbox.parameters import EXPAND, PAGE, RANGE, Params, fields, text
from sandbox.payment_methods import bank_of, card_of
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
AUTHORIZATION_LASTS = 7 * DAY


def retrieve(account: Account, params: Params, charge_id: str) -> Object:
    return account.get("charge", charge_id, param="charge")


def list_all(account: Account, params: Params) -> Object:
    filters = ("customer", "payment_intent")
    return page(account, "charge", params, url="/v1/charges", filters=filters)


def retrieve_balance_transaction(
    account: Account, params: Params, transaction_id: str
) -> Object:
    return account.get("balance_transaction", transaction_id)


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
        "outcome": _outcome(method, status),
    }
    if charge["paid"]:
        charge["receipt_url"] = _receipt_url(charge)
    return account.insert(charge)


def fail(charge: Object, *, code: str, message: str) -> None:
    charge |= {
        "status": "failed",
        "paid": False,
        "captured": False,
        "failure_code": code,
        "failure_message": message,
    }


def decline(account: Account, intent: Object, method: Object) -> tuple[Object, Object]:
    """Record a declined card; return the charge and the error to answer."""
    card = card_of(method)
    code = card.code or "card_declined"
    message = decline_texts.message(code, card.decline_code)
    charge = make(account, intent, method, status="failed", captured=False)
    fail(charge, code=code, message=message)
    account.update(charge)
    emit(account, "charge.failed", charge)
    error = ApiError(
        402,
        "card_error",
        message,
        code=code,
        decline_code=card.decline_code,
        advice_code=decline_texts.advice(code, card.decline_code),
        charge=charge["id"],
        payment_method=method,
        param="cvc" if code == "incorrect_cvc" else None,
    ).error
    return charge, error


def add_balance_transaction(account: Account, charge: Object) -> None:
    """Book the charge: amount, fee and net."""
    charge["balance_transaction"] = book(
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


def book(
    account: Account,
    *,
    amount: int,
    fee: int,
    kind: str,
    source: str,
    currency: str,
    available: bool = False,
) -> Object:
    """Write a balance transaction; `amount` is negative when money leaves."""
    fees = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    return account.insert(
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": account.now() + (0 if available else 2 * DAY),
            "balance_type": "payments",
            "created": account.now(),
            "currency": currency,
            "description": None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [fees] if fee else [],
            "net": amount - fee,
            "reporting_category": "dispute" if kind == "adjustment" else kind,
            "source": source,
            "status": "available" if available else "pending",
            "type": kind,
        }
    )


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
        "payment_method_details": _details(account, intent, method),
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


def _details(account: Account, intent: Object, method: Object) -> Object:
    kind = method["type"]
    if kind == "card":
        return {"type": kind, kind: _card_details(account, intent, method)}
    part = method[kind]
    kept: tuple[str, ...]
    if kind == "sepa_debit":
        kept = ("bank_code", "branch_code", "country", "fingerprint", "last4")
        return {
            "type": kind,
            kind: {name: part[name] for name in kept} | {"mandate": None},
        }
    if kind == "us_bank_account":
        kept = (
            "account_holder_type",
            "account_type",
            "bank_name",
            "fingerprint",
            "last4",
            "routing_number",
        )
        return {
            "type": kind,
            kind: {name: part[name] for name in kept} | {"payment_reference": None},
        }
    return {"type": kind, kind: _redirect_details(kind)}


def _redirect_details(kind: str) -> Object:
    if kind == "klarna":
        return {
            "payer_details": None,
            "payment_method_category": "pay_now",
            "preferred_locale": None,
        }
    names = ["bic", "generated_sepa_debit", "generated_sepa_debit_mandate"]
    names += ["iban_last4", "verified_name"]
    if kind == "ideal":
        names += ["bank", "transaction_id"]
    else:
        names += ["bank_code", "bank_name", "preferred_language"]
    return dict.fromkeys(names)


def _card_details(account: Account, intent: Object, method: Object) -> Object:
    card, part = card_of(method), method["card"]
    kept = ("brand", "country", "exp_month", "exp_year", "fingerprint")
    more = ("funding", "last4", "regulated_status", "wallet")
    address = method["billing_details"]["address"]
    details: Object = {name: part[name] for name in kept + more}
    details |= {
        "amount_authorized": intent["amount"],
        "authorization_code": None if card.is_declined else random_text(6).upper(),
        "checks": {
            "address_line1_check": card.line1_check if address["line1"] else None,
            "address_postal_code_check": (
                card.postal_code_check if address["postal_code"] else None
            ),
            "cvc_check": card.cvc_check,
        },
        "electronic_commerce_indicator": None,
        "installments": None,
        "mandate": None,
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": None,
        "three_d_secure": _three_d_secure(card, intent),
        "transaction_link_id": None,
    }
    if intent["capture_method"] == "manual":
        details["capture_before"] = account.now() + AUTHORIZATION_LASTS
    return details


def _three_d_secure(card: Card, intent: Object) -> Object | None:
    if (
        intent["_"].get("authenticated") != "yes"
        and card.three_d_secure != "frictionless"
    ):
        return None
    challenged = card.three_d_secure != "frictionless"
    return {
        "authentication_flow": "challenge" if challenged else "frictionless",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }


def _outcome(method: Object, status: str) -> Object:
    case: Any = None
    if method["type"] == "card":
        case = card_of(method)
    elif method["type"] in ("us_bank_account", "sepa_debit"):
        case = bank_of(method)
    blocked = case is not None and case.blocked
    outcome: Object = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": getattr(case, "risk_level", "normal"),
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if blocked:
        outcome |= {
            "network_status": "not_sent_to_network",
            "reason": "highest_risk_level",
            "risk_level": "highest",
            "seller_message": "The sandbox blocked this payment as too risky.",
            "type": "blocked",
        }
    elif status == "failed":
        outcome |= _declined_outcome(case)
    return outcome


def _declined_outcome(case: Card | BankAccount | None) -> Object:
    if not isinstance(case, Card) or case.code is None:
        return {"network_status": "declined_by_network", "type": "issuer_declined"}
    return {
        "advice_code": decline_texts.advice(case.code, case.decline_code),
        "network_decline_code": "01",
        "network_status": "declined_by_network",
        "reason": case.decline_code or case.code,
        "seller_message": "The bank did not approve the payment.",
        "type": "issuer_declined",
    }


def _funds_of(account: Account, charge: Object) -> str:
    method = account.store.get(charge["payment_method"])
    if method is None or method["type"] != "card":
        return "pending"
    return card_of(method).funds


def _receipt_url(charge: Object) -> str:
    return f"https://pay.stripe.com/receipts/payment/{charge['id']}"
