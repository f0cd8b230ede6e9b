"""Rows and Stripe's JSON with defaults, so that a test states only what it is about."""

import json
import secrets
import time
from typing import Any

import stripe
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from checkout.models import Order, OrderLine, Product, Shop

_count = iter(range(1_000_000))
# Made by migrations, changed by no test.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}


def flush() -> None:
    """Empty the database as Django's command does, but quicker.

    TRUNCATE makes PostgreSQL's files anew, and Django makes every permission again.
    """
    # Foreign keys are looked at when the transaction ends.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in connection.introspection.django_table_names():
            if table not in KEPT:
                cursor.execute(f"DELETE FROM {table}")


def make_product(**fields: Any) -> Product:
    count = next(_count)
    defaults = {
        "slug": f"product-{count}",
        "name": f"Product {count}",
        "unit_amount": 1099,
        "currency": settings.CURRENCY,
        "position": count,
    }
    return Product.objects.create(**{**defaults, **fields})


def make_order(**fields: Any) -> Order:
    """Place an order of one line with a PaymentIntent, not yet paid."""
    amount = fields.get("amount", 1099)
    defaults = {
        "visitor": secrets.token_urlsafe(16),
        "checkout": secrets.token_urlsafe(16),
        "email": "shopper@example.com",
        "amount": amount,
        "currency": "usd",
        "livemode": False,
        "payment_intent_id": f"pi_{secrets.token_hex(12)}",
    }
    order = Order.objects.create(**{**defaults, **fields})
    product = make_product(unit_amount=amount)
    OrderLine.objects.create(
        order=order, product=product, name=product.name, unit_amount=amount, quantity=1
    )
    order.record("", Order.Status.PENDING, source="shopper")
    return order


def make_intent(order: Order, **fields: Any) -> dict[str, Any]:
    """Stripe's JSON of the order's PaymentIntent, by default succeeded in full."""
    return {
        "id": order.payment_intent_id,
        "object": "payment_intent",
        "status": "succeeded",
        "amount": order.amount,
        "amount_received": order.amount,
        "currency": order.currency,
        "livemode": False,
        "metadata": {"shop": Shop.current_reference(), "order": order.number},
        "last_payment_error": None,
        "latest_charge": "ch_1",
        "client_secret": f"{order.payment_intent_id}_secret_abc",
        **fields,
    }


def make_event(type: str, object: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "type": type,
        "data": {"object": object},
        "request": {"id": None, "idempotency_key": None},
        **fields,
    }


def payment_succeeded(order: Order, **intent: Any) -> dict[str, Any]:
    return make_event("payment_intent.succeeded", make_intent(order, **intent))


def charge_succeeded(order: Order, **charge: Any) -> dict[str, Any]:
    """What tells the card: an intent names its charge by the id alone."""
    card = {"type": "card", "card": {"brand": "visa", "last4": "4242"}}
    defaults = {
        "id": "ch_1",
        "object": "charge",
        "payment_intent": order.payment_intent_id,
        "payment_method_details": card,
    }
    return make_event("charge.succeeded", {**defaults, **charge})


def deliver(client: Client, event: dict[str, Any] | bytes, **options: Any) -> Any:
    """Post the event as Stripe does: signed now, unless `secret` or `at` differ."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return client.post(
        options.get("path", "/stripe/webhook/"),
        body,
        content_type="application/json; charset=utf-8",
        headers={"Stripe-Signature": sign(body, **options)},
    )


def sign(body: bytes, **options: Any) -> str:
    return stripe.WebhookSignature.generate_signature_header(
        body.decode(errors="replace"),
        options.get("secret") or settings.STRIPE_WEBHOOK_SECRETS[0],
        timestamp=options.get("at", int(time.time())),
    )
