"""Orders as a table for a spreadsheet, which must not mistake text for a formula."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet

from checkout import money, words
from checkout.admin.showing import is_charged_back
from checkout.models import Order

BATCH = 1000
COLUMNS = [
    "number", "placed_at", "paid_at", "status", "closed_reason", "currency", "amount",
    "received", "refunded", "charged_back", "email", "paid_with", "payment_intent",
    "charge", "mode",
]  # fmt: skip
# What makes a spreadsheet take a cell for a formula.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def lines(orders: QuerySet[Order]) -> Iterator[str]:
    """Yield the table's lines, newest order first, in bounded memory.

    The orders are the list's: they know what of them was `charged_back`.
    """
    writer = csv.writer(_Echo())
    # Spreadsheets read UTF-8 only where this mark says so.
    yield "\N{ZERO WIDTH NO-BREAK SPACE}" + writer.writerow(COLUMNS)
    for order in _in_batches(orders):
        yield writer.writerow([_plain(cell) for cell in _cells(order)])


def _in_batches(orders: QuerySet[Order]) -> Iterator[Order]:
    rows = orders.order_by("-pk")
    batch = list(rows[:BATCH])
    while batch:
        yield from batch
        batch = list(rows.filter(pk__lt=batch[-1].pk)[:BATCH])


def _cells(order: Any) -> Iterable[Any]:
    charged_back = order.charged_back or 0
    is_whole = is_charged_back(order, charged_back)
    return [
        order.number,
        order.placed_at.isoformat(timespec="seconds"),
        order.paid_at.isoformat(timespec="seconds") if order.paid_at else "",
        "charged_back" if is_whole else order.status,
        order.closed_reason,
        order.currency,
        *(
            money.to_decimal(amount, order.currency)
            for amount in (
                order.amount,
                order.amount_received,
                order.amount_refunded,
                charged_back,
            )
        ),
        order.email,
        words.method(order),
        order.payment_intent_id or "",
        order.charge_id,
        "live" if order.livemode else "test",
    ]


def _plain(cell: Any) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


class _Echo:
    """A file that hands back what is written, so that a writer's line is a value."""

    def write(self, line: str) -> str:
        return line
