"""What was sold: today and the last thirty days, by day, in the shop's currency.

An order counts on the day it was placed, whenever it is paid; a refund on the day it
was asked for, a lost dispute on the day it was lost. Only orders of the mode the shop
is in count.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from checkout import gateway
from checkout.models import Dispute, Order, Refund, StripeEvent

DAYS = 30
MOST_DECLINES = 6


@dataclass(frozen=True)
class Day:
    """One day's orders; amounts in smallest units."""

    date: date
    placed: int = 0
    paid: int = 0
    revenue: int = 0
    refunded: int = 0
    charged_back: int = 0


@dataclass(frozen=True)
class Totals:
    """Several days together."""

    placed: int
    paid: int
    revenue: int
    refunded: int
    charged_back: int

    @property
    def conversion(self) -> int | None:
        """Percent of the placed orders that were paid; None when there are none."""
        return round(100 * self.paid / self.placed) if self.placed else None


def by_day() -> list[Day]:
    """Return the last thirty days, today last, in the shop's currency."""
    start = _start()
    orders = {row["day"]: row for row in _orders(start)}
    refunds = {row["day"]: row["refunded"] for row in _refunds(start)}
    lost = {row["day"]: row["lost"] for row in _lost_disputes(start)}
    days = [start.date() + timedelta(days=count) for count in range(DAYS)]
    nothing = {"placed": 0, "paid": 0, "revenue": None}
    return [
        Day(
            date=day,
            placed=orders.get(day, nothing)["placed"],
            paid=orders.get(day, nothing)["paid"],
            revenue=orders.get(day, nothing)["revenue"] or 0,
            refunded=refunds.get(day) or 0,
            charged_back=lost.get(day) or 0,
        )
        for day in days
    ]


def total(days: list[Day]) -> Totals:
    """Add days up."""
    return Totals(
        placed=sum(day.placed for day in days),
        paid=sum(day.paid for day in days),
        revenue=sum(day.revenue for day in days),
        refunded=sum(day.refunded for day in days),
        charged_back=sum(day.charged_back for day in days),
    )


def declines() -> list[tuple[str, int]]:
    """Return how many attempts to pay were declined by code, most frequent first.

    Each attempt is one event of this shop, on the day Stripe says it happened.
    """
    declined = StripeEvent.objects.filter(
        created__gte=_start(),
        livemode=gateway.is_live(),
        outcome=StripeEvent.Outcome.APPLIED,
    ).exclude(decline_code="")
    counted = declined.order_by().values_list("decline_code").annotate(n=Count("pk"))
    return [
        (code, count)
        for code, count in counted.order_by("-n", "decline_code")[:MOST_DECLINES]
    ]


def _start() -> datetime:
    """Midnight, thirty days including today ago."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=DAYS - 1)


def _of_this_mode(start: datetime) -> Any:
    return Order.objects.filter(
        placed_at__gte=start, livemode=gateway.is_live(), currency=settings.CURRENCY
    )


def _orders(start: datetime) -> Any:
    paid = Q(status=Order.Status.PAID)
    rows = _of_this_mode(start).order_by().values(day=TruncDate("placed_at"))
    return rows.annotate(
        placed=Count("pk"),
        paid=Count("pk", filter=paid),
        revenue=Sum("amount_received", filter=paid),
    )


def _refunds(start: datetime) -> Any:
    refunds = Refund.objects.filter(
        asked_at__gte=start,
        status__in=Refund.AT_STRIPE,
        order__livemode=gateway.is_live(),
        order__currency=settings.CURRENCY,
    )
    rows = refunds.order_by().values(day=TruncDate("asked_at"))
    return rows.annotate(refunded=Sum("amount"))


def _lost_disputes(start: datetime) -> Any:
    disputes = Dispute.objects.filter(
        as_of__gte=start,
        status=Dispute.LOST,
        currency=settings.CURRENCY,
        order__livemode=gateway.is_live(),
    )
    rows = disputes.order_by().values(day=TruncDate("as_of"))
    return rows.annotate(lost=Sum("amount"))
