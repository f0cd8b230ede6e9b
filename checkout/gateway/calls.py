"""What the shop asks of Stripe about payments, refunds and events."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast

import stripe
from stripe.params import RefundCreateParams

from checkout.gateway.connection import client, is_replayed, translated_errors
from checkout.gateway.errors import Unavailable
from checkout.gateway.objects import Event, PaymentIntent, Refund
from checkout.gateway.signature import as_event

RefundReason = Literal["duplicate", "fraudulent", "requested_by_customer"]


def create_payment_intent(
    *, amount: int, currency: str, shop: str, order: str
) -> PaymentIntent:
    """Create the one PaymentIntent of an order, or get it again under its one key.

    Raises Unavailable and Refused. Source: https://docs.stripe.com/api/payment_intents
    """
    key = f"order-{order}-intent"
    with translated_errors("payment_intents.create"):
        created = client().v1.payment_intents.create(
            params={
                "amount": amount,
                "currency": currency,
                "automatic_payment_methods": {"enabled": True},
                "metadata": {"shop": shop, "order": order},
            },
            options={"idempotency_key": key},
        )
    if is_replayed(created.last_response):
        return retrieve_payment_intent(created.id)
    return _read_intent(created)


def retrieve_payment_intent(intent_id: str) -> PaymentIntent:
    """Return the PaymentIntent as it is now, with its charge.

    Raises Unavailable, and Refused with code `resource_missing` if there is none.
    """
    with translated_errors("payment_intents.retrieve"):
        intent = client().v1.payment_intents.retrieve(
            intent_id, params={"expand": ["latest_charge"]}
        )
    return _read_intent(intent)


def cancel_payment_intent(intent_id: str) -> PaymentIntent:
    """Cancel the PaymentIntent, so that nobody can pay it any more.

    Raises Unavailable, Refused, and UnexpectedState when it has succeeded, is being
    processed or was canceled before.
    """
    with translated_errors("payment_intents.cancel"):
        # No key of ours: a refusal is stored under a key, and "not while processing"
        # must not be repeated for a day after the processing has failed.
        intent = client().v1.payment_intents.cancel(intent_id)
    return _read_intent(intent)


def list_payment_intents(*, created_from: datetime) -> Iterator[PaymentIntent]:
    """Yield every PaymentIntent of the account since then, newest first.

    Raises Unavailable or Refused between any two of them.
    """
    with translated_errors("payment_intents.list"):
        for intent in _listed(
            "/v1/payment_intents",
            created={"gte": int(created_from.timestamp())},
            expand=["data.latest_charge"],
        ):
            yield _read_intent(intent)


def list_events(*, created_from: datetime, types: Sequence[str]) -> Iterator[Event]:
    """Yield the account's events of `types` since then, newest first.

    Stripe keeps them for 30 days. Raises Unavailable or Refused between any two.
    """
    with translated_errors("events.list"):
        for event in _listed(
            "/v1/events",
            created={"gte": int(created_from.timestamp())},
            types=list(types),
        ):
            yield as_event(event)


def retrieve_event(event_id: str) -> Event:
    """Return an event; Stripe keeps it for 30 days. Raises Unavailable or Refused."""
    with translated_errors("events.retrieve"):
        event = client().v1.events.retrieve(event_id)
    return read_stored_event(event.to_dict())


def read_stored_event(payload: Mapping[str, Any]) -> Event:
    """Return the event of a payload that was authentic. Raises Unavailable if none."""
    try:
        return as_event(payload)
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
    with translated_errors("refunds.create"):
        created = client().v1.refunds.create(
            params, {"idempotency_key": f"refund-{refund}"}
        )
        return Refund.from_stripe(created.to_dict())


def list_refunds(payment_intent: str) -> Iterator[Refund]:
    """Yield every refund of a payment. Raises Unavailable or Refused."""
    with translated_errors("refunds.list"):
        for refund in _listed("/v1/refunds", payment_intent=payment_intent):
            yield Refund.from_stripe(refund)


def _listed(url: str, **asked: Any) -> Iterator[dict[str, Any]]:
    """Yield all that a list has, page by page, newest first.

    As JSON: to build the library's objects of a page costs more than to get it.
    """
    while True:
        page = client().raw_request("get", url, limit=100, **asked).data
        yield from page["data"]
        if not page["has_more"]:
            return
        asked["starting_after"] = page["data"][-1]["id"]


def _read_intent(intent: stripe.PaymentIntent | dict[str, Any]) -> PaymentIntent:
    try:
        fields = intent if isinstance(intent, dict) else intent.to_dict()
        return PaymentIntent.from_stripe(fields)
    except (LookupError, TypeError, AttributeError) as error:
        raise Unavailable("an answer that is no PaymentIntent") from error
