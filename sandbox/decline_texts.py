"""What Stripe says to the shopper when a payment is declined."""

DEFAULT = "Your card was declined."

MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "invalid_cvc": "Your card's security code is invalid.",
    "incorrect_number": "Your card number is incorrect.",
    "invalid_expiry_month": "Your card's expiration month is invalid.",
    "invalid_expiry_year": "Your card's expiration year is invalid.",
    "processing_error": (
        "An error occurred while processing your card. Try again in a little bit."
    ),
    "card_velocity_exceeded": (
        "Your card was declined for making repeated attempts too frequently or"
        " exceeding its amount limit."
    ),
    "authentication_required": (
        "Your card was declined. This transaction requires authentication."
    ),
    "card_not_supported": "Your card does not support this type of purchase.",
}
ADVICE = {
    "insufficient_funds": "try_again_later",
    "processing_error": "try_again_later",
    "generic_decline": "try_again_later",
    "card_velocity_exceeded": "try_again_later",
    "lost_card": "do_not_try_again",
    "stolen_card": "do_not_try_again",
    "expired_card": "do_not_try_again",
    "incorrect_cvc": "confirm_card_data",
}


def message(code: str, decline_code: str | None) -> str:
    """The text for the decline code, else for the code, else the plain one."""
    return MESSAGES.get(decline_code or code, DEFAULT)


def advice(code: str, decline_code: str | None) -> str | None:
    return ADVICE.get(decline_code or code)
