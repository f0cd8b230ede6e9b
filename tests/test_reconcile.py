"""What no webhook told is healed; what is settled is left alone."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from checkout import emails, gateway, payments, reconcile
from checkout.models import Attention, Mail, Order, Shop, StripeEvent
from tests.chaos.clock import Clock
from tests.shopper import ONE_MUG, ShopperTestCase

pytestmark = pytest.mark.usefixtures("sandbox")


def rows() -> dict[str, list[Any]]:
    """Return every row of the shop, but the reconciler's own notes."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in apps.get_app_config("checkout").get_models()
        if model is not Shop
    }


class ReconcileTestCase(ShopperTestCase):
    def run_once(self) -> list[str]:
        return list(reconcile.run())

    def assert_quiet(self) -> None:
        """In a settled system neither events nor another round change anything."""
        # What closing orders and orphans told is an event like any other.
        self.run_once()
        before = rows()
        assert self.run_once() == []
        assert rows() == before
        call_command("verify_payments", stdout=StringIO())

    def debit(self, order: Order) -> None:
        self.sandbox.confirm(order.payment_intent_id, account_number="000123456789")


class LostEventTests(ReconcileTestCase):
    def test_paid_order_without_any_webhook(self):
        self.place()
        self.confirm(self.order())

        lines = self.run_once()

        order = self.order()
        assert order.is_paid
        assert order.history.last().source.startswith("evt_")
        assert (order.brand, order.last4) == ("visa", "4242")
        assert any(
            "payment_intent.succeeded was not delivered" in line for line in lines
        )
        self.assert_quiet_after_mail()

    def test_paid_order_without_any_event(self):
        self.place()
        self.confirm(self.order())
        self.sandbox.fault("events.list", "status", status=500)

        lines = self.run_once()

        assert self.order().is_paid
        assert self.order().history.last().source == "reconcile"
        assert any(line.startswith("read_events: ") for line in lines)

    def test_one_failure_of_stripe_does_not_stop_the_rest(self):
        self.place()
        self.confirm(self.order())
        self.sandbox.fault("payment_intents.list", "status", status=500)
        self.sandbox.fault("payment_intents.retrieve", "status", status=500)

        self.run_once()

        assert self.order().is_paid

    def test_silent_stripe_changes_nothing_and_says_so(self):
        self.place()
        before = rows()
        self.sandbox.stop()

        lines = self.run_once()

        assert rows() == before
        assert any("read_events" in line for line in lines)

    def test_refunds_and_disputes_come_along(self):
        self.buy()
        self.dashboard.v1.refunds.create(
            {"payment_intent": self.order().payment_intent_id, "amount": 100}
        )
        self.sandbox.dispute(self.order().charge_id)

        self.run_once()

        assert self.order().amount_refunded == 100
        assert Attention.objects.get().kind == "dispute"

    def test_events_already_known_are_not_counted_again(self):
        self.buy()
        self.run_once()
        deliveries = list(StripeEvent.objects.order_by("pk").values("pk", "deliveries"))

        self.run_once()

        assert deliveries == list(
            StripeEvent.objects.order_by("pk").values("pk", "deliveries")
        )

    def test_an_event_older_than_a_page_of_others_is_read(self):
        self.place()
        self.confirm(self.order())
        [intent] = self.intents()
        for number in range(101):
            theirs = {**intent, "id": f"pi_theirs{number}", "metadata": {}}
            self.sandbox.emit_event("payment_intent.succeeded", theirs)

        self.run_once()

        assert self.order().history.last().source.startswith("evt_")

    def assert_quiet_after_mail(self) -> None:
        assert Mail.objects.filter(sent_at=None).count() == 0
        self.assert_quiet()


