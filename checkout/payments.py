"""Place an order, start its payment, settle it, close it: the money path.

Every line that can make an order paid stands here. No call to Stripe is made inside
a transaction, and nothing a browser says decides price, owner or state.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from checkout import emails, gateway
from checkout.cart import Cart, InvalidCart
from checkout.gateway import PaymentIntent
from checkout.models import Attention, Order, OrderLine, Shop, User

logger = logging.getLogger(__name__)

# How long the status page waits for the webhook before it asks Stripe itself, and
# how long between two questions about one order.
WAIT_FOR_EVENT = timedelta(seconds=8)
LOOK_AGAIN_AFTER = timedelta(seconds=4)
# Stripe may forget an idempotency key after 24 h; past this one is not sent again.
KEY_LIFETIME = timedelta(hours=23)
# What a PaymentIntent is while its client secret can still pay it.
PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
# A request that keeps losing races against other tabs gives up after so many turns.
TURNS = 4
LATE_MONEY = "paid after it was canceled"


class AlreadyPaid(Exception):
    """This checkout has led to an order that is paid, or on its way."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.number)
        self.order = order


class PaymentRefused(Exception):
    """Stripe will not take this order; it is closed."""


class NotYours(InvalidCart):
    """The checkout belongs to another browser."""


class OrderClosed(Exception):
    """The order was closed before its client secret could be handed out."""


@dataclass(frozen=True)
class Buyer:
    """Who buys, from which browser, in which checkout."""

    visitor: str
    checkout: str
    email: str
    language: str
    origin: str
    user: User | None = None


@dataclass(frozen=True)
class StartedPayment:
    """An order and, unless it turned out paid or processing, its client secret."""

    order: Order
    is_new: bool
    client_secret: str | None


# --- Place --------------------------------------------------------------------------


def pay(cart: Cart, buyer: Buyer) -> StartedPayment:
    """Return the checkout's order for `cart`, placed if need be, ready to be paid.

    Raises AlreadyPaid, NotYours, PaymentRefused and gateway.Unavailable; after the
    last one the order is kept and the same call is safe to repeat.
    """
    for _turn in range(TURNS):
        with suppress(OrderClosed):
            order, is_new = _place_or_find(cart, buyer)
            if is_new or _holds(order, cart, buyer):
                return StartedPayment(order, is_new, start(order))
            close(order, reason=Order.ClosedReason.REPLACED, source="shopper")
    raise gateway.Unavailable("the order kept changing under this request")


def pay_again(order: Order) -> StartedPayment:
    """Return `order`, still unpaid, ready to be paid from its own page.

    Raises AlreadyPaid, OrderClosed, PaymentRefused and gateway.Unavailable.
    """
    if order.is_spent:
        raise AlreadyPaid(order)
    if order.status == Order.Status.CANCELED:
        raise OrderClosed
    return StartedPayment(order, is_new=False, client_secret=start(order))


def refuse_spent_checkout(buyer: Buyer) -> None:
    """Raise AlreadyPaid if the checkout has led to a paid or processing order."""
    order = Order.objects.holding(buyer.checkout)
    if order is not None and order.visitor == buyer.visitor and order.is_spent:
        raise AlreadyPaid(order)


def _place_or_find(cart: Cart, buyer: Buyer) -> tuple[Order, bool]:
    """Place the order, or return the pending one that holds the checkout.

    The unique constraint decides between two at once; the loser finds the winner's.
    """
    order = Order.objects.holding(buyer.checkout)
    if order is None:
        try:
            return _place(cart, buyer), True
        except IntegrityError as error:
            order = Order.objects.holding(buyer.checkout)
            if order is None:
                raise OrderClosed from error
    if order.visitor != buyer.visitor:
        raise NotYours(_("This page is out of date. Please reload it."))
    if order.status != Order.Status.PENDING:
        raise AlreadyPaid(order)
    return order, False


@transaction.atomic
def _place(cart: Cart, buyer: Buyer) -> Order:
    order = Order(
        visitor=buyer.visitor,
        checkout=buyer.checkout,
        user=buyer.user,
        email=buyer.email,
        origin=buyer.origin,
        language=buyer.language,
        currency=cart.currency,
        amount=cart.amount,
        livemode=gateway.is_live(),
    )
    order.save(force_insert=True)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=line.product,
            name=line.product.name,
            unit_amount=line.product.unit_amount,
            quantity=line.quantity,
        )
        for line in cart.lines
    )
    order.record("", Order.Status.PENDING, source="shopper")
    return order


