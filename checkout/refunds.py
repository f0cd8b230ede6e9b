"""Put money back: asked for here or reported by Stripe, each refund one row.

The row comes first, with its own idempotency key; the call is made outside any
transaction; its answer or an event completes the row, whichever comes first.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from checkout import attention, emails, gateway
from checkout.models import Dispute, Mail, Order, Refund, Shop, new_number

# Stripe may forget an idempotency key after 24 h; past this it is not sent again.
KEY_LIFETIME = timedelta(hours=23)

logger = logging.getLogger(__name__)


class NotRefundable(Exception):
    """This much cannot be refunded; the message is for the operator."""


def left(order: Order) -> int:
    """Return what can still be asked back, in smallest units."""
    # Stripe refunds nothing more of a charge that was charged back, even in part.
    if order.disputes.filter(status=Dispute.LOST).exists():
        return 0
    return _not_asked_back(order)


def _not_asked_back(order: Order) -> int:
    asked = order.refunds.exclude(status__in=Refund.GIVEN_UP).aggregate(s=Sum("amount"))
    return max(order.amount_received - (asked["s"] or 0), 0)


def ask(order: Order, amount: int, *, reason: str, by: str, number: str = "") -> Refund:
    """Ask Stripe to refund `amount` of a paid order, on behalf of `by`.

    The refund that comes back may still be `asked`: Stripe did not answer, and the
    reconciler finishes it under the same key. Asked twice under one `number`, it is
    one refund. Raises NotRefundable.
    """
    with transaction.atomic():
        # The lock makes "what is left" true until this row is written.
        locked = Order.objects.select_for_update().get(pk=order.pk)
        asked = locked.refunds.filter(number=number).first()
        if asked is not None:
            return asked
        require_refundable(locked, amount)
        refund = Refund.objects.create(
            order=locked,
            number=number or new_number(),
            amount=amount,
            reason=reason,
            source=by,
        )
        _note(locked, refund, source=by)
    try:
        carry_out(refund)
    except gateway.Unavailable:
        logger.warning("Refund %s has no answer yet", refund.number)
    refund.refresh_from_db()
    return refund


def require_refundable(order: Order, amount: int) -> None:
    """Raise NotRefundable unless this much of the order can be asked back now."""
    if not order.is_paid:
        raise NotRefundable(_("Only a paid order can be refunded."))
    disputes = list(order.disputes.all())
    if any(dispute.is_open for dispute in disputes):
        raise NotRefundable(
            _("A dispute is open: the bank may take the money back by itself.")
        )
    lost = [dispute.amount for dispute in disputes if dispute.status == Dispute.LOST]
    if lost and sum(lost) < order.amount_received:
        raise NotRefundable(
            _("A dispute over a part was lost: the bank has given that part back. "
              "For the rest, see Stripe’s Dashboard.")
        )  # fmt: skip
    if lost:
        raise NotRefundable(
            _("The dispute was lost: the bank has already given the money back.")
        )
    there = _not_asked_back(order)
    if not there:
        raise NotRefundable(_("Nothing is left to refund."))
    if not 0 < amount <= there:
        raise NotRefundable(_("This is more than is left to refund."))


def carry_out(refund: Refund) -> None:
    """Send a refund that has no answer yet, or look for it when its key is too old.

    Raises gateway.Unavailable; then it stays as it is and can be tried again.
    """
    order = refund.order
    intent_id = order.payment_intent_id or ""
    key_is_old = refund.asked_at < timezone.now() - KEY_LIFETIME
    if key_is_old:
        _look_for(refund, intent_id, give_up=True)
        return
    try:
        reported = gateway.create_refund(
            payment_intent=intent_id,
            amount=refund.amount,
            reason=refund.reason,
            shop=Shop.current_reference(),
            order=order.number,
            refund=refund.number,
        )
    except gateway.KeySpent:
        # It may have had its effect before it failed.
        _look_for(refund, intent_id, give_up=False)
    except (gateway.Refused, gateway.UnexpectedState) as refusal:
        _give_up(refund, refusal.code or "refused")
    else:
        record(reported, source=refund.source)


def _look_for(refund: Refund, intent_id: str, *, give_up: bool) -> None:
    sync(intent_id, source="reconcile")
    refund.refresh_from_db()
    if give_up and refund.status == Refund.Status.ASKED:
        _give_up(refund, "never arrived")


@transaction.atomic
def _give_up(refund: Refund, why: str) -> None:
    order = Order.objects.select_for_update().get(pk=refund.order_id)
    waiting = Refund.objects.filter(pk=refund.pk, status=Refund.Status.ASKED)
    if waiting.update(status=Refund.Status.FAILED, failure_reason=why[:60]):
        refund.refresh_from_db()
        _after_change(order, refund, source=refund.source)


def sync(intent_id: str, *, source: str) -> None:
    """Record every refund Stripe has of a PaymentIntent. Raises gateway.Unavailable."""
    for reported in gateway.list_refunds(intent_id):
        record(reported, source=source)


def record(reported: gateway.Refund, *, source: str) -> str | None:
    """Record what Stripe says of a refund; any number of times, in any order.

    Returns why a person must look, an empty text when all is well, or None when the
    payment is not this shop's.
    """
    with transaction.atomic():
        order = (
            Order.objects.select_for_update()
            .filter(payment_intent_id=reported.payment_intent)
            .first()
        )
        if order is None:
            return None
        refund = _row(order, reported, source)
        status = Refund.Status(reported.status)
        if Refund.RANK[status] > Refund.RANK[Refund.Status(refund.status)]:
            refund.stripe_id = reported.id
            refund.status = status
            refund.failure_reason = reported.failure_reason[:60]
            refund.save()
            return _after_change(order, refund, source=source)
    return ""


def _row(order: Order, reported: gateway.Refund, source: str) -> Refund:
    """The refund's row: by its id at Stripe, by the number it names, or a new one."""
    known = Refund.objects.filter(stripe_id=reported.id).first()
    if known is None and reported.shop == Shop.current_reference():
        asked = order.refunds.filter(stripe_id=None, number=reported.refund)
        known = asked.first()
    if known is not None:
        return known
    return Refund(
        order=order, amount=reported.amount, reason=reported.reason, source=source
    )


