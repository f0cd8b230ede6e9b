"""Random histories of the shop and its Stripe; the invariants after each step.

One test is one seed, and a seed is one history: it replays from its number, with
`HISTORY_SEEDS=17-17`. `HISTORY_STEPS` makes them longer. `docs/reliability.md` tells
what is checked.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from checkout.models import Order
from tests.chaos import invariants
from tests.chaos.world import (
    CARTS,
    DAY,
    EMAILS,
    PAYMENTS,
    MailServer,
    Tab,
    World,
    come_to_rest,
    pick,
)

STEPS = int(os.environ.get("HISTORY_STEPS", "50"))
CURRENCIES = ["usd", "jpy", "kwd"]
MINUTE, HOUR = 60, 60 * 60

HOW = hypothesis_settings(
    # The blank one, and the one that is meant.
    max_examples=2,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, *([Phase.shrink] if "SHRINK" in os.environ else [])],
)

some = st.integers(0, 11)
operations = st.sampled_from(
    ["payment_intents.create", "payment_intents.retrieve", "payment_intents.cancel",
     "payment_intents.list", "refunds.create", "refunds.list", "events.list", "*"]
)  # fmt: skip
FAULTS: list[dict[str, Any]] = [
    {"do": "drop"},
    {"do": "drop", "when": "after"},
    {"do": "status", "status": 500, "stored": True},
    {"do": "status", "status": 500, "stored": True, "when": "after"},
    {"do": "status", "status": 500, "when": "after"},
    {"do": "status", "status": 409},
    {"do": "status", "status": 429},
    {"do": "status", "status": 403, "code": "account_invalid"},
    {"do": "not_json", "status": 502},
    {"do": "not_json", "status": 200, "when": "after"},
    {"do": "stale", "seconds": 240},
]


def seeds() -> list[int]:
    """The seeds of `HISTORY_SEEDS`, such as 100-199; else as many as fit a change."""
    usual = "0-24" if connection.vendor == "postgresql" else "0-99"
    first, _, last = os.environ.get("HISTORY_SEEDS", usual).partition("-")
    return list(range(int(first), int(last or first) + 1))


def happens(**arguments: Any) -> Callable[[Any], Any]:
    """A step of every history but the blank one."""

    def decorate(step: Any) -> Any:
        return precondition(lambda self: not self.is_blank)(rule(**arguments)(step))

    return decorate


class History(RuleBasedStateMachine):
    """What may happen, one step at a time."""

    begin: Callable[[str], World]

    def __init__(self) -> None:
        super().__init__()
        self.is_blank = False
        # From the beginning of a step until it has been checked.
        self.is_broken = True

    # Hypothesis tries the simplest values first: number 0, which tells no history.
    @initialize(number=st.integers(0, 2**20))
    def start(self, number: int) -> None:
        self.is_blank = number == 0
        if not self.is_blank:
            self.world = self.begin(pick(CURRENCIES, number))
            self.world.open_shop(0)

    @precondition(lambda self: self.is_blank)
    @rule()
    def nothing(self) -> None:
        pass

    def step(self, seconds: float = 1) -> World:
        self.is_broken = True
        self.world.clock.advance(seconds)
        return self.world

    def tab(self, number: int) -> Tab:
        """One of the pages opened last, so that most of them are of use."""
        return pick(self.world.tabs[-4:], number)

    def order(self, number: int, *statuses: str) -> Order | None:
        found = Order.objects.order_by("-pk")
        if statuses:
            found = found.filter(status__in=statuses)
        chosen = list(found[:4])
        return pick(chosen, number) if chosen else None

    def pending(self, number: int) -> Order | None:
        """A pending order, placed now if there is none and nothing goes wrong."""
        self.step()
        if self.order(number, "pending") is None:
            self.world.place(number)
        return self.order(number, "pending")

    def paid(self, number: int) -> Order | None:
        """A paid order, bought now if there is none and nothing goes wrong."""
        self.step()
        if self.order(number, "paid") is None:
            self.world.confirm(self.world.place(number), "good")
            self.deliver_waiting()
        return self.order(number, "paid")

    def deliver_waiting(self) -> None:
        for event in self.world.undelivered():
            self.world.deliver(event)

    # Shoppers

    @happens(who=st.integers(0, 2))
    def open_shop(self, who: int) -> None:
        self.step().open_shop(who)

    @happens(tab=some)
    def press(self, tab: int) -> None:
        self.step().press(self.tab(tab))

    @happens(tab=some, cart=some, email=some)
    def press_with_another_cart(self, tab: int, cart: int, email: int) -> None:
        chosen = self.tab(tab)
        chosen.cart = pick(CARTS, cart)
        chosen.email = EMAILS[email == 0]
        self.step().press(chosen)

    @happens(tab=some, how=st.sampled_from(sorted(PAYMENTS)))
    def press_and_confirm(self, tab: int, how: str) -> None:
        chosen = self.tab(tab)
        self.step().press(chosen)
        if chosen.pressed:
            self.world.confirm(chosen, how)

    @happens(who=some, how=st.sampled_from(sorted(PAYMENTS)), heard=st.booleans())
    def buy(self, who: int, how: str, heard: bool) -> None:
        """Come, order, pay; perhaps the shop hears of it at once."""
        self.step().confirm(self.world.place(who), how)
        if heard:
            self.deliver_waiting()

    @happens(who=some, ways=st.lists(st.sampled_from(sorted(PAYMENTS)), max_size=4))
    def try_several_ways(self, who: int, ways: list[str]) -> None:
        tab = self.step().place(who)
        for how in ways:
            self.world.press(tab)
            self.world.confirm(tab, how)
        self.world.press(tab)

    @happens(who=some, how=st.sampled_from(sorted(PAYMENTS)), polls=st.booleans())
    def try_again_after_a_decline(self, who: int, how: str, polls: bool) -> None:
        tab = self.step().place(who)
        self.world.confirm(tab, "insufficient")
        self.deliver_waiting()
        self.world.reconcile()
        self.world.press(tab)
        self.world.confirm(tab, how)
        found = Order.objects.filter(token=tab.token).first()
        if polls and found:
            self.world.poll(found)

    @happens(tab=some, how=st.sampled_from(sorted(PAYMENTS)))
    def confirm_from_a_stale_page(self, tab: int, how: str) -> None:
        self.step().confirm(self.tab(tab), how)

    @happens(tab=some, succeed=st.booleans())
    def authenticate(self, tab: int, succeed: bool) -> None:
        chosen = self.tab(tab)
        if not chosen.intent_id:
            chosen = self.step().place(tab)
            self.world.confirm(chosen, "secure")
        if chosen.intent_id:
            outcome = "succeed" if succeed else "fail"
            self.step().authenticate(chosen.intent_id, outcome)

    @happens(order=some, tab=some, how=st.sampled_from(sorted(PAYMENTS)))
    def pay_on_the_order_page(self, order: int, tab: int, how: str) -> None:
        if found := self.order(order, "pending", "canceled"):
            chosen = self.tab(tab)
            self.step().press_on_order_page(found, chosen)
            if chosen.pressed:
                self.world.confirm(chosen, how)

    @happens(order=some, seconds=st.sampled_from([1, 5, 9]))
    def poll_twice(self, order: int, seconds: int) -> None:
        if found := self.order(order):
            self.step().poll(found)
            self.step(seconds).poll(found)

    @happens(order=some)
    def open_order_page(self, order: int) -> None:
        if found := self.order(order):
            self.step().open_order(found)

    # Stripe

    @happens(
        count=st.integers(1, 8), way=st.sampled_from(["oldest", "newest", "mixed"])
    )
    def deliver_some(self, count: int, way: str) -> None:
        waiting = self.step().undelivered()
        if way == "newest":
            waiting.reverse()
        if way == "mixed":
            random.Random(count).shuffle(waiting)
        for event in waiting[:count]:
            self.world.deliver(event)

    @happens()
    def deliver_everything(self) -> None:
        self.step()
        self.deliver_waiting()

    @happens(number=some, times=st.integers(1, 3))
    def deliver_again(self, number: int, times: int) -> None:
        events = [e for e in self.step().events() if e["id"] in self.world.delivered]
        for _ in range(times if events else 0):
            self.world.deliver(pick(events[-12:], number))

    @happens(count=st.integers(1, 6))
    def lose_deliveries(self, count: int) -> None:
        lost = self.step().undelivered()[-count:]
        self.world.dropped.update(event["id"] for event in lost)

    @happens(number=some)
    def tell_the_same_under_another_id(self, number: int) -> None:
        if events := self.step().events():
            copied = pick(events[-12:], number)["id"]
            self.world.deliver(self.world.sandbox.copy_event(copied))

    @happens(number=some, succeed=st.booleans())
    def bank_answers_a_debit(self, number: int, succeed: bool) -> None:
        intents = list(self.step().facts().intents.values())
        if not any(intent["status"] == "processing" for intent in intents):
            self.world.confirm(self.world.place(number), "debit never answers")
            self.deliver_waiting()
            self.world.reconcile()
            intents = list(self.world.facts().intents.values())
        if waiting := [i["id"] for i in intents if i["status"] == "processing"]:
            outcome = "succeed" if succeed else "fail"
            url = f"payment_intents/{pick(waiting, number)}/settle"
            self.world.act(url, outcome=outcome)

    @happens(number=some, succeed=st.booleans())
    def bank_answers_a_refund(self, number: int, succeed: bool) -> None:
        if not self.world.facts().refunds_at_stripe and (order := self.paid(number)):
            self.world.ask_refund(order, order.amount // 20 * 10)
        refunds = self.step().facts().refunds_at_stripe
        live = [r["id"] for r in refunds if r["status"] in invariants.COUNTED]
        if live:
            outcome = "succeed" if succeed else "fail"
            self.world.act(f"refunds/{pick(live, number)}/answer", outcome=outcome)

    @happens(order=some, inquiry=st.booleans())
    def dispute(self, order: int, inquiry: bool) -> None:
        found = self.paid(order)
        if found and found.charge_id:
            reason = "inquiry" if inquiry else "fraudulent"
            self.step().act(f"charges/{found.charge_id}/dispute", reason=reason)

    @happens(
        number=some,
        how=st.sampled_from(["other secret", "old", "future", "unsigned", "changed"]),
    )
    def forge(self, number: int, how: str) -> None:
        if events := self.step().undelivered():
            self.world.forge(pick(events, number), how)

    @happens(number=some)
    def tell_of_live_mode(self, number: int) -> None:
        if events := self.step().events():
            self.world.tell_of_live_mode(pick(events[-12:], number))

    @happens(
        order=some, other=some, lie=st.sampled_from(["amount", "currency", "order"])
    )
    def tell_what_does_not_fit(self, order: int, other: int, lie: str) -> None:
        found, another = self.pending(order), self.order(other)
        if found is None or another is None:
            return
        if lie == "amount":
            self.world.lie(found, amount_received=found.amount - 1)
        elif lie == "currency":
            self.world.lie(found, currency="eur")
        elif another != found:
            shop = self.world.facts().shop
            self.world.lie(found, metadata={"shop": shop, "order": another.number})

    # Operators

    @happens(order=some, part=st.sampled_from([1, 2, 3]), times=st.integers(1, 2))
    def refund(self, order: int, part: int, times: int) -> None:
        if found := self.paid(order):
            self.step()
            for _ in range(times):
                amount = found.amount // part // 10 * 10
                self.world.ask_refund(found, amount)

    @happens(order=some)
    def close(self, order: int) -> None:
        if found := self.pending(order):
            self.world.close(found)

    @happens(slug=st.sampled_from(["mug", "lamp"]), amount=st.integers(100, 900))
    def change_a_price(self, slug: str, amount: int) -> None:
        self.step().change_price(slug, amount * 10)

    @happens(order=some, part=st.sampled_from([1, 2, 3]))
    def refund_in_the_dashboard(self, order: int, part: int) -> None:
        if found := self.paid(order):
            amount = found.amount // part // 10 * 10
            self.step().refund_at_stripe(found, amount)

    @happens(order=some)
    def cancel_in_the_dashboard(self, order: int) -> None:
        found = self.pending(order)
        if found and (intent_id := found.payment_intent_id):
            world = self.step()
            world.at_the_dashboard(
                lambda: world.dashboard.v1.payment_intents.cancel(intent_id)
            )

    @happens(order=some, amount=st.integers(60, 500))
    def edit_in_the_dashboard(self, order: int, amount: int) -> None:
        found = self.pending(order)
        if found and found.payment_intent_id:
            self.step().edit_at_stripe(found.payment_intent_id, amount * 10)

    @happens(order=some, pay=st.booleans())
    def make_a_second_intent(self, order: int, pay: bool) -> None:
        """A script at Stripe makes an intent that names an order, perhaps pays it."""
        found = self.order(order)
        # An intent naming a pending order without one is, by design, that order's.
        if found is None or (found.is_unpaid and not found.payment_intent_id):
            return
        world = self.step()
        paid = {"confirm": True, "payment_method": "pm_card_visa"} if pay else {}
        shop = world.facts().shop
        world.intend_at_stripe(
            shop=shop, order=found.number, amount=found.amount, **paid
        )

    # Faults, time, healing

    @happens(operation=operations, fault=st.sampled_from(FAULTS),
             first=st.integers(1, 3), count=st.integers(1, 4))  # fmt: skip
    def fail(
        self, operation: str, fault: dict[str, Any], first: int, count: int
    ) -> None:
        calls = list(range(first, first + count))
        self.step().sandbox.fault(operation, calls=calls, **fault)

    @happens()
    def faults_end(self) -> None:
        self.step().stop_faults()

    @happens(place=st.integers(1, 20))
    def die_soon(self, place: int) -> None:
        self.step().doom = place

    @happens(is_down=st.booleans())
    def mail_server(self, is_down: bool) -> None:
        MailServer.is_down = is_down

    @happens(
        seconds=st.sampled_from([6, 15, 10 * MINUTE, 3 * HOUR, 23 * HOUR, 25 * HOUR])
    )
    def wait(self, seconds: int) -> None:
        self.step(seconds)

    @happens(days=st.sampled_from([2, 8, 31]))
    def days_pass(self, days: int) -> None:
        # Longer than a week nobody leaves the reconciler off.
        for day in range(days):
            self.step(DAY)
            if day % 5 == 4:
                self.world.reconcile()

    @happens()
    def reconcile(self) -> None:
        self.step().reconcile()

    @happens()
    def reconcile_after_a_while(self) -> None:
        self.step(40).reconcile()

    # After each step, and after the last

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()
            self.is_broken = False

    def teardown(self) -> None:
        if hasattr(self, "world") and not self.is_broken:
            come_to_rest(self.world)


@pytest.mark.parametrize("number", seeds())
def test_history(begin: Callable[[str], World], number: int) -> None:
    class Told(History):
        pass

    Told.begin = staticmethod(begin)
    seed(number)(Told)
    run_state_machine_as_test(Told, settings=HOW)