class StuckTests(ReconcileTestCase):
    def test_canceled_in_the_dashboard(self):
        self.place()
        gateway.cancel_payment_intent(self.order().payment_intent_id)
        self.sandbox.fault("events.list", "status", status=500, calls=[1])

        self.run_once()

        assert self.order().status == Order.Status.CANCELED
        self.assert_quiet()

    def test_edited_in_the_dashboard(self):
        self.place()
        intent_id = self.order().payment_intent_id
        self.dashboard.v1.payment_intents.update(intent_id, {"amount": 5000})

        self.run_once()

        assert self.order().status == Order.Status.CANCELED
        assert self.intents()[0]["status"] == "canceled"
        self.assert_quiet()

    def test_edited_and_not_to_be_canceled_leaves_its_secret_for_nobody(self):
        self.place()
        intent_id = self.order().payment_intent_id
        self.dashboard.v1.payment_intents.update(intent_id, {"amount": 5000})
        # The failure is stored: the library's second try hears it again.
        self.sandbox.fault(
            "payment_intents.cancel", "status", status=500, stored=True, calls=[1]
        )

        again = self.place()

        assert again.status_code == 503
        assert "client_secret" not in again.json()
        self.sandbox.clear_faults()
        assert self.place().status_code == 201
        assert [intent["status"] for intent in self.intents()].count("canceled") == 1

    def test_debit_that_succeeds(self):
        self.place()
        self.debit(self.order())
        self.run_once()
        assert self.order().status == Order.Status.PROCESSING

        self.sandbox.settle(self.order().payment_intent_id)
        self.run_once()

        assert self.order().is_paid
        self.assert_quiet()

    def test_debit_that_fails_reopens_the_order_and_mails_a_link(self):
        self.place()
        self.debit(self.order())
        self.run_once()
        Order.objects.update(pending_since=timezone.now() - timedelta(days=3))
        self.sandbox.settle(self.order().payment_intent_id, outcome="fail")

        self.run_once()

        order = self.order()
        assert order.status == Order.Status.PENDING
        assert order.pending_since > timezone.now() - timedelta(minutes=1)
        [mail] = Mail.objects.all()
        assert (mail.kind, mail.sent_at is not None) == ("pay_again", True)
        # The same order and PaymentIntent can be paid with a card.
        assert self.client.post(f"{order.get_absolute_url()}payment/").json()[
            "client_secret"
        ]
        self.confirm(order)
        self.run_once()
        assert self.order().is_paid
        self.assert_quiet()

    def test_a_refused_debit_is_told_in_the_words_of_a_debit(self):
        self.place()
        self.debit(self.order())
        self.run_once()
        # A bank says this of cards and accounts alike.
        self.sandbox.settle(
            self.order().payment_intent_id, outcome="fail", code="insufficient_funds"
        )
        self.run_once()
        order = self.order()
        url = order.get_absolute_url()
        refused = "Your bank refused the debit. You have not been charged."

        told = self.client.get(f"{url}status/").json()["order"]["message"]
        assert told.startswith(refused)
        for path in (url, "/orders/"):
            card = self.client.get(path).content.decode().split("</order-card>")[0]
            assert refused in card
            assert "another card" not in card
        self.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
        assert "hat die Lastschrift abgelehnt" in self.client.get(url).content.decode()
        message = emails.compose(Mail.objects.get())
        assert "Your bank did not carry out the payment." in message.body
        assert " card" not in message.body

        # The words of a card for a card that is tried then.
        del self.client.defaults["HTTP_ACCEPT_LANGUAGE"]
        self.confirm(order, number="4000000000009995")
        payments.look_up(order, source="status check")
        told = self.client.get(f"{url}status/").json()["order"]["message"]
        assert told.startswith("The card does not have enough funds.")

    def test_processing_for_weeks_is_told(self):
        self.place()
        self.debit(self.order())
        self.run_once()
        long_ago = timezone.now() - reconcile.PROCESSING_LIFETIME
        Order.objects.update(pending_since=long_ago)

        self.run_once()

        assert Attention.objects.get().kind == "stuck"
        assert self.run_once() == []

    def test_expires_at_stripe_first(self):
        self.place()
        Order.objects.update(pending_since=timezone.now() - reconcile.ORDER_LIFETIME)
        self.sandbox.fault("payment_intents.cancel", "status", status=500)
        self.run_once()
        assert self.order().status == Order.Status.PENDING
        self.sandbox.clear_faults()

        self.run_once()

        assert self.order().status == Order.Status.CANCELED
        assert self.order().closed_reason == "expired"
        assert self.intents()[0]["status"] == "canceled"
        self.assert_quiet()

    def test_expiry_of_an_order_paid_at_the_last_moment_settles_it(self):
        self.place()
        Order.objects.update(pending_since=timezone.now() - reconcile.ORDER_LIFETIME)
        self.confirm(self.order())

        list(reconcile.expire_orders())

        assert self.order().is_paid
        assert self.order().closed_reason == ""

    def test_an_order_is_looked_up_once_for_one_reason(self):
        self.place()
        Order.objects.update(look_at=timezone.now())

        self.run_once()

        assert self.order().look_at is None

    def test_young_orders_are_left_alone(self):
        self.place()
        assert self.run_once() == []
        assert self.order().status == Order.Status.PENDING


