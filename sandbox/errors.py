"""Refusals, shaped and worded as Stripe's."""

from typing import Any

from sandbox import decline_texts

Object = dict[str, Any]


class ApiError(Exception):
    """An answer that is not 200.

    `stored` tells whether it is kept under the idempotency key: refusals given
    before a call began its work are not.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        stored: bool = True,
        headers: dict[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.stored = stored
        self.headers = headers or {}
        self.error: Object = {"type": kind, "message": message}
        if code:
            self.error["code"] = code
            slug = code.replace("_", "-")
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{slug}"
        if param:
            self.error["param"] = param
        self.error |= {name: value for name, value in details.items() if value}


def invalid(
    message: str, *, code: str | None = None, param: str | None = None
) -> ApiError:
    """A parameter that was refused before the call did anything."""
    return ApiError(
        400, "invalid_request_error", message, code=code, param=param, stored=False
    )


def missing(param: str) -> ApiError:
    return invalid(
        f"Missing required param: {param}.", code="parameter_missing", param=param
    )


def unknown(param: str) -> ApiError:
    return invalid(
        f"Received unknown parameter: {param}", code="parameter_unknown", param=param
    )


def refused(
    message: str, *, code: str | None = None, param: str | None = None, **details: Any
) -> ApiError:
    """A call that began its work and could not do it."""
    return ApiError(
        400, "invalid_request_error", message, code=code, param=param, **details
    )


def no_such(
    kind: str, object_id: str, *, param: str, status: int = 404, hint: str = ""
) -> ApiError:
    told = f"; {hint} to make this request." if hint else ""
    return ApiError(
        status,
        "invalid_request_error",
        f"No such {kind}: '{object_id}'{told}",
        code="resource_missing",
        param=param,
    )


def unexpected_state(
    intent: Object, message: str, *, param: str | None = None
) -> ApiError:
    return refused(
        message,
        code="payment_intent_unexpected_state",
        param=param,
        payment_intent=intent,
    )


def declined(error: Object, intent: Object) -> ApiError:
    """The 402 for an attempt whose error the intent remembers."""
    refusal = ApiError(402, error["type"], error["message"])
    refusal.error = error | {"payment_intent": intent}
    return refusal


def declined_method(code: str, decline_code: str | None, method: Object) -> ApiError:
    """The 402 for a card that is declined, apart from any intent."""
    return ApiError(
        402,
        "card_error",
        decline_texts.message(code, decline_code),
        code=code,
        decline_code=decline_code,
        advice_code=decline_texts.advice(code, decline_code),
        payment_method=method,
        param="cvc" if code == "incorrect_cvc" else None,
    )
