"""Whether the shop hears from Stripe and does its rounds, as signals with a reason.

Figures for the operator's start page; nothing here changes anything or asks Stripe.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from checkout import emails, gateway
from checkout.models import Order, Shop, StripeEvent

Level = Literal["ok", "warning", "problem"]

# A payment's event is here within seconds; Stripe's first retry takes minutes.
EVENT_PATIENCE = timedelta(minutes=5)
# The reconciler's rounds are 30 s apart.
ROUND_LATE = timedelta(minutes=2)
ROUND_MISSING = timedelta(minutes=10)
LOOK_LATE = timedelta(minutes=2)
LOOK_MISSING = timedelta(minutes=10)
MAIL_LATE = timedelta(minutes=10)
RECENT = timedelta(days=1)
# A debit may take as long from its order to its payment.
LONG_AGO = timedelta(days=30)


@dataclass(frozen=True)
class Signal:
    """One light: green, amber or red, why, and since when."""

    name: str
    level: Level
    text: str
    since: datetime | None = None


def signals() -> list[Signal]:
    """Return every light, in the order of the page."""
    return [light() for light in LIGHTS]


def _webhooks() -> Signal:
    """Red when payments went through while no event was delivered."""
    name = _("Webhooks")
    delivered = StripeEvent.objects.filter(deliveries__gt=0)
    last = delivered.values_list("received_at", flat=True).first()
    if silent_since := _first_missed(last):
        return Signal(
            name, "problem", _("Payments went through, no event came."), silent_since
        )
    if last is None:
        return Signal(name, "warning", _("No event has come yet."))
    fetched = StripeEvent.objects.filter(
        deliveries=0, received_at__gte=timezone.now() - RECENT
    )
    if missed := fetched.count():
        text = ngettext(
            "%(count)d event of the last 24 hours was fetched, not delivered.",
            "%(count)d events of the last 24 hours were fetched, not delivered.",
            missed,
        ) % {"count": missed}
        return Signal(name, "warning", text, last)
    return Signal(name, "ok", _("Last event accepted."), last)


def _first_missed(last: datetime | None) -> datetime | None:
    """When something first happened at Stripe, after `last`, that no event told."""
    now = timezone.now()
    start = last or now - LONG_AGO
    until = now - EVENT_PATIENCE
    fetched = StripeEvent.objects.filter(
        deliveries=0, received_at__gt=start, created__lt=until
    )
    moments = [fetched.aggregate(first=Min("created"))["first"]]
    # An event is received a moment before the order it pays.
    paid_from = start + timedelta(minutes=1)
    # While events come, there is nothing between them and now to look through.
    if paid_from < until:
        paid = Order.objects.filter(
            status=Order.Status.PAID,
            placed_at__gt=start - LONG_AGO,
            paid_at__gt=paid_from,
            paid_at__lt=until,
        )
        moments.append(paid.aggregate(first=Min("paid_at"))["first"])
    return min((moment for moment in moments if moment), default=None)


def _failed_events() -> Signal:
    name = _("Failed events")
    failed = StripeEvent.objects.filter(outcome=StripeEvent.Outcome.FAILED)
    moments = failed.order_by("received_at").values_list("received_at", flat=True)
    if first := moments.first():
        count = moments.count()
        text = ngettext(
            "%(count)d event could not be applied.",
            "%(count)d events could not be applied.",
            count,
        ) % {"count": count}
        return Signal(name, "problem", text, first)
    return Signal(name, "ok", _("Every event was applied."))


def _confirming() -> Signal:
    """The order whose look-up at Stripe is overdue the longest."""
    name = _("Orders being confirmed")
    due = Order.objects.due().filter(status__in=Order.UNFINISHED)
    oldest = due.values_list("look_at", flat=True).first()
    if oldest is None:
        return Signal(name, "ok", _("None is waiting for an answer."))
    level = _by_age(oldest, LOOK_LATE, LOOK_MISSING)
    if level == "ok":
        return Signal(name, level, _("None has waited for long."))
    return Signal(name, level, _("The oldest still waits for Stripe’s answer."), oldest)


def _reconciler() -> Signal:
    name = _("Reconciler")
    last = Shop.current().reconciled_at
    if last is None:
        return Signal(name, "problem", _("No round has succeeded yet."))
    level = _by_age(last, ROUND_LATE, ROUND_MISSING)
    text = _("Last round finished.") if level == "ok" else _("No round since.")
    return Signal(name, level, text, last)


def _mails() -> Signal:
    name = _("Mail")
    oldest = emails.due().values_list("queued_at", flat=True).first()
    if oldest is None or oldest > timezone.now() - MAIL_LATE:
        return Signal(name, "ok", _("None is waiting."))
    return Signal(name, "problem", _("The mail server takes none."), oldest)


def _mode() -> Signal:
    where = _("the sandbox") if gateway.is_sandbox() else _("Stripe")
    if gateway.is_live():
        text = _("Live, at %(where)s: real money.")
    else:
        text = _("Test, at %(where)s: no real money.")
    level: Level = "ok" if gateway.is_live() else "warning"
    return Signal(_("Mode"), level, text % {"where": where})


LIGHTS: list[Callable[[], Signal]] = [
    _webhooks,
    _failed_events,
    _confirming,
    _reconciler,
    _mails,
    _mode,
]


def _by_age(moment: datetime, late: timedelta, missing: timedelta) -> Level:
    age = timezone.now() - moment
    if age > missing:
        return "problem"
    return "warning" if age > late else "ok"
