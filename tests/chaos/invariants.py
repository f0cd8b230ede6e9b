"""The invariants of docs/reliability.md, seen from both sides at one moment.

Each function yields a sentence for each violation. `Facts` are Stripe's own objects
beside the shop's rows; `Witness` is what only the world outside knows, such as which
client secrets reached a browser.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.core import mail
from django.db import connection
from django.db.models import Model

from checkout import payments
from checkout.models import (
    Attention,
    Mail,
    Order,
    OrderHistory,
    OrderLine,
    Refund,
    Shop,
    StripeEvent,
)
from tests.sandbox_server import SandboxServer

Row = dict[str, Any]

PAYABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}
EDGES = {
    ("", "pending"),
    ("pending", "processing"),
    ("processing", "pending"),
    ("pending", "paid"),
    ("processing", "paid"),
    ("pending", "canceled"),
    ("canceled", "paid"),
}
KEY = re.compile(r"order-[0-9A-Z]{16}-intent|refund-[0-9A-Z]{16}|[0-9a-f-]{36}")
# Refunds that took money, or may.
COUNTED = {"pending", "requires_action", "succeeded"}


@dataclass
class Witness:
    """What happened outside both programs."""

    handed_out: set[str] = field(default_factory=set)
    edited: set[str] = field(default_factory=set)
    checkout_of: dict[int, str] = field(default_factory=dict)
    frozen: dict[int, Any] = field(default_factory=dict)
    history: dict[int, list[Any]] = field(default_factory=dict)
    debits: Counter[str] = field(default_factory=Counter)
    deaths: int = 0


@dataclass
class Facts:
    """Both sides at one moment."""

    shop: str
    orders: list[Row]
    lines: dict[int, list[Any]]
    history: dict[int, list[Any]]
    refunds: list[Row]
    attention: list[Row]
    mails: list[Row]
    intents: dict[str, Row]
    refunds_at_stripe: list[Row]

    @classmethod
    def gather(cls, sandbox: SandboxServer) -> "Facts":
        kinds = "payment_intent,refund"
        there = sandbox.state(kinds)["objects"]
        lines: dict[int, list[Any]] = defaultdict(list)
        for row in _rows(OrderLine):
            line = row["product_id"], row["name"], row["unit_amount"], row["quantity"]
            lines[row["order_id"]].append(line)
        history: dict[int, list[Any]] = defaultdict(list)
        for row in _rows(OrderHistory):
            move = row["from_status"], row["to_status"], row["source"], row["note"]
            history[row["order_id"]].append((row["id"], *move, row["at"]))
        return cls(
            shop=Shop.current_reference(),
            orders=_rows(Order),
            lines=lines,
            history=history,
            refunds=_rows(Refund),
            attention=_rows(Attention),
            mails=_rows(Mail),
            intents={intent["id"]: intent for intent in there["payment_intent"]},
            refunds_at_stripe=there["refund"],
        )

    def named_by(self, intent: Row) -> str:
        """The order a PaymentIntent of this shop names; empty for another shop's."""
        metadata = intent["metadata"]
        ours = metadata.get("shop") == self.shop
        return metadata.get("order", "") if ours else ""

    def intents_of(self, order: Row) -> list[Row]:
        """PI(o): every PaymentIntent that names the order or is stored on it."""
        return [
            intent
            for intent in self.intents.values()
            if intent["id"] == order["payment_intent_id"]
            or self.named_by(intent) == order["number"]
        ]

    def ours(self) -> list[Row]:
        """Every PaymentIntent that names this shop or is stored on an order."""
        stored = {order["payment_intent_id"] for order in self.orders}
        return [
            intent
            for intent in self.intents.values()
            if intent["id"] in stored or intent["metadata"].get("shop") == self.shop
        ]

    def refunded(self, intent_id: str) -> int:
        """What Stripe has put back, or is putting back, of a payment."""
        return sum(
            refund["amount"]
            for refund in self.refunds_at_stripe
            if refund["payment_intent"] == intent_id and refund["status"] in COUNTED
        )


