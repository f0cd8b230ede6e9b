"""Remove one rule of the shop at a time, in a copy, and see a test fail.

`.venv/bin/python tools/mutations.py [WORD]` runs every mutation (or those whose
invariant or file contains WORD) on SQLite, or on the PostgreSQL of `DATABASE_URL`, and
prints one row per rule for docs/reliability.md. A rule whose removal no test notices is
printed as UNTESTED, and the exit code is 1.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PLACING, INBOX, REFUNDS = "test_placing", "test_inbox", "test_refunds"
RECONCILE, RACES, HISTORIES = "test_reconcile", "test_races", "test_histories"
WEBHOOKS, EMAILS, DISPUTES = "test_webhooks", "test_emails", "test_disputes"
ISOLATION, MONEY, JOURNEYS = "test_isolation", "test_money", "test_journeys"
LIMITS, DECLINES = "test_limits", "test_declines"


class Mutation(NamedTuple):
    """A rule, the line that holds it, what stands there without it, who notices."""

    invariant: str
    rule: str
    file: str
    line: str
    without: str
    tests: str


MUTATIONS = [
    Mutation("I1", "one key per order, however often it is asked for",
             "gateway/calls.py", 'options={"idempotency_key": key},', "options={},",
             f"{JOURNEYS} {RACES}"),
    Mutation("I1", "an order has one intent and keeps it",
             "payments.py", '        "payment_intent_id": None,\n', "",
             f"{JOURNEYS} {RECONCILE} {HISTORIES}"),
    Mutation("I1", "orphans are canceled",
             "reconcile.py", "gateway.cancel_payment_intent(intent.id)", "pass",
             RECONCILE),
    Mutation("I1", "the sweep reaches back to the last complete round",
             "reconcile.py", "swept = shop.reconciled_at or",
             "swept = timezone.now() - timedelta(hours=1) or", RECONCILE),
    Mutation("I2", "only the whole amount pays",
             "settlement.py", "intent.amount_received != order.amount", "False", INBOX),
    Mutation("I2", "only its currency pays",
             "settlement.py", "if intent.currency != order.currency:", "if False:",
             INBOX),
    Mutation("I2", "only an intent that names the order pays it",
             "settlement.py", "if intent.shop != Shop.current_reference() or "
             "intent.order != order.number:", "if False:", f"{INBOX} {HISTORIES}"),
    Mutation("I2", "only the stored intent pays",
             "settlement.py", "if order.payment_intent_id not in (None, intent.id):",
             "if False:", f"{INBOX} {RECONCILE}"),
    Mutation("I3", "money of an unknown order is told",
             "inbox.py", "settlement.hold_money_without_order(intent)", "pass", INBOX),
    Mutation("I3", "money that does not fit is told",
             "settlement.py", "            _hold(order, intent, wrong)",
             "            pass", INBOX),
    Mutation("I3", "late money pays, and leaves its checkout",
             "settlement.py", 'fields["checkout"] = None', "pass",
             f"{INBOX} {HISTORIES}"),
    Mutation("I3", "events that never came are read",
             "reconcile.py", "    read_events,\n    look_up", "    look_up", RECONCILE),
    Mutation("I3", "intents are compared without any event",
             "reconcile.py", "    sweep_intents,\n    expire", "    expire", RECONCILE),
    Mutation("I4", "no more is asked back than is left",
             "refunds.py", "if not 0 < amount <= there:", "if not 0 < amount:",
             REFUNDS),
    Mutation("I4", "what was asked for counts before it is answered",
             "refunds.py", "order.refunds.exclude(status__in=Refund.GIVEN_UP)",
             'order.refunds.filter(status="succeeded")', f"{REFUNDS} {RACES}"),
    Mutation("I4", "a refund has one key",
             "gateway/calls.py", 'params, {"idempotency_key": f"refund-{refund}"}',
             "params, {}", REFUNDS),
    Mutation("I4", "an old key is never sent again",
             "refunds.py", "    if key_is_old:", "    if False:", REFUNDS),
    Mutation("I5", "an event is applied once",
             "inbox.py",
             "    if _count_again(event, deliveries):\n        return True\n",
             "    StripeEvent.objects.filter(pk=event.id).update(outcome='received')\n",
             f"{INBOX} {HISTORIES}"),
    Mutation("I5", "what a copy has noted of an event stays (PostgreSQL)",
             "inbox.py", "THEN checkout_stripeevent.outcome ELSE",
             "THEN excluded.outcome ELSE", RACES),
    Mutation("I5", "a refund only moves forward",
             "refunds.py", "if Refund.RANK[status] > Refund.RANK[",
             "if True or Refund.RANK[", REFUNDS),
    Mutation("I5", "a mail is claimed before it is sent",
             "emails.py", "if not due().filter(pk=mail.pk).update(",
             "if not row.update(", f"{EMAILS} {RACES}"),
    Mutation("I5", "our own refund is recognised in its event",
             "refunds.py", "if known is None and reported.shop == "
             "Shop.current_reference():", "if False:", f"{REFUNDS} {RECONCILE}"),
    Mutation("I6", "one order per checkout, in the database",
             "migrations/0001_first_purchase.py",
             "fields=('checkout',), name='one_order_per_checkout'",
             "fields=('number',), name='one_order_per_checkout'", RACES),
    Mutation("I7", "the shopper saw this amount",
             "views.py", "if (priced.amount, priced.currency) != "
             "(wish.amount, wish.currency):", "if False:", PLACING),
    Mutation("I7", "another cart is another order",
             "payments.py", "if is_new or _holds(order, cart, buyer):", "if True:",
             JOURNEYS),
    Mutation("I7", "an intent that was edited is not handed out",
             "payments.py", "return intent.status in PAYABLE and asked != "
             "(order.amount, order.currency)", "return False",
             f"{JOURNEYS} {RECONCILE}"),
    Mutation("I9", "nothing leads out of paid",
             "models/orders.py", "Status.CANCELED: [Status.PENDING],",
             "Status.CANCELED: [Status.PENDING, Status.PAID],",
             f"{INBOX} {HISTORIES}"),
    Mutation("I9", "a status is changed only from the status that was seen",
             "models/orders.py",
             '            "status": self.status,\n'
             '            "payment_intent_id": self.payment_intent_id,\n',
             "", f"{INBOX} {RACES} {HISTORIES}"),
    Mutation("I9", "an event that is not final is looked up, not believed",
             "inbox.py", '"payment_intent.processing": _intent_moved',
             '"payment_intent.processing": _intent_is_final', INBOX),
    Mutation("I10", "after 23 h a key is not sent again",
             "payments.py", "if order.placed_at < timezone.now() - KEY_LIFETIME:",
             "if False:", JOURNEYS),
    Mutation("I10", "the old order is closed before another takes its cart",
             "payments.py", "            close(order, reason=Order.ClosedReason."
             'REPLACED, source="shopper")',
             "            _give_up(order, note='')", f"{JOURNEYS} {RACES}"),
    Mutation("I12", "what could not be applied is not answered 2xx",
             "webhooks.py", 'return _answer(500, "Not applied; deliver it again.")',
             'return _answer(200, "")', f"{WEBHOOKS} {INBOX}"),
    Mutation("I13", "no secret of an intent that has moved on",
             "payments.py", "    if intent.status not in PAYABLE:\n",
             "    if False:\n", f"{JOURNEYS} {HISTORIES}"),
    Mutation("I13", "a replayed answer is stale",
             "gateway/calls.py", "    if is_replayed(created.last_response):\n",
             "    if False:\n", f"{JOURNEYS} {HISTORIES}"),
    Mutation("I13", "a spent checkout says so",
             "views.py", "found = payments.find(buyer)",
             "found = None", JOURNEYS),
    Mutation("I14", "the signature is verified",
             "gateway/signature.py", "except stripe.SignatureVerificationError:\n"
             "        return False",
             "except stripe.SignatureVerificationError:\n        pass", WEBHOOKS),
    Mutation("I14", "nothing from the future is believed",
             "gateway/signature.py",
             "return _signed_at(header) <= time.time() + TOLERANCE_SECONDS",
             "return True", WEBHOOKS),
    Mutation("I15", "no call outlives the deadline of its request",
             "gateway/connection.py", "timeout=(connect, remaining - connect),",
             "timeout=60,", ISOLATION),
    Mutation("I16", "what was looked up is not looked up for ever",
             "payments.py", "look_at=asked).update(look_at=None)",
             "look_at=asked).update(look_at=asked)", f"{RECONCILE} {HISTORIES}"),
    Mutation("I16", "one item per fact",
             "reconcile.py", "stuck.exclude(attention__kind=attention.Kind.STUCK)",
             "stuck", RECONCILE),
    Mutation("I17", "exponents of currencies are Stripe's",
             "money.py", '"jpy"', '"xxx"', MONEY),
    Mutation("I18", "every transition is recorded with it",
             "models/orders.py",
             "            self.record(self.status, status, source=source, note=note)\n",
             "", f"{INBOX} {HISTORIES}"),
    Mutation("I19", "not canceled at Stripe: not canceled here",
             "payments.py", '        if intent.status != "canceled":\n',
             "        if False:\n", f"{JOURNEYS} {RECONCILE} {RACES}"),
    Mutation("I19", "canceled at Stripe first",
             "payments.py",
             "intent = gateway.cancel_payment_intent(order.payment_intent_id)",
             "intent = _retrieve(order, order.payment_intent_id); "
             "intent = intent.__class__(**{**vars(intent), 'status': 'canceled'})",
             f"{JOURNEYS} {RACES}"),
    Mutation("I20", "events of the other mode have no effect",
             "inbox.py", "if event.livemode != gateway.is_live():", "if False:",
             f"{INBOX} {HISTORIES}"),
    Mutation("I21", "a paid order's mail is due with it",
             "settlement.py",
             "    emails.make_due(Mail.Kind.CONFIRMATION, order, about=order.number)\n",
             "", EMAILS),
    Mutation("I21", "the card, when it comes last, sends the mail that waits for it",
             "settlement.py", "    if was_unknown and order.is_paid:", "    if False:",
             EMAILS),
    Mutation("I21", "unsent mails are sent later",
             "reconcile.py", "    send_mails,\n    prune", "    prune",
             f"{EMAILS} {RECONCILE}"),
    Mutation("I13", "what could be neither settled nor closed is told as it is",
             "payments.py", 'raise gateway.Unavailable("the PaymentIntent could not '
             'be settled or closed")', "return None", RECONCILE),
    Mutation("I22", "orders end",
             "reconcile.py", "    expire_orders,\n    report", "    report", RECONCILE),
    Mutation("I22", "a debit that failed can be paid again, for another day",
             "settlement.py", "            pending_since=now,\n", "", RECONCILE),
    Mutation("I11", "refunds made elsewhere are recorded",
             "payments.py", "        refunds.sync(intent.id, source=source)",
             "        pass", f"{REFUNDS} {RECONCILE} {HISTORIES}"),
    Mutation("I11", "a failed refund is counted back",
             "refunds.py", "order.refunds.filter(status__in=Refund.AT_STRIPE)",
             "order.refunds.exclude(status='asked')", REFUNDS),
    Mutation("I4", "one operator at a time asks for a refund (PostgreSQL)",
             "refunds.py",
             "        locked = Order.objects.select_for_update().get(pk=order.pk)\n"
             "        asked",
             "        locked = Order.objects.get(pk=order.pk)\n        asked", RACES),
    Mutation("limits", "so many orders of a browser", "limits.py",
             "spend(ORDERS_OF_VISITOR, visitor)", "pass", LIMITS),
    Mutation("limits", "so many orders of an address", "limits.py",
             "spend(ORDERS_OF_ADDRESS, address)", "pass", LIMITS),
    Mutation("limits", "of any number at once as many pass as are left", "limits.py",
             "WHERE checkout_limit.remaining > 0\n", "", LIMITS),
    Mutation("limits", "a header tells the address only as far as the proxies do",
             "limits.py", "if not 0 < settings.PROXY_COUNT <= len(forwarded):",
             "if not forwarded[0]:", LIMITS),
    Mutation("limits", "the fifth failed payment closes the order", "payments.py",
             "return failed.count() >= MOST_FAILURES", "return False", DECLINES),
]  # fmt: skip


def main(words: list[str]) -> int:
    """Return 1 if a rule could be removed without a test noticing."""
    chosen = [
        mutation
        for mutation in MUTATIONS
        if all(word in f"{mutation.invariant} {mutation.file}" for word in words)
    ]
    untested = 0
    if not os.environ.get("DATABASE_URL"):
        # SQLite has one writer at a time: nothing is seen of a missing row lock.
        chosen = [mutation for mutation in chosen if "PostgreSQL" not in mutation.rule]
    print("| Invariant | Rule | Where | Noticed by |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="shop-mutations-") as folder:
        copy = Path(folder) / "shop"
        ignored = shutil.ignore_patterns(
            ".git", ".venv", "node_modules", "__pycache__", "*.sqlite3*", ".cache"
        )
        shutil.copytree(ROOT, copy, ignore=ignored)
        (copy / ".venv").symlink_to(ROOT / ".venv")
        for mutation in chosen:
            noticed = remove(copy, mutation)
            untested += not noticed
            where = f"`{mutation.file}:{line_number(mutation)}`"
            told = f"`{noticed}`" if noticed else "**UNTESTED**"
            print(
                f"| {mutation.invariant} | {mutation.rule} | {where} | {told} |",
                flush=True,
            )
    return 1 if untested else 0


def remove(copy: Path, mutation: Mutation) -> str:
    """Return the first test that fails without the rule, or an empty text."""
    path = copy / "checkout" / mutation.file
    text = path.read_text()
    if text.count(mutation.line) != 1:
        sys.exit(f"{mutation.file} does not hold once: {mutation.line}")
    path.write_text(text.replace(mutation.line, mutation.without))
    try:
        for name in mutation.tests.split():
            if failed := first_failure(copy, f"tests/{name}.py"):
                return failed
    finally:
        path.write_text(text)
    return ""


def first_failure(copy: Path, test: str) -> str:
    """Return the name of a test that fails now and does not otherwise."""
    for failed in run(copy, test, "-x"):
        return failed
    return ""


@cache
def failing_anyway(test: str) -> list[str]:
    """Return what fails in the tree as it is, to be left out."""
    return run(ROOT, test)


def run(tree: Path, test: str, *options: str) -> list[str]:
    """Return the names of the tests of a file that fail."""
    if options:
        options += tuple(f"--deselect=tests/{name}" for name in failing_anyway(test))
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", *options, test],
        cwd=tree,
        env=os.environ | {"RACE_ROUNDS": "2", "HISTORY_SEEDS": "0-14"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    if answer.returncode == 0:
        return []
    failed = re.findall(
        r"^(?:FAILED|ERROR|SUBFAILED).*?tests/(\S+::\S+)", answer.stdout, re.M
    )
    return failed or [f"{test}: pytest ended with {answer.returncode}"]


def line_number(mutation: Mutation) -> int:
    text = (ROOT / "checkout" / mutation.file).read_text()
    return text[: text.index(mutation.line)].count("\n") + 1


if __name__ == "__main__":
    began = time.monotonic()
    code = main(sys.argv[1:])
    print(f"\n{time.monotonic() - began:.0f} s", file=sys.stderr)
    sys.exit(code)
