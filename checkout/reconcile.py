"""Heal what webhooks left undone; safe to run in several copies at once."""

import logging

from django.utils import timezone

from checkout import emails, gateway, payments
from checkout.models import Order

BATCH = 100

logger = logging.getLogger(__name__)


def run() -> list[str]:
    """Do everything that is due; return a line for each thing that changed."""
    return [*look_up_orders(), *send_confirmations()]


def send_confirmations() -> list[str]:
    """Send the confirmations that nobody has sent."""
    abandoned = timezone.now() - emails.CLAIM_LASTS
    due = Order.objects.unconfirmed(abandoned).order_by("paid_at")[:BATCH]
    return [
        f"{order.number}: confirmation sent"
        for order in due
        if emails.send_confirmation(order)
    ]


def look_up_orders() -> list[str]:
    """Look up every order that is due at Stripe and settle it."""
    changes = []
    for order in Order.objects.due()[:BATCH]:
        before = order.status
        try:
            with gateway.deadline(gateway.DEADLINE_SECONDS):
                payments.look_up(order, source="reconcile")
        except gateway.StripeError as error:
            logger.warning("Order %s could not be looked up: %s", order.number, error)
            continue
        if order.status != before:
            changes.append(f"{order.number}: {before} → {order.status}")
    return changes