class OrphanTests(ReconcileTestCase):
    def orphan(self, order: str) -> str:
        """Make an intent as a request that died before it could store it."""
        reference = Shop.current_reference()
        return gateway.create_payment_intent(
            amount=10_100, currency="usd", shop=reference, order=order
        ).id

    def test_intent_whose_request_died_is_stored_on_its_order(self):
        self.place()
        intent_id = self.order().payment_intent_id
        Order.objects.update(payment_intent_id=None)

        assert self.run_once() == [
            f"{self.order().number}: PaymentIntent {intent_id} stored"
        ]

        assert self.order().payment_intent_id == intent_id
        self.assert_quiet()

    def test_intent_of_a_closed_order_is_canceled(self):
        self.sandbox.fault("payment_intents.create", "drop", when="after")
        self.place()
        self.sandbox.clear_faults()
        Order.objects.update(
            placed_at=timezone.now() - payments.KEY_LIFETIME,
        )
        self.place()

        lines = self.run_once()

        orphan, stored = self.intents()
        assert lines == [f"orphan {orphan['id']}: canceled"]
        assert orphan["status"] == "canceled"
        assert stored["status"] == "requires_payment_method"
        self.assert_quiet()

    def test_orphan_is_found_however_long_nobody_looked(self):
        self.run_once()
        orphan = self.orphan("0000000000000000")
        clock = Clock(self.sandbox)
        with clock.shown_to_the_shop():
            clock.catch_up()
            clock.advance(3 * 60 * 60)
            self.sandbox.fault(
                "payment_intents.cancel", "status", status=500, calls=[1, 2]
            )
            lines = self.run_once()
            assert [line.partition(":")[0] for line in lines] == ["sweep_intents"]
            clock.advance(3 * 60 * 60)

            assert self.run_once() == [f"orphan {orphan}: canceled"]

    def test_intent_of_no_order_is_canceled(self):
        orphan = self.orphan("0000000000000000")

        assert self.run_once() == [f"orphan {orphan}: canceled"]
        self.assert_quiet()

    def test_paid_intent_of_no_order_is_told_once(self):
        orphan = self.orphan("0000000000000000")
        self.sandbox.confirm(orphan)

        self.run_once()
        self.run_once()

        assert Attention.objects.get().kind == "money_without_order"
        self.assert_quiet()

    def test_other_shops_intents_are_left_alone(self):
        self.dashboard.v1.payment_intents.create({"amount": 500, "currency": "usd"})

        assert self.run_once() == []
        assert self.intents()[0]["status"] == "requires_payment_method"


