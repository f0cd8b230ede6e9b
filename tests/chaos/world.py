"""Shoppers, operators, the bank, Stripe and time, all at a real shop and sandbox.

Every act goes through a door of the shop (HTTP, the operator's functions, the
reconciler) or of the sandbox. An act with nothing to act upon does nothing.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from typing import Any, TypeVar

import stripe
from django.apps import apps
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.test.client import ClientHandler

from checkout import emails, gateway, payments, reconcile, refunds, words
from checkout.models import Attention, Order, Product, Shop, StripeEvent
from tests.chaos import invariants
from tests.chaos.clock import Clock
from tests.chaos.invariants import PAYABLE, Facts, Row, Witness, violations
from tests.chaos.probe import Probe
from tests.factories import deliver, flush, make_product, sign
from tests.sandbox_server import SandboxServer

T = TypeVar("T")

DAY = 24 * 60 * 60
CARTS: list[dict[str, int]] = [
    {"mug": 1},
    {"mug": 2, "lamp": 1},
    {"lamp": 3},
    {"mug": 99},
]
EMAILS = ["shopper@example.com", "somebody@example.org"]
# What a shopper may type, and what the bank does then.
GOOD, DECLINED, SECURE = "4242424242424242", "4000000000000002", "4000002760003184"
PAYMENTS: dict[str, dict[str, str]] = {
    "good": {"number": GOOD},
    "declined": {"number": DECLINED},
    "insufficient": {"number": "4000000000009995"},
    "secure": {"number": SECURE},
    "refund fails later": {"number": "4000000000005126"},
    "refund is pending": {"number": "4000000000007726"},
    "disputed": {"number": "4000000000000259"},
    "debit": {"account_number": "000123456789"},
    "debit fails": {"account_number": "000222222227"},
    "debit never answers": {"account_number": "000000000009"},
}
DEBITS = {"debit", "debit fails", "debit never answers"}


class MailServer(EmailBackend):
    """The test's mail server; it can be down."""

    is_down = False

    def send_messages(self, messages: Any) -> int:
        if self.is_down:
            raise ConnectionRefusedError
        return super().send_messages(messages)


@dataclass
class Tab:
    """A page of the shop in a browser, as it was when it was opened."""

    client: Client
    checkout: str
    prices: dict[str, int]
    cart: dict[str, int]
    email: str
    currency: str
    # Set by the shop's answers.
    token: str = ""
    intent_id: str = ""
    # Whether the shop knows of the attempt that is under way.
    pressed: bool = False

    @property
    def amount(self) -> int:
        return sum(self.prices[slug] * count for slug, count in self.cart.items())

    def body(self) -> str:
        """What the page posts when Pay is pressed."""
        lines = [{"product": slug, "quantity": n} for slug, n in self.cart.items()]
        return json.dumps(
            {
                "checkout": self.checkout,
                "lines": lines,
                "email": self.email,
                "amount": self.amount,
                "currency": self.currency,
            }
        )


