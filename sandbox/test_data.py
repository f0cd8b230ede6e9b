"""The test cards and accounts in words: what each one does."""

from typing import Any

from sandbox import bank_accounts, cards
from sandbox.bank_accounts import DELAYED, ROUTING_NUMBER, SEPA, BankAccount
from sandbox.cards import Card

Group = dict[str, Any]

THREE_D_SECURE = {
    "required": "asks for 3-D Secure",
    "optional": "",
    "frictionless": "3-D Secure without a challenge",
    "unsupported": "",
    "broken": "3-D Secure fails with an error",
    "broken if asked": "3-D Secure fails with an error when it is asked for",
}
CHECKS = {
    "cvc_check": "the CVC check",
    "line1_check": "the address check",
    "postal_code_check": "the postcode check",
}


def groups() -> list[Group]:
    """Every card and account by group: its number, its id, and what it does."""
    titles = [
        ("Paid, by brand", cards.BRANDS),
        ("Declined", cards.DECLINES),
        ("3-D Secure", cards.THREE_D_SECURE),
        ("Afterwards: disputes, refunds, balance", cards.AFTERWARDS),
        ("Checks and risk", cards.CHECKS),
        ("Paid, by country", cards.COUNTRIES),
    ]
    found = [
        {"title": title, "rows": [_card(card) for card in group]}
        for title, group in titles
    ]
    banks = [_account(account) for account in bank_accounts.ACCOUNTS]
    return [*found, {"title": "Bank debits", "rows": banks}]


def _card(card: Card) -> Group:
    return {
        "number": card.number,
        "id": None if card.name.startswith("_") else f"pm_card_{card.name}",
        "kind": f"{card.brand} {card.funding}, {card.country}",
        "does": _sentence(_what_card_does(card)),
    }


def _what_card_does(card: Card) -> list[str]:
    said = [THREE_D_SECURE[card.three_d_secure], _outcome(card)]
    said += [
        f"{name} says {getattr(card, check)}"
        for check, name in CHECKS.items()
        if getattr(card, check) != "pass"
    ]
    if card.risk_level != "normal" and not card.blocked:
        said.append(f"risk {card.risk_level}")
    said += [f"then disputed ({reason})" for reason in card.disputes]
    if card.early_fraud_warning:
        said.append("then an early fraud warning")
    if card.refund != "succeeded":
        result = "succeeds later" if card.refund == "pending" else "fails later"
        said.append(f"a refund {result}")
    if card.funds == "available":
        said.append("its money is available at once")
    return said


def _outcome(card: Card) -> str:
    if card.blocked:
        return "blocked as fraud"
    if card.code:
        return f"declined: {card.decline_code or card.code}"
    return "" if card.three_d_secure == "broken" else "paid"


def _account(account: BankAccount) -> Group:
    bank = f"US bank account, routing number {ROUTING_NUMBER}"
    if account.type == SEPA:
        bank = f"SEPA debit, {account.country}"
    prefix = "pm_sepaDebit_" if account.type == SEPA else "pm_usBankAccount_"
    return {
        "number": account.number,
        "id": f"{prefix}{account.name}",
        "kind": bank,
        "does": _sentence(_what_account_does(account)),
    }


def _what_account_does(account: BankAccount) -> list[str]:
    if account.blocked:
        return ["blocked as fraud"]
    if account.settles_in is None:
        return ["processing for ever"]
    when = "after minutes" if account.settles_in == DELAYED else "after seconds"
    if account.failure:
        return [f"processing, {when} failed: {account.failure}"]
    said = [f"processing, {when} paid"]
    if account.dispute:
        said.append(f"then disputed ({account.dispute})")
    return said


def _sentence(said: list[str]) -> str:
    text = ", ".join(part for part in said if part)
    return text[:1].upper() + text[1:]
