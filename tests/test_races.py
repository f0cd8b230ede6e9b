"""Many at once, on real connections: one order, one intent, one effect.

`RACE_ROUNDS` repeats each race more often; a round lets one side start a little later
than the round before, so that either side wins sometimes.
"""

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
import stripe
from django.core import mail
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from checkout import audit, emails, payments, reconcile, refunds
from checkout.models import (
    Attention,
    Mail,
    Order,
    OrderHistory,
    Refund,
    Shop,
    StripeEvent,
)
from tests.chaos import invariants
from tests.chaos.world import new_browser
from tests.factories import (
    deliver,
    make_intent,
    make_order,
    make_product,
    payment_succeeded,
)
from tests.sandbox_server import SandboxServer, wait_for

pytestmark = pytest.mark.usefixtures("transactional_db")

ROUNDS = range(int(os.environ.get("RACE_ROUNDS", "5")))


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Return what each act gave; all are started in one moment."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def pay(sandbox: SandboxServer, order: Order, *, after: int = 0) -> str:
    """Confirm with a good card, a little later in some rounds than in others."""
    time.sleep(after % 10 / 500)
    url = f"payment_intents/{order.payment_intent_id}/confirm"
    paid = sandbox.attempt(url, number="4242424242424242")
    return paid["status"] if paid else "refused"


def buy(sandbox: SandboxServer, browser: Client) -> Order:
    submit(browser)
    order = Order.objects.get()
    pay(sandbox, order)
    for event in sandbox.objects("event"):
        assert deliver(new_browser(), event).status_code == 200
    order.refresh_from_db()
    assert order.is_paid
    return order


def come_to_rest(sandbox: SandboxServer) -> None:
    """Every event is delivered and the reconciler runs: both sides agree."""
    for event in sandbox.objects("event"):
        assert deliver(new_browser(), event).status_code == 200
    for _ in range(3):
        list(reconcile.run())
    emails._mailroom.submit(int).result()
    assert invariants.unsettled(invariants.Facts.gather(sandbox)) == []
    assert list(audit.disagreements()) == []


def submit(browser: Client, **changes: Any) -> HttpResponse:
    """Press Pay in another tab of the same browser."""
    tab = new_browser()
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
    client = new_browser()
    client.get("/")
    return client


