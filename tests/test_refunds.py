"""Money back: bounded, once, and true whatever order the reports come in."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from checkout import emails, gateway, reconcile, refunds
from checkout.models import Attention, Mail, Order, Refund
from tests.factories import make_order
from tests.shopper import ShopperTestCase

pytestmark = pytest.mark.usefixtures("sandbox")

TOTAL = 10_100
EVENTS = ("refund.created", "refund.updated", "refund.failed", "charge.refunded")


class RefundTestCase(ShopperTestCase):
    def ask(self, amount: int, **options: Any) -> Refund:
        options = {"reason": "requested_by_customer", "by": "anna", **options}
        return refunds.ask(self.order(), amount, **options)

    def refunds_at_stripe(self) -> list[dict[str, Any]]:
        return self.sandbox.objects("refund")

    def refund_in_the_dashboard(self, amount: int) -> None:
        """Refund as somebody would at Stripe, without the shop's metadata."""
        intent = self.order().payment_intent_id
        self.dashboard.v1.refunds.create({"payment_intent": intent, "amount": amount})


class AskingTests(RefundTestCase):
    def test_part_then_the_rest(self):
        self.buy()
        first = self.ask(100)
        second = self.ask(TOTAL - 100)

        assert first.status == second.status == "succeeded"
        assert self.order().amount_refunded == TOTAL
        assert [r["amount"] for r in self.refunds_at_stripe()] == [100, TOTAL - 100]
        assert self.order().is_paid

    def test_never_more_than_is_left(self):
        self.buy()
        self.ask(TOTAL - 1)
        for amount in (2, TOTAL, 0, -1):
            with self.assertRaises(refunds.NotRefundable):
                self.ask(amount)
        assert len(self.refunds_at_stripe()) == 1

    def test_only_a_paid_order(self):
        self.place()
        with self.assertRaises(refunds.NotRefundable):
            self.ask(1)

    def test_its_own_event_is_matched_not_added(self):
        self.buy()
        self.ask(100)
        self.deliver_events(*EVENTS)
        self.deliver_events(*EVENTS)

        assert Refund.objects.count() == 1
        assert self.order().amount_refunded == 100
        assert Mail.objects.filter(kind="refund").count() == 1

    def test_history_tells_who_asked_and_what_came(self):
        self.buy()
        refund = self.ask(100)

        notes = [(row.source, row.note) for row in self.order().history.all()][-2:]
        assert notes == [
            ("anna", f"refund {refund.number} of 100 usd: asked"),
            ("anna", f"refund {refund.stripe_id} of 100 usd: succeeded"),
        ]


class UnknownOutcomeTests(RefundTestCase):
    def test_lost_answer_is_one_refund(self):
        self.buy()
        self.sandbox.fault("refunds.create", "drop", when="after")
        refund = self.ask(100)
        assert refund.status == "asked"
        assert refunds.left(self.order()) == TOTAL - 100
        self.sandbox.clear_faults()

        Refund.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
        assert list(reconcile.finish_refunds()) == [
            f"refund {refund.number}: succeeded"
        ]

        assert len(self.refunds_at_stripe()) == 1
        assert self.order().amount_refunded == 100
        assert list(reconcile.finish_refunds()) == []

    def test_event_completes_a_refund_whose_answer_was_lost(self):
        self.buy()
        self.sandbox.fault("refunds.create", "drop", when="after")
        self.ask(100)
        self.sandbox.clear_faults()

        self.deliver_events("refund.created")

        refund = Refund.objects.get()
        assert refund.status == "succeeded"
        assert refund.stripe_id == self.refunds_at_stripe()[0]["id"]

    def test_stored_failure_with_effect_is_found(self):
        self.buy()
        self.sandbox.fault(
            "refunds.create", "status", status=500, stored=True, when="after"
        )
        refund = self.ask(100)
        self.sandbox.clear_faults()
        if refund.status == "asked":
            Refund.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
            list(reconcile.finish_refunds())

        refund.refresh_from_db()
        assert refund.status == "succeeded"
        assert len(self.refunds_at_stripe()) == 1

    def test_after_23_hours_it_is_looked_up_and_never_sent_again(self):
        self.buy()
        long_ago = timezone.now() - refunds.KEY_LIFETIME
        for when, status in (("before", "failed"), ("after", "succeeded")):
            self.sandbox.fault("refunds.create", "drop", when=when)
            refund = self.ask(100)
            self.sandbox.clear_faults()
            Refund.objects.filter(pk=refund.pk).update(asked_at=long_ago)

            list(reconcile.finish_refunds())

            refund.refresh_from_db()
            assert refund.status == status
        assert len(self.refunds_at_stripe()) == 1
        assert self.order().amount_refunded == 100
        assert Attention.objects.get().kind == "refund_failed"

    def test_refused_by_stripe_is_counted_back(self):
        self.buy()
        self.refund_in_the_dashboard(TOTAL)

        refund = self.ask(100)

        assert refund.status == "failed"
        assert refund.failure_reason == "charge_already_refunded"
        assert self.order().amount_refunded == 0
        assert Attention.objects.filter(kind="refund_failed").exists()


