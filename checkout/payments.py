"""Place an order, start its payment, look it up, close it.

No call to Stripe is made inside a transaction, and nothing a browser says decides
price, owner or state. What an answer of Stripe does to an order is in `settlement`.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Case, When
from django.utils import timezone
from django.utils.translation import gettext as _

from checkout import attention, gateway, limits, refunds
from checkout.cart import Cart, InvalidCart
from checkout.gateway import PaymentIntent
from checkout.models import Order, OrderLine, Shop, StripeEvent, User
from checkout.models.statements import insert, update
from checkout.settlement import settle

logger = logging.getLogger(__name__)

# How long the status page waits for the webhook before it asks Stripe itself, and
# how long between two questions about one order.
WAIT_FOR_EVENT = timedelta(seconds=8)
LOOK_AGAIN_AFTER = timedelta(seconds=4)
# Stripe may forget an idempotency key after 24 h; past this one is not sent again.
KEY_LIFETIME = timedelta(hours=23)
# What a PaymentIntent is while its client secret can still pay it.
PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
# So many failed payments close an order: nobody tries card after card on it.
MOST_FAILURES = 5
# A request that keeps losing races against other tabs gives up after so many turns.
TURNS = 4


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


class DeclinedTooOften(Exception):
    """So many payments of the order failed that it was closed; the cart may stay."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.number)
        self.order = order


@dataclass(frozen=True)
class Buyer:
    """Who buys, from which browser, in which checkout."""

    visitor: str
    checkout: str
    email: str
    language: str
    origin: str
    address: str
    user: User | None = None


@dataclass(frozen=True)
class StartedPayment:
    """An order and, unless it turned out paid or processing, its client secret."""

    order: Order
    is_new: bool
    client_secret: str | None


# --- Place --------------------------------------------------------------------------


def find(buyer: Buyer) -> Order | None:
    """Return the order that holds the checkout, if there is one.

    Raises AlreadyPaid if it is this browser's and paid or processing.
    """
    order = Order.holding(buyer.checkout)
    if order is not None and order.visitor == buyer.visitor and order.is_spent:
        limits.repeat(visitor=buyer.visitor, address=buyer.address)
        raise AlreadyPaid(order)
    return order


def pay(cart: Cart, buyer: Buyer, found: Order | None) -> StartedPayment:
    """Return the checkout's order for `cart`, placed if need be, ready to be paid.

    `found` is what `find` returned. Raises AlreadyPaid, NotYours, DeclinedTooOften,
    PaymentRefused, limits.TooMany and gateway.Unavailable; after the last one the order
    is kept and the same call is safe to repeat.
    """
    for _turn in range(TURNS):
        with suppress(OrderClosed):
            order, is_new = _place_or_take(cart, buyer, found)
            if is_new or _holds(order, cart, buyer):
                return StartedPayment(order, is_new, start(order))
            close(order, reason=Order.ClosedReason.REPLACED, source="shopper")
        found = Order.holding(buyer.checkout)
    raise gateway.Unavailable("the order kept changing under this request")


def pay_again(order: Order) -> StartedPayment:
    """Return `order`, still unpaid, ready to be paid from its own page.

    Raises AlreadyPaid, OrderClosed, DeclinedTooOften, PaymentRefused and
    gateway.Unavailable.
    """
    if order.is_spent:
        raise AlreadyPaid(order)
    if order.status == Order.Status.CANCELED:
        raise OrderClosed
    return StartedPayment(order, is_new=False, client_secret=start(order))


