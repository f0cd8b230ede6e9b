"""The rows of the shop that is measured: copied in the database, a million in a minute.

Order `n` has the number `N<n>` and the PaymentIntent `pi_<n>`.
"""

import time
from typing import Any

from django.db import connection
from django.db.models import AutoField, Model
from django.utils import timezone

from checkout import visitor
from checkout.models import (
    Mail,
    Order,
    OrderHistory,
    OrderLine,
    Product,
    Shop,
    StripeEvent,
)

PRICE = 1850
# The sequences of the tables never come here.
FIRST, FIRST_PAST = 1_000_000_000, 2_000_000_000
OF_ORDER = {
    "id": "n",
    "number": "'N' || n",
    "token": "'token-' || n",
    "visitor": "'visitor-' || n",
    "checkout": "'checkout-' || n",
    "payment_intent_id": "'pi_' || n",
}


class Rows:
    """One row of each kind, from which others are copied, and a customer."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.shop = Shop.current_reference()
        for number in range(3):
            product = Product.objects.create(
                slug=f"mug-{number}", name=f"Mug {number}", unit_amount=PRICE
            )
        self.order = Order.objects.create(
            visitor="v", email="shopper@example.com", currency="usd", amount=PRICE,
            livemode=False, origin="https://shop.example",
            # With it the confirmation waits for no other event.
            method="card", brand="visa", last4="4242",
        )  # fmt: skip
        self.line = OrderLine.objects.create(
            order=self.order, product=product, name="Mug", unit_amount=PRICE, quantity=1
        )
        self.history = OrderHistory.objects.create(
            order=self.order, to_status="pending", source="shopper"
        )
        now = timezone.now()
        self.event = StripeEvent.objects.create(
            id="evt_0", type=event["type"], created=now, livemode=False, deliveries=1,
            outcome="applied", payload=event,
        )  # fmt: skip
        self.mail = Mail.objects.create(
            order=self.order, kind="confirmation", about="0", claimed_at=now,
            sent_at=now,
        )  # fmt: skip
        self.count = 0
        # Somebody who has bought once and is back.
        self.customer = visitor.new()
        [number] = self.pending(1)
        Order.objects.filter(pk=number).update(
            visitor=self.customer.id, status="paid", amount_received=PRICE, paid_at=now
        )
        self.paid_token = f"token-{number}"

    def pending(self, count: int) -> list[int]:
        """Place so many more orders, each with its PaymentIntent, not yet paid."""
        numbers = range(FIRST + self.count, FIRST + self.count + count)
        self.count += count
        self._copy(self.order, numbers, **OF_ORDER)
        self._copy(self.line, numbers, order_id="n")
        self._copy(self.history, numbers, order_id="n")
        return list(numbers)

    def remake(self, number: int) -> None:
        """Place order `number` as if it had never been there."""
        for model in (OrderLine, OrderHistory, Mail):
            model.objects.filter(order_id=number).delete()
        Order.objects.filter(pk=number).delete()
        StripeEvent.objects.filter(pk=f"evt_{number}").delete()
        numbers = range(number, number + 1)
        self._copy(self.order, numbers, **OF_ORDER)
        self._copy(self.line, numbers, order_id="n")

    def fill(self, count: int) -> None:
        """Add so many orders that were paid in the last thirty days."""
        began = time.perf_counter()
        numbers = range(FIRST_PAST, FIRST_PAST + count)
        past = f"now() - (n - {FIRST_PAST}) * interval '30 days' / {count}"
        paid = {
            "status": "'paid'", "amount_received": "amount", "charge_id": "'ch_' || n",
            "placed_at": past, "pending_since": past, "paid_at": past,
        }  # fmt: skip
        self._copy(self.order, numbers, **OF_ORDER | paid)
        self._copy(self.line, numbers, order_id="n")
        self._copy(self.history, numbers, order_id="n")
        self._copy(self.history, numbers, order_id="n", to_status="'paid'")
        self._copy(self.mail, numbers, order_id="n", about="'N' || n")
        self._copy(
            self.event, numbers, id="'evt_' || n", received_at=past,
            payment_intent_id="'pi_' || n",
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        took = time.perf_counter() - began
        print(f"\n{count:,} orders with all that follows in {took:.0f} s", flush=True)

    def _copy(self, row: Model, numbers: range, **instead: str) -> None:
        """Copy a row for each `n` of `numbers`, with expressions of `n` instead."""
        meta = row._meta
        columns = [
            field.column
            for field in meta.concrete_fields
            if not isinstance(field, AutoField) or field.column in instead
        ]
        values = ", ".join(instead.get(column, f'"{column}"') for column in columns)
        names = ", ".join(f'"{column}"' for column in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {meta.db_table} ({names}) SELECT {values} "
                f"FROM {meta.db_table}, generate_series(%s, %s) AS n WHERE id = %s",
                [numbers.start, numbers.stop - 1, row.pk],
            )