class ReportedTests(RefundTestCase):
    def test_from_the_dashboard(self):
        self.buy()
        self.refund_in_the_dashboard(300)
        self.ask(200)
        self.refund_in_the_dashboard(500)

        self.deliver_events(*EVENTS)

        assert self.order().amount_refunded == 1000
        assert Refund.objects.count() == 3
        assert refunds.left(self.order()) == TOTAL - 1000

    def test_from_the_dashboard_when_only_the_charge_event_comes(self):
        self.buy()
        self.refund_in_the_dashboard(300)
        self.deliver_events("charge.refunded")

        list(reconcile.look_up_due_orders())

        assert self.order().amount_refunded == 300
        assert self.order().look_at is None

    def test_fails_later_and_is_counted_back(self):
        self.buy(number="4000000000005126")
        refund = self.ask(TOTAL)
        assert refund.status == "succeeded"
        self.sandbox.answer_refund(refund.stripe_id, "fail")

        self.deliver_events(*EVENTS)

        refund.refresh_from_db()
        assert refund.status == "failed"
        assert self.order().amount_refunded == 0
        assert refunds.left(self.order()) == TOTAL
        assert Attention.objects.get().kind == "refund_failed"

    def test_shopper_is_told_once_that_a_refund_failed_after_all(self):
        self.buy(number="4000000000005126")
        refund = self.ask(TOTAL)
        self.sandbox.answer_refund(refund.stripe_id, "fail")
        for _ in range(2):
            self.deliver_events(*EVENTS)

        told = Mail.objects.get(kind="refund_failed")
        message = emails.compose(told)
        for text in (message.body, message.alternatives[0].content):
            assert "We could not send $101.00 back to you." in text
            assert self.order().get_absolute_url() in text
        assert self.order().number in message.subject
        address = self.order().get_absolute_url()
        sentence = "We could not send $101.00 back to you: the refund failed."
        assert sentence in self.client.get(address).content.decode()
        assert (
            sentence in self.client.get(f"{address}status/").json()["order"]["message"]
        )

        # The operator has found another way.
        Attention.objects.update(resolved_at=timezone.now())
        assert sentence not in self.client.get(address).content.decode()

    def test_shopper_hears_nothing_of_a_refund_that_stripe_refused(self):
        self.buy()
        self.refund_in_the_dashboard(TOTAL)
        assert self.ask(100).status == "failed"

        assert not Mail.objects.filter(kind="refund_failed").exists()
        page = self.client.get(self.order().get_absolute_url()).content.decode()
        assert "We could not send" not in page

    def test_late_reports_do_not_bring_a_failed_refund_back(self):
        self.buy(number="4000000000005126")
        refund = self.ask(TOTAL)
        self.sandbox.answer_refund(refund.stripe_id, "fail")
        events = [e for e in self.sandbox.objects("event") if e["type"] in EVENTS]

        for event in reversed(events):
            self.deliver(event)

        refund.refresh_from_db()
        assert refund.status == "failed"
        assert self.order().amount_refunded == 0

    def test_pending_then_done_mails_once(self):
        self.buy(number="4000000000007726")
        refund = self.ask(100)
        assert refund.status == "pending"
        assert not Mail.objects.filter(kind="refund").exists()
        self.sandbox.answer_refund(refund.stripe_id)

        self.deliver_events(*EVENTS)
        self.deliver_events(*EVENTS)

        refund.refresh_from_db()
        assert refund.status == "succeeded"
        assert self.order().amount_refunded == 100
        assert Mail.objects.filter(kind="refund").count() == 1

    def test_more_than_was_received_is_recorded_and_told(self):
        order = make_order()
        Order.objects.filter(pk=order.pk).update(
            status="paid", paid_at=timezone.now(), amount_received=order.amount
        )
        for number in ("1", "2"):
            refunds.record(
                gateway.Refund(
                    id=f"re_{number}",
                    payment_intent=order.payment_intent_id,
                    amount=order.amount,
                    currency="usd",
                    status="succeeded",
                    reason="",
                    failure_reason="",
                    shop="",
                    refund="",
                ),
                source="evt_1",
            )

        order.refresh_from_db()
        assert order.amount_refunded == 2 * order.amount
        assert Attention.objects.get().kind == "refund_excess"

    def test_another_shops_refund_is_not_ours(self):
        foreign = gateway.Refund(
            "re_1", "pi_foreign", 100, "usd", "succeeded", "", "", "", ""
        )
        assert refunds.record(foreign, source="evt_1") is None
        assert not Refund.objects.exists()
