"""Orders: frozen when they are placed, and how far their payment has come.

`Order.move_to` is the only way to change `Order.status`; `payments` and `settlement`
are its only callers.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from checkout.models.catalogue import Product
from checkout.models.names import new_number, new_token
from checkout.models.statements import insert, select, update
from checkout.users import User

logger = logging.getLogger(__name__)


HOLDING = "checkout = %s AND status IN (%s, %s, %s)"
# The order of this checkout first: it is what the payment form is about.
AROUND = f"""
WHERE {{mine}} OR {HOLDING}
ORDER BY CASE WHEN checkout = %s THEN 0 ELSE 1 END, placed_at DESC LIMIT 20
"""


class OrderQuerySet(models.QuerySet["Order"]):
    def of(self, user: User | None, *, visitor: str) -> "OrderQuerySet":
        """Select a signed-in user's orders, or those a browser placed as a guest."""
        if user is not None:
            return self.filter(user=user)
        return self.filter(visitor=visitor, user=None)

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
        DECLINED = "declined", _("declined too often")

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
    # How the last attempt failed, and what it was made with.
    decline_code = models.CharField(max_length=60, blank=True)
    # A shop of the last release, which may still run, knows no such column.
    declined_method = models.CharField(
        max_length=40, blank=True, default="", db_default=""
    )

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

    @classmethod
    def holding(cls, checkout: str) -> "Order | None":
        """Return the order that occupies `checkout`, if there is one."""
        found = select(cls, f"WHERE {HOLDING}", [checkout, *cls.OCCUPYING])
        return found[0] if found else None

    @classmethod
    def around(
        cls, checkout: str, *, user: User | None, visitor: str, **more: str
    ) -> list["Order"]:
        """Return a shopper's newest orders and whichever holds `checkout`, with lines.

        Each has what the SQL of `more` says of it.
        """
        mine = "user_id = %s" if user else "visitor = %s AND user_id IS NULL"
        whose = user.pk if user else visitor
        values = [whose, checkout, *cls.OCCUPYING, checkout]
        found = select(cls, AROUND.format(mine=mine), values, **more)
        keys = [order.pk for order in found]
        lines = OrderLine.of(keys) if keys else []
        for order in found:
            # As `prefetch_related` leaves them.
            own = [line for line in lines if line.order_id == order.pk]
            vars(order)["_prefetched_objects_cache"] = {"lines": own}
        return found

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
        known = {
            "id": self.pk,
            "status": self.status,
            "payment_intent_id": self.payment_intent_id,
        }
        changes = {"status": status, **fields}
        with transaction.atomic(savepoint=False):
            if update(Order, changes, where=known) != 1:
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
        row = OrderHistory(
            order=self,
            from_status=from_status,
            to_status=to_status,
            source=source,
            note=note,
        )
        insert(row)
        # An operator's name is an e-mail address: the line's `actor` is their id.
        who = "operator" if "@" in source else source
        became = f"{to_status} ({note})" if note else to_status
        written = (self.number, from_status or "new", became, who)
        tell = partial(logger.info, "Order %s: %s → %s by %s", *written)
        transaction.on_commit(partial(tell, extra={"order": self.number}))


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

    @classmethod
    def of(cls, orders: Sequence[int]) -> list["OrderLine"]:
        """Return the lines of these orders."""
        places = ", ".join(["%s"] * len(orders))
        return select(cls, f"WHERE order_id IN ({places}) ORDER BY id", orders)

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