class VerifyTests(ReconcileTestCase):
    """`verify_payments` finds what no code of the shop could have written."""

    def assert_found(self, problem: str, table: str, change: str, *values: Any) -> None:
        """Change rows by hand, expect the sentence, and change them back."""
        before = transaction.savepoint()
        with connection.cursor() as cursor:
            cursor.execute(f"{change.format(table=f'checkout_{table}')}", values)
            assert cursor.rowcount == 1, change
        try:
            self.assert_told(problem)
        finally:
            transaction.savepoint_rollback(before)

    def assert_told(self, problem: str) -> None:
        out = StringIO()
        with self.assertRaises(CommandError):
            call_command("verify_payments", stdout=out)
        lines = out.getvalue().splitlines()
        assert sum(problem in line for line in lines) == 1, lines

    def test_silent_on_settled_states(self):
        self.buy()
        self.run_once()
        self.assert_quiet()
        self.client.get("/")
        self.place(**ONE_MUG)
        self.assert_quiet()

    def test_a_paid_order_corrupted(self):
        order = self.buy()
        stranger = gateway.create_payment_intent(
            amount=order.amount, currency="usd", shop="other", order="other"
        )
        for problem, table, change, *values in [
            ("has succeeded", "order", "UPDATE {table} SET status = 'pending'"),
            (
                "it is canceled, its pi_",
                "order",
                "UPDATE {table} SET status = 'canceled'",
            ),
            ("does not end so", "order", "UPDATE {table} SET status = 'processing'"),
            (
                "add up to 10100, its amount is 5000",
                "order",
                "UPDATE {table} SET amount = 5000, amount_received = 5000",
            ),
            ("is about 10100 usd", "order", "UPDATE {table} SET currency = 'eur'"),
            (
                "does not know its pi_gone",
                "order",
                "UPDATE {table} SET payment_intent_id = 'pi_gone'",
            ),
            (
                "names another order",
                "order",
                "UPDATE {table} SET payment_intent_id = %s",
                stranger.id,
            ),
            ("refunds add up to 0", "order", "UPDATE {table} SET amount_refunded = 7"),
            ("Stripe refunded 0", "order", "UPDATE {table} SET amount_refunded = 7"),
            ("of the other mode", "order", "UPDATE {table} SET livemode = true"),
            (
                "does not end so",
                "orderhistory",
                "DELETE FROM {table} WHERE to_status = 'paid'",
            ),
            (
                "lines add up to",
                "orderline",
                "UPDATE {table} SET quantity = 9 WHERE quantity = 2",
            ),
        ]:
            with self.subTest(change):
                self.assert_found(problem, table, change, *values)

    def test_a_pending_order_corrupted(self):
        self.place()
        self.assert_found(
            "can still be paid", "order", "UPDATE {table} SET status = 'canceled'"
        )
        gateway.cancel_payment_intent(self.order().payment_intent_id)
        self.assert_told("it is pending, its pi_")

    def test_a_second_intent_of_an_order(self):
        order = self.buy()
        second = self.dashboard.v1.payment_intents.create(
            {
                "amount": order.amount,
                "currency": "usd",
                "metadata": {"shop": Shop.current_reference(), "order": order.number},
            }
        )
        self.assert_told("another PaymentIntent of it can be paid")

        self.sandbox.confirm(second.id)
        self.assert_told("another PaymentIntent of it is succeeded")

        # Once the operator has been told, it is an open item, not a disagreement.
        self.run_once()
        self.assert_quiet()

    def test_a_refund_nobody_recorded(self):
        self.buy()
        self.dashboard.v1.refunds.create(
            {"payment_intent": self.order().payment_intent_id, "amount": 100}
        )
        self.assert_told("Stripe refunded 100, not 0")

    def test_says_when_stripe_does_not_answer(self):
        self.buy()
        self.sandbox.stop()
        with self.assertRaisesMessage(CommandError, "does not answer"):
            call_command("verify_payments", stdout=StringIO())
