"""What an authentic event does: once, whatever comes twice, late or out of order."""

from django.test import TestCase, override_settings
from django.utils import timezone

from checkout.models import Attention, Order, OrderHistory, StripeEvent
from tests.factories import (
    deliver,
    make_event,
    make_intent,
    make_order,
    payment_succeeded,
)


class PaidTests(TestCase):
    def test_equal_payment_makes_the_order_paid_and_history_names_the_event(self):
        order = make_order(amount=1099, currency="eur")
        event = payment_succeeded(order)

        assert deliver(self.client, event).status_code == 200

        order.refresh_from_db()
        assert order.status == Order.Status.PAID
        assert order.amount_received == 1099
        assert order.paid_at is not None
        row = order.history.last()
        assert (row.from_status, row.to_status) == ("pending", "paid")
        assert row.source == event["id"]

    def test_repeated_delivery_changes_nothing_but_its_count(self):
        order = make_order()
        event = payment_succeeded(order)
        deliver(self.client, event)
        before = Order.objects.values().get(pk=order.pk)

        for _ in range(3):
            assert deliver(self.client, event).status_code == 200

        assert Order.objects.values().get(pk=order.pk) == before
        assert order.history.count() == 2
        assert StripeEvent.objects.get().deliveries == 4

    def test_second_event_of_the_same_success_changes_nothing(self):
        order = make_order()
        deliver(self.client, payment_succeeded(order))
        before = Order.objects.values().get(pk=order.pk)

        deliver(self.client, payment_succeeded(order))

        assert Order.objects.values().get(pk=order.pk) == before
        assert order.history.count() == 2

    def test_event_before_the_intent_was_stored_pays_the_order_it_names(self):
        order = make_order()
        event = payment_succeeded(order)
        Order.objects.filter(pk=order.pk).update(payment_intent_id=None)

        assert deliver(self.client, event).status_code == 200

        order.refresh_from_db()
        assert order.is_paid
        assert order.payment_intent_id == event["data"]["object"]["id"]

    def test_late_money_pays_a_canceled_order_out_of_its_checkout(self):
        order = make_order()
        order.move_to(Order.Status.CANCELED, source="shopper", closed_reason="replaced")

        deliver(self.client, payment_succeeded(order))

        order.refresh_from_db()
        assert order.is_paid
        assert order.checkout is None
        assert Attention.objects.get().order == order

    def test_charge_tells_how_it_was_paid_before_and_after(self):
        charge = {
            "id": "ch_9",
            "object": "charge",
            "payment_method_details": {
                "type": "card",
                "card": {"brand": "visa", "last4": "4242"},
            },
        }
        for paid_first in (True, False):
            order = make_order()
            of_order = {**charge, "payment_intent": order.payment_intent_id}
            events = [
                payment_succeeded(order, latest_charge="ch_9"),
                make_event("charge.succeeded", of_order),
            ]
            for event in events if paid_first else reversed(events):
                assert deliver(self.client, event).status_code == 200

            order.refresh_from_db()
            assert order.is_paid
            assert (order.brand, order.last4, order.charge_id) == (
                "visa",
                "4242",
                "ch_9",
            )


class MismatchTests(TestCase):
    """Authentic is not the same as valid."""

    def assert_held(self, event, order):
        assert deliver(self.client, event).status_code == 200
        order.refresh_from_db()
        assert order.status == Order.Status.PENDING
        assert StripeEvent.objects.get(pk=event["id"]).outcome == "attention"
        assert Attention.objects.filter(subject=event["data"]["object"]["id"]).exists()

    def test_other_amount(self):
        for received in (1, 1098, 1100, 109_900):
            order = make_order(amount=1099)
            self.assert_held(payment_succeeded(order, amount_received=received), order)

    def test_other_currency(self):
        order = make_order(currency="usd")
        self.assert_held(payment_succeeded(order, currency="jpy"), order)

    def test_other_order_in_the_metadata(self):
        order, other = make_order(), make_order()
        stolen = make_intent(order)["metadata"] | {"order": other.number}
        self.assert_held(payment_succeeded(order, metadata=stolen), order)
        other.refresh_from_db()
        assert other.status == Order.Status.PENDING

    def test_another_intent_that_names_this_order(self):
        order = make_order()
        self.assert_held(payment_succeeded(order, id="pi_other"), order)

    def test_money_without_an_order(self):
        order = make_order(payment_intent_id=None)
        metadata = make_intent(order)["metadata"] | {"order": "0" * 16}
        event = payment_succeeded(order, id="pi_lost", metadata=metadata)

        assert deliver(self.client, event).status_code == 200

        item = Attention.objects.get()
        assert (item.kind, item.subject) == ("money_without_order", "pi_lost")

    def test_attention_opens_once(self):
        order = make_order()
        for _ in range(3):
            deliver(self.client, payment_succeeded(order, amount_received=1))

        assert Attention.objects.count() == 1

    def test_other_mode(self):
        order = make_order()
        event = {**payment_succeeded(order), "livemode": True}

        assert deliver(self.client, event).status_code == 200

        order.refresh_from_db()
        assert order.status == Order.Status.PENDING
        assert StripeEvent.objects.get().outcome == "ignored"

    def test_test_money_never_pays_a_live_order(self):
        order = make_order(livemode=True)
        self.assert_held(payment_succeeded(order), order)

    def test_foreign_intents_are_ignored(self):
        order = make_order()
        for metadata in ({}, {"shop": "other", "order": order.number}):
            event = payment_succeeded(order, id="pi_foreign", metadata=metadata)

            assert deliver(self.client, event).status_code == 200

            assert StripeEvent.objects.get(pk=event["id"]).outcome == "ignored"
        assert not Attention.objects.exists()
        order.refresh_from_db()
        assert order.status == Order.Status.PENDING

    def test_unknown_types_are_ignored(self):
        event = make_event("customer.created", {"id": "cus_1"})

        assert deliver(self.client, event).status_code == 200
        assert StripeEvent.objects.get().outcome == "ignored"