@dataclass
class World:
    """One history: both programs, everybody around them, and what was seen."""

    sandbox: SandboxServer
    clock: Clock
    probe: Probe
    currency: str
    witness: Witness = field(default_factory=Witness)
    browsers: list[Client] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    # Intents that were confirmed without pressing Pay again: the shop cannot know.
    unannounced: set[str] = field(default_factory=set)
    # The next act dies at this place.
    doom: int | None = None

    def __post_init__(self) -> None:
        self.sandbox.reset()
        flush()
        Shop.known_reference = ""
        mail.outbox = []
        MailServer.is_down = False
        self.probe.sent.clear()
        make_product(slug="mug", unit_amount=1850, currency=self.currency)
        make_product(slug="lamp", unit_amount=6400, currency=self.currency)
        self.dashboard = stripe.StripeClient(
            self.sandbox.secret_key,
            base_addresses={"api": self.sandbox.url},
            max_network_retries=0,
        )

    def work(self, act: Callable[[], T]) -> T | None:
        """Let the shop do something; None if it died of it."""
        doom, self.doom = self.doom, None
        result: T | None = None
        with self.probe.deadly(doom):
            try:
                result = act()
            except BaseException:
                # Django's clean-up may fail of the death and be what is raised.
                if not self.probe.has_died:
                    raise
        if self.probe.has_died:
            self.witness.deaths += 1
            connections.close_all()
            result = None
        # The mails that were begun are sent before anything else happens.
        emails._mailroom.submit(int).result()
        return result

    def facts(self) -> Facts:
        facts = Facts.gather(self.sandbox)
        for order in facts.orders:
            self.witness.checkout_of.setdefault(order["id"], order["checkout"])
        return facts

    def check(self) -> None:
        assert violations(self.facts(), self.witness) == []

    # Shoppers

    def open_shop(self, who: int) -> None:
        """Open the shop in a new or a known browser."""
        if who >= len(self.browsers):
            address = f"203.0.113.{len(self.browsers)}"
            self.browsers.append(new_browser(address))
        client = self.browsers[min(who, len(self.browsers) - 1)]
        page = self.work(lambda: client.get("/"))
        if page is None:
            return
        assert page.status_code == 200
        prices = {row.slug: row.unit_amount for row in page.context["products"]}
        cart = CARTS[who % len(CARTS)]
        tab = Tab(
            client, page.context["checkout"], prices, cart, EMAILS[0], self.currency
        )
        self.tabs.append(tab)

    def press(self, tab: Tab) -> None:
        """Press Pay: place the order, or find it again."""
        answer = self.work(
            lambda: tab.client.post(
                "/orders/", tab.body(), content_type="application/json"
            )
        )
        if answer is not None:
            self._hear(tab, answer, seen=tab.amount)

    def place(self, who: int) -> Tab:
        """Open the shop and press Pay; without a secret if something goes wrong."""
        before = len(self.tabs)
        self.open_shop(who % 4)
        if len(self.tabs) > before:
            self.press(self.tabs[-1])
        return self.tabs[-1]

    def press_on_order_page(self, order: Order, tab: Tab) -> None:
        """Press Pay on the page of an order, whose link a mail may have brought."""
        url = f"/orders/{order.token}/payment/"
        answer = self.work(lambda: tab.client.post(url))
        if answer is not None:
            self._hear(tab, answer, seen=order.amount)

    def _hear(self, tab: Tab, answer: Any, *, seen: int) -> None:
        told = answer.json()
        assert answer.status_code in (200, 201, 400, 409, 429, 502, 503), answer.content
        problem = told.get("error", {})
        if problem.get("code") == "price_changed":
            tab.prices |= {
                line["product"]: line["unit_amount"] for line in problem["lines"]
            }
        order = told.get("order") or problem.get("order")
        if order is None:
            return
        tab.token = order["token"]
        row = Order.objects.get(token=tab.token)
        if problem:
            assert row.is_spent, "I13 a checkout is refused that is not spent"
        if "client_secret" not in told:
            assert row.is_spent, "I13 no client secret, and not paid"
            return
        tab.intent_id = told["client_secret"].partition("_secret_")[0]
        tab.pressed = True
        self.witness.handed_out.add(tab.intent_id)
        self.unannounced.discard(tab.intent_id)
        intent = self.facts().intents[tab.intent_id]
        asked = (intent["amount"], intent["currency"], intent["status"] in PAYABLE)
        assert asked == (seen, self.currency, True), f"I7, I13 handed out: {asked}"
        assert row.payment_intent_id == tab.intent_id
        assert row.amount == seen

    def confirm(self, tab: Tab, how: str) -> None:
        """The browser confirms with the client secret it has."""
        if not tab.intent_id:
            return
        if not tab.pressed:
            self.unannounced.add(tab.intent_id)
        tab.pressed = False
        url = f"payment_intents/{tab.intent_id}/confirm"
        answer = self.act(url, **PAYMENTS[how])
        if answer and answer.get("status") == "processing" and how in DEBITS:
            self.witness.debits[tab.intent_id] += 1

    def authenticate(self, intent_id: str, outcome: str) -> None:
        self.act(f"payment_intents/{intent_id}/authenticate", outcome=outcome)

    def poll(self, order: Order) -> None:
        """The page asks how far the order is: what it hears is true."""
        url = f"/orders/{order.token}/status/"
        answer = self.work(lambda: new_browser().get(url))
        if answer is not None:
            assert answer.status_code == 200
            self._believe(order, answer.json()["order"])

    def _believe(self, order: Order, told: Row) -> None:
        intent = self.facts().intents.get(order.payment_intent_id or "")
        status = intent["status"] if intent else ""
        if told["status"] == "paid":
            assert status == "succeeded", "I13 the page says paid"
        declines = {str(text) for text in [*words.DECLINES.values(), words.DECLINED]}
        if status in ("succeeded", "processing") and told["message"] in declines:
            known = intent and intent["id"] in self.unannounced
            assert known, f"I13 the page says failed, the intent is {status}"

    def open_order(self, order: Order) -> None:
        page = self.work(lambda: new_browser().get(f"/orders/{order.token}/"))
        assert page is None or page.status_code == 200

    # Stripe

    def act(self, path: str, **body: Any) -> Row | None:
        """A control call of the sandbox that may be refused."""
        return self.sandbox.attempt(path, **body)

    def events(self) -> list[Row]:
        return self.sandbox.objects("event")

    def undelivered(self) -> list[Row]:
        gone = self.delivered | self.dropped
        return [event for event in self.events() if event["id"] not in gone]

    def deliver(self, event: Row) -> None:
        """Post an event; a 2xx means that its effect is durable."""
        answer = self.work(lambda: deliver(new_browser(), event))
        if answer is not None:
            assert answer.status_code == 200, answer.content
            self.delivered.add(event["id"])
            self._require_effect(event)

    def _require_effect(self, event: Row) -> None:
        row = StripeEvent.objects.get(pk=event["id"])
        assert row.outcome in StripeEvent.DONE, f"I12 {row} was answered 200"
        intent = event["data"]["object"]
        ours = intent.get("metadata", {}).get("shop") == Shop.current_reference()
        if event["type"] == "payment_intent.succeeded" and ours:
            known = Order.objects.filter(payment_intent_id=intent["id"], status="paid")
            told = Attention.objects.filter(subject=intent["id"])
            assert known.exists() or told.exists(), f"I12 {event['id']} had no effect"

    def lie(self, order: Order, **changes: Any) -> None:
        """Stripe signs an event that does not fit: authentic, but not valid."""
        intent = self.facts().intents.get(order.payment_intent_id or "")
        if intent is None or order.is_paid:
            return
        told = {**intent, "status": "succeeded", "amount_received": intent["amount"]}
        event = self.sandbox.emit_event("payment_intent.succeeded", told | changes)
        self.deliver(event)
        order.refresh_from_db()
        assert not order.is_paid, "I2 an order was paid by an event that does not fit"

    def forge(self, event: Row, how: str) -> None:
        """Somebody else posts an event: not one row changes."""
        before = every_row()
        body = json.dumps(event).encode()
        ways: dict[str, Callable[[], Any]] = {
            "other secret": lambda: deliver(new_browser(), event, secret="whsec_other"),
            "old": lambda: deliver(new_browser(), event, at=int(time.time()) - 400),
            "future": lambda: deliver(new_browser(), event, at=int(time.time()) + 400),
            "unsigned": lambda: new_browser().post(
                "/stripe/webhook/", body, content_type="application/json"
            ),
            "changed": lambda: new_browser().post(
                "/stripe/webhook/",
                body.replace(b"1850", b"1"),
                content_type="application/json",
                headers={"Stripe-Signature": sign(body + b" ")},
            ),
        }
        assert ways[how]().status_code == 400, f"I14 {how}"
        assert every_row() == before, f"I14 {how}: rows changed"

    def tell_of_live_mode(self, event: Row) -> None:
        """An event of the other mode: recorded, without any effect."""
        before = every_row(StripeEvent)
        other = event | {"id": f"{event['id']}live", "livemode": True}
        assert deliver(new_browser(), other).status_code == 200
        assert every_row(StripeEvent) == before, "I20 a live event changed rows"

    # Operators

    def ask_refund(self, order: Order, amount: int) -> None:
        with suppress(refunds.NotRefundable, gateway.StripeError):
            self.work(lambda: refunds.ask(order, amount, reason="", by="operator"))

    def close(self, order: Order) -> None:
        reason = Order.ClosedReason.OPERATOR
        with suppress(gateway.StripeError):
            self.work(lambda: payments.close(order, reason=reason, source="operator"))

    def change_price(self, slug: str, unit_amount: int) -> None:
        Product.objects.filter(slug=slug).update(unit_amount=unit_amount)

    def at_the_dashboard(self, call: Callable[[], Any]) -> bool:
        """Somebody does something at Stripe; Stripe may refuse it."""
        try:
            call()
        except stripe.StripeError:
            return False
        return True

    def refund_at_stripe(self, order: Order, amount: int) -> None:
        params: Any = {"payment_intent": order.payment_intent_id, "amount": amount}
        self.at_the_dashboard(lambda: self.dashboard.v1.refunds.create(params))

    def intend_at_stripe(self, *, shop: str, order: str, **more: Any) -> None:
        """A script at Stripe makes an intent that names an order."""
        methods = {"enabled": True, "allow_redirects": "never"}
        params: Any = {
            "amount": 1850,
            "currency": self.currency,
            "metadata": {"shop": shop, "order": order},
            "automatic_payment_methods": methods,
            **more,
        }
        self.at_the_dashboard(lambda: self.dashboard.v1.payment_intents.create(params))

    def edit_at_stripe(self, intent_id: str, amount: int) -> None:
        self.at_the_dashboard(
            lambda: self.dashboard.v1.payment_intents.update(
                intent_id, {"amount": amount}
            )
        )
        # A fault may have hidden that it happened.
        self.witness.edited.add(intent_id)

    # Time and healing

    def reconcile(self) -> list[str]:
        return self.work(lambda: list(reconcile.run())) or []

    def stop_faults(self) -> None:
        self.sandbox.clear_faults()
        MailServer.is_down = False
        self.doom = None

    def settle_down(self, seconds: float = 120) -> None:
        """Let the shop heal by itself for so long: four rounds of its reconciler."""
        for _ in range(4):
            self.clock.advance(seconds / 4)
            self.reconcile()

    def until_quiet(self) -> None:
        for _ in range(10):
            self.clock.advance(30)
            if not (lines := self.reconcile()):
                return
        raise AssertionError(f"I16 the reconciler never comes to rest: {lines}")


