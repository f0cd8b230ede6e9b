"""What a shopper typed: only published test data pass, and only well-formed."""

from sandbox import bank_accounts, cards, decline_texts
from sandbox.accounts import Account
from sandbox.bank_accounts import BankAccount
from sandbox.cards import Card
from sandbox.errors import ApiError, invalid, missing, no_such
from sandbox.parameters import Params


def typed_card(account: Account, typed: Params) -> Card:
    if "token" in typed:
        card = cards.by_id(typed["token"].replace("tok_", "pm_card_", 1))
        if card is None:
            raise no_such("token", typed["token"], param="token", status=400)
        return card
    for part in ("number", "exp_month", "exp_year"):
        if part not in typed:
            raise missing(f"card[{part}]")
    if not account.publishable:
        raise ApiError(
            402,
            "invalid_request_error",
            "Sending credit card numbers directly to the Stripe API is generally"
            " unsafe. Use a test id such as pm_card_visa, or the Payment Element.",
        )
    number = "".join(typed["number"].split())
    if not (number.isdecimal() and 12 <= len(number) <= 19 and _passes_luhn(number)):
        raise _wrong("incorrect_number", "number")
    card = cards.BY_NUMBER.get(number)
    if card is None or account.livemode:
        raise ApiError(
            402,
            "card_error",
            "Your card was declined. This sandbox takes only Stripe's published test"
            " card numbers, such as 4242 4242 4242 4242.",
            code="card_declined",
            decline_code="testmode_decline"
            if account.livemode
            else "test_mode_live_card",
            param="number",
        )
    _check_typed_rest(account, card, typed)
    return card


def _check_typed_rest(account: Account, card: Card, typed: Params) -> None:
    month, year = typed["exp_month"], year_of(typed["exp_year"])
    if not (month.isdecimal() and 1 <= int(month) <= 12):
        raise _wrong("invalid_expiry_month", "exp_month")
    if year is None or (year, int(month)) < account.clock.month():
        raise _wrong("invalid_expiry_year", "exp_year")
    length = 4 if card.brand == cards.AMEX else 3
    cvc = typed.get("cvc")
    if cvc is not None and not (cvc.isdecimal() and len(cvc) == length):
        raise _wrong("invalid_cvc", "cvc")


def year_of(typed: str) -> int | None:
    if not typed.isdecimal() or len(typed) not in (2, 4):
        return None
    return int(typed) + (2000 if len(typed) == 2 else 0)


def _wrong(code: str, param: str) -> ApiError:
    return ApiError(
        402, "card_error", decline_texts.message(code, None), code=code, param=param
    )


def _passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def typed_bank(kind: str, typed: Params) -> BankAccount:
    field = "iban" if kind == bank_accounts.SEPA else "account_number"
    if field not in typed:
        raise missing(f"{kind}[{field}]")
    number = "".join(typed[field].split()).upper()
    bank = bank_accounts.BY_NUMBER.get((kind, number))
    if bank is None:
        raise invalid(
            "This sandbox takes only Stripe's published test accounts.",
            code="payment_method_invalid_parameter",
            param=f"{kind}[{field}]",
        )
    return bank
