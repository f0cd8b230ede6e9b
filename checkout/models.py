"""What the shop stores; what must never be false is a constraint here.

An order is frozen when it is placed: no row of it but its state changes afterwards.
`Order.move_to` is the only way to change `Order.status`, and `payments` its only
caller.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Case, Q, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from checkout.users import User

__all__ = [
    "Attention", "Dispute", "Mail", "Order", "OrderHistory", "OrderLine", "Product",
    "Refund", "Shop", "StripeEvent", "User",
]  # fmt: skip

# Crockford's base 32: no letter that reads like a digit.
NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_number() -> str:
    """Return a random order number of 80 bits, readable over the telephone."""
    return "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(16))


def new_token() -> str:
    """Return 192 random bits for a link that is its own permission."""
    return secrets.token_urlsafe(24)


class Shop(models.Model):
    """One row: the random name that marks this database's PaymentIntents as ours.

    It also remembers how far the reconciler has come.
    """

    reference = models.CharField(max_length=32, default=new_token)
    events_read_to = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.reference

    @classmethod
    def current(cls) -> "Shop":
        """Return the row, made on first use."""
        return cls.objects.get_or_create(pk=1)[0]

    @classmethod
    def current_reference(cls) -> str:
        """Return this database's reference."""
        return cls.current().reference


class ProductQuerySet(models.QuerySet["Product"]):
    def on_sale(self) -> "ProductQuerySet":
        """Select what the shop shows and sells, in its order."""
        return self.filter(active=True, currency=settings.CURRENCY)


class Product(models.Model):
    """Something on sale. Orders copy its name and price when they are placed."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=300, blank=True)
    unit_amount = models.PositiveIntegerField(
        _("unit amount"),
        validators=[MinValueValidator(1)],
        help_text=_("In the currency's smallest unit: 1099 is 10.99 USD or 1099 JPY."),
    )
    currency = models.CharField(_("currency"), max_length=3, default="usd")
    picture = models.CharField(_("picture"), max_length=100, blank=True)
    active = models.BooleanField(_("on sale"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            models.CheckConstraint(
                condition=Q(unit_amount__gt=0), name="product_has_a_price"
            )
        ]

    def __str__(self) -> str:
        return self.name


class OrderQuerySet(models.QuerySet["Order"]):
    def holding(self, checkout: str) -> "Order | None":
        """Return the order that occupies `checkout`, if there is one."""
        return self.filter(checkout=checkout, status__in=Order.OCCUPYING).first()

    def of(self, user: User | None, *, visitor: str) -> "OrderQuerySet":
        """Select a signed-in user's orders, or those a browser placed as a guest."""
        if user is not None:
            return self.filter(user=user)
        return self.filter(visitor=visitor, user=None)

    def around(
        self, checkout: str, *, user: User | None, visitor: str
    ) -> "OrderQuerySet":
        """Select the newest orders of a shopper and whichever holds the checkout."""
        holding = self.filter(checkout=checkout, status__in=Order.OCCUPYING)
        first = Case(When(checkout=checkout, then=0), default=1)
        found = self.of(user, visitor=visitor) | holding
        return found.order_by(first, "-placed_at").prefetch_related("lines")[:20]

    def claim(self, user: User, *, visitor: str) -> int:
        """Give a browser's guest orders to the user who signed in there."""
        return self.filter(visitor=visitor, user=None).update(user=user)

    def due(self) -> "OrderQuerySet":
        """Select the orders whose PaymentIntent should be looked up now."""
        return self.filter(
            payment_intent_id__isnull=False, look_at__lte=timezone.now()
        ).order_by("look_at")


