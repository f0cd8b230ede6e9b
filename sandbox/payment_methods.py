"""PaymentMethods: made of test data, remembered without their numbers."""

import hashlib
from typing import Any

from sandbox import bank_accounts, cards
from sandbox.accounts import Account
from sandbox.answers import page
from sandbox.bank_accounts import BankAccount
from sandbox.cards import Card
from sandbox.errors import missing
from sandbox.ids import new_id
from sandbox.parameters import (
    BILLING_DETAILS,
    EXPAND,
    PAGE,
    Params,
    anything,
    fields,
    metadata,
    one_of,
    text,
)
from sandbox.store import Object
from sandbox.typed_data import typed_bank, typed_card, year_of

# Methods whose payment leaves the page for the bank's, and comes back.
REDIRECTS = ("klarna", "ideal", "bancontact")
DEBITS = ("us_bank_account", "sepa_debit")
TYPES = ("card", *DEBITS, *REDIRECTS)
AUTHORIZABLE = ("card", "klarna")  # and captured later

# Where each type is offered: the currencies, or everywhere.
CURRENCIES = {
    "klarna": {"usd", "eur", "gbp", "sek", "nok", "dkk", "chf", "pln", "cad", "aud"},
    "us_bank_account": {"usd"},
    "sepa_debit": {"eur"},
    "ideal": {"eur"},
    "bancontact": {"eur"},
}

CARD_DATA = fields(
    {
        "number": text,
        "exp_month": text,
        "exp_year": text,
        "cvc": text,
        "token": text,
        "networks": anything,
    }
)
DATA: dict[str, Any] = {
    "type": one_of(*TYPES),
    "billing_details": BILLING_DETAILS,
    "metadata": metadata,
    "allow_redisplay": one_of("always", "limited", "unspecified"),
    "radar_options": anything,
    "card": CARD_DATA,
    "us_bank_account": fields(
        {
            "account_number": text,
            "routing_number": text,
            "account_holder_type": one_of("company", "individual"),
            "account_type": one_of("checking", "savings"),
        }
    ),
    "sepa_debit": fields({"iban": text}),
    **dict.fromkeys(REDIRECTS, anything),
}
PAYMENT_METHOD_DATA = fields(DATA)
CREATE = fields(DATA | EXPAND | {"key": text, "customer": text})
LIST = fields(PAGE | {"customer": text, "type": one_of(*TYPES)})


def create(account: Account, params: Params) -> Object:
    if "type" not in params:
        raise missing("type")
    return make(account, params)


def retrieve(account: Account, params: Params, method_id: str) -> Object:
    return account.get("payment_method", method_id, param="payment_method")


def list_all(account: Account, params: Params) -> Object:
    return page(
        account,
        "payment_method",
        params,
        url="/v1/payment_methods",
        filters=("customer", "type"),
    )


def offered(currency: str, *, capture_method: str) -> list[str]:
    """The types that automatic payment methods bring."""
    return [
        kind
        for kind in TYPES
        if (kind not in CURRENCIES or currency in CURRENCIES[kind])
        and (capture_method != "manual" or kind in AUTHORIZABLE)
    ]


def named(account: Account, method_id: str) -> Object:
    """Return the PaymentMethod of an id; a test id makes a new one."""
    card = cards.by_id(method_id)
    if card is not None:
        return _keep(account, {"type": "card"}, _card_part(account, card, {}), card)
    bank = bank_accounts.by_id(method_id)
    if bank is not None:
        return _keep(account, {"type": bank.type}, _bank_part(bank), bank)
    return account.get("payment_method", method_id, param="payment_method", status=400)


def make(account: Account, data: Params) -> Object:
    """Make a PaymentMethod of what was typed; refuse what is no test data."""
    kind = data.get("type", "card")
    if kind in REDIRECTS:
        part = {"bank": None, "bic": None} if kind == "ideal" else {}
        if kind == "klarna":
            part = {"dob": None}
        return _keep(account, data, part, None)
    if kind not in data:
        raise missing(kind)
    if kind == "card":
        card = typed_card(account, data["card"])
        return _keep(account, data, _card_part(account, card, data["card"]), card)
    bank = typed_bank(kind, data[kind])
    return _keep(account, data, _bank_part(bank) | _holder(data[kind]), bank)


def _keep(
    account: Account, data: Params, part: Object, case: Card | BankAccount | None
) -> Object:
    details = data.get("billing_details") or {}
    address = details.get("address") or {}
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return account.insert(
        {
            "id": new_id("pm"),
            "object": "payment_method",
            "allow_redisplay": data.get("allow_redisplay", "unspecified"),
            "billing_details": {
                "address": {name: address.get(name) or None for name in names},
                **{
                    name: details.get(name) or None
                    for name in ("email", "name", "phone", "tax_id")
                },
            },
            data.get("type", "card"): part,
            "created": account.now(),
            "customer": data.get("customer"),
            "customer_account": None,
            "livemode": account.livemode,
            "metadata": data.get("metadata") or {},
            "type": data.get("type", "card"),
            "_": {"case": case.name if case else None},
        }
    )


def card_of(method: Object) -> Card:
    return cards.BY_NAME[method["_"]["case"]]


def bank_of(method: Object) -> BankAccount:
    return bank_accounts.BY_NAME[method["type"], method["_"]["case"]]


def _card_part(account: Account, card: Card, typed: Params) -> Object:
    year, month = account.clock.month()
    return {
        "brand": card.brand,
        # Checks of the postcode and the like are known once a charge was tried.
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": None,
        },
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": int(typed.get("exp_month", month)),
        "exp_year": year_of(typed.get("exp_year", "")) or year + 1,
        "fingerprint": fingerprint(card),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {
            "available": list(card.networks or [card.brand]),
            "preferred": None,
        },
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.three_d_secure != "unsupported"},
        "wallet": None,
    }


def _bank_part(bank: BankAccount) -> Object:
    if bank.type == bank_accounts.SEPA:
        return {
            "bank_code": bank.number[4:12],
            "branch_code": "",
            "country": bank.country,
            "fingerprint": fingerprint(bank),
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": bank.last4,
        }
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": fingerprint(bank),
        "last4": bank.last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": bank_accounts.ROUTING_NUMBER,
        "status_details": {},
    }


def _holder(typed: Params) -> Object:
    return {
        name: typed[name]
        for name in ("account_holder_type", "account_type")
        if name in typed
    }


def fingerprint(case: Card | BankAccount) -> str:
    """The same for the same test number, and telling nothing about it."""
    return hashlib.sha256(f"sandbox {case.name}".encode()).hexdigest()[:16]