def _rows(model: type[Model]) -> list[Row]:
    """Return a table as the database holds it: it is read after every step."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY id")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


# --- Safety: after each step ---------------------------------------------------------


def one_payable_intent(facts: Facts, seen: Witness) -> Iterator[str]:
    """I1: at most one payable intent per order, and per checkout."""
    per_checkout: Counter[str] = Counter()
    for order in facts.orders:
        payable = [
            intent["id"]
            for intent in facts.intents_of(order)
            if intent["status"] in PAYABLE and intent["id"] in seen.handed_out
        ]
        if len(payable) > 1:
            yield f"I1 {order['number']} can be paid by {payable}"
        per_checkout[seen.checkout_of[order["id"]]] += len(payable)
    for checkout, count in per_checkout.items():
        if count > 1:
            yield f"I1 {count} intents of checkout {checkout} can be paid"


def paid_means_paid(facts: Facts, seen: Witness) -> Iterator[str]:
    """I2: a paid order has its whole amount at Stripe, in its currency and mode."""
    used: Counter[str] = Counter()
    for order in facts.orders:
        if order["status"] != "paid":
            continue
        used[order["payment_intent_id"]] += 1
        intent = facts.intents.get(order["payment_intent_id"])
        told = (
            "succeeded", order["amount"], order["currency"], False,
            facts.shop, order["number"],
        )  # fmt: skip
        there = intent and (
            intent["status"], intent["amount_received"], intent["currency"],
            intent["livemode"], intent["metadata"].get("shop"),
            intent["metadata"].get("order"),
        )  # fmt: skip
        if there != told or order["amount_received"] != order["amount"]:
            yield f"I2 {order['number']} is paid, Stripe says {there}"
    for intent_id, count in used.items():
        if count > 1:
            yield f"I2 {intent_id} pays {count} orders"


def refunds_are_bounded(facts: Facts, seen: Witness) -> Iterator[str]:
    """I4: never more back than came; one request, one refund; the sums are right."""
    for order in facts.orders:
        rows = [row for row in facts.refunds if row["order_id"] == order["id"]]
        asked = [
            row["amount"]
            for row in rows
            if row["source"] == "operator" and row["status"] in {"asked", *COUNTED}
        ]
        if sum(asked) > order["amount_received"]:
            yield f"I4 {order['number']}: {asked} asked of {order['amount_received']}"
        counted = sum(row["amount"] for row in rows if row["status"] in COUNTED)
        if counted != order["amount_refunded"]:
            yield f"I4 {order['number']}: rows say {counted} refunded"
    for intent in facts.intents.values():
        if facts.refunded(intent["id"]) > intent["amount_received"]:
            yield f"I4 {intent['id']}: Stripe refunded too much"
    numbers = Counter(
        refund["metadata"].get("refund") for refund in facts.refunds_at_stripe
    )
    for number, count in numbers.items():
        if number and count > 1:
            yield f"I4 refund {number} was made {count} times"


def one_effect(facts: Facts, seen: Witness) -> Iterator[str]:
    """I5: paid once, processing once per debit, each refund told once, mails once."""
    for order in facts.orders:
        moves = Counter(
            (row[1], row[2]) for row in facts.history[order["id"]] if row[1] != row[2]
        )
        paid = sum(count for (_, to), count in moves.items() if to == "paid")
        if paid > 1:
            yield f"I5 {order['number']} became paid {paid} times"
        started = moves["pending", "processing"]
        if started > seen.debits[order["payment_intent_id"]]:
            yield f"I5 {order['number']} was processing {started} times"
        told = Counter(
            row[4] for row in facts.history[order["id"]] if row[4].startswith("refund")
        )
        for note, count in told.items():
            if count > 1:
                yield f"I5 {order['number']}: “{note}” {count} times"
    rows = Counter(row["stripe_id"] for row in facts.refunds if row["stripe_id"])
    for refund_id, count in rows.items():
        if count > 1:
            yield f"I5 {refund_id} has {count} rows"
    sent = sum(row["sent_at"] is not None for row in facts.mails)
    # A process sends from two threads; each death may undo the record of one mail.
    if not sent <= len(mail.outbox) <= sent + 2 * seen.deaths:
        yield f"I5 {len(mail.outbox)} mails left, {sent} are recorded"


def one_order_per_checkout(facts: Facts, seen: Witness) -> Iterator[str]:
    """I6: at most one order of a checkout is not canceled (late money apart)."""
    late = {row["order_id"] for row in facts.attention if row["kind"] == "late_payment"}
    holding = Counter(
        seen.checkout_of[order["id"]]
        for order in facts.orders
        if order["status"] != "canceled" and order["id"] not in late
    )
    for checkout, count in holding.items():
        if count > 1:
            yield f"I6 {count} orders of checkout {checkout}"


def prices_stand(facts: Facts, seen: Witness) -> Iterator[str]:
    """I7, I17: whole lines add up, nothing frozen changes, Stripe asks the same."""
    for order in facts.orders:
        lines = facts.lines[order["id"]]
        if sum(line[2] * line[3] for line in lines) != order["amount"]:
            yield f"I7 {order['number']}: its lines are not {order['amount']}"
        frozen = (
            order["number"], order["token"], order["amount"], order["currency"],
            order["email"], order["livemode"], order["placed_at"], sorted(lines),
        )  # fmt: skip
        if seen.frozen.setdefault(order["id"], frozen) != frozen:
            yield f"I7 {order['number']} changed after it was placed"
        for intent in facts.intents_of(order):
            if (
                intent["status"] in PAYABLE
                and intent["id"] in seen.handed_out - seen.edited
                and (intent["amount"], intent["currency"])
                != (order["amount"], order["currency"])
            ):
                yield f"I7 {intent['id']} asks another price than {order['number']}"


def only_known_edges(facts: Facts, seen: Witness) -> Iterator[str]:
    """I9, I18: history is appended to, has no gap, knows only the graph's edges."""
    late = {row["order_id"] for row in facts.attention if row["kind"] == "late_payment"}
    for order in facts.orders:
        number, rows = order["number"], facts.history[order["id"]]
        before = seen.history.get(order["id"], [])
        if rows[: len(before)] != before:
            yield f"I18 {number}: its history was rewritten"
        seen.history[order["id"]] = rows
        for row in rows:
            if row[1] != row[2] and (row[1], row[2]) not in EDGES:
                yield f"I9 {number} went from {row[1]} to {row[2]}"
            if (row[1], row[2]) == ("canceled", "paid") and order["id"] not in late:
                yield f"I9 {number}: late money without attention"
        if any(one[2] != two[1] for one, two in pairwise(rows)):
            yield f"I18 {number}: its history has a gap"
        if not rows or rows[0][1] or rows[-1][2] != order["status"]:
            yield f"I18 {number} is {order['status']}, its history says otherwise"