def _holds(order: Order, cart: Cart, buyer: Buyer) -> bool:
    """Whether `order` is exactly this cart for this buyer."""
    held = {
        (line.product_id, line.name, line.unit_amount, line.quantity)
        for line in order.lines.all()
    }
    wanted = {
        (line.product.pk, line.product.name, line.product.unit_amount, line.quantity)
        for line in cart.lines
    }
    return (
        held == wanted
        and order.email == buyer.email
        and (order.amount, order.currency) == (cart.amount, cart.currency)
    )


# --- Start --------------------------------------------------------------------------


def start(order: Order) -> str | None:
    """Return the client secret with which the browser may confirm `order`.

    None when its PaymentIntent turns out to have been paid or to be processing: then
    the order has been settled. An order has one PaymentIntent, made under one key and
    never replaced. Raises OrderClosed, PaymentRefused and gateway.Unavailable.
    """
    intent_id = order.payment_intent_id
    intent = _retrieve(order, intent_id) if intent_id else _create(order)
    if intent.status not in PAYABLE:
        settle(order, intent, source="status check")
        if order.status == Order.Status.PENDING:
            raise gateway.Unavailable("the PaymentIntent is held for the operator")
    elif (intent.amount, intent.currency) != (order.amount, order.currency):
        # Edited at Stripe: whoever pays it would pay something else.
        close(order, reason=Order.ClosedReason.FAILED, source="status check")
    if order.status == Order.Status.CANCELED:
        raise OrderClosed
    if order.status != Order.Status.PENDING:
        return None
    # The next poll of the status page starts the wait for this attempt's event.
    Order.objects.filter(pk=order.pk).update(look_at=None)
    return intent.client_secret


def _create(order: Order) -> PaymentIntent:
    if order.placed_at < timezone.now() - KEY_LIFETIME:
        _give_up(order, note="idempotency key too old")
        raise OrderClosed
    try:
        intent = gateway.create_payment_intent(
            amount=order.amount,
            currency=order.currency,
            shop=Shop.current_reference(),
            order=order.number,
        )
    except gateway.KeySpent as error:
        _give_up(order, note="idempotency key spent")
        raise OrderClosed from error
    except gateway.Refused as error:
        _give_up(order, note=f"Stripe refused: {error.code or 'no code'}")
        logger.error("Order %s could not be started: %s", order.number, error)
        raise PaymentRefused from error
    unstarted = Order.objects.filter(
        pk=order.pk, status=Order.Status.PENDING, payment_intent_id__isnull=True
    )
    unstarted.update(payment_intent_id=intent.id)
    order.refresh_from_db()
    if order.payment_intent_id != intent.id:
        # Closed meanwhile. The secret has left for nobody, so nobody can pay it.
        raise OrderClosed
    return intent


def _give_up(order: Order, *, note: str) -> None:
    """Close an order that can never have an intent; its cart may be placed anew."""
    order.move_to(
        Order.Status.CANCELED,
        source="shopper",
        note=note,
        closed_reason=Order.ClosedReason.FAILED,
    )


def _retrieve(order: Order, intent_id: str) -> PaymentIntent:
    try:
        return gateway.retrieve_payment_intent(intent_id)
    except gateway.Refused as error:
        # Its payment may exist somewhere this key cannot see: never close it.
        _open_attention(
            "payment_intent_missing",
            intent_id,
            order,
            received=error.code,
        )
        raise gateway.Unavailable("the order's PaymentIntent is missing") from error


# --- Settle -------------------------------------------------------------------------


def settle(order: Order, intent: PaymentIntent, *, source: str) -> str:
    """Bring `order` to what `intent` says, whoever asks and however often.

    The one place where an order becomes paid. Money that is not exactly this order's
    opens an attention item instead; returns why, or an empty text.
    """
    with transaction.atomic():
        locked = Order.objects.select_for_update().get(pk=order.pk)
        held = _apply(locked, intent, source)
    order.refresh_from_db()
    return held


def _apply(order: Order, intent: PaymentIntent, source: str) -> str:
    wrong = _mismatch(order, intent)
    if not wrong and intent.status == "requires_capture":
        wrong = "authorized, not captured"
    if wrong:
        if intent.amount_received or intent.status == "requires_capture":
            _hold(order, intent, wrong)
            return wrong
        return ""
    if intent.status == "succeeded":
        return _become_paid(order, intent, source)
    if intent.status == "canceled":
        order.move_to(
            Order.Status.CANCELED,
            source=source,
            note="PaymentIntent canceled",
            closed_reason=Order.ClosedReason.FAILED,
        )
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
    if intent.status == "succeeded" and intent.amount_received != order.amount:
        return "amount"
    return ""


