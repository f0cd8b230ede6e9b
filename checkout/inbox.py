"""Record an event once, apply it once: what Stripe says by webhook or by list.

`succeeded` and `canceled` are final and are applied from the event. The order in
which other events arrive proves nothing, so they only commit a to-do: the
PaymentIntent is looked up soon, and what it says then is applied.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from checkout import disputes, gateway, refunds, settlement
from checkout.models import Order, Shop, StripeEvent
from checkout.models.statements import for_update, insert, select

logger = logging.getLogger(__name__)

Result = tuple[StripeEvent.Outcome, str]

APPLIED: Result = (StripeEvent.Outcome.APPLIED, "")
DONE = [done.value for done in StripeEvent.DONE]
FOREIGN: Result = (StripeEvent.Outcome.IGNORED, "not of this shop")
# What an authentic payload of an unexpected shape, or the database, can raise.
FAILURES = (DatabaseError, LookupError, TypeError, ValueError, AttributeError)


def receive(event: gateway.Event, *, deliveries: int = 1) -> bool:
    """Record `event` and apply it unless that was done before.

    `deliveries` is 0 for an event that was read from Stripe's list.
    False if it could not be applied now: it is kept as failed with the reason, and
    the next delivery or a replay tries again.
    """
    if _count_again(event, deliveries):
        return True
    try:
        with transaction.atomic():
            outcome = _record(event, deliveries, _apply(event))
    except FAILURES as error:
        logger.exception(
            "Event %s (%s) could not be applied",
            event.id,
            event.type,
            extra={"event": event.id},
        )
        reason = f"{type(error).__name__}: {error}"[:200]
        failed = StripeEvent.Outcome.FAILED, reason
        outcome = _record(event, deliveries, failed)
    return outcome in StripeEvent.DONE


def replay(event: gateway.Event) -> bool:
    """Apply a recorded event once more, even one that was applied; as `receive`.

    Harmless by design: whatever an event says may be said any number of times.
    """
    known = StripeEvent.objects.filter(pk=event.id)
    known.update(outcome=StripeEvent.Outcome.RECEIVED)
    return receive(event, deliveries=0)


COUNT_AGAIN = """
UPDATE checkout_stripeevent SET deliveries = deliveries + %s
WHERE id = %s AND outcome IN (%s, %s, %s)
"""


def _count_again(event: gateway.Event, deliveries: int) -> bool:
    """Count another delivery of an event that was done; False if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_AGAIN, [deliveries, event.id, *DONE])
        counted: int = cursor.rowcount
    return counted == 1


# What a copy at the same time has done already stands.
OR_COUNT_AGAIN = """
ON CONFLICT (id) DO UPDATE SET
deliveries = checkout_stripeevent.deliveries + excluded.deliveries,
outcome = CASE WHEN checkout_stripeevent.outcome IN (%s, %s, %s)
THEN checkout_stripeevent.outcome ELSE excluded.outcome END,
reason = CASE WHEN checkout_stripeevent.outcome IN (%s, %s, %s)
THEN checkout_stripeevent.reason ELSE excluded.reason END
RETURNING outcome
"""


def _record(event: gateway.Event, deliveries: int, result: Result) -> str:
    """Insert or count `event`, and return the outcome that it has now.

    Last in its transaction: of two copies at once, the second has waited for what the
    first did where that is decided, on the order's row or on a unique constraint, and
    found nothing left to do.
    """
    row = _row(event, deliveries, result)
    returned = insert(row, then=OR_COUNT_AGAIN, values=[*DONE, *DONE])
    outcome: str = returned[0][0]
    if row.outcome == StripeEvent.Outcome.IGNORED:
        logger.info(
            "Event %s (%s) ignored: %s",
            event.id,
            event.type,
            row.reason,
            extra={"event": event.id},
        )
    return outcome


def _apply(event: gateway.Event) -> Result:
    handler = HANDLERS.get(event.type)
    if handler is None:
        return StripeEvent.Outcome.IGNORED, "type not used"
    if event.livemode != gateway.is_live():
        return StripeEvent.Outcome.IGNORED, "other mode"
    return handler(event)


def _intent_is_final(event: gateway.Event) -> Result:
    intent = gateway.PaymentIntent.from_stripe(event.object)
    order = _order_of(intent)
    if order is None:
        return _without_order(intent)
    return _result(settlement.settle_locked(order, intent, source=event.id))


def _intent_moved(event: gateway.Event) -> Result:
    intent = gateway.PaymentIntent.from_stripe(event.object)
    order = _order_of(intent)
    if order is None:
        return _without_order(intent)
    unfinished = Order.objects.filter(pk=order.pk, status__in=Order.UNFINISHED)
    unfinished.update(look_at=timezone.now())
    return APPLIED


