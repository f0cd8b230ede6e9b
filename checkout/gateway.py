"""Everything the shop says to Stripe and hears from it; the only import of stripe.

Plain values in, frozen dataclasses out, Stripe's errors turned into three of ours.
Knows no model. Every call is bounded by the deadline of the request it serves, and
a call that changes something is sent again only under the same idempotency key.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Literal, cast

import requests
import stripe
from django.conf import settings
from stripe.params import (
    RefundCreateParams,
    WebhookEndpointCreateParams,
    WebhookEndpointUpdateParams,
)

API_VERSION = "2026-10-28.endive"
# A shopper hears from the shop within 15 s, whatever Stripe does.
DEADLINE_SECONDS = 14.0
CONNECT_SECONDS = 3.0
TRIES = 2
# Stripe's own tolerance, applied to the future too.
TOLERANCE_SECONDS = 300
WORD = re.compile(r"[A-Za-z0-9_.-]{1,100}")

RefundReason = Literal["duplicate", "fraudulent", "requested_by_customer"]

logger = logging.getLogger(__name__)
stripe.enable_telemetry = False


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


@dataclass(frozen=True)
class Charge:
    """The attempt that reached a network."""

    id: str
    amount_refunded: int = 0
    method: str = ""
    brand: str = ""
    last4: str = ""


@dataclass(frozen=True)
class PaymentIntent:
    """A PaymentIntent as Stripe tells it; amounts in smallest units."""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    livemode: bool
    shop: str
    order: str
    decline_code: str
    charge: Charge | None
    client_secret: str = field(repr=False)

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "PaymentIntent":
        """Read Stripe's JSON. Raises LookupError or TypeError on another shape."""
        metadata = fields["metadata"]
        error = fields["last_payment_error"] or {}
        return cls(
            id=fields["id"],
            status=fields["status"],
            amount=fields["amount"],
            amount_received=fields["amount_received"],
            currency=fields["currency"],
            livemode=fields["livemode"],
            shop=metadata.get("shop", ""),
            order=metadata.get("order", ""),
            decline_code=error.get("decline_code") or error.get("code") or "",
            charge=read_charge(fields["latest_charge"]),
            # A stored event is kept without it.
            client_secret=fields.get("client_secret") or "",
        )


@dataclass(frozen=True)
class Refund:
    """A refund as Stripe tells it; `refund` is the number this shop gave it, if any."""

    id: str
    payment_intent: str
    amount: int
    currency: str
    status: str
    reason: str
    failure_reason: str
    shop: str
    refund: str

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "Refund":
        """Read Stripe's JSON. Raises LookupError or TypeError on another shape."""
        metadata = fields["metadata"] or {}
        return cls(
            id=fields["id"],
            payment_intent=fields["payment_intent"] or "",
            amount=fields["amount"],
            currency=fields["currency"],
            status=fields["status"],
            reason=fields["reason"] or "",
            failure_reason=fields.get("failure_reason") or "",
            shop=metadata.get("shop", ""),
            refund=metadata.get("refund", ""),
        )


@dataclass(frozen=True)
class Dispute:
    """A dispute as Stripe tells it; `due_by` is unix time, 0 for no answer possible."""

    id: str
    payment_intent: str
    amount: int
    currency: str
    reason: str
    status: str
    due_by: int

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "Dispute":
        """Read Stripe's JSON. Raises LookupError or TypeError on another shape."""
        return cls(
            id=fields["id"],
            payment_intent=fields["payment_intent"] or "",
            amount=fields["amount"],
            currency=fields["currency"],
            reason=fields["reason"],
            status=fields["status"],
            due_by=fields["evidence_details"]["due_by"] or 0,
        )


@dataclass(frozen=True)
class FraudWarning:
    """An issuer's early warning that a payment is probably fraudulent."""

    id: str
    payment_intent: str
    fraud_type: str

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "FraudWarning":
        """Read Stripe's JSON. Raises LookupError on another shape."""
        return cls(
            id=fields["id"],
            payment_intent=fields["payment_intent"] or "",
            fraud_type=fields["fraud_type"],
        )


@dataclass(frozen=True)
class Event:
    """An authentic event. `object` is Stripe's JSON of what it is about."""

    id: str
    type: str
    created: int
    livemode: bool
    api_version: str
    object: Mapping[str, Any] = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class WebhookEndpoint:
    """Where Stripe sends events; `secret` is known only when it is created."""

    id: str
    url: str
    status: str
    api_version: str
    types: tuple[str, ...]
    secret: str = field(repr=False)

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "WebhookEndpoint":
        """Read Stripe's JSON. Raises LookupError on another shape."""
        return cls(
            id=fields["id"],
            url=fields["url"],
            status=fields["status"],
            api_version=fields["api_version"] or "",
            types=tuple(fields["enabled_events"]),
            secret=fields.get("secret") or "",
        )


