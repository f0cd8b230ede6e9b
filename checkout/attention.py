"""What a person must look at: opened once per fact, closed when it is over.

The reconciler reports the same fact again in every round. That opens nothing a person
has resolved. Three things do: other amounts (another fact, another item), the same
fact after a day in which nobody reported it, and a caller who knows that it began
anew and says so with `reopen_item`.
"""

import logging
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from checkout.models import Attention, Order

Kind = Attention.Kind

# Unheard of for so long, a resolved fact was over; reported again, it has come back.
SILENCE = timedelta(days=1)
# `told_at` need not be more exact than this, so most reports write nothing.
TOLD_EVERY = timedelta(hours=1)

logger = logging.getLogger(__name__)


def open_item(
    kind: Attention.Kind,
    subject: str,
    order: Order | None,
    *,
    expected: str = "",
    received: str = "",
    detail: str = "",
) -> None:
    """Open an item about `subject`, an id at Stripe, unless this fact has one."""
    now = timezone.now()
    fact = Attention(
        kind=kind,
        subject=subject,
        order=order,
        expected=expected,
        received=received,
        detail=detail[:300],
        opened_at=now,
    )
    Attention.objects.bulk_create([fact], ignore_conflicts=True)
    item = Attention.objects.filter(
        kind=kind, subject=subject, expected=expected, received=received
    )
    back = item.filter(resolved_at__isnull=False, told_at__lt=now - SILENCE)
    _reopen(back)
    item.filter(told_at__lt=now - TOLD_EVERY).update(told_at=now)
    # The same fact is reported in every round; it is told when it is opened.
    if item.filter(opened_at__gte=now).exists():
        number = order.number if order else ""
        logger.error(
            "Attention: %s %s %s", kind, subject, detail, extra={"order": number}
        )


def reopen_item(kind: Attention.Kind, subject: str) -> None:
    """Open the items about `subject` again: what was over has begun anew."""
    _reopen(Attention.objects.filter(kind=kind, subject=subject))


def close_item(kind: Attention.Kind, subject: str, *, note: str) -> None:
    """Close the items about `subject`: what they warned of is over."""
    Attention.objects.filter(
        kind=kind, subject=subject, resolved_at__isnull=True
    ).update(resolved_at=timezone.now(), note=note)


def resolve(item: Attention, *, note: str, by: str) -> bool:
    """Close one item on behalf of `by`, who says what was done; False if it is."""
    row = Attention.objects.filter(pk=item.pk, resolved_at__isnull=True)
    return row.update(resolved_at=timezone.now(), resolved_by=by, note=note) == 1


def _reopen(items: QuerySet[Attention]) -> None:
    items.filter(resolved_at__isnull=False).update(
        resolved_at=None, resolved_by="", opened_at=timezone.now()
    )
