"""`stripe listen`, the real one, between the sandbox and the running shop."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test.testcases import LiveServerThread
from pytest_django.fixtures import Settings

from checkout.models import Mail, Order, OrderHistory, Shop, StripeEvent
from tests.factories import make_order
from tests.sandbox.conftest import stripe_client
from tests.sandbox.stripe_cli import Listening, StripeCli, needs_stripe_cli
from tests.sandbox_server import SandboxServer, wait_for

pytestmark = [needs_stripe_cli, pytest.mark.usefixtures("transactional_db")]

PAYMENTS = 100
# Several hundred events, each a transaction; the CLI also takes 10 s to redial.
SLOW = 60


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[SandboxServer]:
    """A sandbox that remembers, and delivers to nobody but those who listen."""
    with SandboxServer(state=tmp_path / "state.db") as running:
        settings.STRIPE_API_BASE = running.url
        yield running


@pytest.fixture
def cli(server: SandboxServer) -> Iterator[StripeCli]:
    with StripeCli(server) as installed:
        yield installed


@pytest.fixture
def listening(cli: StripeCli, shop_server: LiveServerThread) -> Iterator[Listening]:
    address = f"http://{shop_server.host}:{shop_server.port}"
    with cli.listen(f"{address}/stripe/webhook/") as running:
        yield running
    wait_for(shop_server.httpd.get_app().is_idle)


def place_order(server: SandboxServer) -> str:
    """Place an order and return its PaymentIntent."""
    order = make_order(amount=1850)
    intent = stripe_client(server).v1.payment_intents.create(
        {
            "amount": order.amount,
            "currency": "usd",
            "metadata": {"shop": Shop.current_reference(), "order": order.number},
        }
    )
    order.payment_intent_id = intent.id
    order.save()
    return intent.id


def answers(server: SandboxServer) -> set[str | None]:
    return {delivery["last_answer"] for delivery in server.deliveries()}


def test_each_of_many_orders_is_paid_once_over_a_restart(
    server: SandboxServer, listening: Listening
) -> None:
    intents = [place_order(server) for _ in range(PAYMENTS)]

    server.hold_deliveries()
    for intent in intents[::2]:
        server.confirm(intent)
    server.kill()
    server.start()
    for intent in intents[1::2]:
        server.confirm(intent)

    paid = Order.objects.filter(status=Order.Status.PAID)
    wait_for(lambda: paid.count() == PAYMENTS, within=SLOW)
    wait_for(lambda: answers(server) == {"200"}, within=SLOW)
    history = OrderHistory.objects.filter(to_status=Order.Status.PAID)
    assert Counter(history.values_list("order", flat=True)).most_common(1)[0][1] == 1
    assert Mail.objects.filter(kind=Mail.Kind.CONFIRMATION).count() == PAYMENTS
    told = StripeEvent.objects.values_list("pk", flat=True)
    sent = {event["id"] for event in server.objects("event")}
    wait_for(lambda: sent <= set(told), within=SLOW)


def test_what_the_cli_triggers_pays_nothing(
    server: SandboxServer, cli: StripeCli, listening: Listening
) -> None:
    place_order(server)

    cli.run(
        "trigger",
        "payment_intent.succeeded",
        "--override",
        "payment_intent:amount=1850",
    )
    cli.run("trigger", "charge.refunded")

    for event_type in ("payment_intent.succeeded", "charge.refunded"):
        wait_for(StripeEvent.objects.filter(type=event_type).exists)
    assert Order.objects.get().status == Order.Status.PENDING
    assert not Mail.objects.exists()