def come_to_rest(world: World) -> None:
    """The faults stop: the shop heals in time, and then nothing moves it any more."""
    world.stop_faults()
    require_healed(world)
    let_orders_end(world)
    require_settled(world)
    assert not list(invariants.nothing_pends_for_ever(world.facts()))
    require_quiescence(world)


def require_healed(world: World) -> None:
    """Within 120 s, even without another delivery, no money is lost or astray."""
    world.settle_down()
    world.check()
    assert invariants.unsettled(world.facts()) == []
    require_agreement()


def require_settled(world: World) -> None:
    """Once everything is delivered and every claim has run out, all is done."""
    world.clock.advance(emails.CLAIM_LASTS.total_seconds() + 1)
    for event in world.events():
        world.deliver(event)
    world.until_quiet()
    facts = world.facts()
    assert [
        *invariants.violations(facts, world.witness),
        *invariants.unsettled(facts),
        *invariants.confirmed_once(facts, world.witness),
        *invariants.keys_are_disciplined(world.probe.sent),
    ] == []
    require_agreement()


def require_quiescence(world: World) -> None:
    """I16: neither all events again nor the reconciler change a row."""
    before = every_row()
    for event in reversed(world.events()):
        world.deliver(event)
    world.until_quiet()
    after = every_row()
    changed = [name for name in before if before[name] != after[name]]
    assert changed == [], f"I16 rows changed in {changed}"


