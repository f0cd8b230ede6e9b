"""What Stripe reports, and what of it a person must look at."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from checkout.models.orders import Order


class StripeEvent(models.Model):
    """An authentic event, recorded once; its id decides between first and again."""

    class Outcome(models.TextChoices):
        RECEIVED = "received", _("received")
        APPLIED = "applied", _("applied")
        IGNORED = "ignored", _("ignored")
        ATTENTION = "attention", _("needs attention")
        FAILED = "failed", _("failed")

    # Outcomes after which another delivery has nothing left to do.
    DONE = [Outcome.APPLIED, Outcome.IGNORED, Outcome.ATTENTION]

    id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(max_length=100)
    created = models.DateTimeField()
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=40, blank=True)
    # What it is about, if that is a payment: an order's events are found by it.
    payment_intent_id = models.CharField(max_length=64, blank=True, db_index=True)
    payload = models.JSONField()
    # Why an attempt to pay was declined, so that the desk need not read payloads.
    decline_code = models.CharField(max_length=60, blank=True)
    received_at = models.DateTimeField(default=timezone.now, db_index=True)
    deliveries = models.PositiveIntegerField(default=0)
    outcome = models.CharField(
        max_length=10, choices=Outcome.choices, default=Outcome.RECEIVED
    )
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-received_at"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=Q(outcome="failed"),
                name="event_failed",
            ),
            models.Index(
                fields=["created"],
                condition=~Q(decline_code=""),
                name="event_declined",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Attention(models.Model):
    """Something about money that a person must look at; opened once per fact.

    `attention` has the rule by which a resolved item opens again.
    """

    class Kind(models.TextChoices):
        PAYMENT_MISMATCH = "payment_mismatch", _("Payment does not fit its order")
        MONEY_WITHOUT_ORDER = "money_without_order", _("Money without an order")
        LATE_PAYMENT = "late_payment", _("Paid after the order was canceled")
        NOT_CAPTURED = "not_captured", _("Authorized, not captured")
        PAYMENT_INTENT_MISSING = "payment_intent_missing", _("PaymentIntent not found")
        REFUND_FAILED = "refund_failed", _("Refund failed")
        REFUND_EXCESS = "refund_excess", _("More refunded than received")
        DISPUTE = "dispute", _("Dispute")
        STUCK = "stuck", _("Processing for too long")
        EARLY_FRAUD_WARNING = "early_fraud_warning", _("Early fraud warning")

    kind = models.CharField(max_length=40, choices=Kind.choices)
    # The id at Stripe it is about.
    subject = models.CharField(max_length=64)
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="attention"
    )
    expected = models.CharField(max_length=120, blank=True)
    received = models.CharField(max_length=120, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    # When the fact was last reported, to the hour.
    told_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=254, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["opened_at"]
        verbose_name = _("attention item")
        verbose_name_plural = _("attention")
        indexes = [
            models.Index(
                fields=["opened_at"],
                condition=Q(resolved_at__isnull=True),
                name="attention_open",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject", "expected", "received"],
                name="attention_once_per_fact",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None
