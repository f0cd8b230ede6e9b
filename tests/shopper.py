"""A browser that opened the shop, with the sandbox behind it."""

import json
from typing import Any

import pytest
import stripe
from django.test import Client, TestCase

from checkout.models import Order
from tests.factories import deliver, make_product
from tests.sandbox_server import SandboxServer

ONE_MUG = {"lines": [{"product": "mug", "quantity": 1}], "amount": 1850}


class ShopperTestCase(TestCase):
    """A browser that opened the shop, and what it can do there."""

    sandbox: SandboxServer

    @pytest.fixture(autouse=True)
    def _sandbox(self, sandbox: SandboxServer) -> None:
        self.sandbox = sandbox

    def setUp(self) -> None:
        # Somebody at Stripe's Dashboard, or with a script of their own.
        self.dashboard = stripe.StripeClient(
            self.sandbox.secret_key, base_addresses={"api": self.sandbox.url}
        )
        self.mug = make_product(slug="mug", unit_amount=1850)
        self.lamp = make_product(slug="lamp", unit_amount=6400)
        self.client.get("/")

    def place(self, client: Client | None = None, **changes: Any) -> Any:
        body = {
            "lines": [
                {"product": "mug", "quantity": 2},
                {"product": "lamp", "quantity": 1},
            ],
            "email": "shopper@example.com",
            "amount": 10_100,
            "currency": "usd",
            **changes,
        }
        return (client or self.client).post(
            "/orders/", json.dumps(body), content_type="application/json"
        )

    def order(self) -> Order:
        return Order.objects.get()

    def intents(self) -> list[dict[str, Any]]:
        return self.sandbox.objects("payment_intent")

    def confirm(self, order: Order, number: str = "4242424242424242") -> None:
        self.sandbox.confirm(order.payment_intent_id, number=number)

    def deliver_events(self, *types: str) -> None:
        """Post the sandbox's events of `types` to the webhook, in their order."""
        for event in self.sandbox.objects("event"):
            if event["type"] in types:
                assert deliver(self.client, event).status_code == 200

    def buy(self, number: str = "4242424242424242") -> Order:
        """Place an order, pay it, and deliver what Stripe says of it."""
        self.place()
        self.confirm(self.order(), number)
        self.deliver_events("payment_intent.succeeded", "charge.succeeded")
        order = self.order()
        assert order.is_paid
        return order

    def deliver(self, event: dict[str, Any]) -> None:
        assert deliver(self.client, event).status_code == 200

    def deliver_all(self) -> None:
        """Post every event of the sandbox once more, whatever it is about."""
        for event in self.sandbox.objects("event"):
            assert deliver(self.client, event).status_code == 200
