"""The shop's process is killed at every statement, commit and call; nothing is lost.

A child process does one act and gets SIGKILL at the first place, then at the second,
until it lives to the end. After each death the shop heals: by Stripe's next delivery
(every second time without one) and by its reconciler. `CRASHES=all` kills every act,
not only checkout and webhook.
"""

import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from checkout import payments, reconcile
from checkout.models import Mail, Order, Refund, Shop
from tests.chaos.clock import FrozenSandbox
from tests.chaos.doomed import Doomed
from tests.chaos.world import (
    World,
    require_healed,
    require_quiescence,
    require_settled,
)
from tests.factories import deliver, sign

MOST_PLACES = 500

Act = dict[str, Any]
# Brings a new world to the moment before an act, and returns the act.
Scene = Callable[[World], Act]


@pytest.fixture
def doomed(
    frozen_sandbox: FrozenSandbox,
    transactional_db: None,
    settings: Settings,
    tmp_path: Path,
) -> Iterator[Doomed]:
    database = str(connection.settings_dict["NAME"])
    with Doomed(
        database=database,
        stripe=frozen_sandbox.url,
        mails=tmp_path,
        static=settings.STATIC_ROOT,
    ) as process:
        yield process


# --- Scenes -------------------------------------------------------------------------


def placing(world: World) -> Act:
    return _press(world)


def placing_again(world: World) -> Act:
    world.press(world.tabs[0])
    return _press(world)


def replacing(world: World) -> Act:
    world.press(world.tabs[0])
    world.tabs[0].cart = {"lamp": 2}
    return _press(world)


def paying_on_the_order_page(world: World) -> Act:
    order = _placed(world)
    return _request("POST", f"{order.get_absolute_url()}payment/")


def hearing_of_the_payment(world: World) -> Act:
    _paid_at_stripe(world)
    return _delivery(world, "payment_intent.succeeded")


def hearing_of_the_card(world: World) -> Act:
    """The order is paid, and its confirmation waits for the card."""
    _paid_at_stripe(world)
    [paid] = [
        event
        for event in world.sandbox.objects("event")
        if event["type"] == "payment_intent.succeeded"
    ]
    assert deliver(Client(), paid).status_code == 200
    return _delivery(world, "charge.succeeded")


def hearing_of_late_money(world: World) -> Act:
    """An order that was given up has an intent nobody could know of; it is paid."""
    order = _placed(world)
    Order.objects.update(payment_intent_id=None)
    order.refresh_from_db()
    order.move_to(Order.Status.CANCELED, source="shopper")
    world.witness.handed_out.clear()
    world.confirm(world.tabs[0], "good")
    return _delivery(world, "payment_intent.succeeded")


def hearing_of_a_refund(world: World) -> Act:
    order = _paid(world)
    world.refund_at_stripe(order, 500)
    return _delivery(world, "refund.created")


def polling(world: World) -> Act:
    order = _paid_at_stripe(world)
    Order.objects.update(look_at=timezone.now() - timedelta(seconds=1))
    return _request("GET", f"{order.get_absolute_url()}status/")


def polling_a_failed_debit(world: World) -> Act:
    order = _placed(world)
    world.confirm(world.tabs[0], "debit")
    payments.look_up(order, source="test")
    world.sandbox.settle(str(order.payment_intent_id), outcome="fail")
    Order.objects.update(look_at=timezone.now() - timedelta(seconds=1))
    return _request("GET", f"{order.get_absolute_url()}status/")


def closing(world: World) -> Act:
    return {"act": "close", "order": _placed(world).pk}


def refunding(world: World) -> Act:
    return {"act": "ask_refund", "order": _paid(world).pk, "amount": 700}