def closing_is_two_sided(facts: Facts, seen: Witness) -> Iterator[str]:
    """I19: a canceled order cannot be paid by anybody who holds a secret of it."""
    for order in facts.orders:
        if order["status"] != "canceled":
            continue
        for intent in facts.intents_of(order):
            known = intent["id"] == order["payment_intent_id"]
            if (known or intent["id"] in seen.handed_out) and (
                intent["status"] != "canceled"
            ):
                yield (
                    f"I19 {order['number']} is canceled,"
                    f" {intent['id']} is {intent['status']}"
                )


SAFETY = [
    one_payable_intent,
    paid_means_paid,
    refunds_are_bounded,
    one_effect,
    one_order_per_checkout,
    prices_stand,
    only_known_edges,
    closing_is_two_sided,
]


def keys_are_disciplined(sent: dict[str, set[tuple[str, str]]]) -> Iterator[str]:
    """I10: one key, one body; a key is an order's or a refund's number and the act."""
    for key, bodies in sent.items():
        if len(bodies) > 1:
            yield f"I10 {key} was sent with {len(bodies)} bodies: {bodies}"
        if not KEY.fullmatch(key):
            yield f"I10 {key} is no key of ours"


def violations(facts: Facts, seen: Witness) -> list[str]:
    """Everything that must never be true and is."""
    return [text for check in SAFETY for text in check(facts, seen)]