class OrderOfEventsTests(TestCase):
    def test_failed_and_processing_only_ask_for_a_look(self):
        for type in ("payment_intent.payment_failed", "payment_intent.processing"):
            order = make_order()
            intent = make_intent(order, status=type.rpartition(".")[2])

            assert deliver(self.client, make_event(type, intent)).status_code == 200

            order.refresh_from_db()
            assert order.status == Order.Status.PENDING
            assert order.look_at <= timezone.now()

    def test_a_repeat_asks_for_no_second_look(self):
        order = make_order()
        intent = make_intent(order, status="processing", amount_received=0)
        event = make_event("payment_intent.processing", intent)
        deliver(self.client, event)
        Order.objects.update(look_at=None)

        assert deliver(self.client, event).status_code == 200

        order.refresh_from_db()
        assert order.look_at is None

    def test_late_failure_does_not_touch_a_paid_order(self):
        order = make_order()
        deliver(self.client, payment_succeeded(order))
        before = Order.objects.values().get(pk=order.pk)
        failed = make_intent(order, status="requires_payment_method", amount_received=0)

        for type in ("payment_failed", "processing", "canceled"):
            deliver(self.client, make_event(f"payment_intent.{type}", failed))

        assert Order.objects.values().get(pk=order.pk) == before

    def test_nothing_leads_out_of_paid(self):
        order = make_order()
        deliver(self.client, payment_succeeded(order))
        for status in ("canceled", "processing", "requires_payment_method"):
            intent = make_intent(order, status=status, amount_received=0)
            event = make_event("payment_intent.canceled", intent)
            assert deliver(self.client, event).status_code == 200
            order.refresh_from_db()
            assert order.is_paid

    def test_canceled_at_stripe_closes_the_order(self):
        order = make_order()
        intent = make_intent(order, status="canceled", amount_received=0)

        deliver(self.client, make_event("payment_intent.canceled", intent))

        order.refresh_from_db()
        assert order.status == Order.Status.CANCELED

    def test_canceling_another_intent_does_not_close_the_order(self):
        order = make_order()
        intent = make_intent(order, id="pi_2", status="canceled", amount_received=0)

        deliver(self.client, make_event("payment_intent.canceled", intent))

        order.refresh_from_db()
        assert order.status == Order.Status.PENDING


class FailureTests(TestCase):
    def test_what_cannot_be_applied_is_kept_and_applied_at_the_next_delivery(self):
        order = make_order()
        event = payment_succeeded(order)
        broken = {**event, "data": {"object": {**event["data"]["object"]}}}
        del broken["data"]["object"]["amount_received"]

        assert deliver(self.client, broken).status_code == 500

        row = StripeEvent.objects.get()
        assert (row.outcome, row.deliveries) == ("failed", 1)
        assert "amount_received" in row.reason
        order.refresh_from_db()
        assert order.status == Order.Status.PENDING

        assert deliver(self.client, event).status_code == 200

        order.refresh_from_db()
        assert order.is_paid
        row.refresh_from_db()
        assert (row.outcome, row.deliveries) == ("applied", 2)

    @override_settings(STRIPE_SECRET_KEY="sk_live_not_a_key")
    def test_a_test_event_never_touches_a_live_shop(self):
        order = make_order(livemode=True)

        assert deliver(self.client, payment_succeeded(order)).status_code == 200

        assert not Order.objects.filter(status=Order.Status.PAID).exists()
        assert OrderHistory.objects.filter(order=order).count() == 1
