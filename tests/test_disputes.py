"""Disputes and early fraud warnings: told and recorded, and nothing else."""

from itertools import permutations

import pytest

from checkout import refunds
from checkout.models import Attention, Dispute, Order, Refund
from tests.shopper import ShopperTestCase

pytestmark = pytest.mark.usefixtures("sandbox")

EVENTS = ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed")


class DisputeTests(ShopperTestCase):
    def lose(self) -> None:
        [dispute] = self.sandbox.objects("dispute")
        self.dashboard.v1.disputes.close(dispute["id"])

    def test_opens_attention_and_blocks_refunds_until_it_is_closed(self):
        self.buy(number="4000000000000259")
        self.deliver_events(*EVENTS)

        dispute = Dispute.objects.get()
        assert (dispute.status, dispute.reason) == ("needs_response", "fraudulent")
        assert dispute.amount == self.order().amount
        item = Attention.objects.get(resolved_at=None)
        assert (item.kind, item.subject) == ("dispute", dispute.stripe_id)
        assert self.order().status == Order.Status.PAID
        with self.assertRaises(refunds.NotRefundable):
            refunds.ask(self.order(), 1, reason="", by="anna")

        self.lose()
        self.deliver_events(*EVENTS)

        dispute.refresh_from_db()
        assert dispute.status == "lost"
        assert not Attention.objects.filter(resolved_at=None).exists()
        assert self.order().status == Order.Status.PAID
        assert not Refund.objects.exists()

    def test_any_order_of_its_events_ends_the_same(self):
        self.buy(number="4000000000000259")
        self.lose()
        events = [e for e in self.sandbox.objects("event") if e["type"] in EVENTS]
        assert len(events) >= 2
        for count, order_of_events in enumerate(permutations(events)):
            Dispute.objects.all().delete()
            Attention.objects.all().delete()
            for number, event in enumerate(order_of_events):
                self.deliver({**event, "id": f"evt_{count}x{number}"})

            assert Dispute.objects.get().status == "lost"
            assert not Attention.objects.filter(resolved_at=None).exists()

    def test_early_fraud_warning_is_told_and_refunds_nothing(self):
        self.buy(number="4000000000005423")
        self.deliver_events("radar.early_fraud_warning.created")

        item = Attention.objects.get()
        assert item.kind == "early_fraud_warning"
        assert item.order == self.order()
        assert not Refund.objects.exists()

    def test_disputes_of_others_are_not_ours(self):
        intent = self.dashboard.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_card_createDispute",
                "automatic_payment_methods": {
                    "enabled": True,
                    "allow_redirects": "never",
                },
            }
        )
        assert intent.status == "succeeded"

        self.deliver_all()

        assert not Dispute.objects.exists()
        assert not Attention.objects.exists()
