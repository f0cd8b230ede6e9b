"""What the templates of the operator's desk ask for."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from checkout import charts, figures, health
from checkout.admin import showing, terms
from checkout.admin.attention import with_deadline
from checkout.admin.showing import money_text
from checkout.models import Attention, User

register = template.Library()

MOST_ATTENTION = 20


@register.simple_tag
def health_strip() -> list[health.Signal]:
    """Return the lights: do we hear from Stripe, are the rounds done."""
    return health.signals()


@register.simple_tag
def open_attention() -> dict[str, Any]:
    """Return what needs a person, oldest first, and how much there is in all."""
    items = with_deadline(Attention.objects.filter(resolved_at__isnull=True))
    shown = list(items.select_related("order")[: MOST_ATTENTION + 1])
    return {"items": shown[:MOST_ATTENTION], "more": len(shown) > MOST_ATTENTION}


@register.simple_tag
def attention_count(user: User | AnonymousUser) -> int:
    """Return how many things need a person, if this one may see them."""
    if not user.has_perm("checkout.view_attention"):
        return 0
    return Attention.objects.filter(resolved_at__isnull=True).count()


@register.simple_tag
def sales() -> dict[str, Any]:
    """Return today, thirty days, and their charts."""
    days = figures.by_day()
    dates = [date_format(day.date, "j M") for day in days]
    orders = [
        f"{date}: {day.placed} / {day.paid}"
        for date, day in zip(dates, days, strict=True)
    ]
    currency = settings.CURRENCY
    revenue = [
        f"{date}: {money_text(day.revenue, currency)}"
        + (f" − {money_text(day.refunded, currency)}" if day.refunded else "")
        for date, day in zip(dates, days, strict=True)
    ]
    declines = figures.declines()
    return {
        "currency": currency,
        "today": figures.total(days[-1:]),
        "month": figures.total(days),
        "days": days,
        "first": dates[0],
        "last": dates[-1],
        "orders": charts.bars(
            [day.placed for day in days], orders, parts=[day.paid for day in days]
        ),
        "revenue": charts.bars(
            [day.revenue for day in days], revenue, parts=[d.refunded for d in days]
        ),
        "declines": declines,
        "most_declines": max([count for _code, count in declines], default=1),
    }


register.filter("in_words", showing.in_words)
register.filter("moment", showing.moment)
register.filter("term", terms.term)


@register.filter
def ago(at: datetime) -> str:
    """Say how long ago a moment was, to the minute."""
    if timezone.now() - at < timedelta(minutes=1):
        return _("just now")
    return _("%(age)s ago") % {"age": timesince(at)}


@register.filter
def moment_and_seconds(at: datetime) -> str:
    """Show a moment where seconds tell what came first."""
    return showing.moment(at, seconds=True)