def _place_or_take(cart: Cart, buyer: Buyer, order: Order | None) -> tuple[Order, bool]:
    """Place the order, or return the pending one that holds the checkout.

    The unique constraint decides between two at once; the loser finds the winner's.
    """
    if order is None:
        try:
            return _place(cart, buyer), True
        except IntegrityError as error:
            order = Order.holding(buyer.checkout)
            if order is None:
                raise OrderClosed from error
    limits.repeat(visitor=buyer.visitor, address=buyer.address)
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
    [[order.pk]] = insert(order, then="RETURNING id")
    lines = [
        OrderLine(
            order=order,
            product=line.product,
            name=line.product.name,
            unit_amount=line.product.unit_amount,
            quantity=line.quantity,
        )
        for line in cart.lines
    ]
    insert(*lines)
    order.record("", Order.Status.PENDING, source="shopper")
    # Last, so that only orders count: losers of a race are gone, and what is over the
    # limit is undone.
    limits.place(visitor=buyer.visitor, address=buyer.address)
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
    never replaced. Raises OrderClosed, DeclinedTooOften, PaymentRefused and
    gateway.Unavailable.
    """
    intent_id = order.payment_intent_id
    intent = _retrieve(order, intent_id) if intent_id else _create(order)
    if intent.status not in PAYABLE:
        settle(order, intent, source="status check")
    elif is_edited(order, intent):
        close(order, reason=Order.ClosedReason.FAILED, source="status check")
    elif intent_id and has_failed_too_often(order):
        close(order, reason=Order.ClosedReason.DECLINED, source="status check")
    elif order.is_unpaid:
        _forget_last_attempt(order)
        return intent.client_secret
    if order.status == Order.Status.CANCELED:
        if order.closed_reason == Order.ClosedReason.DECLINED:
            raise DeclinedTooOften(order)
        raise OrderClosed
    if order.is_unpaid:
        raise gateway.Unavailable("the PaymentIntent could not be settled or closed")
    return None


def _forget_last_attempt(order: Order) -> None:
    """Let the next poll of the status page start the wait for a new attempt's event.

    The last attempt's decline is not this one's. An event that came meanwhile keeps
    its to-do.
    """
    if order.look_at or order.decline_code:
        asked = When(look_at=order.look_at, then=None)
        Order.objects.filter(pk=order.pk).update(
            look_at=Case(asked, default="look_at"), decline_code=""
        )


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
    if adopt(order, intent.id):
        order.payment_intent_id = intent.id
        return intent
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
        attention.open_item(
            attention.Kind.PAYMENT_INTENT_MISSING,
            intent_id,
            order,
            expected=intent_id,
            received=error.code,
        )
        raise gateway.Unavailable("the order's PaymentIntent is missing") from error


# --- Look up and close --------------------------------------------------------------


def look_up(order: Order, *, source: str) -> None:
    """Ask Stripe how the order's PaymentIntent is now, and settle by the answer.

    A paid order's refunds are recorded too. Raises gateway.Unavailable.
    """
    if not order.payment_intent_id:
        return
    asked = order.look_at
    intent = _retrieve(order, order.payment_intent_id)
    if is_edited(order, intent):
        close(order, reason=Order.ClosedReason.FAILED, source=source)
    else:
        settle(order, intent, source=source)
        if intent.status in PAYABLE and has_failed_too_often(order):
            close(order, reason=Order.ClosedReason.DECLINED, source=source)
    refunded = intent.charge.amount_refunded if intent.charge else 0
    if order.is_paid and refunded != order.amount_refunded:
        refunds.sync(intent.id, source=source)
    # Only this to-do is done: an event may have asked again meanwhile.
    Order.objects.filter(pk=order.pk, look_at=asked).update(look_at=None)


def is_edited(order: Order, intent: PaymentIntent) -> bool:
    """Whether somebody changed the intent at Stripe, and it can still be paid.

    Whoever pays it would pay something else: the order is closed.
    """
    asked = (intent.amount, intent.currency)
    return intent.status in PAYABLE and asked != (order.amount, order.currency)


def has_failed_too_often(order: Order) -> bool:
    """Whether the order is pending and has had all the failed payments it may have.

    The recorded events are the counter: one that is repeated is one row.
    """
    if not order.is_unpaid:
        return False
    failed = StripeEvent.objects.filter(
        payment_intent_id=order.payment_intent_id,
        type="payment_intent.payment_failed",
        livemode=order.livemode,
    )
    return failed.count() >= MOST_FAILURES


def adopt(order: Order, intent_id: str) -> bool:
    """Store an intent on the pending order that names no other; False if it does."""
    pending = {
        "id": order.pk,
        "status": Order.Status.PENDING,
        "payment_intent_id": None,
    }
    return update(Order, {"payment_intent_id": intent_id}, where=pending) == 1


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
    order.look_at = now + LOOK_AGAIN_AFTER
    if row.filter(look_at__lte=now).update(look_at=order.look_at):
        look_up(order, source="status check")


def close(order: Order, *, reason: Order.ClosedReason, source: str) -> None:
    """Cancel the PaymentIntent at Stripe, then the order here.

    If it was paid meanwhile, or is processing, the order is settled instead: look at
    its status afterwards. If its intent was stored meanwhile, nothing happens and the
    order is still pending. Raises gateway.Unavailable.
    """
    pending = Order.objects.filter(pk=order.pk, status=Order.Status.PENDING)
    # The event of the cancellation may be applied before its answer is here.
    pending.update(closed_reason=reason)
    if order.payment_intent_id:
        try:
            intent = gateway.cancel_payment_intent(order.payment_intent_id)
        except (gateway.UnexpectedState, gateway.Refused):
            intent = _retrieve(order, order.payment_intent_id)
        if intent.status != "canceled":
            settle(order, intent, source=source)
            return
    order.move_to(Order.Status.CANCELED, source=source, closed_reason=reason)
