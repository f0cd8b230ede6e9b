"""From cart to paid order through the real library, over HTTP, with the sandbox."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from checkout import gateway, payments, reconcile
from checkout.models import Attention, Order, Product, Shop
from tests.shopper import ONE_MUG, ShopperTestCase

pytestmark = pytest.mark.usefixtures("sandbox")


class PlacingTests(ShopperTestCase):
    def test_places_a_frozen_order_with_one_intent(self):
        response = self.place()

        assert response.status_code == 201
        order = self.order()
        assert order.amount == 10_100
        assert [str(line) for line in order.lines.all()] == [
            f"2 × {self.mug.name}",
            f"1 × {self.lamp.name}",
        ]
        [intent] = self.intents()
        assert intent["id"] == order.payment_intent_id
        assert (intent["amount"], intent["currency"]) == (10_100, "usd")
        assert intent["metadata"] == {
            "shop": Shop.current_reference(),
            "order": order.number,
        }
        assert intent["receipt_email"] is None
        assert response.json()["client_secret"].startswith(f"{intent['id']}_secret_")
        assert response.json()["order"]["status"] == "pending"

    def test_same_content_is_the_same_order_and_intent(self):
        first = self.place().json()

        for _ in range(3):
            again = self.place()
            assert again.status_code == 200
            assert again.json() == first

        assert len(self.intents()) == 1

    def test_checkout_given_or_from_the_cookie_is_the_same(self):
        self.place()
        checkout = self.order().checkout

        assert self.place(checkout=checkout).status_code == 200
        assert Order.objects.count() == 1

    def test_other_content_closes_the_old_order_at_stripe_first(self):
        changes = [ONE_MUG, {"email": "other@example.com"}, {}]
        self.place()
        for count, change in enumerate(changes, start=2):
            response = self.place(**change)

            assert response.status_code == 201
            assert Order.objects.count() == count
        *old, new = Order.objects.order_by("pk")
        for order in old:
            assert order.status == Order.Status.CANCELED
            assert order.closed_reason == "replaced"
        assert new.status == Order.Status.PENDING
        assert [intent["status"] for intent in self.intents()] == [
            "canceled",
            "canceled",
            "canceled",
            "requires_payment_method",
        ]

    def test_old_order_paid_meanwhile_is_not_replaced(self):
        self.place()
        self.confirm(self.order())

        response = self.place(**ONE_MUG)

        assert response.status_code == 409
        error = response.json()["error"]
        assert error["code"] == "already_paid"
        assert error["order"]["status"] == "paid"
        assert self.order().is_paid
        assert len(self.intents()) == 1

    def test_spent_checkout_is_answered_with_its_order(self):
        self.place()
        checkout = self.order().checkout
        self.confirm(self.order())
        self.deliver_events("payment_intent.succeeded")

        for changes in ({}, ONE_MUG, {"amount": 1}):
            response = self.place(checkout=checkout, **changes)
            assert response.status_code == 409
            assert response.json()["error"]["code"] == "already_paid"
            assert response.json()["error"]["order"]["number"] == self.order().number

    def test_an_order_on_its_way_is_not_called_paid(self):
        self.place()
        order = self.order()
        self.sandbox.confirm(order.payment_intent_id, account_number="000123456789")
        own = f"{order.get_absolute_url()}payment/"
        # Found out by the first press, and known at the second.
        assert "client_secret" not in self.place().json()
        assert self.order().status == "processing"

        for response in (
            self.place(checkout=order.checkout),
            self.place(checkout=order.checkout, **ONE_MUG),
            Client().post(own),
        ):
            assert response.status_code == 409
            error = response.json()["error"]
            assert error["code"] == "already_paid"
            assert error["order"]["status"] == "processing"
            assert f"the payment of order {order.number}." in error["message"]
            assert " paid" not in error["message"]

    def test_shop_renews_a_spent_checkout(self):
        self.place()
        self.confirm(self.order())
        self.deliver_events("payment_intent.succeeded")

        self.client.get("/")
        response = self.place()

        assert response.status_code == 201
        assert Order.objects.count() == 2

    def test_lost_answer_then_paid_is_settled_without_a_second_secret(self):
        self.place()
        self.confirm(self.order())

        response = self.place()

        assert response.status_code == 200
        assert "client_secret" not in response.json()
        assert response.json()["order"]["status"] == "paid"
        assert self.order().history.last().source == "status check"
        assert len(self.intents()) == 1

    def test_price_changed_after_the_page_was_opened(self):
        Product.objects.filter(slug="mug").update(unit_amount=2000)

        assert self.place().status_code == 409
        assert self.place(amount=10_400).status_code == 201
        assert self.order().amount == 10_400

    def test_order_keeps_its_prices(self):
        self.place()
        Product.objects.filter(slug="mug").update(unit_amount=1, name="Cup")

        assert [line.unit_amount for line in self.order().lines.all()] == [1850, 6400]
        assert self.order().lines.first().name == self.mug.name


class SettlingTests(ShopperTestCase):
    def test_webhook_pays_the_order(self):
        self.place()
        self.confirm(self.order())
        assert self.order().status == Order.Status.PENDING

        self.deliver_events("payment_intent.succeeded", "charge.succeeded")

        order = self.order()
        assert order.is_paid
        assert (order.method, order.brand, order.last4) == ("card", "visa", "4242")
        assert order.history.last().source.startswith("evt_")
        assert not Attention.objects.exists()

    def test_declined_card_then_another_on_the_same_intent(self):
        self.place()
        self.confirm(self.order(), number="4000000000009995")
        self.deliver_events("payment_intent.payment_failed")
        assert list(reconcile.run()) == []
        assert self.order().status == Order.Status.PENDING
        assert self.order().decline_code == "insufficient_funds"

        assert self.place().status_code == 200
        self.confirm(self.order())
        self.deliver_events("payment_intent.payment_failed")
        self.deliver_events("payment_intent.succeeded")

        assert self.order().is_paid
        assert len(self.intents()) == 1

    def test_a_new_attempt_is_not_told_the_decline_of_the_last(self):
        self.place()
        self.confirm(self.order(), "4000000000009995")
        self.deliver_events("payment_intent.payment_failed")
        list(reconcile.look_up_due_orders())
        status = f"{self.order().get_absolute_url()}status/"
        declined = self.client.get(status).json()["order"]["message"]
        assert "enough funds" in declined

        self.place()
        self.confirm(self.order())

        # Paid at Stripe, and the shop has not heard of it yet.
        answer = self.client.get(status).json()["order"]
        assert answer["status"] == "pending"
        assert answer["message"] == "This order has not been paid yet."

    def test_status_asks_stripe_only_when_the_event_is_overdue(self):
        self.place()
        self.confirm(self.order())

        assert self.status() == "pending"
        assert self.order().look_at > timezone.now()
        assert self.status() == "pending"

        Order.objects.update(look_at=timezone.now())
        assert self.status() == "paid"
        assert self.order().history.last().source == "status check"

    def test_status_survives_a_silent_stripe(self):
        self.place()
        self.confirm(self.order())
        Order.objects.update(look_at=timezone.now())
        self.sandbox.stop()

        assert self.status() == "pending"
        # Asked a moment ago: not again at once.
        assert self.order().look_at > timezone.now()

    def test_reconcile_settles_what_is_due(self):
        self.place()
        self.confirm(self.order())
        Order.objects.update(look_at=timezone.now())

        changes = list(reconcile.look_up_due_orders())

        assert changes == [f"{self.order().number}: pending → paid"]
        assert self.order().history.last().source == "reconcile"
        assert list(reconcile.look_up_due_orders()) == []

    def status(self) -> str:
        response = self.client.get(f"/orders/{self.order().token}/status/")
        assert response.status_code == 200
        return response.json()["order"]["status"]


class TroubleTests(ShopperTestCase):
    def test_stripe_down_keeps_the_order_and_the_next_press_pays_it(self):
        self.sandbox.stop()
        assert self.place().status_code == 503
        number = self.order().number

        self.sandbox.restart()
        response = self.place()

        assert response.status_code == 200
        assert response.json()["order"]["number"] == number
        assert response.json()["client_secret"]

    def test_stripe_down_never_denies_a_charge_that_may_have_been_made(self):
        def said(response: Any) -> str:
            assert response.status_code == 503
            return response.json()["error"]["message"]

        self.place()
        # The secret is out: the shopper may have paid with it.
        self.confirm(self.order())
        self.sandbox.stop()
        own = f"{self.order().get_absolute_url()}payment/"

        for message in (
            said(self.place()),
            said(self.place(**ONE_MUG)),
            said(Client().post(own)),
        ):
            assert "charged" not in message
            assert "What you chose is kept, and nothing is paid twice." in message

    def test_stripe_down_on_the_page_of_an_order_that_nobody_could_pay_yet(self):
        self.sandbox.stop()
        self.place()

        answer = Client().post(f"{self.order().get_absolute_url()}payment/")

        assert answer.status_code == 503
        message = answer.json()["error"]["message"]
        assert "You have not been charged, and your order is kept." in message

    def test_lost_answer_of_the_creation_makes_no_second_intent(self):
        for when in ("before", "after"):
            self.sandbox.fault("payment_intents.create", "drop", when=when, calls=[1])
        assert self.place().status_code == 201
        assert len(self.intents()) == 1

        self.sandbox.clear_faults()
        self.place(**ONE_MUG)
        self.sandbox.fault("payment_intents.create", "drop", when="after")
        assert self.place().status_code == 503
        self.sandbox.clear_faults()

        response = self.place()

        assert response.status_code == 200
        assert response.json()["client_secret"]
        payable = [i for i in self.intents() if i["status"] != "canceled"]
        assert len(payable) == 1

    def test_a_replayed_answer_is_not_believed(self):
        self.sandbox.fault("payment_intents.create", "drop", when="after", calls=[1, 2])
        assert self.place().status_code == 503
        [made] = self.intents()
        self.dashboard.v1.payment_intents.cancel(made["id"])

        response = self.place()

        # Stripe's stored answer still says that it can be paid.
        handed_out = response.json()["client_secret"].partition("_secret_")[0]
        assert handed_out != made["id"]
        assert self.intents()[1]["status"] == "requires_payment_method"

    def test_answer_that_is_not_json_keeps_the_order(self):
        self.sandbox.fault("payment_intents.create", "not_json", calls=[1])

        assert self.place().status_code == 503
        assert self.place().status_code == 200

        assert len(self.intents()) == 1

    def test_stored_failure_places_the_cart_anew(self):
        self.sandbox.fault(
            "payment_intents.create", "status", status=500, stored=True, calls=[1]
        )

        responses = [self.place(), self.place()]

        assert responses[-1].status_code in (200, 201)
        assert Order.objects.filter(status=Order.Status.PENDING).count() == 1
        given_up = Order.objects.get(status=Order.Status.CANCELED)
        assert given_up.payment_intent_id is None
        assert given_up.closed_reason == "failed"

    def test_a_stripe_that_fails_every_time_does_not_pile_up_orders(self):
        self.sandbox.fault("payment_intents.create", "status", status=500, stored=True)

        for _press in range(3):
            assert self.place().status_code == 503

        assert Order.objects.count() <= 6

    def test_refused_key_is_asked_again_and_the_order_kept(self):
        self.sandbox.fault("payment_intents.create", "status", status=409, calls=[1, 2])

        assert self.place().status_code == 503
        assert self.place().status_code == 200

    def test_payment_stripe_will_not_take_closes_the_order(self):
        self.sandbox.fault(
            "payment_intents.create",
            "status",
            status=400,
            code="payment_intent_invalid_parameter",
        )

        response = self.place()

        assert response.status_code == 502
        assert response.json()["error"]["code"] == "payment_refused"
        assert self.order().status == Order.Status.CANCELED

    def test_old_key_is_not_sent_again(self):
        self.sandbox.stop()
        self.place()
        long_ago = timezone.now() - payments.KEY_LIFETIME
        Order.objects.update(placed_at=long_ago)
        self.sandbox.restart()

        response = self.place()

        assert response.status_code == 201
        old, new = Order.objects.order_by("pk")
        assert old.status == Order.Status.CANCELED
        assert new.status == Order.Status.PENDING

    def test_canceled_in_the_dashboard_places_the_cart_anew(self):
        self.place()
        gateway.cancel_payment_intent(self.order().payment_intent_id)

        response = self.place()

        assert response.status_code == 201
        old, new = Order.objects.order_by("pk")
        assert old.status == Order.Status.CANCELED
        assert response.json()["order"]["number"] == new.number

    def test_missing_intent_is_the_operators_and_the_order_stays(self):
        self.place()
        Order.objects.update(payment_intent_id="pi_gone")

        assert self.place().status_code == 503
        assert self.order().status == Order.Status.PENDING
        assert Attention.objects.get().kind == "payment_intent_missing"

    def test_pay_from_the_orders_own_page_in_any_browser(self):
        first = self.place().json()
        url = f"{first['order']['url']}payment/"

        response = Client().post(url)

        assert response.status_code == 200
        assert response.json()["client_secret"] == first["client_secret"]

        self.confirm(self.order())
        self.deliver_events("payment_intent.succeeded")
        assert Client().post(url).json()["error"]["code"] == "already_paid"

    def test_closed_order_is_not_paid_from_its_page(self):
        first = self.place().json()
        self.place(**ONE_MUG)

        response = Client().post(f"{first['order']['url']}payment/")

        assert response.status_code == 409
        assert response.json()["error"]["code"] == "order_closed"
