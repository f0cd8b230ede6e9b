"""Webhooks: signed afresh, again on anything but 2xx, kept over a restart."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests
import stripe

from tests.sandbox.conftest import ENDIVE, stripe_client
from tests.sandbox.listener import Listener
from tests.sandbox_server import SandboxServer, wait_for

PARAMS: stripe.params.PaymentIntentCreateParams = {"amount": 1000, "currency": "usd"}


def test_event_is_signed_and_says_who_asked(
    client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
) -> None:
    intent = client.v1.payment_intents.create(PARAMS, {"idempotency_key": "order-1"})

    [received] = listener.wait_for("payment_intent.created")

    event = stripe.Webhook.construct_event(
        received.body, received.headers["Stripe-Signature"], sandbox.webhook_secret
    )
    assert event.data.object["id"] == intent.id
    assert event.api_version == ENDIVE
    assert event.pending_webhooks == 1
    assert event.request is not None
    assert intent.last_response is not None
    assert event.request.id == intent.last_response.headers["Request-Id"]
    assert event.request.idempotency_key == "order-1"
    assert received.headers["Content-Type"] == "application/json; charset=utf-8"
    assert received.headers["User-Agent"].startswith("Stripe/1.0")
    wait_for(lambda: client.v1.events.retrieve(event.id).pending_webhooks == 0)


def test_refused_delivery_comes_again_with_a_fresh_signature(
    client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
) -> None:
    listener.statuses = [500, 302]

    client.v1.payment_intents.create(PARAMS)

    wait_for(lambda: len(listener.received) == 2)
    wait_for(lambda: sandbox.deliveries()[0]["tries"] == 2)
    signed_at = int(time.time())
    wait_for(lambda: int(time.time()) > signed_at)
    sandbox.advance_clock(5)
    wait_for(lambda: len(listener.received) == 3)
    signatures = {one.headers["Stripe-Signature"] for one in listener.received}
    assert len(signatures) == 3
    assert len({one.body for one in listener.received}) == 1


def test_deliveries_run_side_by_side(
    client: stripe.StripeClient, listener: Listener
) -> None:
    listener.answer_after = 0.5

    for _ in range(6):
        client.v1.payment_intents.create(PARAMS)

    wait_for(lambda: len(listener.received) == 6)
    spread = listener.received[-1].at - listener.received[0].at
    assert spread < 2  # one after the other would take 2.5 s


def test_drop_repeat_hold_and_reorder(
    client: stripe.StripeClient, sandbox: SandboxServer, listener: Listener
) -> None:
    sandbox.drop_deliveries(1, "payment_intent.created")
    dropped = client.v1.payment_intents.create(PARAMS).id
    sandbox.wait_until_delivered()
    assert listener.received == []

    sandbox.repeat_deliveries(10)
    client.v1.payment_intents.create(PARAMS)
    wait_for(lambda: len(listener.received) >= 10)
    # A copy whose answer was late comes once more.
    sandbox.wait_until_delivered()
    assert len({one.event["id"] for one in listener.received}) == 1
    listener.clear()

    sandbox.reorder_deliveries(3)
    made = [client.v1.payment_intents.create(PARAMS).id for _ in range(3)]
    wait_for(lambda: len(listener.received) == 3)
    order = [one.event["data"]["object"]["id"] for one in listener.received]
    assert order == made[::-1]
    assert dropped not in order
    sandbox.wait_until_delivered()
    listener.clear()

    sandbox.hold_deliveries()
    client.v1.payment_intents.create(PARAMS)
    assert [row["status"] for row in sandbox.deliveries()].count("pending") == 1
    assert listener.received == []
    sandbox.release_deliveries()
    listener.wait_for("payment_intent.created")


def test_nothing_is_lost_by_a_power_cut(tmp_path: Path, listener: Listener) -> None:
    listener.begin()
    state = tmp_path / "state"
    with SandboxServer(forward_to=listener.url, state=state) as server:
        server.hold_deliveries()
        client = stripe_client(server)
        intent = client.v1.payment_intents.create(PARAMS, {"idempotency_key": "one"})
        server.kill()
        assert listener.received == []

        server.restart()

        [received] = listener.wait_for("payment_intent.created")
        assert received.event["data"]["object"]["id"] == intent.id
        again = client.v1.payment_intents.create(PARAMS, {"idempotency_key": "one"})
        assert again.id == intent.id
        assert [one.id for one in client.v1.payment_intents.list().data] == [intent.id]


def test_what_was_answered_survives_a_kill_at_any_moment(
    tmp_path: Path, listener: Listener
) -> None:
    listener.begin()
    with SandboxServer(forward_to=listener.url, state=tmp_path / "state") as server:
        client = stripe_client(server)
        answered: dict[str, str] = {}
        killer = threading.Timer(0.4, server.kill)
        killer.start()
        with suppress(stripe.APIConnectionError):
            for number in range(100_000):
                made = client.v1.payment_intents.create(
                    PARAMS, {"idempotency_key": str(number)}
                )
                answered[str(number)] = made.id
        killer.join()
        assert answered

        server.restart()

        for key, intent_id in answered.items():
            again = client.v1.payment_intents.create(PARAMS, {"idempotency_key": key})
            assert again.id == intent_id
        server.wait_until_delivered(30)
        told = {one.event["data"]["object"]["id"] for one in listener.received}
        assert set(answered.values()) <= told


def test_it_ends_quickly_in_the_middle_of_a_delivery(listener: Listener) -> None:
    listener.begin()
    listener.answer_after = 5
    with SandboxServer(forward_to=listener.url) as server:
        stripe_client(server).v1.payment_intents.create(PARAMS)
        wait_for(lambda: listener.received)

        started = time.monotonic()
        server.stop()

        assert time.monotonic() - started < 2
        assert "Traceback" not in server.log_text()
        server.restart()


def test_ending_cuts_the_calls_that_hang() -> None:
    with SandboxServer() as server, ThreadPoolExecutor() as pool:
        server.fault("payment_intents.list", "hang")
        url = f"{server.url}/v1/payment_intents"
        auth = (server.secret_key, "")
        call = pool.submit(requests.get, url, auth=auth, timeout=10)
        wait_for(lambda: server.state()["faults"][0]["seen"])

        server.stop()

        assert isinstance(call.exception(), requests.ConnectionError)
        assert "Traceback" not in server.log_text()
        server.restart()


def test_control_needs_its_token_and_a_host_of_this_machine(
    sandbox: SandboxServer,
) -> None:
    url = f"{sandbox.url}/_sandbox/state"
    token = {"Authorization": f"Bearer {sandbox.control_token}"}

    assert requests.get(url, timeout=10).status_code == 403
    rebound = requests.get(
        url, headers=token | {"Host": "evil.example:12111"}, timeout=10
    )
    assert rebound.status_code == 403
    local = requests.get(url, headers=token | {"Host": "[::1]:12111"}, timeout=10)
    assert local.status_code == 200


def test_events_can_be_read_back(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    intent = client.v1.payment_intents.create(PARAMS)
    sandbox.confirm(intent.id)
    sandbox.wait_until_delivered()

    paid = client.v1.events.list({"type": "payment_intent.succeeded"})
    both = client.v1.events.list(
        {"types": ["payment_intent.created", "payment_intent.succeeded"]}
    )

    assert [event.data.object["id"] for event in paid.data] == [intent.id]
    assert [event.type for event in both.data] == [
        "payment_intent.succeeded",
        "payment_intent.created",
    ]
    assert client.v1.events.list({"delivery_success": False}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.retrieve("evt_nothing")
