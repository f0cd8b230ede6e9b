"""What follows a payment: refunds, disputes, mails."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from checkout.models.names import new_number
from checkout.models.orders import Order


class Refund(models.Model):
    """Money on its way back: asked for here, or reported by Stripe."""

    class Status(models.TextChoices):
        ASKED = "asked", _("asked for")
        PENDING = "pending", _("pending")
        REQUIRES_ACTION = "requires_action", _("waiting for the shopper")
        SUCCEEDED = "succeeded", _("done")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")

    class Reason(models.TextChoices):
        REQUESTED_BY_CUSTOMER = "requested_by_customer", _("Asked for by the customer")
        DUPLICATE = "duplicate", _("Duplicate")
        FRAUDULENT = "fraudulent", _("Fraudulent")

    # A refund only moves to a higher rank: reports of it come in any order.
    RANK = {
        Status.ASKED: 0,
        Status.PENDING: 1,
        Status.REQUIRES_ACTION: 1,
        Status.SUCCEEDED: 2,
        Status.FAILED: 3,
        Status.CANCELED: 3,
    }
    GIVEN_UP = [Status.FAILED, Status.CANCELED]
    AT_STRIPE = [Status.PENDING, Status.REQUIRES_ACTION, Status.SUCCEEDED]

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    number = models.CharField(max_length=16, unique=True, default=new_number)
    stripe_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    amount = models.PositiveIntegerField()
    reason = models.CharField(max_length=30, choices=Reason.choices, blank=True)
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.ASKED
    )
    failure_reason = models.CharField(max_length=60, blank=True)
    source = models.CharField(max_length=100)
    asked_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=Q(status="asked"),
                name="refund_without_answer",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="refund_has_an_amount"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["pending", "requires_action", "succeeded"])
                | Q(stripe_id__isnull=False),
                name="refund_at_stripe_has_its_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.get_status_display()})"


class Dispute(models.Model):
    """A shopper's objection at the bank, or an inquiry before one."""

    LOST = "lost"
    OVER = ["won", LOST, "warning_closed", "prevented"]

    stripe_id = models.CharField(max_length=64, unique=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="disputes")
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=60)
    status = models.CharField(max_length=40)
    due_by = models.DateTimeField(null=True, blank=True)
    # When Stripe says the status was so: an older event does not bring it back.
    as_of = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")

    def __str__(self) -> str:
        return f"{self.stripe_id} ({self.status})"

    @property
    def is_open(self) -> bool:
        return self.status not in self.OVER


class Mail(models.Model):
    """A mail that is due, written in the transaction that makes it due."""

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation", _("confirmation")
        PAY_AGAIN = "pay_again", _("payment failed, pay again")
        REFUND = "refund", _("refund")
        REFUND_FAILED = "refund_failed", _("refund failed")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="mails")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    # With the kind, what makes two mails the same mail.
    about = models.CharField(max_length=64)
    queued_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes = [
            models.Index(
                fields=["queued_at"], condition=Q(sent_at__isnull=True), name="mail_due"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["kind", "about"], name="mail_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}"