def read_charge(charge: Mapping[str, Any] | str | None) -> Charge | None:
    """Read Stripe's JSON of a charge, of which sometimes only the id comes."""
    if charge is None:
        return None
    if isinstance(charge, str):
        return Charge(id=charge)
    details = charge["payment_method_details"] or {}
    method = details.get("type", "")
    kind = details.get(method) or {}
    return Charge(
        id=charge["id"],
        amount_refunded=charge.get("amount_refunded", 0),
        method=method,
        brand=kind.get("brand") or kind.get("bank_name") or "",
        last4=kind.get("last4") or "",
    )


def is_live() -> bool:
    """Whether the secret key moves real money."""
    return settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))


def is_sandbox() -> bool:
    """Whether the sandbox stands in for Stripe."""
    return not settings.STRIPE_API_BASE.startswith("https://api.stripe.com")


# --- Calls --------------------------------------------------------------------------


def create_payment_intent(
    *, amount: int, currency: str, shop: str, order: str
) -> PaymentIntent:
    """Create the one PaymentIntent of an order, or get it again under its one key.

    Raises Unavailable and Refused. Source: https://docs.stripe.com/api/payment_intents
    """
    key = f"order-{order}-intent"
    with _translated_errors("payment_intents.create"):
        created = _client().v1.payment_intents.create(
            params={
                "amount": amount,
                "currency": currency,
                "automatic_payment_methods": {"enabled": True},
                "metadata": {"shop": shop, "order": order},
            },
            options={"idempotency_key": key},
        )
    if _is_replayed(created.last_response):
        return retrieve_payment_intent(created.id)
    return _read_intent(created)


def retrieve_payment_intent(intent_id: str) -> PaymentIntent:
    """Return the PaymentIntent as it is now, with its charge.

    Raises Unavailable, and Refused with code `resource_missing` if there is none.
    """
    with _translated_errors("payment_intents.retrieve"):
        intent = _client().v1.payment_intents.retrieve(
            intent_id, params={"expand": ["latest_charge"]}
        )
    return _read_intent(intent)


def cancel_payment_intent(intent_id: str) -> PaymentIntent:
    """Cancel the PaymentIntent, so that nobody can pay it any more.

    Raises Unavailable, Refused, and UnexpectedState when it has succeeded, is being
    processed or was canceled before.
    """
    with _translated_errors("payment_intents.cancel"):
        # No key of ours: a refusal is stored under a key, and "not while processing"
        # must not be repeated for a day after the processing has failed.
        intent = _client().v1.payment_intents.cancel(intent_id)
    return _read_intent(intent)


def list_payment_intents(*, created_from: datetime) -> Iterator[PaymentIntent]:
    """Yield every PaymentIntent of the account since then, newest first.

    Raises Unavailable or Refused between any two of them.
    """
    with _translated_errors("payment_intents.list"):
        page = _client().v1.payment_intents.list(
            {
                "created": {"gte": int(created_from.timestamp())},
                "expand": ["data.latest_charge"],
                "limit": 100,
            }
        )
        for intent in page.auto_paging_iter():
            yield _read_intent(intent)


def list_events(*, created_from: datetime, types: Sequence[str]) -> Iterator[Event]:
    """Yield the account's events of `types` since then, newest first.

    Stripe keeps them for 30 days. Raises Unavailable or Refused between any two.
    """
    with _translated_errors("events.list"):
        page = _client().v1.events.list(
            {
                "created": {"gte": int(created_from.timestamp())},
                "types": list(types),
                "limit": 100,
            }
        )
        for event in page.auto_paging_iter():
            yield _as_event(event.to_dict())


def retrieve_event(event_id: str) -> Event:
    """Return an event; Stripe keeps it for 30 days. Raises Unavailable or Refused."""
    with _translated_errors("events.retrieve"):
        event = _client().v1.events.retrieve(event_id)
    return read_stored_event(event.to_dict())


def read_stored_event(payload: Mapping[str, Any]) -> Event:
    """Return the event of a payload that was authentic. Raises Unavailable if none."""
    try:
        return _as_event(payload)
    except (LookupError, TypeError, ValueError) as error:
        raise Unavailable("a payload that is no event") from error


