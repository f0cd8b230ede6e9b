"""What a person must look at: opened once per fact, closed when it is over."""

import logging

from django.utils import timezone

from checkout.models import Attention, Order

Kind = Attention.Kind

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
    opened = Attention.objects.bulk_create(
        [
            Attention(
                kind=kind,
                subject=subject,
                order=order,
                expected=expected,
                received=received,
                detail=detail[:300],
            )
        ],
        ignore_conflicts=True,
    )
    logger.error("Attention: %s %s %s", kind, subject, detail, extra={"opened": opened})


def close_item(kind: Attention.Kind, subject: str, *, note: str) -> None:
    """Close the items about `subject`: what they warned of is over."""
    Attention.objects.filter(
        kind=kind, subject=subject, resolved_at__isnull=True
    ).update(resolved_at=timezone.now(), note=note)
