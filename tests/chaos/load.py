"""`python -m tests.chaos.load kills|soak|burst`: many buyers at a real, mortal server.

The shop is gunicorn with its reconciler, on the database of `DATABASE_URL` (else
SQLite), beside the sandbox. Progress goes to stderr; the last line of the output is
one JSON object with what was counted. Everything is on loopback and ends with it.
"""

import argparse
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email import message_from_bytes
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg import sql

from tests.sandbox_server import ROOT, SandboxServer, wait_for

BUYERS = 8
REQUESTS_PER_SECOND = 20
FAULTY = 0.05
PRICE = 1850


class Servers:
    """gunicorn and the reconciler, each in a process group of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start whichever does not run, and wait until the shop answers."""
        gunicorn = ["gunicorn", "-c", "config/gunicorn.conf.py", "--log-level", "error"]
        self._start("shop", [*gunicorn, "-b", f"127.0.0.1:{self.port}", "config.wsgi"])
        self._start("reconciler", ["manage.py", "reconcile", "--watch", "5"])
        wait_for(self._answers, within=60)

    def _start(self, name: str, command: list[str]) -> None:
        running = self.running.get(name)
        if running is not None and running.poll() is None:
            return
        module = [] if command[0].endswith(".py") else ["-m"]
        self.running[name] = subprocess.Popen(
            [sys.executable, *module, *command],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        """End it as a power cut does, workers and all."""
        process = self.running[name]
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except requests.RequestException:
            return False


class Buyer:
    """One browser that buys again and again, and knows what it was told."""

    def __init__(self, shop: str, sandbox: SandboxServer, random: random.Random):
        self.shop = shop
        self.sandbox = sandbox
        self.random = random
        self.said_paid: list[str] = []
        self.checkouts: set[str] = set()

    def buy(self, pace: Callable[[], None], give_up_at: float) -> bool:
        """Buy one thing; however the shop behaves, press Pay until it is paid."""
        browser = requests.Session()
        # Each is somebody else to the limits, which are never off.
        address = str(IPv4Address(self.random.getrandbits(32)))
        browser.headers["X-Forwarded-For"] = address
        quantity = self.random.randint(1, 3)
        checkout = token = ""
        while time.monotonic() < give_up_at:
            pace()
            try:
                if not checkout:
                    checkout = self._open(browser)
                token = token or self._place(browser, checkout, quantity)
                if token and self._is_paid(browser, token):
                    self.said_paid.append(token)
                    return True
            except (requests.RequestException, LookupError):
                # Killed, or starting: the page would say so and try again.
                token = ""
                time.sleep(0.2)
        return False

    def _open(self, browser: requests.Session) -> str:
        page = browser.get(self.shop, timeout=30)
        found = re.search(r'data-checkout="([^"]+)"', page.text)
        if found is None:
            raise LookupError("no checkout")
        self.checkouts.add(found[1])
        return found[1]

    def _place(self, browser: requests.Session, checkout: str, quantity: int) -> str:
        body = {
            "checkout": checkout,
            "lines": [{"product": "mug", "quantity": quantity}],
            "email": "shopper@example.com",
            "amount": PRICE * quantity,
            "currency": "usd",
        }
        token = {"X-CSRFToken": browser.cookies.get("csrftoken", "")}
        answer = browser.post(
            f"{self.shop}/orders/", json=body, headers=token, timeout=30
        ).json()
        if "client_secret" in answer:
            intent_id = answer["client_secret"].partition("_secret_")[0]
            url = f"payment_intents/{intent_id}/confirm"
            declined = self.random.random() < 0.1
            number = "4000000000000002" if declined else "4242424242424242"
            self.sandbox.attempt(url, number=number)
            if declined:
                return ""
        order = answer.get("order") or answer.get("error", {}).get("order") or {}
        found: str = order.get("token", "")
        return found

    def _is_paid(self, browser: requests.Session, token: str) -> bool:
        answer = browser.get(f"{self.shop}/orders/{token}/status/", timeout=30)
        paid: bool = answer.json()["order"]["status"] == "paid"
        return paid


class Pace:
    """Lets all buyers together make so many requests a second."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0
        self._lock = threading.Lock()
        self._next = time.monotonic()

    def __call__(self) -> None:
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next, now) + self._gap
            wait = self._next - now
        time.sleep(wait)


@contextmanager
def shop(*, faulty: bool) -> Iterator[tuple[Servers, SandboxServer]]:
    """A new shop on an empty database, and its sandbox."""
    with tempfile.TemporaryDirectory(prefix="shop-load-") as folder:
        (Path(folder) / "mails").mkdir()
        environment = os.environ | {
            "CHAOS_FOLDER": folder,
            "DATABASE_URL": _empty_database(),
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
        }
        with SandboxServer() as sandbox:
            environment["CHAOS_STRIPE"] = sandbox.url
            servers = Servers(environment)
            sandbox.reset(forward_to=f"{servers.url}/stripe/webhook/")
            servers.manage("migrate", "--verbosity", "0")
            servers.manage("seed_products")
            servers.manage("collectstatic", "--no-input", "--verbosity", "0")
            if faulty:
                make_calls_faulty(sandbox)
            try:
                servers.start()
                yield servers, sandbox
            finally:
                for name in servers.running:
                    servers.kill(name)


def make_calls_faulty(sandbox: SandboxServer, calls: int = 200_000) -> None:
    """One call of Stripe's API in twenty fails, in one of seven ways."""
    ways: list[dict[str, Any]] = [
        {"do": "drop"},
        {"do": "drop", "when": "after"},
        {"do": "status", "status": 500, "when": "after"},
        {"do": "status", "status": 500, "stored": True},
        {"do": "status", "status": 429},
        {"do": "not_json", "status": 502},
        {"do": "delay", "seconds": 0.5},
    ]
    dice = random.Random(calls)
    for way in ways:
        share = FAULTY / len(ways)
        struck = [n for n in range(1, calls) if dice.random() < share]
        sandbox.fault("*", calls=struck, **way)


def disturb_deliveries(sandbox: SandboxServer, dice: random.Random) -> None:
    """Called once per order, which has about five deliveries: one in twenty suffers."""
    if dice.random() < 5 * FAULTY:
        match dice.randrange(4):
            case 0:
                sandbox.drop_deliveries()
            case 1:
                sandbox.repeat_deliveries(4)
            case 2:
                sandbox.delay_deliveries(2)
            case _:
                sandbox.reorder_deliveries(3)


def _empty_database() -> str:
    """A database of its own on the PostgreSQL server, or none: SQLite."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith(("postgres:", "postgresql:")):
        return ""
    name = f"chaos_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return re.sub(r"(//[^/]*/)[^?]*", rf"\g<1>{name}", url, count=1)


# --- What is done -------------------------------------------------------------------


def buy_until(
    servers: Servers,
    sandbox: SandboxServer,
    *,
    orders: int,
    seconds: float,
    pace: Pace,
    disturbed: bool,
    meanwhile: Callable[[float], int] | None = None,
) -> dict[str, Any]:
    """Let buyers buy until that many orders, that much time or `meanwhile` is over."""
    end = time.monotonic() + seconds
    killer: Future[int] | None = None
    left = iter(range(orders))
    lock = threading.Lock()
    buyers = [
        Buyer(servers.url, sandbox, random.Random(number)) for number in range(BUYERS)
    ]
    counted: Counter[str] = Counter()

    def work(buyer: Buyer) -> None:
        while time.monotonic() < end and not (killer and killer.done()):
            with lock:
                number = next(left, None)
            if number is None:
                return
            if disturbed:
                disturb_deliveries(buyer.sandbox, buyer.random)
            paid = buyer.buy(pace, end + 60)
            with lock:
                counted["bought" if paid else "not bought"] += 1
                if counted["bought"] % 100 == 0:
                    tell(f"{counted['bought']} orders paid")

    with ThreadPoolExecutor(BUYERS + 1) as threads:
        if meanwhile:
            killer = threads.submit(meanwhile, end)
        for done in [threads.submit(work, buyer) for buyer in buyers]:
            done.result()
        kills = killer.result() if killer else 0
    tokens = [token for buyer in buyers for token in buyer.said_paid]
    checkouts = set().union(*(buyer.checkouts for buyer in buyers))
    return {
        **counted, "kills": kills, "tokens": tokens, "checkouts": len(checkouts),
    }  # fmt: skip


def kills(limit: int, seconds: float) -> dict[str, Any]:
    """Kill the shop or its reconciler again and again under 20 requests a second."""
    with shop(faulty=False) as (servers, sandbox):
        dice = random.Random(limit)

        def keep_killing(end: float) -> int:
            count = 0
            while count < limit and time.monotonic() < end:
                time.sleep(dice.uniform(0.2, 2))
                servers.kill("shop" if dice.random() < 0.8 else "reconciler")
                count += 1
                servers.start()
                if count % 10 == 0:
                    tell(f"{count} kills")
            return count

        done = buy_until(
            servers,
            sandbox,
            orders=10**6,
            seconds=seconds,
            pace=Pace(REQUESTS_PER_SECOND),
            disturbed=False,
            meanwhile=keep_killing,
        )
        return compare(servers, sandbox, done)


def soak(limit: int, seconds: float) -> dict[str, Any]:
    """Sell while one call and one delivery in twenty goes wrong."""
    with shop(faulty=True) as (servers, sandbox):
        done = buy_until(
            servers,
            sandbox,
            orders=limit,
            seconds=seconds,
            pace=Pace(0),
            disturbed=True,
        )
        return compare(servers, sandbox, done)


def burst(limit: int, seconds: float) -> dict[str, Any]:
    """Post a thousand events in ten seconds; each has its effect."""
    with shop(faulty=False) as (servers, _):
        learn_django(servers)
        from checkout.models import Order
        from tests.factories import make_order, payment_succeeded, sign

        orders = [make_order() for _ in range(limit)]
        bodies = [json.dumps(payment_succeeded(order)).encode() for order in orders]
        pace = Pace(limit / 10)
        taken: list[float] = []
        sessions = threading.local()

        def post(body: bytes) -> int:
            if not hasattr(sessions, "http"):
                sessions.http = requests.Session()
            pace()
            began = time.monotonic()
            answer = sessions.http.post(
                f"{servers.url}/stripe/webhook/",
                data=body,
                headers={"Stripe-Signature": sign(body)},
                timeout=30,
            )
            taken.append(time.monotonic() - began)
            status: int = answer.status_code
            return status

        began = time.monotonic()
        with ThreadPoolExecutor(32) as threads:
            answers = Counter(threads.map(post, bodies))
        total = time.monotonic() - began
        paid = Order.objects.filter(status=Order.Status.PAID).count()
        taken.sort()
        return {
            "events": limit,
            "seconds": round(total, 1),
            "answers": {str(status): count for status, count in answers.items()},
            "p95_ms": round(taken[int(len(taken) * 0.95)] * 1000),
            "paid": paid,
            "problems": [] if paid == limit and set(answers) == {200} else ["not all"],
        }


# --- Afterwards ---------------------------------------------------------------------


def learn_django(servers: Servers) -> None:
    """Become a process of the shop, to look into its database."""
    os.environ.update(servers.environment)
    import django

    django.setup()


def compare(
    servers: Servers, sandbox: SandboxServer, done: dict[str, Any]
) -> dict[str, Any]:
    """Stop the faults, let the shop heal, and compare every order from both sides."""
    tell("faults stop; the shop heals")
    sandbox.clear_faults()
    sandbox.release_deliveries()
    servers.start()
    # Stripe tries everything again that failed while the shop was down.
    sandbox.advance_clock(2 * 60 * 60)
    sandbox.wait_until_delivered(within=300)
    # From here on there is one process, so no claim is anybody's.
    for name in servers.running:
        servers.kill(name)
    learn_django(servers)
    from datetime import timedelta

    from django.db.models import F

    from checkout import emails, reconcile
    from checkout.models import Mail, Order, Refund
    from tests.chaos import invariants
    from tests.chaos.world import require_agreement

    for _ in range(200):
        patience = emails.CLAIM_LASTS + timedelta(seconds=1)
        Mail.objects.filter(sent_at=None).update(claimed_at=F("claimed_at") - patience)
        Refund.objects.update(asked_at=F("asked_at") - timedelta(minutes=1))
        if not list(reconcile.run()):
            break
    emails._mailroom.submit(int).result()
    tell("comparing")
    facts = invariants.Facts.gather(sandbox)
    problems = invariants.unsettled(facts)
    try:
        require_agreement()
    except AssertionError as error:
        problems.append(str(error))
    tokens = done.pop("tokens")
    lost = len(tokens) - Order.objects.filter(token__in=tokens, status="paid").count()
    succeeded = [i for i in facts.ours() if i["status"] == "succeeded"]
    per_checkout = Counter(
        Order.objects.filter(status="paid").values_list("checkout", flat=True)
    )
    doubled = sum(count > 1 for count in per_checkout.values())
    confirmations = _confirmations(Path(servers.environment["CHAOS_FOLDER"]))
    numbers = set(Order.objects.filter(status="paid").values_list("number", flat=True))
    silent = len(numbers - set(confirmations))
    if lost or doubled or silent:
        problems.append(f"{lost} lost, {doubled} doubled, {silent} not confirmed")
    return {
        **done,
        "orders": len(facts.orders),
        "paid": len(numbers),
        "succeeded at Stripe": len(succeeded),
        "captured": sum(intent["amount_received"] for intent in succeeded),
        "lost": lost,
        "doubled": doubled,
        "confirmed twice": sum(count > 1 for count in confirmations.values()),
        "in limbo": sum(
            order["status"] in ("pending", "processing")
            and facts.intents.get(order["payment_intent_id"], {}).get("status")
            in ("succeeded", "processing")
            for order in facts.orders
        ),
        "problems": problems[:20],
    }


def _confirmations(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for file in (folder / "mails").iterdir():
        # One file may hold the mails of one connection.
        for part in file.read_bytes().split(b"\n" + b"-" * 79):
            subject = str(message_from_bytes(part.strip())["Subject"])
            if match := re.match(r"Your order (\w{16})", subject):
                found[match[1]] += 1
    return found


def tell(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["kills", "soak", "burst"])
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    act = {"kills": kills, "soak": soak, "burst": burst}[arguments.what]
    print(json.dumps(act(arguments.limit, arguments.seconds)))


if __name__ == "__main__":
    main()