def reconciling(world: World) -> Act:
    """A lost event, an order at its end, an orphan, a refund and a mail that wait."""
    paid = _paid(world)
    Refund.objects.create(
        order=paid,
        amount=300,
        source="operator",
        asked_at=timezone.now() - timedelta(minutes=1),
    )
    Mail.objects.update(claimed_at=None, sent_at=None)
    mail.outbox.clear()
    for visitor in (1, 2):
        world.open_shop(visitor)
        world.press(world.tabs[visitor])
    world.confirm(world.tabs[1], "good")
    expired = Order.objects.filter(payment_intent_id=world.tabs[2].intent_id)
    expired.update(pending_since=timezone.now() - reconcile.ORDER_LIFETIME)
    world.intend_at_stripe(shop=Shop.current_reference(), order="0000000000000000")
    return {"act": "heal"}


PER_CHANGE: list[Scene] = [placing, hearing_of_the_payment]
OTHERS: list[Scene] = [
    replacing,
    placing_again,
    paying_on_the_order_page,
    hearing_of_the_card,
    hearing_of_late_money,
    hearing_of_a_refund,
    polling,
    polling_a_failed_debit,
    closing,
    refunding,
    reconciling,
]
SCENES = PER_CHANGE + (OTHERS if os.environ.get("CRASHES") == "all" else [])


# --- The test -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "scene",
    SCENES,
    ids=[f"scene{number}-{scene.__name__}" for number, scene in enumerate(SCENES)],
)
def test_killed_anywhere(
    begin: Callable[[str], World], doomed: Doomed, scene: Scene
) -> None:
    deaths = 0
    for place in range(1, MOST_PLACES):
        world = begin("usd")
        world.clock.catch_up()
        world.open_shop(0)
        act = scene(world)
        fate = doomed.run(act.pop("act"), dies_at=place, **act)
        _fetch_mails(doomed)
        deaths = world.witness.deaths = int(fate["killed"])
        assert deaths or fate["exit"] == 0, fate
        try:
            _heal(world, delivered_again=place % 2 == 0)
        except AssertionError as error:
            raise AssertionError(f"killed at place {place}: {fate}") from error
        if not deaths:
            break
    assert not deaths, "more places than expected"
    assert place > 3
    print(f"{scene.__name__}: killed at {place - 1} places")


def _heal(world: World, *, delivered_again: bool) -> None:
    """The shop is back: it heals, and whoever was buying can go on and pay once."""
    world.clock.catch_up()
    world.check()
    if delivered_again:
        for event in world.events():
            world.deliver(event)
    require_healed(world)
    world.press(world.tabs[0])
    if world.tabs[0].pressed:
        world.confirm(world.tabs[0], "good")
    require_settled(world)
    assert Order.objects.filter(status="paid").exists()
    require_quiescence(world)


def _press(world: World) -> Act:
    tab = world.tabs[0]
    cookies = {name: morsel.value for name, morsel in tab.client.cookies.items()}
    return _request("POST", "/orders/", tab.body(), cookies=cookies)


def _request(method: str, path: str, body: str = "", **more: dict[str, str]) -> Act:
    sent = {"method": method, "path": path, "body": body}
    return {"act": "request", "headers": {}, "cookies": {}, **sent, **more}


def _delivery(world: World, kind: str) -> Act:
    [event] = [event for event in world.events() if event["type"] == kind]
    body = json.dumps(event)
    header = {"Stripe-Signature": sign(body.encode())}
    return _request("POST", "/stripe/webhook/", body, headers=header)


def _placed(world: World) -> Order:
    world.press(world.tabs[0])
    return Order.objects.get()


def _paid_at_stripe(world: World) -> Order:
    order = _placed(world)
    world.confirm(world.tabs[0], "good")
    return order


def _paid(world: World) -> Order:
    order = _paid_at_stripe(world)
    for event in world.events():
        world.deliver(event)
    order.refresh_from_db()
    return order


def _fetch_mails(doomed: Doomed) -> None:
    """Bring what the process mailed to where the invariants look."""
    for file in doomed.mails.iterdir():
        message = message_from_bytes(file.read_bytes())
        mail.outbox.append(EmailMessage(subject=str(message["Subject"])))
        file.unlink()