class Order(models.Model):
    """What somebody wants to buy, frozen, and how far its payment has come."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting for payment")
        PROCESSING = "processing", _("Payment processing")
        PAID = "paid", _("Paid")
        CANCELED = "canceled", _("Canceled")

    class ClosedReason(models.TextChoices):
        EXPIRED = "expired", _("expired")
        REPLACED = "replaced", _("replaced by another cart")
        OPERATOR = "operator", _("closed by the operator")
        FAILED = "failed", _("payment could not be started")

    # What an order must be now to become each status; nothing else can happen.
    ALLOWED_FROM = {
        Status.PENDING: [Status.PROCESSING],
        Status.PROCESSING: [Status.PENDING],
        Status.PAID: [Status.PENDING, Status.PROCESSING, Status.CANCELED],
        Status.CANCELED: [Status.PENDING],
    }
    UNFINISHED = [Status.PENDING, Status.PROCESSING]
    OCCUPYING = [Status.PENDING, Status.PROCESSING, Status.PAID]

    number = models.CharField(max_length=16, unique=True, default=new_number)
    token = models.CharField(max_length=43, unique=True, default=new_token)
    visitor = models.CharField(max_length=43, db_index=True)
    checkout = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="orders"
    )
    email = models.EmailField()
    # Scheme and host the shopper came by: where links in mails lead.
    origin = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10, default="en")
    currency = models.CharField(max_length=3)
    amount = models.PositiveIntegerField()
    livemode = models.BooleanField()

    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.PENDING
    )
    pending_since = models.DateTimeField(default=timezone.now)
    look_at = models.DateTimeField(null=True, blank=True)
    closed_reason = models.CharField(
        max_length=10, choices=ClosedReason.choices, blank=True
    )

    payment_intent_id = models.CharField(
        max_length=64, null=True, blank=True, unique=True
    )
    charge_id = models.CharField(max_length=64, blank=True)
    method = models.CharField(max_length=40, blank=True)
    brand = models.CharField(max_length=40, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    amount_received = models.PositiveIntegerField(default=0)
    amount_refunded = models.PositiveIntegerField(default=0)
    decline_code = models.CharField(max_length=60, blank=True)

    placed_at = models.DateTimeField(default=timezone.now, db_index=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at", "-pk"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [("refund_order", "Can refund order")]
        indexes = [
            models.Index(
                fields=["charge_id"],
                condition=~Q(charge_id=""),
                name="order_by_charge",
            ),
            models.Index(
                fields=["look_at"],
                condition=Q(look_at__isnull=False),
                name="order_to_look_at",
            ),
            models.Index(
                fields=["pending_since"],
                condition=Q(status__in=["pending", "processing"]),
                name="order_unfinished",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["checkout"],
                condition=Q(status__in=["pending", "processing", "paid"]),
                name="one_order_per_checkout",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="order_has_an_amount"
            ),
            models.CheckConstraint(
                condition=~Q(status="paid")
                | Q(
                    paid_at__isnull=False,
                    payment_intent_id__isnull=False,
                    amount_received=models.F("amount"),
                ),
                name="paid_means_paid",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("order", args=[self.token])

    def belongs_to(self, user: User | None, *, visitor: str) -> bool:
        """Whether this shopper may see it in a list; its link is another matter."""
        if user is not None:
            return self.user_id == user.pk
        return self.user_id is None and self.visitor == visitor

    @property
    def is_paid(self) -> bool:
        return self.status == self.Status.PAID

    @property
    def is_spent(self) -> bool:
        """Whether its checkout is used up: paid, or money is on its way."""
        return self.status in (self.Status.PAID, self.Status.PROCESSING)

    @property
    def is_unpaid(self) -> bool:
        """Whether a shopper could still pay it."""
        return self.status == self.Status.PENDING

    def move_to(
        self, status: Status, *, source: str, note: str = "", **fields: Any
    ) -> bool:
        """Move to `status` and write history; False if the stored row has moved on.

        One UPDATE decides: the row must still have the status and the PaymentIntent
        this object knows, so of two concurrent callers exactly one gets True. After
        False the object is as the row is now.
        """
        if self.status not in self.ALLOWED_FROM[status]:
            return False
        row = Order.objects.filter(
            pk=self.pk, status=self.status, payment_intent_id=self.payment_intent_id
        )
        changes = {"status": status, **fields}
        with transaction.atomic():
            if row.update(**changes) != 1:
                self.refresh_from_db()
                return False
            self.record(self.status, status, source=source, note=note)
        for name, value in changes.items():
            setattr(self, name, value)
        return True

    def record(
        self, from_status: str, to_status: str, *, source: str, note: str = ""
    ) -> None:
        """Add a row to the order's history."""
        OrderHistory.objects.create(
            order=self,
            from_status=from_status,
            to_status=to_status,
            source=source,
            note=note,
        )


class OrderLine(models.Model):
    """One product of an order, with its name and price of that moment."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    unit_amount = models.PositiveIntegerField()
    quantity = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "product"], name="product_once_per_order"
            ),
            models.CheckConstraint(
                condition=Q(unit_amount__gt=0, quantity__gte=1, quantity__lte=99),
                name="line_has_price_and_quantity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def amount(self) -> int:
        """Price times quantity in smallest units."""
        return self.unit_amount * self.quantity


class OrderHistory(models.Model):
    """Every transition of an order: from, to, when, and who or which event."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="history")
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10, choices=Order.Status.choices)
    source = models.CharField(max_length=100)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("order history")
        verbose_name_plural = _("order history")

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status} ({self.source})"


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
            )
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

    OVER = ["won", "lost", "warning_closed", "prevented"]

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
