"""Many at once, on real connections: one order, one intent, one effect."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client

from checkout.models import Order, OrderHistory, StripeEvent
from tests.factories import deliver, make_order, make_product, payment_succeeded
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.usefixtures("transactional_db")

ROUNDS = range(5)


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Return what `act(0)` to `act(count - 1)` gave, all started in one moment."""
    barrier = Barrier(count)

    def run(number: int) -> Any:
        try:
            barrier.wait(timeout=30)
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def submit(browser: Client, **changes: Any) -> HttpResponse:
    """Press Pay in another tab of the same browser."""
    tab = Client()
    tab.cookies = browser.cookies
    body = {
        "lines": [{"product": "mug", "quantity": 1}],
        "email": "shopper@example.com",
        "amount": 1850,
        "currency": "usd",
        **changes,
    }
    return tab.post("/orders/", json.dumps(body), content_type="application/json")


@pytest.fixture
def browser() -> Client:
    make_product(slug="mug", unit_amount=1850)
    client = Client()
    client.get("/")
    return client


@pytest.mark.parametrize("round", ROUNDS)
def test_fifty_submissions_of_one_checkout_make_one_order(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    responses = at_once(50, lambda _: submit(browser))

    order = Order.objects.get()
    [intent] = sandbox.objects("payment_intent")
    assert intent["id"] == order.payment_intent_id
    secrets = set()
    for response in responses:
        # Stripe may say that the key is in flight: a calm 503, safe to repeat.
        assert response.status_code in (200, 201, 503)
        if response.status_code != 503:
            assert response.json()["order"]["number"] == order.number
            secrets.add(response.json()["client_secret"])
    assert len(secrets) == 1
    assert submit(browser).json()["client_secret"] in secrets


@pytest.mark.parametrize("round", ROUNDS)
def test_two_carts_at_once_leave_one_payable_intent(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    def press(number: int) -> HttpResponse:
        quantity = 1 + number % 2
        lines = [{"product": "mug", "quantity": quantity}]
        return submit(browser, lines=lines, amount=1850 * quantity)

    responses = at_once(10, press)

    assert {response.status_code for response in responses} <= {200, 201, 503}
    # Carts that keep replacing each other may all have to try again.
    pending = Order.objects.filter(status=Order.Status.PENDING).first()
    handed_out = {
        response.json()["client_secret"].partition("_secret_")[0]
        for response in responses
        if response.status_code != 503
    }
    payable = {
        intent["id"]
        for intent in sandbox.objects("payment_intent")
        if intent["status"] != "canceled"
    }
    assert payable & handed_out <= {pending and pending.payment_intent_id}


@pytest.mark.parametrize("round", ROUNDS)
def test_one_event_many_times_at_once_has_one_effect(round: int) -> None:
    order = make_order()
    event = payment_succeeded(order)

    responses = at_once(32, lambda _: deliver(Client(), event))

    assert {response.status_code for response in responses} == {200}
    order.refresh_from_db()
    assert order.is_paid
    assert OrderHistory.objects.filter(order=order, to_status="paid").count() == 1
    assert StripeEvent.objects.get().deliveries == 32


@pytest.mark.parametrize("round", ROUNDS)
def test_two_events_of_one_payment_at_once_have_one_effect(round: int) -> None:
    order = make_order()
    events = [payment_succeeded(order) for _ in range(8)]

    responses = at_once(8, lambda number: deliver(Client(), events[number]))

    assert {response.status_code for response in responses} == {200}
    assert OrderHistory.objects.filter(order=order, to_status="paid").count() == 1


@pytest.mark.parametrize("round", ROUNDS)
def test_paying_and_replacing_at_once_loses_no_money(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    submit(browser)
    first = Order.objects.get()
    lines = [{"product": "mug", "quantity": 3}]

    def act(number: int) -> Any:
        if number:
            return submit(browser, lines=lines, amount=5550).status_code
        return sandbox.confirm(first.payment_intent_id).get("status")

    status, answer = at_once(2, act)

    first.refresh_from_db()
    if status == "succeeded":
        assert answer == 409
        assert first.is_paid
        assert Order.objects.count() == 1
    else:
        assert answer == 201
        assert first.status == Order.Status.CANCELED
