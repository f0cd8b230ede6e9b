"""All that happened to one order, by whom, in the order it happened.

Its history, the events about its payment, its mails, what a person had to look at and
what operators did; read only, each kind by one query.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _

from checkout.inbox import EVENT_TYPES
from checkout.models import Attention, Order, StripeEvent

# What history writes for those who are no operator and no event.
ACTORS = {"shopper", "status check", "reconcile"}


@dataclass(frozen=True)
class Entry:
    """One thing that happened; `kind` is a word for its mark on the page.

    The `note` is as it was kept: in English, in smallest units.
    """

    at: datetime
    kind: str
    who: str
    text: str = ""
    note: str = ""
    event: str = ""
    # Whether it is an event of a type that this shop has no use for.
    is_unused: bool = False


def of(order: Order) -> list[Entry]:
    """Return the order's timeline, oldest first."""
    entries = [
        *_history(order),
        *_events(order),
        *_mails(order),
        *_attention(order),
        *_acts(order),
    ]
    return sorted(entries, key=lambda entry: entry.at)


def actor(source: str) -> str:
    """Name who stands behind a source of history, as people say it."""
    names = {
        "shopper": _("Shopper"),
        "status check": _("Status check"),
        "reconcile": _("Reconciler"),
    }
    if source.startswith("evt_"):
        return _("Webhook")
    return names.get(source, source)


def _history(order: Order) -> Iterator[Entry]:
    names = dict(Order.Status.choices)
    for row in order.history.all():
        has_moved = row.from_status != row.to_status
        yield Entry(
            at=row.at,
            kind=_kind(row.source),
            who=actor(row.source),
            text=str(names.get(row.to_status, row.to_status)) if has_moved else "",
            note=row.note,
            event=row.source if row.source.startswith("evt_") else "",
        )


def _kind(source: str) -> str:
    if source.startswith("evt_"):
        return "event"
    return source.replace(" ", "-") if source in ACTORS else "operator"


def _events(order: Order) -> Iterator[Entry]:
    if not order.payment_intent_id:
        return
    rows = StripeEvent.objects.filter(payment_intent_id=order.payment_intent_id)
    names = dict(StripeEvent.Outcome.choices)
    for row in rows.defer("payload"):
        yield Entry(
            at=row.received_at,
            kind="event",
            who=_("Webhook") if row.deliveries else _("Fetched from Stripe"),
            text=f"{row.type}: {names.get(row.outcome, row.outcome)}",
            note=row.reason,
            event=row.pk,
            is_unused=row.type not in EVENT_TYPES,
        )


def _mails(order: Order) -> Iterator[Entry]:
    for mail in order.mails.all():
        kind = mail.get_kind_display()
        yield Entry(mail.queued_at, "mail", _("Mail"), _("“%s” is to be sent") % kind)
        if mail.sent_at:
            yield Entry(mail.sent_at, "mail", _("Mail"), _("“%s” was sent") % kind)


def _attention(order: Order) -> Iterator[Entry]:
    for item in order.attention.all():
        what = item.get_kind_display()
        yield Entry(item.opened_at, "attention", _("Needs attention"), what)
        if item.resolved_at:
            yield Entry(
                item.resolved_at,
                "attention",
                item.resolved_by or _("Settled by itself"),
                _("Resolved: %(what)s") % {"what": what},
                note=item.note,
            )


def _acts(order: Order) -> Iterator[Entry]:
    """What operators did in the admin; what moved the order is history as well."""
    for row in acts_on(order):
        note = row.get_change_message()
        yield Entry(row.action_time, "operator", str(row.user), note=note)


def acts_on(thing: Order | Attention | StripeEvent) -> Any:
    """Select the admin's log about one row."""
    content_type = ContentType.objects.get_for_model(type(thing))
    return LogEntry.objects.filter(
        content_type=content_type, object_id=str(thing.pk)
    ).select_related("user")
