"""Heal what webhooks left undone: lost events, stuck orders, orphans, mails.

Every change is a conditional UPDATE or goes through `settlement`, `refunds` and the
inbox, so several copies may run at once and a round may be repeated at any time. One
failure of Stripe ends a step, not the round.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from django.utils import timezone

from checkout import (
    attention,
    emails,
    gateway,
    inbox,
    limits,
    payments,
    refunds,
    settlement,
)
from checkout.models import Mail, Order, OrderQuerySet, Refund, Shop, StripeEvent

BATCH = 100
ORDER_LIFETIME = timedelta(hours=24)
# Bank debits are told within days; beyond this a person should ask.
PROCESSING_LIFETIME = timedelta(days=14)
# A page of a list may be a little out of date: look this far behind the last one.
OVERLAP = timedelta(minutes=5)
# Stripe keeps events for 30 days.
OLDEST_EVENT = timedelta(days=29)
KEEP_EVENTS = timedelta(days=35)
# Time for the request that asked for a refund to hear its answer.
REFUND_PATIENCE = timedelta(seconds=30)
SOURCE = "reconcile"

T = TypeVar("T")


class NotDone(str):
    """A line about what Stripe kept from being done; the next round tries again."""

    __slots__ = ()


def run() -> Iterator[str]:
    """Do everything that is due; yield a line for each thing that changed or failed."""
    began = timezone.now()
    is_complete = True
    for step in STEPS:
        try:
            yield from step()
        except gateway.StripeError as error:
            is_complete = False
            yield NotDone(f"{step.__name__}: {error}")
    if is_complete:
        Shop.objects.update(reconciled_at=began)


def read_events() -> Iterator[str]:
    """Bring events that no webhook brought through the inbox, oldest first."""
    now = timezone.now()
    since = now - OLDEST_EVENT
    if read_to := Shop.current().events_read_to:
        since = max(since, read_to - OVERLAP)
    listed = list(gateway.list_events(created_from=since, types=inbox.EVENT_TYPES))
    for batch in _batches(reversed(listed)):
        known = StripeEvent.objects.filter(outcome__in=StripeEvent.DONE)
        done = set(
            known.filter(pk__in=[event.id for event in batch]).values_list(
                "pk", flat=True
            )
        )
        for event in batch:
            if event.id not in done:
                inbox.receive(event, deliveries=0)
                yield f"event {event.id}: {event.type} was not delivered"
    Shop.objects.update(events_read_to=now)


def look_up_due_orders() -> Iterator[str]:
    """Look up the orders that an event or a page asked to look at."""
    for order in _orders().due()[:BATCH]:
        yield from _changed(order, lambda o: payments.look_up(o, source=SOURCE))


def sweep_intents() -> Iterator[str]:
    """Compare the PaymentIntents of all unfinished orders, and find orphans."""
    unfinished = _orders().filter(status__in=Order.UNFINISHED)
    oldest = unfinished.order_by("placed_at").values_list("placed_at", flat=True)[:1]
    shop = Shop.current()
    # An orphan has no unfinished order: look as far back as none was looked for.
    swept = shop.reconciled_at or timezone.now() - OLDEST_EVENT
    since = min([*oldest, swept]) - OVERLAP
    listed = gateway.list_payment_intents(created_from=since)
    failure: gateway.StripeError | None = None
    for batch in _batches(intent for intent in listed if intent.shop == shop.reference):
        numbers = [intent.order for intent in batch]
        orders = Order.objects.in_bulk(numbers, field_name="number")
        for intent in batch:
            try:
                yield from _compare(orders.get(intent.order), intent)
            except gateway.StripeError as error:
                failure = error
    if failure is not None:
        raise failure


def expire_orders() -> Iterator[str]:
    """Close pending orders at the end of their lifetime, at Stripe first."""
    too_old = timezone.now() - ORDER_LIFETIME
    pending = _orders().filter(status=Order.Status.PENDING, pending_since__lte=too_old)
    for order in pending.order_by("pending_since")[:BATCH]:
        yield from _changed(
            order,
            lambda o: payments.close(
                o, reason=Order.ClosedReason.EXPIRED, source=SOURCE
            ),
        )


def report_stuck_orders() -> Iterator[str]:
    """Tell the operator of payments the bank never decided."""
    stuck = Order.objects.filter(
        status=Order.Status.PROCESSING,
        pending_since__lte=timezone.now() - PROCESSING_LIFETIME,
    )
    for order in stuck.exclude(attention__kind=attention.Kind.STUCK)[:BATCH]:
        subject = order.payment_intent_id or order.number
        attention.open_item(attention.Kind.STUCK, subject, order)
        yield f"{order.number}: still processing, the operator is told"


def finish_refunds() -> Iterator[str]:
    """Send or look for the refunds that have no answer yet."""
    waiting = Refund.objects.filter(
        status=Refund.Status.ASKED, asked_at__lte=timezone.now() - REFUND_PATIENCE
    )
    for refund in waiting.select_related("order")[:BATCH]:
        try:
            refunds.carry_out(refund)
        except gateway.StripeError as error:
            yield NotDone(f"refund {refund.number}: {error}")
            continue
        refund.refresh_from_db()
        yield f"refund {refund.number}: {refund.status}"


def send_mails() -> Iterator[str]:
    """Send the mails that nobody has sent."""
    for mail in emails.due().select_related("order")[:BATCH]:
        if emails.send(mail):
            yield f"mail sent: {Mail.Kind(mail.kind).value} of {mail.order.number}"


def prune_events() -> Iterator[str]:
    """Forget events Stripe has forgotten too: none of them can come again."""
    old = StripeEvent.objects.filter(received_at__lt=timezone.now() - KEEP_EVENTS)
    if count := old.delete()[0]:
        yield f"{count} old events forgotten"


def prune_limits() -> Iterator[str]:
    """Forget counters of windows that are over: they limit nobody any more."""
    limits.forget_old()
    yield from ()


STEPS: list[Callable[[], Iterator[str]]] = [
    read_events,
    look_up_due_orders,
    sweep_intents,
    expire_orders,
    report_stuck_orders,
    finish_refunds,
    send_mails,
    prune_events,
    prune_limits,
]

# What the status of an intent makes of its order; a list may be stale, so a
# difference is only a reason to look it up.
EXPECTED = {
    "succeeded": [Order.Status.PAID],
    "canceled": [Order.Status.CANCELED],
    "processing": [Order.Status.PROCESSING, Order.Status.PAID],
    "requires_capture": [],
}


def _orders() -> OrderQuerySet:
    """The orders of this mode: a test key knows nothing of live payments."""
    return Order.objects.filter(livemode=gateway.is_live())


def _compare(order: Order | None, intent: gateway.PaymentIntent) -> Iterator[str]:
    if order is not None and order.payment_intent_id == intent.id:
        expected = EXPECTED.get(intent.status, [Order.Status.PENDING])
        if order.status not in expected or payments.is_edited(order, intent):
            yield from _changed(order, lambda o: payments.look_up(o, source=SOURCE))
    elif order is not None and payments.adopt(order, intent.id):
        yield f"{order.number}: PaymentIntent {intent.id} stored"
    else:
        yield from _clear_orphan(order, intent)


def _clear_orphan(order: Order | None, intent: gateway.PaymentIntent) -> Iterator[str]:
    """An intent that is no order's: nobody may pay it; if somebody did, tell."""
    if intent.status in payments.PAYABLE:
        gateway.cancel_payment_intent(intent.id)
        yield f"orphan {intent.id}: canceled"
    elif intent.status == "succeeded" and order is not None:
        settlement.settle(order, intent, source=SOURCE)
    elif intent.status == "succeeded":
        settlement.hold_money_without_order(intent)


def _changed(order: Order, act: Callable[[Order], None]) -> Iterator[str]:
    """Act on an order within the deadline; yield what became of its status."""
    before = order.status
    try:
        with gateway.deadline(gateway.DEADLINE_SECONDS):
            act(order)
    except gateway.StripeError as error:
        yield NotDone(f"{order.number}: {error}")
    if order.status != before:
        yield f"{order.number}: {before} → {order.status}"


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