def create_refund(
    *, payment_intent: str, amount: int, reason: str, shop: str, order: str, refund: str
) -> Refund:
    """Refund `amount` of a payment, or get the same refund again under its one key.

    Raises Unavailable, KeySpent and Refused. Source: https://docs.stripe.com/api/refunds
    """
    params: RefundCreateParams = {
        "payment_intent": payment_intent,
        "amount": amount,
        "metadata": {"shop": shop, "order": order, "refund": refund},
    }
    if reason:
        params["reason"] = cast(RefundReason, reason)
    with _translated_errors("refunds.create"):
        created = _client().v1.refunds.create(
            params, {"idempotency_key": f"refund-{refund}"}
        )
        return Refund.from_stripe(created.to_dict())


def list_refunds(payment_intent: str) -> Iterator[Refund]:
    """Yield every refund of a payment. Raises Unavailable or Refused."""
    with _translated_errors("refunds.list"):
        page = _client().v1.refunds.list(
            {"payment_intent": payment_intent, "limit": 100}
        )
        for refund in page.auto_paging_iter():
            yield Refund.from_stripe(refund.to_dict())


# --- Set-up -------------------------------------------------------------------------

NO_PAYMENT = "pi_of_no_payment"


def create_webhook_endpoint(url: str, *, types: Sequence[str]) -> WebhookEndpoint:
    """Have events of `types` sent to `url` in this shop's API version.

    Its signing secret is told this once. Raises Unavailable and Refused.
    Source: https://docs.stripe.com/api/webhook_endpoints/create
    """
    params = {"url": url, "enabled_events": [*types], "api_version": API_VERSION}
    with _translated_errors("webhook_endpoints.create"):
        endpoint = _client().v1.webhook_endpoints.create(
            cast(WebhookEndpointCreateParams, params)
        )
        return WebhookEndpoint.from_stripe(endpoint.to_dict())


def list_webhook_endpoints() -> Iterator[WebhookEndpoint]:
    """Yield the account's webhook endpoints. Raises Unavailable or Refused."""
    with _translated_errors("webhook_endpoints.list"):
        page = _client().v1.webhook_endpoints.list({"limit": 100})
        for endpoint in page.auto_paging_iter():
            yield WebhookEndpoint.from_stripe(endpoint.to_dict())


def update_webhook_endpoint(
    endpoint_id: str, *, types: Sequence[str]
) -> WebhookEndpoint:
    """Subscribe an endpoint to exactly `types` and enable it.

    Its API version cannot be changed. Raises Unavailable and Refused.
    """
    params = {"enabled_events": [*types], "disabled": False}
    with _translated_errors("webhook_endpoints.update"):
        endpoint = _client().v1.webhook_endpoints.update(
            endpoint_id, cast(WebhookEndpointUpdateParams, params)
        )
        return WebhookEndpoint.from_stripe(endpoint.to_dict())


def server_time() -> datetime:
    """Return the time by Stripe's clock, to the second. Raises Unavailable."""
    with _translated_errors("events.list"):
        response = _client().v1.events.list({"limit": 1}).last_response
    headers = response.headers if response else {}
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        return parsedate_to_datetime(lowered["date"])
    except (LookupError, ValueError) as error:
        raise Unavailable("an answer without a date") from error


def missing_permissions() -> Iterator[str]:
    """Yield what the secret key may not do, of all that the shop asks of it.

    Each call that would change something is one that Stripe cannot carry out, and
    says so only to a key that might. Raises Unavailable.
    """
    v1 = _client().v1
    calls: dict[str, Callable[[], object]] = {
        "PaymentIntents: read": lambda: v1.payment_intents.list({"limit": 1}),
        "PaymentIntents: write": lambda: v1.payment_intents.cancel(NO_PAYMENT),
        "Charges and refunds: read": lambda: v1.refunds.list({"limit": 1}),
        "Charges and refunds: write": lambda: v1.refunds.create(
            {"payment_intent": NO_PAYMENT}
        ),
        "Events: read": lambda: v1.events.list({"limit": 1}),
        "Webhook endpoints: read": lambda: v1.webhook_endpoints.list({"limit": 1}),
    }
    for name, call in calls.items():
        try:
            with _translated_errors(name):
                call()
        except NotPermitted:
            yield name
        except (Refused, UnexpectedState):
            continue


