"""What can go wrong at Stripe, in the shop's own words: three errors and a refusal."""


class StripeError(Exception):
    """A call to Stripe did not do what was asked; `code` is Stripe's own, or empty."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Unavailable(StripeError):
    """No usable answer: it may or may not have happened. Safe to ask again."""


class KeyRejected(Unavailable):
    """Stripe does not know the secret key, or no longer."""


class NotPermitted(Unavailable):
    """The secret key is restricted and may not make this call."""


class Refused(StripeError):
    """Stripe will not do it, and asking again will not change that."""


class KeySpent(Refused):
    """The idempotency key will only ever repeat a failure; another one may succeed."""


class UnexpectedState(StripeError):
    """The object has moved on and does not allow it any more. Retrieve it."""


class NotAuthentic(Exception):
    """A delivery that Stripe did not sign, or not recently, or that is not an event."""
