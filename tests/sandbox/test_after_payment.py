"""Capture, refunds, disputes and bank debits: what happens after the button."""

from typing import Any

import pytest
import stripe

from tests.sandbox.listener import Listener
from tests.sandbox_server import SandboxServer


def new(client: stripe.StripeClient, **params: Any) -> str:
    given = {"amount": 2000, "currency": "usd"} | params
    return client.v1.payment_intents.create(given).id  # type: ignore[arg-type]


def paid(
    client: stripe.StripeClient,
    sandbox: SandboxServer,
    number: str = "4242424242424242",
    **params: Any,
) -> str:
    intent = new(client, **params)
    assert sandbox.confirm(intent, number)["status"] == "succeeded"
    return intent


def told(client: stripe.StripeClient) -> list[str]:
    """The types of all events, oldest first."""
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]


class TestCapture:
    def test_part_of_an_authorisation_is_taken_and_the_rest_released(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = new(client, capture_method="manual")
        waiting = sandbox.confirm(intent)
        assert (waiting["status"], waiting["amount_capturable"]) == (
            "requires_capture",
            2000,
        )
        assert waiting["amount_received"] == 0

        done = client.v1.payment_intents.capture(
            intent, {"amount_to_capture": 1500, "expand": ["latest_charge"]}
        )

        assert (done.status, done.amount_received) == ("succeeded", 1500)
        assert isinstance(done.latest_charge, stripe.Charge)
        charge = done.latest_charge
        assert (charge.amount_captured, charge.amount_refunded) == (1500, 500)
        assert told(client) == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "payment_intent.succeeded",
        ]
        with pytest.raises(stripe.InvalidRequestError, match="already been captured"):
            client.v1.payment_intents.capture(intent)
        with pytest.raises(stripe.InvalidRequestError, match="greater than unref"):
            client.v1.refunds.create({"payment_intent": intent, "amount": 1501})

    def test_cancel_releases_and_expiry_cancels(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        released, expired = (new(client, capture_method="manual") for _ in range(2))
        for intent in (released, expired):
            sandbox.confirm(intent)

        client.v1.payment_intents.cancel(released)
        sandbox.advance_clock(8 * 86400)

        after = client.v1.payment_intents.retrieve(expired)
        assert (after.status, after.cancellation_reason) == ("canceled", "automatic")
        assert after.canceled_at is not None
        assert abs(after.canceled_at - after.created - 7 * 86400) < 5
        assert told(client).count("charge.refunded") == 2


class TestFees:
    def test_fees_are_known_a_little_later(
        self, client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
    ) -> None:
        intent = paid(client, sandbox)

        sandbox.advance_clock(3)

        [update] = listener.wait_for("charge.updated")
        assert update.event["data"]["previous_attributes"] == {
            "balance_transaction": None
        }
        assert update.event["request"] == {"id": None, "idempotency_key": None}
        charge = client.v1.payment_intents.retrieve(
            intent, {"expand": ["latest_charge.balance_transaction"]}
        ).latest_charge
        assert isinstance(charge, stripe.Charge)
        assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
        assert charge.balance_transaction.net == 2000 - 88

    def test_synchronous_capture_knows_them_at_once(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = paid(client, sandbox, capture_method="automatic")

        [charge] = client.v1.charges.list({"payment_intent": intent}).data
        assert charge.balance_transaction is not None


class TestRefunds:
    def test_parts_then_the_rest(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = paid(client, sandbox)

        first = client.v1.refunds.create({"payment_intent": intent, "amount": 500})
        [charge] = client.v1.charges.list({"payment_intent": intent}).data
        assert (charge.refunded, charge.amount_refunded) == (False, 500)
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create({"payment_intent": intent, "amount": 1501})
        assert caught.value.param == "amount"
        assert "$15.01" in str(caught.value)
        rest = client.v1.refunds.create({"charge": charge.id})

        assert (first.status, rest.amount) == ("succeeded", 1500)
        [charge] = client.v1.charges.list({"payment_intent": intent}).data
        assert (charge.refunded, charge.amount_refunded) == (True, 2000)
        after = client.v1.payment_intents.retrieve(intent)
        assert (after.status, after.amount_received) == ("succeeded", 2000)
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create({"payment_intent": intent})
        assert caught.value.code == "charge_already_refunded"
        assert [
            one.id for one in client.v1.refunds.list({"charge": charge.id}).data
        ] == [
            rest.id,
            first.id,
        ]
        assert told(client)[-4:] == ["refund.created", "charge.refunded"] * 2

    def test_pending_refund_succeeds_later(
        self, client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
    ) -> None:
        intent = paid(client, sandbox, "4000000000007726")

        refund = client.v1.refunds.create({"payment_intent": intent})
        assert (refund.status, refund.pending_reason) == ("pending", "processing")
        sandbox.advance_clock(6)

        assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
        [update] = listener.wait_for("refund.updated")
        assert update.event["data"]["previous_attributes"]["status"] == "pending"

    def test_failed_refund_brings_the_money_back(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = paid(client, sandbox, "4000000000005126")

        refund = client.v1.refunds.create({"payment_intent": intent})
        assert refund.status == "succeeded"
        sandbox.advance_clock(6)

        failed = client.v1.refunds.retrieve(refund.id)
        assert (failed.status, failed.failure_reason) == (
            "failed",
            "lost_or_stolen_card",
        )
        assert told(client)[-3:] == [
            "refund.failed",
            "refund.updated",
            "charge.refund.updated",
        ]

    def test_what_was_not_captured_cannot_be_refunded(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = new(client, capture_method="manual")
        sandbox.confirm(intent)

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create({"payment_intent": intent})

        assert caught.value.code == "charge_not_refundable"

    def test_update_and_cancel(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        refund = client.v1.refunds.create({"payment_intent": paid(client, sandbox)})

        changed = client.v1.refunds.update(refund.id, {"metadata": {"a": "1"}})

        assert changed.metadata is not None
        assert changed.metadata.to_dict() == {"a": "1"}
        with pytest.raises(stripe.InvalidRequestError, match="requires_action"):
            client.v1.refunds.cancel(refund.id)


class TestDisputes:
    def test_lost_by_accepting(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = paid(client, sandbox, "4000000000000259")

        [dispute] = client.v1.disputes.list({"payment_intent": intent}).data
        assert (dispute.status, dispute.reason) == ("needs_response", "fraudulent")
        assert not dispute.is_charge_refundable
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create({"payment_intent": intent})
        assert caught.value.code == "charge_disputed"

        assert client.v1.disputes.close(dispute.id).status == "lost"

        [charge] = client.v1.charges.list({"payment_intent": intent}).data
        assert charge.disputed
        assert told(client)[-3:] == [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.closed",
        ]

    @pytest.mark.parametrize(
        ("evidence", "status", "last"),
        [
            ("winning_evidence", "won", "charge.dispute.funds_reinstated"),
            ("losing_evidence", "lost", "charge.dispute.closed"),
        ],
    )
    def test_evidence_decides(
        self,
        client: stripe.StripeClient,
        sandbox: SandboxServer,
        evidence: str,
        status: str,
        last: str,
    ) -> None:
        intent = paid(client, sandbox, "4000000000002685")
        [dispute] = client.v1.disputes.list({"payment_intent": intent}).data

        sent = client.v1.disputes.update(
            dispute.id, {"evidence": {"uncategorized_text": evidence}}
        )
        assert sent.status == "under_review"
        assert sent.evidence_details.submission_count == 1
        sandbox.advance_clock(3)

        assert client.v1.disputes.retrieve(dispute.id).status == status
        assert told(client)[-1] == last

    def test_inquiry_moves_no_money_until_it_escalates(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = paid(client, sandbox, "4000000000001976")
        [inquiry] = client.v1.disputes.list({"payment_intent": intent}).data
        assert (inquiry.status, inquiry.balance_transactions) == (
            "warning_needs_response",
            [],
        )

        client.v1.disputes.update(
            inquiry.id,
            {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}},
        )
        sandbox.advance_clock(3)

        grown = client.v1.disputes.retrieve(inquiry.id)
        assert grown.status == "needs_response"
        assert [one.amount for one in grown.balance_transactions] == [-2000]

    def test_staged_evidence_is_not_sent_and_silence_loses(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = paid(client, sandbox, "4000000000000259")
        [dispute] = client.v1.disputes.list({"payment_intent": intent}).data

        staged = client.v1.disputes.update(
            dispute.id, {"evidence": {"customer_name": "A"}, "submit": False}
        )
        assert staged.status == "needs_response"
        sandbox.advance_clock(10 * 86400)

        assert client.v1.disputes.retrieve(dispute.id).status == "lost"

    def test_a_test_can_dispute_any_charge(
        self, client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
    ) -> None:
        paid(client, sandbox)
        [charge] = sandbox.objects("charge")

        sandbox.dispute(charge["id"], reason="duplicate", amount=700)

        [created] = listener.wait_for("charge.dispute.created")
        assert created.event["data"]["object"]["amount"] == 700


class TestDebits:
    @pytest.mark.parametrize(
        ("typed", "currency"),
        [
            ({"account_number": "000123456789"}, "usd"),
            ({"iban": "DE89370400440532013000"}, "eur"),
        ],
    )
    def test_paid_after_some_time(
        self,
        client: stripe.StripeClient,
        sandbox: SandboxServer,
        typed: dict[str, str],
        currency: str,
    ) -> None:
        intent = new(client, currency=currency)

        waiting = sandbox.confirm(intent, **typed)
        assert (waiting["status"], waiting["processing"]) == ("processing", None)
        assert sandbox.objects("charge")[0]["status"] == "pending"
        sandbox.advance_clock(6)

        after = client.v1.payment_intents.retrieve(intent)
        assert (after.status, after.amount_received) == ("succeeded", 2000)
        assert told(client)[1:] == [
            "payment_intent.processing",
            "charge.pending",
            "charge.succeeded",
            "payment_intent.succeeded",
        ]

    @pytest.mark.parametrize(
        ("typed", "currency", "code"),
        [
            ({"account_number": "000111111113"}, "usd", "account_closed"),
            ({"account_number": "000222222227"}, "usd", "insufficient_funds"),
            ({"iban": "DE65370400440002222227"}, "eur", "insufficient_funds"),
        ],
    )
    def test_returned_after_some_time(
        self,
        client: stripe.StripeClient,
        sandbox: SandboxServer,
        typed: dict[str, str],
        currency: str,
        code: str,
    ) -> None:
        intent = new(client, currency=currency)

        sandbox.confirm(intent, **typed)
        sandbox.advance_clock(6)

        after = client.v1.payment_intents.retrieve(intent)
        assert after.status == "requires_payment_method"
        assert after.payment_method is None
        assert after.last_payment_error is not None
        assert after.last_payment_error.code == code
        assert told(client)[-2:] == ["charge.failed", "payment_intent.payment_failed"]

    def test_delayed_disputed_and_never_heard_of(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        delayed, disputed = (new(client, currency="eur") for _ in range(2))
        lost = new(client)
        sandbox.confirm(delayed, iban="DE08370400440532013003")
        sandbox.confirm(disputed, iban="DE35370400440532013002")
        sandbox.confirm(lost, account_number="000000000009")

        sandbox.advance_clock(179)
        assert client.v1.payment_intents.retrieve(delayed).status == "processing"
        sandbox.advance_clock(100)
        assert client.v1.payment_intents.retrieve(delayed).status == "succeeded"
        assert len(client.v1.disputes.list({"payment_intent": disputed}).data) == 1
        sandbox.advance_clock(30 * 86400)
        assert client.v1.payment_intents.retrieve(lost).status == "processing"

        assert sandbox.settle(lost, "fail", code="no_account")["status"] == (
            "requires_payment_method"
        )

    def test_cancel_while_processing_is_for_us_accounts_only(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        us, sepa = new(client), new(client, currency="eur")
        sandbox.confirm(us, account_number="000123456789")
        sandbox.confirm(sepa, iban="DE89370400440532013000")

        assert client.v1.payment_intents.cancel(us).status == "canceled"
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.payment_intents.cancel(sepa)
        assert caught.value.code == "payment_intent_unexpected_state"


class TestManualConfirmation:
    @pytest.mark.parametrize(
        "typed", [{"number": "4000002760003184"}, {"type": "klarna"}]
    )
    def test_the_server_confirms_again_after_the_challenge(
        self,
        client: stripe.StripeClient,
        sandbox: SandboxServer,
        typed: dict[str, str],
    ) -> None:
        intent = new(client, confirmation_method="manual")
        assert sandbox.confirm(intent, **typed)["status"] == "requires_action"
        assert sandbox.authenticate(intent)["status"] == "requires_confirmation"

        done = client.v1.payment_intents.confirm(
            intent, {"return_url": "http://127.0.0.1/"}
        )

        assert (done.status, done.amount_received) == ("succeeded", 2000)


class TestRedirects:
    def test_may_be_authorised_and_captured_later(
        self, client: stripe.StripeClient, sandbox: SandboxServer
    ) -> None:
        intent = new(client, capture_method="manual")
        sandbox.confirm(intent, type="klarna")

        assert sandbox.authenticate(intent)["status"] == "requires_capture"
        assert client.v1.payment_intents.capture(intent).status == "succeeded"

    @pytest.mark.parametrize(
        ("kind", "currency"), [("klarna", "usd"), ("ideal", "eur")]
    )
    def test_comes_back_paid_or_failed(
        self,
        client: stripe.StripeClient,
        sandbox: SandboxServer,
        kind: str,
        currency: str,
    ) -> None:
        good, bad, never = (new(client, currency=currency) for _ in range(3))

        for intent in (good, bad, never):
            left = sandbox.confirm(intent, type=kind, return_url="http://shop/back")
            target = left["next_action"]["redirect_to_url"]
            assert target["url"].startswith(f"{sandbox.frame_origin}/bank/{intent}?")
            assert target["return_url"] == "http://shop/back"

        assert sandbox.authenticate(good)["status"] == "succeeded"
        failed = sandbox.authenticate(bad, "fail")
        assert failed["status"] == "requires_payment_method"
        assert failed["last_payment_error"]["code"] == (
            "payment_intent_authentication_failure"
        )
        assert client.v1.payment_intents.retrieve(never).status == "requires_action"
        assert client.v1.charges.list({"payment_intent": bad}).data == []
