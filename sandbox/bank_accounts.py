"""Stripe's published test bank accounts: what each direct debit does.

https://docs.stripe.com/testing. Names are those of the `pm_…` ids.
"""

from dataclasses import dataclass

US, SEPA = "us_bank_account", "sepa_debit"

FAILED = "payment_intent_payment_attempt_failed"

# Seconds of sandbox time from confirming to the bank's answer.
SOON, DELAYED = 5, 200


@dataclass(frozen=True, kw_only=True)
class BankAccount:
    """A test account; what is not said is paid soon."""

    type: str
    number: str
    name: str
    failure: str | None = None
    settles_in: int | None = SOON  # None: never heard of again
    dispute: str | None = None
    blocked: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def country(self) -> str:
        return "US" if self.type == US else self.number[:2]


ROUTING_NUMBER = "110000000"


def _us(number: str, name: str, failure: str | None = None) -> BankAccount:
    return BankAccount(type=US, number=number, name=name, failure=failure)


def _sepa(
    number: str, name: str, failure: str | None = None, *, settles_in: int = SOON
) -> BankAccount:
    return BankAccount(
        type=SEPA, number=number, name=name, failure=failure, settles_in=settles_in
    )


ACCOUNTS = [
    _us("000123456789", "success"),
    _us("000111111113", "accountClosed", "account_closed"),
    _us("000111111116", "noAccount", "no_account"),
    _us("000222222227", "insufficientFunds", "insufficient_funds"),
    _us("000333333335", "debitNotAuthorized", "debit_not_authorized"),
    _us("000444444440", "invalidCurrency", "invalid_currency"),
    _us("000777777771", "weeklyLimitExceeded", "charge_exceeds_source_limit"),
    BankAccount(type=US, number="000000004954", name="riskLevelHighest", blocked=True),
    BankAccount(type=US, number="000555555559", name="dispute", dispute="general"),
    BankAccount(type=US, number="000000000009", name="processing", settles_in=None),
    _sepa("DE89370400440532013000", "success_de"),
    _sepa("DE08370400440532013003", "successDelayed_de", settles_in=DELAYED),
    _sepa("DE62370400440532013001", "failed_de", FAILED),
    _sepa(
        "DE78370400440532013004",
        "failedDelayed_de",
        FAILED,
        settles_in=DELAYED,
    ),
    BankAccount(
        type=SEPA,
        number="DE35370400440532013002",
        name="disputed_de",
        dispute="general",
    ),
    _sepa("DE65370400440002222227", "insufficientFunds_de", "insufficient_funds"),
    _sepa(
        "DE65370400440000343434",
        "exceedsWeeklyVolumeLimit_de",
        "charge_exceeds_source_limit",
    ),
    _sepa(
        "DE27370400440000121212",
        "exceedsWeeklyTransactionLimit_de",
        "charge_exceeds_weekly_limit",
    ),
    _sepa("AT611904300234573201", "success_at"),
    _sepa("AT321904300235473204", "successDelayed_at", settles_in=DELAYED),
    _sepa("AT861904300235473202", "failed_at", FAILED),
    _sepa("FR1420041010050500013M02606", "success_fr"),
    _sepa("IE29AIBK93115212345678", "success_ie"),
    _sepa("NL39RABO0300065264", "success_nl"),
    _sepa("GB82WEST12345698765432", "success_gb"),
]
BY_NUMBER = {(account.type, account.number): account for account in ACCOUNTS}
BY_NAME = {(account.type, account.name): account for account in ACCOUNTS}
ID_PREFIXES = {"pm_usBankAccount_": US, "pm_sepaDebit_": SEPA}


def by_id(payment_method_id: str) -> BankAccount | None:
    """Return the account of `pm_usBankAccount_…` or `pm_sepaDebit_…`, or None."""
    for prefix, kind in ID_PREFIXES.items():
        if payment_method_id.startswith(prefix):
            return BY_NAME.get((kind, payment_method_id.removeprefix(prefix)))
    return None