def verify_event(payload: bytes, header: str | None) -> Event:
    """Return the event that Stripe signed with one of the configured secrets.

    Raises NotAuthentic, for whatever reason; the message names its class.
    """
    try:
        body = payload.decode()
    except UnicodeDecodeError as error:
        raise NotAuthentic("not UTF-8") from error
    if not header or not header.isascii():
        raise NotAuthentic("no usable signature header")
    if not any(
        _is_signed(body, header, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS
    ):
        count = len(settings.STRIPE_WEBHOOK_SECRETS)
        raise NotAuthentic(f"no fresh signature by any of {count} secrets")
    return _read_event(body)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound all calls to Stripe inside the block, with their retries, by `seconds`."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


# --- Inside -------------------------------------------------------------------------

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


class _Transport(stripe.RequestsClient):
    """The library's own HTTP client, but no request outlives the deadline."""

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        **usage: Any,
    ) -> tuple[Any, int, Mapping[str, str]]:
        end = _deadline.get()
        remaining = DEADLINE_SECONDS if end is None else end - time.monotonic()
        if remaining <= 0.05:
            raise _no_answer("out of time", should_retry=False)
        try:
            answer = self._requests_session().request(
                method,
                url,
                headers=headers,
                data=post_data,
                timeout=(min(CONNECT_SECONDS, remaining), remaining),
                verify=stripe.ca_bundle_path,
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _no_answer(type(error).__name__, should_retry=True) from error
        except requests.RequestException as error:
            raise _no_answer(type(error).__name__, should_retry=False) from error
        return answer.content, answer.status_code, answer.headers

    def _requests_session(self) -> requests.Session:
        if getattr(self._thread_local, "session", None) is None:
            self._thread_local.session = requests.Session()
        session: requests.Session = self._thread_local.session
        return session


def _no_answer(why: str, *, should_retry: bool) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why, should_retry=should_retry)  # type: ignore[no-untyped-call]


def _client() -> stripe.StripeClient:
    return _client_for(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@lru_cache(maxsize=4)
def _client_for(secret_key: str, api_base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base},
        max_network_retries=TRIES - 1,
        http_client=_Transport(),
    )


@contextmanager
def _translated_errors(call: str) -> Iterator[None]:
    """Turn the library's errors into ours and log each once, without its body."""
    try:
        yield
    except stripe.StripeError as error:
        code = (error.error.code if error.error else None) or error.code or ""
        logger.warning(
            "Stripe call failed: %s %s status=%s code=%s request=%s",
            call, type(error).__name__, error.http_status, code, error.request_id,
        )  # fmt: skip
        message = f"{call}: {type(error).__name__} {code}".strip()
        raise _error_class(error, code)(message, code=code) from error


def _error_class(error: stripe.StripeError, code: str) -> type[StripeError]:
    if code == "payment_intent_unexpected_state":
        return UnexpectedState
    if isinstance(error, stripe.AuthenticationError):
        return KeyRejected
    if isinstance(error, stripe.PermissionError):
        return NotPermitted
    if isinstance(error, stripe.IdempotencyError):
        return KeySpent
    if isinstance(error, (stripe.InvalidRequestError, stripe.CardError)):
        return Refused
    # A stored 500: this key will say nothing else for a day.
    if (error.http_status or 0) >= 500 and _says_replayed(error.headers or {}):
        return KeySpent
    return Unavailable


def _is_replayed(response: Any) -> bool:
    return _says_replayed(response.headers if response else {})


def _says_replayed(headers: Mapping[str, str]) -> bool:
    """Whether Stripe answered from memory: a snapshot that may be out of date."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return lowered.get("idempotent-replayed") == "true"


def _read_intent(intent: stripe.PaymentIntent) -> PaymentIntent:
    try:
        return PaymentIntent.from_stripe(intent.to_dict())
    except (LookupError, TypeError, AttributeError) as error:
        raise Unavailable("an answer that is no PaymentIntent") from error


def _is_signed(body: str, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE_SECONDS)
    except stripe.SignatureVerificationError:
        return False
    return _signed_at(header) <= time.time() + TOLERANCE_SECONDS


def _signed_at(header: str) -> int:
    stamps = (part[2:] for part in header.split(",") if part.startswith("t="))
    return int(next(stamps))


def _read_event(body: str) -> Event:
    try:
        return _as_event(json.loads(body))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise NotAuthentic("not an event") from error


def _as_event(payload: Any) -> Event:
    """Read an event's JSON; anything else raises an error of a built-in kind."""
    event = Event(
        id=payload["id"],
        type=payload["type"],
        created=payload["created"],
        livemode=payload["livemode"],
        api_version=payload.get("api_version") or "",
        object=payload["data"]["object"],
        payload=payload,
    )
    if not _is_event(event):
        raise ValueError("not an event")
    return event


def _is_event(event: Event) -> bool:
    words = (event.id, event.type)
    return (
        event.payload.get("object") == "event"
        and all(isinstance(word, str) and WORD.fullmatch(word) for word in words)
        and isinstance(event.api_version, str)
        and type(event.created) is int
        and 0 <= event.created < 2**33
        and type(event.livemode) is bool
        and isinstance(event.object, dict)
    )
