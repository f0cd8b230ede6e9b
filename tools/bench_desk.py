"""Measure the operator's desk over many orders: time at the server, and queries.

`.venv/bin/python tools/bench_desk.py [ORDERS]` makes a database of its own on the
server `DATABASE_URL` names (an embedded PostgreSQL, if none), fills it, opens each
page a few times by the way a request takes, and prints the median.
"""

import os
import random
import secrets
import shutil
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.test import postgresql  # noqa: E402

ORDERS = 100_000
TURNS = 7
LIMIT_SECONDS = 0.3
CHUNK = 5_000
# All within the thirty days that the start page adds up: its hardest case.
SPAN = timedelta(days=29)
DECLINES = ["generic_decline", "insufficient_funds", "expired_card", "lost_card"]


def main(count: int) -> int:
    """Return 0 if every page stayed within the limit."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    with postgresql() as url:
        os.environ["DATABASE_URL"] = url
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from tests.settings import SCRATCH

        SCRATCH.mkdir()
        call_command("collectstatic", interactive=False, verbosity=0)
        connection.settings_dict["TEST"]["NAME"] = f"desk_{secrets.token_hex(4)}"
        connection.creation.create_test_db(verbosity=0, serialize=False)
        try:
            began = time.perf_counter()
            seed(count)
            print(f"{count} orders seeded in {time.perf_counter() - began:.0f} s")
            return measure()
        finally:
            connection.creation.destroy_test_db(url, verbosity=0)
            shutil.rmtree(SCRATCH)


def seed(count: int) -> None:
    """Write orders as a busy month leaves them, with lines, history and events."""
    from django.db import connection
    from django.utils import timezone

    from checkout.models import Order, OrderHistory, OrderLine, Refund, StripeEvent
    from tests.factories import make_product

    chance = random.Random(7)
    product = make_product(slug="mug", name="Mug")
    now = timezone.now()
    for start in range(0, count, CHUNK):
        orders = [
            order(chance, now - SPAN * (1 - number / count))
            for number in range(start, min(start + CHUNK, count))
        ]
        Order.objects.bulk_create(orders)
        OrderLine.objects.bulk_create(
            OrderLine(
                order=one, product=product, name="Mug", unit_amount=one.amount,
                quantity=1,
            )
            for one in orders
        )  # fmt: skip
        OrderHistory.objects.bulk_create(
            OrderHistory(order=one, to_status="pending", source="shopper")
            for one in orders
        )
        paid = [one for one in orders if one.status == "paid"]
        StripeEvent.objects.bulk_create(
            StripeEvent(
                id=f"evt_{secrets.token_hex(12)}",
                type="payment_intent.succeeded",
                created=one.placed_at,
                received_at=one.placed_at,
                livemode=False,
                deliveries=1,
                outcome="applied",
                payment_intent_id=one.payment_intent_id,
                payload={"data": {"object": {"id": one.payment_intent_id}}},
            )
            for one in paid
            if one.placed_at > now - timedelta(days=35)
        )
        StripeEvent.objects.bulk_create(
            StripeEvent(
                id=f"evt_{secrets.token_hex(12)}",
                type="payment_intent.payment_failed",
                created=one.placed_at,
                received_at=one.placed_at,
                livemode=False,
                deliveries=1,
                outcome="applied",
                payment_intent_id=one.payment_intent_id,
                payload={"data": {"object": {"id": one.payment_intent_id}}},
                decline_code=one.decline_code,
            )
            for one in orders
            if one.decline_code
            for _attempt in range(chance.randint(1, 4))
        )
        Refund.objects.bulk_create(
            Refund(
                order=one,
                stripe_id=f"re_{secrets.token_hex(12)}",
                amount=one.amount_refunded,
                status="succeeded",
                source="operator@example.com",
                asked_at=one.placed_at,
            )
            for one in paid
            if one.amount_refunded
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def order(chance: random.Random, placed: object) -> object:
    """Return one order, not yet written: three in four are paid."""
    from checkout.models import Order

    is_paid = chance.random() < 0.75
    amount = chance.randrange(500, 20_000)
    refunded = amount if is_paid and chance.random() < 0.04 else 0
    declined = chance.random() < 0.12
    return Order(
        visitor=secrets.token_urlsafe(16),
        checkout=secrets.token_urlsafe(16),
        email=f"shopper{chance.randrange(50_000)}@example.com",
        currency="usd",
        amount=amount,
        livemode=False,
        status="paid" if is_paid else "canceled",
        closed_reason="" if is_paid else "expired",
        payment_intent_id=f"pi_{secrets.token_hex(12)}",
        charge_id=f"ch_{secrets.token_hex(12)}" if is_paid else "",
        method="card" if is_paid else "",
        brand="visa" if is_paid else "",
        last4="4242" if is_paid else "",
        amount_received=amount if is_paid else 0,
        amount_refunded=refunded,
        decline_code=chance.choice(DECLINES) if declined else "",
        placed_at=placed,
        paid_at=placed if is_paid else None,
    )


def measure() -> int:
    """Open each page as an operator; print time and queries; 1 if one was slow."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from checkout.models import Order, StripeEvent, User

    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", "x"))
    some = Order.objects.filter(status="paid").order_by("-pk")[100]
    events = StripeEvent.objects.filter(payment_intent_id=some.payment_intent_id)
    event = events.get(type="payment_intent.succeeded")
    listed = "/admin/checkout/order/"
    slow = 0
    for path in [
        "/admin/",
        listed,
        f"{listed}?p=20",
        f"{listed}?status=paid",
        f"{listed}?attention=open",
        f"{listed}?dispute=any",
        f"{listed}?refund=full",
        f"{listed}?q={some.number}",
        f"{listed}?q={some.email}",
        f"{listed}?q={some.payment_intent_id}",
        f"{listed}?q={some.charge_id}",
        f"{listed}?q={event.pk}",
        f"{listed}{some.pk}/change/",
        "/admin/checkout/stripeevent/",
        "/admin/checkout/attention/",
    ]:
        client.get(path)
        times = []
        for _turn in range(TURNS):
            with CaptureQueriesContext(connection) as queries:
                began = time.perf_counter()
                assert client.get(path).status_code == 200, path
                times.append(time.perf_counter() - began)
        median = statistics.median(times)
        slow += median > LIMIT_SECONDS
        print(f"{median * 1000:6.0f} ms {len(queries):3} queries  {path}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS))
