"""Record disputes and early fraud warnings on their orders.

They move no order's status and refund nothing: a person decides. Money can leave
twice when a disputed charge is refunded as well.
"""

from datetime import UTC, datetime

from checkout import attention, gateway
from checkout.models import Dispute, Order

# Two events of one second come in any order: the later stage is the truth.
STAGES = [
    "warning_needs_response", "warning_under_review", "warning_closed",
    "needs_response", "under_review", "prevented", "won", "lost",
    "appeal_needs_response", "appeal_under_review",
]  # fmt: skip


def record(reported: gateway.Dispute, *, as_of: int, source: str) -> str | None:
    """Record how a dispute stood at `as_of` (unix time); opens or closes attention.

    Call inside a transaction. Returns why a person must look, an empty text when it
    is over or known, or None when the payment is not this shop's.
    """
    order = (
        Order.objects.select_for_update()
        .filter(payment_intent_id=reported.payment_intent)
        .first()
    )
    if order is None:
        return None
    stood_at = datetime.fromtimestamp(as_of, UTC)
    dispute = Dispute.objects.filter(stripe_id=reported.id).first()
    if dispute is None:
        dispute = Dispute(stripe_id=reported.id, order=order)
    elif (stood_at, _stage(reported.status)) <= (dispute.as_of, _stage(dispute.status)):
        return ""
    was_over = dispute.pk is not None and not dispute.is_open
    due_by = reported.due_by
    dispute.amount = reported.amount
    dispute.currency = reported.currency
    dispute.reason = reported.reason[:60]
    dispute.status = reported.status[:40]
    dispute.due_by = datetime.fromtimestamp(due_by, UTC) if due_by else None
    dispute.as_of = stood_at
    dispute.save()
    order.record(
        order.status,
        order.status,
        source=source,
        note=f"dispute {dispute.stripe_id}: {dispute.status}",
    )
    if not dispute.is_open:
        attention.close_item(
            attention.Kind.DISPUTE, dispute.stripe_id, note=dispute.status
        )
        return ""
    if was_over:
        attention.reopen_item(attention.Kind.DISPUTE, dispute.stripe_id)
    attention.open_item(
        attention.Kind.DISPUTE,
        dispute.stripe_id,
        order,
        expected=f"{order.amount_received} {order.currency}",
        received=f"{dispute.amount} {dispute.currency} disputed",
        detail=dispute.reason,
    )
    return f"dispute {dispute.status}"


def record_warning(warning: gateway.FraudWarning) -> str | None:
    """Tell the operator that the issuer expects fraud; None if it is not ours."""
    order = Order.objects.filter(payment_intent_id=warning.payment_intent).first()
    if order is None:
        return None
    attention.open_item(
        attention.Kind.EARLY_FRAUD_WARNING,
        warning.id,
        order,
        expected=f"{order.amount_received} {order.currency}",
        received=warning.fraud_type,
        detail="Refunding now avoids a dispute.",
    )
    return "early fraud warning"


def _stage(status: str) -> int:
    """Where a status stands; one this shop does not know yet counts as open."""
    return STAGES.index(status) if status in STAGES else STAGES.index("needs_response")