def _charge_succeeded(event: gateway.Event) -> Result:
    charge = gateway.read_charge(event.object)
    intent_id = event.object["payment_intent"] or ""
    known = charge and settlement.note_charge(charge, intent_id=intent_id)
    return APPLIED if known else FOREIGN


def _charge_refunded(event: gateway.Event) -> Result:
    """Its refunds are not in it: they come as events of their own, or are looked up."""
    intent_id = event.object["payment_intent"]
    order = Order.objects.filter(payment_intent_id=intent_id).first()
    if not intent_id or order is None:
        return FOREIGN
    if event.object["amount_refunded"] != order.amount_refunded:
        Order.objects.filter(pk=order.pk).update(look_at=timezone.now())
    return APPLIED


def _refund_changed(event: gateway.Event) -> Result:
    reported = gateway.Refund.from_stripe(event.object)
    return _result(refunds.record(reported, source=event.id))


def _dispute_changed(event: gateway.Event) -> Result:
    reported = gateway.Dispute.from_stripe(event.object)
    return _result(disputes.record(reported, as_of=event.created, source=event.id))


def _fraud_warned(event: gateway.Event) -> Result:
    warning = gateway.FraudWarning.from_stripe(event.object)
    return _result(disputes.record_warning(warning))


def _result(held: str | None) -> Result:
    if held is None:
        return FOREIGN
    return (StripeEvent.Outcome.ATTENTION, held[:200]) if held else APPLIED


HANDLERS: dict[str, Callable[[gateway.Event], Result]] = {
    "payment_intent.succeeded": _intent_is_final,
    "payment_intent.canceled": _intent_is_final,
    "payment_intent.processing": _intent_moved,
    "payment_intent.payment_failed": _intent_moved,
    "charge.succeeded": _charge_succeeded,
    "charge.refunded": _charge_refunded,
    "refund.created": _refund_changed,
    "refund.updated": _refund_changed,
    "refund.failed": _refund_changed,
    "charge.dispute.created": _dispute_changed,
    "charge.dispute.updated": _dispute_changed,
    "charge.dispute.closed": _dispute_changed,
    "radar.early_fraud_warning.created": _fraud_warned,
}
# What the webhook endpoint must be subscribed to.
EVENT_TYPES = tuple(HANDLERS)


def _order_of(intent: gateway.PaymentIntent) -> Order | None:
    """Lock the order the intent is stored on, else the one it names if it is ours."""
    lock = for_update()
    found = select(Order, f"WHERE payment_intent_id = %s {lock}", [str(intent.id)])
    if not found and intent.shop == Shop.current_reference():
        found = select(Order, f"WHERE number = %s {lock}", [str(intent.order)])
    return found[0] if found else None


def _without_order(intent: gateway.PaymentIntent) -> Result:
    if intent.shop != Shop.current_reference():
        return FOREIGN
    if not intent.amount_received:
        return StripeEvent.Outcome.IGNORED, "no such order, no money"
    settlement.hold_money_without_order(intent)
    return StripeEvent.Outcome.ATTENTION, "money without an order"


def _row(event: gateway.Event, deliveries: int, result: Result) -> StripeEvent:
    outcome, reason = result
    return StripeEvent(
        deliveries=deliveries,
        outcome=outcome,
        reason=reason,
        id=event.id,
        type=event.type,
        created=datetime.fromtimestamp(event.created, UTC),
        livemode=event.livemode,
        api_version=event.api_version[:40],
        payment_intent_id=_storable(_intent_id(event.object))[:64],
        payload=_storable(event.payload),
        decline_code=_storable(_decline_code(event))[:60],
    )


def _decline_code(event: gateway.Event) -> str:
    if event.type != "payment_intent.payment_failed":
        return ""
    return gateway.read_decline_code(event.object)


def _intent_id(thing: Mapping[str, Any]) -> str:
    is_intent = thing.get("object") == "payment_intent"
    found = thing.get("id" if is_intent else "payment_intent")
    return found if isinstance(found, str) else ""


def _storable(node: Any) -> Any:
    """Copy JSON without client secrets and without what PostgreSQL cannot store."""
    if isinstance(node, str):
        if node.isprintable():
            return node
        return node.replace("\0", "").encode(errors="replace").decode()
    if isinstance(node, dict):
        return {
            _storable(key): _storable(value)
            for key, value in node.items()
            if key != "client_secret"
        }
    if isinstance(node, list):
        return [_storable(part) for part in node]
    return node