# --- Liveness: when the faults have stopped and time to heal has passed --------------


def nothing_paid_is_lost(facts: Facts) -> Iterator[str]:
    """I3: each payment is a paid order's, refunded with a record, or told."""
    paid = {
        order["payment_intent_id"]
        for order in facts.orders
        if order["status"] == "paid"
    }
    told = {row["subject"] for row in facts.attention}
    for intent in facts.ours():
        if intent["status"] == "succeeded" and intent["id"] not in paid | told:
            yield f"I3 {intent['id']} was paid and is nowhere"


def orphans_are_gone(facts: Facts) -> Iterator[str]:
    """I1: nothing of a paid or closed order can be paid, and no orphan."""
    stored = {
        order["payment_intent_id"]
        for order in facts.orders
        if order["status"] == "pending"
    }
    for intent in facts.ours():
        if intent["status"] in PAYABLE and intent["id"] not in stored:
            yield f"I1 {intent['id']} can still be paid and is no pending order's"


def money_is_conserved(facts: Facts) -> Iterator[str]:
    """I11: per currency, what is at Stripe is what the shop's books say."""
    there: Counter[str] = Counter()
    here: Counter[str] = Counter()
    paid = {
        order["payment_intent_id"]
        for order in facts.orders
        if order["status"] == "paid"
    }
    money = {"payment_mismatch", "money_without_order", "late_payment"}
    told = {
        (row["subject"], *row["received"].split()[:2])
        for row in facts.attention
        if row["kind"] in money
    }
    for intent in facts.ours():
        if intent["status"] == "succeeded":
            name, currency = intent["id"], intent["currency"]
            left = intent["amount_received"] - facts.refunded(name)
            there[currency] += left
            # What a lying event told of it before stands there too, and counts nothing.
            fact = (name, str(intent["amount_received"]), currency)
            if name not in paid and fact in told:
                here[currency] += left
    for order in facts.orders:
        if order["status"] == "paid":
            here[order["currency"]] += order["amount_received"]
            here[order["currency"]] -= order["amount_refunded"]
    for currency in there | here:
        if there[currency] != here[currency]:
            yield (
                f"I11 {currency}: {there[currency]} at Stripe, {here[currency]} here"
            )


def confirmed_once(facts: Facts, seen: Witness) -> Iterator[str]:
    """I21: each paid order has one confirmation, sent."""
    sent = Counter(
        message.subject for message in mail.outbox if "Your order" in message.subject
    )
    for order in facts.orders:
        count = sum(n for subject, n in sent.items() if order["number"] in subject)
        if order["status"] != "paid" and count:
            yield f"I21 {order['number']} is not paid and was confirmed"
        if order["status"] == "paid" and not 1 <= count <= 1 + seen.deaths:
            yield f"I21 {order['number']} was confirmed {count} times"


def nothing_pends_for_ever(facts: Facts) -> Iterator[str]:
    """I22: at the end of its lifetime an order is paid, canceled or told."""
    told = {row["order_id"] for row in facts.attention}
    for order in facts.orders:
        if order["status"] in ("pending", "processing") and order["id"] not in told:
            yield f"I22 {order['number']} is {order['status']} for ever"


def declines_are_limited(facts: Facts) -> Iterator[str]:
    """I22: an order ends with its fifth failed payment, too."""
    events = StripeEvent.objects.filter(
        type="payment_intent.payment_failed", livemode=False
    )
    failed = Counter(events.values_list("payment_intent_id", flat=True))
    for order in facts.orders:
        count = failed[order["payment_intent_id"]]
        if order["status"] == "pending" and count >= payments.MOST_FAILURES:
            yield f"I22 {order['number']} is pending after {count} failed payments"


def unsettled(facts: Facts) -> list[str]:
    """Everything that must be true soon after the last fault and is not."""
    return [
        *nothing_paid_is_lost(facts),
        *orphans_are_gone(facts),
        *money_is_conserved(facts),
        *declines_are_limited(facts),
    ]
