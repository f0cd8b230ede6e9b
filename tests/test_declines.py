"""The fifth failed payment closes an order, at Stripe first; the cart may stay."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from checkout import reconcile
from checkout.models import Order, StripeEvent
from tests.shopper import ONE_MUG, ShopperTestCase

pytestmark = pytest.mark.usefixtures("sandbox")

DECLINED = "4000000000000002"
FAILED = "payment_intent.payment_failed"
SENTENCE = "Too many payments of this order failed"


class FifthDeclineTests(ShopperTestCase):
    def decline(self, times: int) -> Order:
        """Place the order if need be, and let the bank refuse it so many times."""
        self.place()
        for _ in range(times):
            self.confirm(self.order(), DECLINED)
        self.deliver_events(FAILED)
        return self.order()

    def heal(self) -> None:
        list(reconcile.run())

    def assert_closed(self, order: Order, by: str) -> None:
        order.refresh_from_db()
        assert (order.status, order.closed_reason) == ("canceled", "declined")
        assert order.history.last().source == by
        assert self.intents()[0]["status"] == "canceled"
        call_command("verify_payments", stdout=StringIO())

    def test_the_fourth_leaves_it_open(self):
        self.decline(4)

        self.heal()
        assert self.place().status_code == 200

        assert self.order().is_unpaid

    def test_the_reconciler_closes_it(self):
        order = self.decline(5)
        # A to-do is all that the event leaves: Stripe is told after the commit.
        assert order.is_unpaid
        assert order.look_at
        assert self.intents()[0]["status"] == "requires_payment_method"

        self.heal()

        self.assert_closed(order, by="reconcile")
        page = self.client.get(order.get_absolute_url()).content.decode()
        assert SENTENCE in page
        assert "You have not been charged." in page

    def test_the_status_page_closes_it_and_says_why(self):
        order = self.decline(5)

        url = f"{order.get_absolute_url()}status/"
        told = self.client.get(url).json()["order"]

        assert (told["status"], told["closed_reason"]) == ("canceled", "declined")
        assert told["message"].startswith(SENTENCE)
        self.assert_closed(order, by="status check")

    def test_the_next_press_closes_it_and_the_one_after_orders_anew(self):
        order = self.decline(5)

        refused = self.place()
        self.assert_closed(order, by="status check")
        again = self.place()

        assert refused.status_code == 409
        error = refused.json()["error"]
        assert error["code"] == "order_closed"
        assert error["message"].startswith(SENTENCE)
        assert again.status_code == 201
        assert again.json()["order"]["number"] != order.number
        assert again.json()["client_secret"]

    def test_its_own_page_cannot_pay_it_either(self):
        order = self.decline(5)

        for _ in range(2):
            refused = Client().post(f"{order.get_absolute_url()}payment/")
            assert refused.status_code == 409
            assert refused.json()["error"]["code"] == "order_closed"

        self.assert_closed(order, by="status check")

    def test_in_german(self):
        self.decline(5)
        self.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

        assert "Zu viele Zahlungen" in self.place().json()["error"]["message"]

    def test_an_event_that_is_repeated_counts_once(self):
        for _ in range(3):
            self.decline(1)
            self.deliver_all()
        self.heal()

        assert StripeEvent.objects.filter(type=FAILED).count() == 3
        assert self.order().is_unpaid
        self.decline(1)
        self.heal()
        assert self.order().is_unpaid
        order = self.decline(1)
        self.heal()
        self.assert_closed(order, by="reconcile")

    def test_declines_of_another_order_do_not_count(self):
        first = self.decline(4)
        self.place(**ONE_MUG)
        second = Order.objects.get(status="pending")
        self.confirm(second, DECLINED)
        self.deliver_events(FAILED)

        self.heal()

        second.refresh_from_db()
        assert second.is_unpaid
        first.refresh_from_db()
        assert first.closed_reason == "replaced"

    def test_paid_by_the_sixth_attempt_it_is_paid(self):
        order = self.decline(5)
        self.confirm(order)

        self.heal()

        assert self.order().is_paid

    def test_paid_while_it_was_being_closed_it_is_paid(self):
        order = self.decline(5)
        self.sandbox.advance_clock(10)
        self.confirm(order)
        # What the press sees is a moment old, and can still be paid.
        self.sandbox.fault("payment_intents.retrieve", "stale", seconds=5, calls=[1])

        answer = self.place()

        assert answer.status_code == 200
        assert "client_secret" not in answer.json()
        assert self.order().is_paid
        assert self.order().closed_reason == ""

    def test_stripe_down_keeps_it_for_later(self):
        order = self.decline(5)
        self.sandbox.fault("payment_intents.cancel", "drop")

        self.heal()
        assert self.place().status_code == 503
        assert self.order().is_unpaid
        self.sandbox.clear_faults()
        self.heal()

        self.assert_closed(order, by="reconcile")

    def test_an_event_during_a_press_keeps_its_to_do(self):
        order = self.decline(4)
        self.confirm(order, DECLINED)
        came: list[str] = []

        def meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("UPDATE") and "look_at" in sql and not came:
                came.append(sql)
                self.deliver_events(FAILED)
            return execute(sql, *rest)

        with connection.execute_wrapper(meanwhile):
            assert self.place().status_code == 200
        assert came
        self.heal()

        self.assert_closed(order, by="reconcile")