@pytest.mark.parametrize("round", ROUNDS)
def test_fifty_submissions_of_one_checkout_make_one_order(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    responses = at_once(*[lambda: submit(browser)] * 50)

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
    def press(quantity: int) -> HttpResponse:
        lines = [{"product": "mug", "quantity": quantity}]
        return submit(browser, lines=lines, amount=1850 * quantity)

    responses = at_once(*[partial(press, 1), partial(press, 2)] * 5)

    # Carts that keep replacing each other may all have to try again, until the limit
    # of orders: one press may have placed two.
    assert {response.status_code for response in responses} <= {200, 201, 429, 503}
    pending = Order.objects.filter(status=Order.Status.PENDING).first()
    handed_out = {
        response.json()["client_secret"].partition("_secret_")[0]
        for response in responses
        if response.status_code in (200, 201)
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

    responses = at_once(*[lambda: deliver(new_browser(), event)] * 32)

    assert {response.status_code for response in responses} == {200}
    order.refresh_from_db()
    assert order.is_paid
    assert OrderHistory.objects.filter(order=order, to_status="paid").count() == 1
    assert StripeEvent.objects.get().deliveries == 32


@pytest.mark.parametrize("round", ROUNDS)
def test_copies_at_once_leave_what_a_person_must_see(round: int) -> None:
    """One of an order, which the copies lock, and one that finds nothing to lock."""
    late = make_order(status="canceled", closed_reason="expired")
    names = {"metadata": make_intent(late)["metadata"] | {"order": "0" * 16}}
    lost = payment_succeeded(make_order(), id="pi_lost", **names)
    acts = [
        partial(deliver, new_browser(), event)
        for event in (payment_succeeded(late), lost)
    ]

    responses = at_once(*acts * 12)

    assert {response.status_code for response in responses} == {200}
    recorded = StripeEvent.objects.values_list("outcome", "deliveries")
    assert list(recorded) == [("attention", 12)] * 2
    assert Attention.objects.count() == 2
    assert OrderHistory.objects.filter(to_status="paid").count() == 1


@pytest.mark.parametrize("round", ROUNDS)
def test_two_events_of_one_payment_at_once_have_one_effect(round: int) -> None:
    order = make_order()
    events = [payment_succeeded(order) for _ in range(8)]

    responses = at_once(*[partial(deliver, new_browser(), event) for event in events])

    assert {response.status_code for response in responses} == {200}
    assert OrderHistory.objects.filter(order=order, to_status="paid").count() == 1


@pytest.mark.parametrize("round", ROUNDS)
def test_paying_and_replacing_at_once_loses_no_money(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    submit(browser)
    first = Order.objects.get()
    lines = [{"product": "mug", "quantity": 3}]

    status, answer = at_once(
        lambda: pay(sandbox, first, after=round),
        lambda: submit(browser, lines=lines, amount=5550).status_code,
    )

    first.refresh_from_db()
    if status == "succeeded":
        assert answer == 409
        assert first.is_paid
        assert Order.objects.count() == 1
    else:
        assert answer == 201
        assert first.status == Order.Status.CANCELED
    come_to_rest(sandbox)


@pytest.mark.parametrize("round", ROUNDS)
def test_paying_and_closing_at_once_loses_no_money(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    submit(browser)
    order = Order.objects.get()
    reason = Order.ClosedReason.OPERATOR

    status, _ = at_once(
        lambda: pay(sandbox, order, after=round),
        lambda: payments.close(Order.objects.get(), reason=reason, source="operator"),
    )

    order.refresh_from_db()
    assert order.status == ("paid" if status == "succeeded" else "canceled")
    come_to_rest(sandbox)


@pytest.mark.parametrize("round", ROUNDS)
def test_no_secret_leaves_of_an_order_closed_while_its_intent_was_made(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    sandbox.fault(
        "payment_intents.create", "delay", seconds=0.3, when="after", calls=[1]
    )

    def close() -> Order:
        order = wait_for(lambda: Order.objects.first())
        payments.close(order, reason=Order.ClosedReason.OPERATOR, source="operator")
        closed: Order = order
        return closed

    response, closed = at_once(lambda: submit(browser), close)

    handed_out = response.json()["client_secret"].partition("_secret_")[0]
    order = Order.objects.get(payment_intent_id=handed_out)
    assert order.is_unpaid
    assert order != closed
    come_to_rest(sandbox)


@pytest.mark.parametrize("round", ROUNDS)
def test_paying_and_expiring_at_once_loses_no_money(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    submit(browser)
    Order.objects.update(pending_since=timezone.now() - reconcile.ORDER_LIFETIME)
    order = Order.objects.get()

    status, pressed, *_ = at_once(
        lambda: pay(sandbox, order, after=round),
        lambda: submit(browser),
        lambda: list(reconcile.expire_orders()),
        lambda: list(reconcile.expire_orders()),
    )

    order.refresh_from_db()
    assert order.status == ("paid" if status == "succeeded" else "canceled")
    assert pressed.status_code in (200, 201, 409, 503)
    come_to_rest(sandbox)


@pytest.mark.parametrize("round", ROUNDS)
def test_twenty_refunds_at_once_stay_within_what_was_paid(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    order = buy(sandbox, browser)

    def ask() -> bool:
        try:
            refunds.ask(order, 500, reason="", by="operator")
        except refunds.NotRefundable:
            return False
        return True

    assert sum(at_once(*[ask] * 20)) == 3
    assert [r["amount"] for r in sandbox.objects("refund")] == [500] * 3
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    order.refresh_from_db()
    assert order.amount_refunded == 1500
    come_to_rest(sandbox)


@pytest.mark.parametrize("round", ROUNDS)
def test_refunding_here_and_in_the_dashboard_at_once(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    order = buy(sandbox, browser)
    dashboard = stripe.StripeClient(
        sandbox.secret_key, base_addresses={"api": sandbox.url}
    )

    def elsewhere() -> None:
        time.sleep(round % 10 / 500)
        with suppress(stripe.InvalidRequestError):
            dashboard.v1.refunds.create(
                {"payment_intent": str(order.payment_intent_id), "amount": 1000}
            )

    at_once(elsewhere, lambda: refunds.ask(order, 1000, reason="", by="operator"))

    [there] = sandbox.objects("refund")
    come_to_rest(sandbox)
    order.refresh_from_db()
    assert order.amount_refunded == there["amount"] == 1000


@pytest.mark.parametrize("round", ROUNDS)
def test_polling_and_webhook_at_once_settle_once(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    submit(browser)
    order = Order.objects.get()
    sandbox.confirm(str(order.payment_intent_id))
    Order.objects.update(look_at=timezone.now())
    events = sandbox.objects("event")

    def poll() -> str:
        url = f"{order.get_absolute_url()}status/"
        status: str = new_browser().get(url).json()["order"]["status"]
        return status

    def hear() -> None:
        for event in events:
            assert deliver(new_browser(), event).status_code == 200

    at_once(poll, hear, poll, hear, lambda: list(reconcile.run()))

    assert poll() == "paid"
    assert OrderHistory.objects.filter(to_status="paid").count() == 1
    come_to_rest(sandbox)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("round", ROUNDS)
def test_payment_and_its_card_at_once_confirm_once_and_name_the_card(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    submit(browser)
    order = Order.objects.get()
    pay(sandbox, order)
    events = {event["type"]: event for event in sandbox.objects("event")}

    def hear(kind: str, *, after: int) -> None:
        time.sleep(after / 2000)
        assert deliver(new_browser(), events[kind]).status_code == 200

    at_once(
        lambda: hear("payment_intent.succeeded", after=0),
        lambda: hear("charge.succeeded", after=round % 10),
    )
    emails._mailroom.submit(int).result()

    [message] = mail.outbox
    assert "Visa •••• 4242" in message.body
    come_to_rest(sandbox)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("round", ROUNDS)
def test_reconcilers_at_once_do_everything_once(
    sandbox: SandboxServer, browser: Client, round: int
) -> None:
    order = buy(sandbox, browser)
    # A refund without an answer, a mail nobody sent, an orphan, a lost event.
    Refund.objects.create(
        order=order,
        amount=700,
        source="operator",
        asked_at=timezone.now() - timedelta(minutes=1),
    )
    emails._mailroom.submit(int).result()
    Mail.objects.update(claimed_at=None, sent_at=None)
    mail.outbox.clear()
    stranger = {"shop": Shop.current_reference(), "order": "0000000000000000"}
    dashboard = stripe.StripeClient(
        sandbox.secret_key, base_addresses={"api": sandbox.url}
    )
    dashboard.v1.payment_intents.create(
        {"amount": 1850, "currency": "usd", "metadata": stranger}
    )
    browser.get("/")
    submit(browser)
    lost = Order.objects.get(status="pending")
    sandbox.confirm(str(lost.payment_intent_id))

    at_once(*[lambda: list(reconcile.run())] * 4)

    lost.refresh_from_db()
    assert lost.is_paid
    assert OrderHistory.objects.filter(order=lost, to_status="paid").count() == 1
    assert len(sandbox.objects("refund")) == 1
    come_to_rest(sandbox)
    # Two confirmations and the mail about the refund.
    assert len(mail.outbox) == 3
