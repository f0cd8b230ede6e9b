"""Settle an order by what Stripe says of its PaymentIntent: where it becomes paid.

One function decides, whoever asks: inbox, status page, reconciler or operator. It
makes no call to Stripe and believes nothing a browser says.
"""

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from checkout import attention, emails, gateway
from checkout.gateway import PaymentIntent
from checkout.models import Mail, Order, Shop

logger = logging.getLogger(__name__)

LATE_MONEY = "paid after it was canceled"
NOT_CAPTURED = "authorized, not captured"


def settle(order: Order, intent: PaymentIntent, *, source: str) -> str:
    """Lock `order` and bring it to what `intent` says, as `settle_locked`."""
    with transaction.atomic():
        order.refresh_from_db(from_queryset=Order.objects.select_for_update())
        return settle_locked(order, intent, source=source)


def settle_locked(order: Order, intent: PaymentIntent, *, source: str) -> str:
    """Bring `order` to what `intent` says; any number of times, in any order.

    The transaction around it holds the order's row lock. Money that is not exactly
    this order's opens an attention item instead. Returns why a person must look, or
    an empty text.
    """
    has_money = intent.status in ("succeeded", "requires_capture")
    if wrong := _mismatch(order, intent):
        if has_money:
            _hold(order, intent, wrong)
        return wrong if has_money else ""
    if intent.status == "succeeded":
        return _become_paid(order, intent, source)
    if intent.status == "canceled":
        _become_canceled(order, source)
    elif intent.status == "processing":
        order.move_to(Order.Status.PROCESSING, source=source)
    else:
        _remain_unpaid(order, intent, source)
    return ""


def _mismatch(order: Order, intent: PaymentIntent) -> str:
    """Name the first thing that makes `intent` not this order's payment, if any."""
    if intent.livemode != order.livemode or intent.livemode != gateway.is_live():
        return "mode"
    if intent.shop != Shop.current_reference() or intent.order != order.number:
        return "order"
    if order.payment_intent_id not in (None, intent.id):
        return "PaymentIntent"
    if intent.currency != order.currency:
        return "currency"
    if intent.status == "requires_capture":
        return NOT_CAPTURED
    if intent.status == "succeeded" and intent.amount_received != order.amount:
        return "amount"
    return ""


def _become_paid(order: Order, intent: PaymentIntent, source: str) -> str:
    if order.is_paid:
        _note_charge(order, intent.charge)
        return ""
    was_canceled = order.status == Order.Status.CANCELED
    charge = intent.charge or gateway.Charge(id="")
    fields: dict[str, Any] = {
        "paid_at": timezone.now(),
        "closed_reason": "",
        "look_at": None,
        "payment_intent_id": intent.id,
        "amount_received": intent.amount_received,
    }
    # A charge whose own event came first is known better than by its id alone.
    if charge.method or not order.charge_id:
        fields["charge_id"] = charge.id
        fields["method"], fields["brand"] = charge.method, charge.brand
        fields["last4"] = charge.last4
    if was_canceled:
        # Another order may hold its checkout by now.
        fields["checkout"] = None
    order.move_to(Order.Status.PAID, source=source, **fields)
    emails.make_due(Mail.Kind.CONFIRMATION, order, about=order.number)
    if order.method:
        _confirm(order)
    if not was_canceled:
        return ""
    attention.open_item(
        attention.Kind.LATE_PAYMENT,
        intent.id,
        order,
        expected="canceled",
        received=f"{intent.amount_received} {intent.currency}",
        detail=LATE_MONEY,
    )
    return LATE_MONEY


def _confirm(order: Order) -> None:
    """Send the confirmation, which names what the order was paid with."""
    emails.send_on_commit(Mail.Kind.CONFIRMATION, about=order.number)


def _become_canceled(order: Order, source: str) -> None:
    if order.status == Order.Status.PROCESSING:
        order.move_to(Order.Status.PENDING, source=source)
    order.move_to(
        Order.Status.CANCELED,
        source=source,
        note="PaymentIntent canceled",
        closed_reason=order.closed_reason or Order.ClosedReason.FAILED,
    )


def _remain_unpaid(order: Order, intent: PaymentIntent, source: str) -> None:
    code, method = intent.decline_code, intent.declined_method
    if order.status == Order.Status.PROCESSING:
        now = timezone.now()
        order.move_to(
            Order.Status.PENDING,
            source=source,
            note=f"payment failed: {code}",
            pending_since=now,
            decline_code=code,
            declined_method=method,
        )
        emails.queue(
            Mail.Kind.PAY_AGAIN, order, about=f"{order.number} {now.isoformat()}"
        )
    elif order.status == Order.Status.PENDING:
        order.decline_code, order.declined_method = code, method
        order.save(update_fields=["decline_code", "declined_method"])


def note_charge(charge: gateway.Charge, *, intent_id: str) -> bool:
    """Note how the order of `intent_id` was paid; False if there is no such order.

    Call inside a transaction.
    """
    # Locked: whichever comes second, this or the payment, sees the other and confirms.
    locked = Order.objects.select_for_update()
    order = locked.filter(payment_intent_id=intent_id).first()
    if order is not None:
        _note_charge(order, charge)
    return order is not None


def _note_charge(order: Order, charge: gateway.Charge | None) -> None:
    if charge is None or not charge.method:
        return
    was_unknown = not order.method
    order.charge_id = charge.id
    order.method, order.brand = charge.method, charge.brand
    order.last4 = charge.last4
    order.save(update_fields=["charge_id", "method", "brand", "last4"])
    if was_unknown and order.is_paid:
        _confirm(order)


def hold_money_without_order(intent: PaymentIntent) -> None:
    """Tell the operator of money that names an order this shop does not have."""
    attention.open_item(
        attention.Kind.MONEY_WITHOUT_ORDER,
        intent.id,
        None,
        received=f"{intent.amount_received} {intent.currency}",
        detail=f"names order {intent.order}",
    )


def _hold(order: Order, intent: PaymentIntent, wrong: str) -> None:
    kind = attention.Kind.PAYMENT_MISMATCH
    if wrong == NOT_CAPTURED:
        kind = attention.Kind.NOT_CAPTURED
    attention.open_item(
        kind,
        intent.id,
        order,
        expected=f"{order.amount} {order.currency} {order.payment_intent_id or ''}",
        received=f"{intent.amount_received} {intent.currency} {intent.id}",
        detail=wrong,
    )
