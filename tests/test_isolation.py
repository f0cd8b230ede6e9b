"""Stripe's silence is Stripe's: the shop is shown and webhooks are answered meanwhile.

On gunicorn as it is deployed, two workers of 32 threads, in processes of their own.
"""

import json
import re
import runpy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django.conf import settings

from checkout.gateway import connection
from checkout.models import Order
from tests.factories import make_order, make_product, payment_succeeded, sign
from tests.live import gunicorn
from tests.sandbox_server import SandboxServer, wait_for

ROOT = Path(__file__).resolve().parent.parent
SHOPPERS = 50
# Within so many seconds a shopper is promised an answer.
PATIENCE = 15


@pytest.fixture
def deployed(sandbox: SandboxServer, transactional_db: None) -> Iterator[str]:
    """The address of a shop served by gunicorn from the tests' database."""
    with gunicorn(sandbox) as address:
        yield address


class Shopper:
    """Somebody who opened the shop and will press Pay."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        self.http = requests.Session()
        page = self.http.get(f"{shop}/", timeout=PATIENCE).text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found is not None
        self.token = found[1]

    def pay(self) -> requests.Response:
        # The cookies are for HTTPS; this shop is on this machine.
        for cookie in self.http.cookies:
            cookie.secure = False
        return self.http.post(
            f"{self.shop}/orders/",
            json={
                "lines": [{"product": "mug", "quantity": 1}],
                "email": "shopper@example.com",
                "amount": 1850,
                "currency": "usd",
            },
            headers={"X-CSRFToken": self.token, "Referer": f"{self.shop}/"},
            # What the shop promises is its deadline; a busy machine may add to it.
            timeout=4 * PATIENCE,
        )


def test_half_of_the_threads_never_wait_for_stripe() -> None:
    configured = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))

    assert configured["threads"] // 2 == settings.MOST_WAITING_FOR_STRIPE > 0
    assert connection.DEADLINE_SECONDS < PATIENCE


def test_fifty_shoppers_wait_for_a_silent_stripe_and_nobody_else(
    deployed: str, sandbox: SandboxServer
) -> None:
    make_product(slug="mug", unit_amount=1850)
    shoppers = [Shopper(deployed) for _ in range(SHOPPERS)]
    paid_before = make_order()
    event = json.dumps(payment_succeeded(paid_before)).encode()
    sandbox.fault("*", "hang", seconds=30)

    with ThreadPoolExecutor(SHOPPERS) as crowd:
        waiting = [crowd.submit(shopper.pay) for shopper in shoppers]
        # Stripe holds the first of them; the others have their answer at once.
        at_stripe = 2 * settings.MOST_WAITING_FOR_STRIPE
        wait_for(
            lambda: sum(answer.done() for answer in waiting) >= SHOPPERS - at_stripe
        )
        assert not all(answer.done() for answer in waiting)
        for _ in range(5):
            assert requests.get(f"{deployed}/", timeout=PATIENCE).ok
        delivered = requests.post(
            f"{deployed}/stripe/webhook/",
            data=event,
            headers={"Stripe-Signature": sign(event)},
            timeout=PATIENCE,
        )
        assert delivered.status_code == 200
        # All that while some shoppers are still waiting.
        assert not all(answer.done() for answer in waiting)
        answers = [answer.result() for answer in waiting]

    assert {answer.status_code for answer in answers} == {503}
    for answer in answers:
        assert answer.json()["error"]["code"] == "stripe_unavailable"
    paid_before.refresh_from_db()
    assert paid_before.is_paid
    pending = Order.objects.filter(status=Order.Status.PENDING)
    assert pending.count() == SHOPPERS

    sandbox.clear_faults()
    again = shoppers[0].pay()
    assert again.status_code == 200
    assert again.json()["client_secret"]
    assert pending.count() == SHOPPERS
