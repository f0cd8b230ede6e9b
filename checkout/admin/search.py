"""Find orders by whatever an operator has at hand, and narrow a list of them."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from checkout.inbox import EVENT_TYPES
from checkout.models import Attention, Dispute, Order, OrderHistory, StripeEvent

# An order's whole number: found by its index alone.
NUMBER = re.compile("[0-9A-HJKMNP-TV-Z]{16}")

Choices = list[tuple[str, Any]]


def find(orders: QuerySet[Order], words: str) -> QuerySet[Order]:
    """Narrow `orders` by a number, a mail, last four digits or an id of Stripe's.

    An id may come as the address of a page of Stripe's Dashboard.
    """
    term = words.strip().rstrip("/").rpartition("/")[2]
    prefix, is_id, _rest = term.partition("_")
    if is_id and prefix in BY_ID:
        return orders.filter(BY_ID[prefix](term))
    if "@" in term:
        return orders.filter(email__icontains=term)
    if term.isdigit() and len(term) == 4:
        return orders.filter(Q(last4=term) | Q(number__startswith=term))
    number = term.replace(" ", "").replace("-", "").upper()
    if NUMBER.fullmatch(number):
        return orders.filter(number=number)
    return orders.filter(Q(number__startswith=number) | Q(email__icontains=term))


def _by_intent(term: str) -> Q:
    return Q(payment_intent_id=term) | _by_subject(term)


def _by_charge(term: str) -> Q:
    return Q(charge_id=term)


def _by_event(term: str) -> Q:
    event = StripeEvent.objects.filter(pk=term).first()
    if event is not None and event.payment_intent_id:
        return Q(payment_intent_id=event.payment_intent_id)
    told = OrderHistory.objects.filter(source=term)
    return Q(pk__in=list(told.values_list("order", flat=True)))


def _by_refund(term: str) -> Q:
    return Q(refunds__stripe_id=term)


def _by_dispute(term: str) -> Q:
    return Q(disputes__stripe_id=term)


def _by_subject(term: str) -> Q:
    about = Attention.objects.filter(subject=term, order__isnull=False)
    return Q(pk__in=list(about.values_list("order", flat=True)))


BY_ID = {
    "pi": _by_intent,
    "ch": _by_charge,
    "py": _by_charge,
    "evt": _by_event,
    "re": _by_refund,
    "pyr": _by_refund,
    "dp": _by_dispute,
    "du": _by_dispute,
    "issfr": _by_subject,
}

OPEN_ATTENTION = Exists(
    Attention.objects.filter(order=OuterRef("pk"), resolved_at__isnull=True)
)
DISPUTES = Dispute.objects.filter(order=OuterRef("pk"))
OPEN_DISPUTE = Exists(DISPUTES.exclude(status__in=Dispute.OVER))
LOST = Dispute.objects.filter(status=Dispute.LOST).order_by()
# How much of an order its bank has given back; null for none.
CHARGED_BACK = Subquery(
    LOST.filter(order=OuterRef("pk"))
    .values("order")
    .annotate(sum=Sum("amount"))
    .values("sum")
)
# The orders of which the bank has given back everything.
WHOLLY_CHARGED_BACK = (
    LOST.values("order")
    .annotate(sum=Sum("amount"))
    .filter(sum__gte=F("order__amount_received"))
    .values("order")
)


def _titled(kind: Any, title: Any) -> Any:
    """Return Django's filter of this kind under a title: a field's name is English."""

    class Titled(kind):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled


PeriodFilter = _titled(admin.DateFieldListFilter, _("period"))
OutcomeFilter = _titled(admin.ChoicesFieldListFilter, _("outcome"))
KindFilter = _titled(admin.ChoicesFieldListFilter, _("kind"))


class StatusFilter(admin.SimpleListFilter):
    """By the state that the list shows, which a lost dispute changes."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [*Order.Status.choices, ("charged_back", _("Returned by the bank"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> QuerySet[Order]:
        match self.value():
            case None:
                return queryset
            case "charged_back":
                return queryset.filter(pk__in=WHOLLY_CHARGED_BACK)
            case Order.Status.PAID:
                paid = queryset.filter(status=Order.Status.PAID)
                return paid.exclude(pk__in=WHOLLY_CHARGED_BACK)
        return queryset.filter(status=self.value())


class AttentionFilter(admin.SimpleListFilter):
    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("open", _("Needs attention"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> QuerySet[Order]:
        return queryset.filter(OPEN_ATTENTION) if self.value() else queryset


class DisputeFilter(admin.SimpleListFilter):
    title = _("dispute")
    parameter_name = "dispute"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("open", _("Open dispute")), ("any", _("Ever disputed"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> QuerySet[Order]:
        conditions = {"open": OPEN_DISPUTE, "any": Exists(DISPUTES)}
        condition = conditions.get(self.value() or "")
        return queryset.filter(condition) if condition is not None else queryset


class RefundFilter(admin.SimpleListFilter):
    title = _("refund")
    parameter_name = "refund"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("part", _("Refunded in part")), ("full", _("Refunded in full"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> QuerySet[Order]:
        refunded = queryset.filter(amount_refunded__gt=0)
        if self.value() == "part":
            return refunded.filter(amount_refunded__lt=F("amount_received"))
        if self.value() == "full":
            return refunded.filter(amount_refunded__gte=F("amount_received"))
        return queryset


class ModeFilter(admin.SimpleListFilter):
    title = _("mode")
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("live", _("Live")), ("test", _("Test"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Order]
    ) -> QuerySet[Order]:
        if self.value() not in ("live", "test"):
            return queryset
        return queryset.filter(livemode=self.value() == "live")


class EventTypeFilter(admin.SimpleListFilter):
    """By the types the shop asks for: what else came would take a scan to list."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        # Where there is no room for a whole name, it breaks between its parts.
        return [(name, SafeString(name.replace(".", ".<wbr>"))) for name in EVENT_TYPES]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[StripeEvent]
    ) -> QuerySet[StripeEvent]:
        return queryset.filter(type=self.value()) if self.value() else queryset
