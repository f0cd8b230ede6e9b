"""What a charge tells about its payment method and about the bank's verdict."""

from typing import Any

from sandbox import decline_texts
from sandbox.accounts import DAY, Account
from sandbox.bank_accounts import BankAccount
from sandbox.cards import Card
from sandbox.ids import random_text
from sandbox.payment_methods import bank_of, card_of
from sandbox.store import Object

AUTHORIZATION_LASTS = 7 * DAY


def details(account: Account, intent: Object, method: Object) -> Object:
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


def outcome(method: Object, status: str) -> Object:
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
    if not intent["_"].get("authenticated") and card.three_d_secure != "frictionless":
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
