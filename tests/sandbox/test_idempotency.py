"""Idempotency keys: replays, mismatches, requests in flight."""

import threading

import pytest
import requests
import stripe

from tests.sandbox_server import SandboxServer, wait_for

PARAMS: stripe.params.PaymentIntentCreateParams = {"amount": 1000, "currency": "usd"}


def test_same_key_replays_the_first_answer(client: stripe.StripeClient) -> None:
    first = client.v1.payment_intents.create(PARAMS, {"idempotency_key": "one"})
    client.v1.payment_intents.cancel(first.id)

    again = client.v1.payment_intents.create(PARAMS, {"idempotency_key": "one"})

    assert (again.id, again.status) == (first.id, "requires_payment_method")
    assert first.last_response is not None
    assert again.last_response is not None
    headers, original = again.last_response.headers, first.last_response.headers
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == original["Request-Id"]
    assert headers["Request-Id"] != original["Request-Id"]
    assert headers["Idempotency-Key"] == "one"
    assert headers["Stripe-Should-Retry"] == "false"
    assert original["Original-Request"] == original["Request-Id"]
    assert "Idempotent-Replayed" not in original


def test_same_key_with_other_parameters_or_path_is_refused(
    client: stripe.StripeClient,
) -> None:
    intent = client.v1.payment_intents.create(PARAMS, {"idempotency_key": "one"})

    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        client.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd"}, {"idempotency_key": "one"}
        )
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.payment_intents.cancel(intent.id, {}, {"idempotency_key": "one"})


def test_refused_parameters_do_not_use_the_key_up(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create(
            {"amount": 1000},  # type: ignore[typeddict-item]
            {"idempotency_key": "one"},
        )

    client.v1.payment_intents.create(PARAMS, {"idempotency_key": "one"})


def test_decline_is_replayed_without_trying_again(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    intent = client.v1.payment_intents.create(PARAMS)
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.confirm(
                intent.id,
                {
                    "payment_method": "pm_card_chargeDeclined",
                    "return_url": "http://127.0.0.1/",
                },
                {"idempotency_key": "two"},
            )

    assert len(sandbox.objects("charge")) == 1


def test_key_in_flight_is_a_409(sandbox: SandboxServer) -> None:
    sandbox.fault("payment_intents.create", "delay", calls=[1], seconds=1.5)
    answers: list[requests.Response] = []

    def post() -> None:
        answers.append(
            requests.post(
                f"{sandbox.url}/v1/payment_intents",
                data=PARAMS,
                headers={
                    "Authorization": "Bearer sk_test_sandbox",
                    "Idempotency-Key": "one",
                },
                timeout=10,
            )
        )

    slow = threading.Thread(target=post)
    slow.start()
    wait_for(lambda: sandbox.state()["faults"][0]["seen"] == 1)
    post()
    slow.join()
    post()

    conflict, done, replay = answers
    assert conflict.status_code == 409
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"
    assert "Stripe-Should-Retry" not in conflict.headers
    assert done.status_code == replay.status_code == 200
    assert replay.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.objects("payment_intent")) == 1


def test_keys_of_the_two_modes_are_apart(
    client: stripe.StripeClient, sandbox: SandboxServer
) -> None:
    live = stripe.StripeClient("sk_live_other", base_addresses={"api": sandbox.url})

    mine = client.v1.payment_intents.create(PARAMS, {"idempotency_key": "one"})
    other = live.v1.payment_intents.create(PARAMS, {"idempotency_key": "one"})

    assert mine.id != other.id