def _become_paid(order: Order, intent: PaymentIntent, source: str) -> str:
    if order.is_paid:
        _describe(order, intent.charge)
        return ""
    was_canceled = order.status == Order.Status.CANCELED
    charge = intent.charge or gateway.Charge(id="")
    fields: dict[str, Any] = {
        "paid_at": timezone.now(),
        "payment_intent_id": intent.id,
        "amount_received": intent.amount_received,
        "charge_id": charge.id,
        "method": charge.method or order.method,
        "brand": charge.brand or order.brand,
        "last4": charge.last4 or order.last4,
    }
    if was_canceled:
        # Another order may hold its checkout by now.
        fields["checkout"] = None
    order.move_to(Order.Status.PAID, source=source, **fields)
    transaction.on_commit(partial(emails.confirm_soon, order))
    if not was_canceled:
        return ""
    _hold(order, intent, LATE_MONEY)
    return LATE_MONEY


def _remain_unpaid(order: Order, intent: PaymentIntent, source: str) -> None:
    code = intent.decline_code
    if order.status == Order.Status.PROCESSING:
        order.move_to(
            Order.Status.PENDING,
            source=source,
            note=f"payment failed: {code}",
            pending_since=timezone.now(),
            decline_code=code,
        )
    elif order.status == Order.Status.PENDING:
        Order.objects.filter(pk=order.pk).update(look_at=None, decline_code=code)


def describe(charge: gateway.Charge, *, intent_id: str) -> bool:
    """Note how the order of `intent_id` was paid; False if there is no such order."""
    order = Order.objects.filter(payment_intent_id=intent_id).first()
    if order is not None:
        _describe(order, charge)
    return order is not None


def _describe(order: Order, charge: gateway.Charge | None) -> None:
    if charge is not None and charge.method:
        Order.objects.filter(pk=order.pk).update(
            charge_id=charge.id,
            method=charge.method,
            brand=charge.brand,
            last4=charge.last4,
        )


def _hold(order: Order, intent: PaymentIntent, wrong: str) -> None:
    _open_attention(
        "payment_mismatch",
        intent.id,
        order,
        expected=f"{order.amount} {order.currency} {order.payment_intent_id or ''}",
        received=f"{intent.amount_received} {intent.currency} {intent.id}",
        detail=wrong,
    )


def hold_money_without_order(intent: PaymentIntent) -> None:
    """Tell the operator of money that names an order this shop does not have."""
    _open_attention(
        "money_without_order",
        intent.id,
        None,
        received=f"{intent.amount_received} {intent.currency}",
        detail=f"names order {intent.order}"[:300],
    )


def _open_attention(kind: str, subject: str, order: Order | None, **texts: str) -> None:
    """Open an attention item unless the same one is open already."""
    Attention.objects.bulk_create(
        [Attention(kind=kind, subject=subject, order=order, **texts)],
        ignore_conflicts=True,
    )
    logger.error("Attention: %s %s %s", kind, subject, texts)


# --- Look up and close --------------------------------------------------------------


def look_up(order: Order, *, source: str) -> None:
    """Ask Stripe how the order's PaymentIntent is now, and settle by the answer."""
    if order.payment_intent_id:
        settle(order, _retrieve(order, order.payment_intent_id), source=source)


def look_up_when_overdue(order: Order) -> None:
    """Look the order up if its event has not come in time, at most every few seconds.

    The first call only starts the wait. Raises gateway.Unavailable.
    """
    if not order.payment_intent_id or order.status not in Order.UNFINISHED:
        return
    now = timezone.now()
    row = Order.objects.filter(pk=order.pk, status__in=Order.UNFINISHED)
    if row.filter(look_at__isnull=True).update(look_at=now + WAIT_FOR_EVENT):
        return
    if row.filter(look_at__lte=now).update(look_at=now + LOOK_AGAIN_AFTER):
        look_up(order, source="status check")


def close(order: Order, *, reason: Order.ClosedReason, source: str) -> None:
    """Cancel the PaymentIntent at Stripe, then the order here.

    If it was paid meanwhile, or is processing, the order is settled instead: look at
    its status afterwards. If its intent was stored meanwhile, nothing happens and the
    order is still pending. Raises gateway.Unavailable.
    """
    if order.payment_intent_id:
        try:
            intent = gateway.cancel_payment_intent(order.payment_intent_id)
        except (gateway.UnexpectedState, gateway.Refused):
            intent = _retrieve(order, order.payment_intent_id)
        if intent.status != "canceled":
            settle(order, intent, source=source)
            return
    order.move_to(Order.Status.CANCELED, source=source, closed_reason=reason)
