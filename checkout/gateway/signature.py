"""Is this delivery Stripe's, recent, and an event? Nothing unverified gets past."""

import json
import re
import time
from typing import Any

import stripe
from django.conf import settings

from checkout.gateway.errors import NotAuthentic
from checkout.gateway.objects import Event

# Stripe's own tolerance, applied to the future too.
TOLERANCE_SECONDS = 300
WORD = re.compile(r"[A-Za-z0-9_.-]{1,100}")


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
        return as_event(json.loads(body))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise NotAuthentic("not an event") from error


def as_event(payload: Any) -> Event:
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