def let_orders_end(world: World) -> None:
    """Banks answer, and every order that can still be paid reaches its lifetime."""
    for _ in range(2):
        for intent in world.facts().intents.values():
            if intent["status"] == "processing":
                world.sandbox.settle(intent["id"])
        world.clock.advance(25 * 60 * 60)
        world.until_quiet()


@cache
def _shop() -> ClientHandler:
    """The shop's WSGI application, loaded once for all browsers."""
    return ClientHandler(enforce_csrf_checks=False)


def new_browser(address: str = "") -> Client:
    """A new browser, without cookies; behind a proxy that tells its address."""
    client = Client(headers={"X-Forwarded-For": address} if address else None)
    client.handler = _shop()
    return client


def pick(things: list[T], number: int) -> T:
    return things[number % len(things)]


def every_row(*but: Any) -> dict[str, list[Any]]:
    """Every row of the shop, but the reconciler's notes and delivery counts."""
    rows = {}
    for model in apps.get_app_config("checkout").get_models():
        if model in (Shop, *but):
            continue
        fields = [
            field.attname
            for field in model._meta.concrete_fields
            if field.name != "deliveries"
        ]
        rows[model.__name__] = list(model.objects.order_by("pk").values_list(*fields))
    return rows


def require_agreement() -> None:
    """`verify_payments` finds nothing."""
    out = StringIO()
    try:
        call_command("verify_payments", stdout=out)
    except CommandError as error:
        raise AssertionError(f"verify_payments: {error}\n{out.getvalue()}") from error
