"""Compare every order with Stripe and with itself; change nothing."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from checkout import gateway, payments
from checkout.models import Attention, Order, Refund, Shop

BATCH = 500
MARGIN = timedelta(hours=1)


def disagreements() -> Iterator[str]:
    """Yield each disagreement once, as a sentence that names the order.

    Raises gateway.Unavailable when Stripe does not answer.
    """
    oldest = Order.objects.order_by("placed_at").first()
    if oldest is None:
        return
    by_id: dict[str, gateway.PaymentIntent] = {}
    by_order = defaultdict(list)
    reference = Shop.current_reference()
    for intent in gateway.list_payment_intents(created_from=oldest.placed_at - MARGIN):
        by_id[intent.id] = intent
        if intent.shop == reference:
            by_order[intent.order].append(intent)
    orders = Order.objects.prefetch_related("lines", "history", "refunds", "attention")
    for order in orders.order_by("pk").iterator(chunk_size=BATCH):
        is_of_this_mode = order.livemode == gateway.is_live()
        if not is_of_this_mode and order.payment_intent_id not in by_id:
            continue
        for problem in [
            *_with_itself(order),
            *_with_its_intent(order, by_id.get(order.payment_intent_id or "")),
            *_with_other_intents(order, by_order.pop(order.number, [])),
        ]:
            yield f"order {order.number}: {problem}"
    told = set(Attention.objects.values_list("subject", flat=True))
    for intent in (left for rest in by_order.values() for left in rest):
        if intent.status != "canceled" and intent.id not in told:
            yield f"{intent.id}: {intent.status}, names no order of this shop"


def _with_itself(order: Order) -> Iterator[str]:
    lines = sum(line.amount for line in order.lines.all())
    if lines != order.amount:
        yield f"its lines add up to {lines}, its amount is {order.amount}"
    history = list(order.history.all())
    if not history or history[-1].to_status != order.status:
        yield f"it is {order.status}, its history does not end so"
    broken = any(
        later.from_status != earlier.to_status for earlier, later in pairwise(history)
    )
    if broken:
        yield "its history has a gap"
    counted = [r.amount for r in order.refunds.all() if r.status in Refund.AT_STRIPE]
    if sum(counted) != order.amount_refunded:
        yield f"its refunds add up to {sum(counted)}, not {order.amount_refunded}"


def _with_its_intent(
    order: Order, intent: gateway.PaymentIntent | None
) -> Iterator[str]:
    if intent is None:
        if order.payment_intent_id:
            yield f"Stripe does not know its {order.payment_intent_id}"
        elif order.is_paid:
            yield "it is paid without a PaymentIntent"
        return
    if _is_held(order, intent):
        return
    if (intent.shop, intent.order) != (Shop.current_reference(), order.number):
        yield f"its {intent.id} names another order"
    asked = (intent.amount, intent.currency)
    if intent.status != "canceled" and asked != (order.amount, order.currency):
        yield f"its {intent.id} is about {intent.amount} {intent.currency}"
    if intent.livemode != order.livemode:
        yield f"its {intent.id} is of the other mode"
    if order.is_paid and intent.status != "succeeded":
        yield f"it is paid, its {intent.id} is {intent.status}"
    if order.is_paid and intent.amount_received != order.amount_received:
        yield f"Stripe received {intent.amount_received}, not {order.amount_received}"
    if not order.is_paid and intent.status == "succeeded":
        yield f"it is {order.status}, its {intent.id} has succeeded"
    if order.status == Order.Status.CANCELED and intent.status in payments.PAYABLE:
        yield f"it is canceled, its {intent.id} can still be paid"
    if order.status == Order.Status.PENDING and intent.status == "canceled":
        yield f"it is pending, its {intent.id} is canceled"
    refunded = intent.charge.amount_refunded if intent.charge else 0
    if order.is_paid and refunded != order.amount_refunded:
        yield f"Stripe refunded {refunded}, not {order.amount_refunded}"


def _with_other_intents(
    order: Order, named: list[gateway.PaymentIntent]
) -> Iterator[str]:
    for intent in named:
        if intent.id == order.payment_intent_id or _is_held(order, intent):
            continue
        if intent.status in ("succeeded", "processing"):
            yield f"another PaymentIntent of it is {intent.status}: {intent.id}"
        elif intent.status in payments.PAYABLE:
            yield f"another PaymentIntent of it can be paid: {intent.id}"


def _is_held(order: Order, intent: gateway.PaymentIntent) -> bool:
    """Whether the operator has been told of this intent already."""
    return any(item.subject == intent.id for item in order.attention.all())