def _after_change(order: Order, refund: Refund, *, source: str) -> str:
    """Bring the order's sum, its history, mail and attention in line with the row."""
    there = order.refunds.filter(status__in=Refund.AT_STRIPE)
    order.amount_refunded = there.aggregate(s=Sum("amount"))["s"] or 0
    Order.objects.filter(pk=order.pk).update(amount_refunded=order.amount_refunded)
    _note(order, refund, source=source)
    if refund.status == Refund.Status.SUCCEEDED:
        emails.queue(Mail.Kind.REFUND, order, about=refund.number)
    if refund.status == Refund.Status.FAILED:
        # Of one that Stripe refused outright the shopper never heard.
        if refund.stripe_id:
            emails.queue(Mail.Kind.REFUND_FAILED, order, about=refund.number)
        return _tell_of_failure(order, refund)
    if order.amount_refunded > order.amount_received:
        return _tell_of_excess(order, refund)
    return ""


def _tell_of_failure(order: Order, refund: Refund) -> str:
    amount = f"{refund.amount} {order.currency}"
    attention.open_item(
        attention.Kind.REFUND_FAILED,
        refund.stripe_id or refund.number,
        order,
        expected=f"{amount} refunded",
        received=f"{amount} not refunded",
        detail=refund.failure_reason,
    )
    return refund.failure_reason or attention.Kind.REFUND_FAILED.value


def _tell_of_excess(order: Order, refund: Refund) -> str:
    detail = "more than received"
    attention.open_item(
        attention.Kind.REFUND_EXCESS,
        refund.stripe_id or refund.number,
        order,
        expected=f"{order.amount_received} {order.currency}",
        received=f"{order.amount_refunded} {order.currency} refunded",
        detail=detail,
    )
    return detail


def _note(order: Order, refund: Refund, *, source: str) -> None:
    name = refund.stripe_id or refund.number
    order.record(
        order.status,
        order.status,
        source=source,
        note=f"refund {name} of {refund.amount} {order.currency}: {refund.status}",
    )
