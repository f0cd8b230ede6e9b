"""The official CLI against the sandbox: triggers, commands and `stripe listen`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from tests.sandbox.listener import Listener
from tests.sandbox.stripe_cli import Listening, StripeCli, needs_stripe_cli
from tests.sandbox_server import SandboxServer, wait_for

pytestmark = needs_stripe_cli

TRIGGERS = [
    "payment_intent.created",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.amount_capturable_updated",
    "charge.succeeded",
    "charge.failed",
    "charge.captured",
    "charge.refunded",
    "charge.refund.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
]


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """One that delivers to nobody but those who listen."""
    with SandboxServer() as running:
        yield running


@pytest.fixture
def sandbox(server: SandboxServer, listener: Listener) -> SandboxServer:
    """Reset, as elsewhere; but the CLI goes on bringing events to where it began."""
    server.reset()
    listener.clear()
    return server


@pytest.fixture(scope="module")
def cli(server: SandboxServer) -> Iterator[StripeCli]:
    with StripeCli(server) as installed:
        yield installed


@pytest.fixture(scope="module")
def listening(cli: StripeCli, listener: Listener) -> Iterator[Listening]:
    with cli.listen(listener.url) as running:
        yield running


@pytest.mark.parametrize("event_type", TRIGGERS)
def test_trigger(
    cli: StripeCli,
    sandbox: SandboxServer,
    client: stripe.StripeClient,
    listening: Listening,
    listener: Listener,
    event_type: str,
) -> None:
    cli.run("trigger", event_type)

    [event] = client.v1.events.list({"type": event_type}).data
    [received, *_] = listener.wait_for(event_type)
    signature = received.headers["Stripe-Signature"]
    verified = stripe.Webhook.construct_event(  # type: ignore[no-untyped-call]
        received.body, signature, sandbox.webhook_secret
    )
    assert verified.id == event.id


def test_trigger_with_changes(cli: StripeCli, sandbox: SandboxServer) -> None:
    changes = ["payment_intent:amount=4200", "payment_intent:metadata.order=7"]

    cli.run("trigger", "payment_intent.created", "--override", *changes[:1])
    cli.run("trigger", "payment_intent.created", "--add", *changes[1:])

    first, second = sandbox.objects("payment_intent")
    assert first["amount"] == 4200
    assert second["metadata"] == {"order": "7"}


def test_commands(cli: StripeCli, sandbox: SandboxServer) -> None:
    made = json.loads(
        cli.run(
            *("payment_intents", "create", "--amount", "1099", "--currency", "usd"),
            *("-d", "metadata[order]=7"),
        )
    )
    paid = ("--payment-method", "pm_card_visa", "--return-url", "https://a.example")
    cli.run("payment_intents", "confirm", made["id"], *paid)
    cli.run("refunds", "create", "--payment-intent", made["id"], "--amount", "99")

    intents = json.loads(cli.run("payment_intents", "list", "--limit", "3"))
    shown = json.loads(cli.run("get", made["id"], "-e", "latest_charge"))
    types = json.loads(cli.run("events", "list", "--type", "refund.created"))

    assert [intent["metadata"] for intent in intents["data"]] == [{"order": "7"}]
    assert shown["latest_charge"]["amount_refunded"] == 99
    event = json.loads(cli.run("events", "retrieve", types["data"][0]["id"]))
    assert event["data"]["object"]["payment_intent"] == made["id"]


def test_an_event_is_sent_again_to_those_who_listen(
    cli: StripeCli, sandbox: SandboxServer, listening: Listening, listener: Listener
) -> None:
    cli.run("trigger", "payment_intent.created")
    [first] = listener.wait_for("payment_intent.created")

    cli.run("events", "resend", first.event["id"])

    wait_for(lambda: len(listener.received) == 2)
    assert listener.received[1].event["id"] == first.event["id"]


def test_webhook_endpoints(cli: StripeCli, sandbox: SandboxServer) -> None:
    with Listener() as hook:
        path = ("--url", hook.url, "-d", "enabled_events[]=payment_intent.created")
        endpoint = json.loads(cli.run("webhook_endpoints", "create", *path))
        cli.run("trigger", "payment_intent.created")
        [received] = hook.wait_for("payment_intent.created")
        event_id = received.event["id"]
        cli.run("events", "resend", event_id, "--webhook-endpoint", endpoint["id"])
        wait_for(lambda: len(hook.received) == 2)

    cli.run("webhook_endpoints", "update", endpoint["id"], "--disabled=true")
    listed = json.loads(cli.run("webhook_endpoints", "list"))
    cli.run("webhook_endpoints", "delete", endpoint["id"], "--confirm")

    assert [one["status"] for one in listed["data"]] == ["disabled"]
    assert sandbox.objects("webhook_endpoint") == []


def test_fixtures(cli: StripeCli, sandbox: SandboxServer, tmp_path: Path) -> None:
    steps = {
        "_meta": {"template_version": 0},
        "fixtures": [
            {
                "name": "intent",
                "path": "/v1/payment_intents",
                "method": "post",
                "params": {"amount": 2000, "currency": "usd"},
            },
            {
                "name": "declined",
                "path": "/v1/payment_intents/${intent:id}/confirm",
                "method": "post",
                "params": {
                    "payment_method": "pm_card_visa_chargeDeclined",
                    "return_url": "https://a.example/",
                },
                "expected_error_type": "card_error",
            },
        ],
    }
    file = tmp_path / "steps.json"
    file.write_text(json.dumps(steps))

    cli.run("fixtures", str(file))

    [intent] = sandbox.objects("payment_intent")
    assert intent["last_payment_error"]["decline_code"] == "generic_decline"


def test_everybody_who_listens_is_told(
    cli: StripeCli, sandbox: SandboxServer, listening: Listening, listener: Listener
) -> None:
    with Listener() as other, cli.listen(other.url, "--latest"):
        cli.run("trigger", "payment_intent.created")

        [here] = listener.wait_for("payment_intent.created")
        [there] = other.wait_for("payment_intent.created")

    assert here.event["id"] == there.event["id"]
    assert here.event["api_version"].endswith(".dahlia")
    assert there.event["api_version"].endswith(".endive")


def test_the_secret_it_prints_stays_the_same(
    cli: StripeCli, sandbox: SandboxServer
) -> None:
    printed = {cli.run("listen", "--print-secret", "--skip-update") for _ in range(2)}

    assert printed == {f"{sandbox.webhook_secret}\n"}


def test_large_events_and_a_redial(
    cli: StripeCli,
    sandbox: SandboxServer,
    client: stripe.StripeClient,
    listening: Listening,
    listener: Listener,
) -> None:
    sandbox.refuse_connections(0.1)
    notes = {f"note_{number}": "x" * 400 for number in range(20)}

    def create() -> stripe.PaymentIntent:
        return client.v1.payment_intents.create(
            {"amount": 1000, "currency": "usd", "metadata": notes},
            {"max_network_retries": 5},
        )

    intents = {create().id for _ in range(10)}

    wait_for(lambda: len(listener.received) == 10, within=20)
    told = {received.event["data"]["object"]["id"] for received in listener.received}
    assert told == intents
    assert all(len(received.body) > 8192 for received in listener.received)
    # Each answer, which repeats the event in fragments, has been read too.
    wait_for(lambda: answers(sandbox) == {"200"})


def test_a_refusal_of_the_webhook_is_kept(
    cli: StripeCli,
    sandbox: SandboxServer,
    client: stripe.StripeClient,
    listening: Listening,
    listener: Listener,
) -> None:
    listener.statuses = [500]
    client.v1.payment_intents.create({"amount": 1000, "currency": "usd"})

    wait_for(lambda: answers(sandbox) == {"500"})

    [event] = client.v1.events.list({"delivery_success": False}).data
    assert event.pending_webhooks == 1


def test_it_ends_on_ctrl_c(cli: StripeCli, listener: Listener) -> None:
    with cli.listen(listener.url, "--events", "payment_intent.succeeded") as running:
        assert running.stop() == 0


def answers(sandbox: SandboxServer) -> set[str]:
    """What was said to events, leaving out a listener that has just ended."""
    return {one["last_answer"] for one in sandbox.deliveries() if one["tries"]}
