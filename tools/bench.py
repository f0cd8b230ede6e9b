"""Measure the shop as it is deployed, beside yardsticks of the same run; print a table.

`make bench` starts PostgreSQL (or uses the server of `DATABASE_URL`), gunicorn with the
shipped configuration and a Stripe that answers in a fixed time. A round measures
everything once, each for `EACH=2` seconds; of `ROUNDS=5` of them medians are printed.
Then again with a million orders and events in the tables (`MILLION=0`: not).
"""

import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.sandbox_server import SandboxServer, wait_for  # noqa: E402
from tools.test import postgresql  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
EACH = float(os.environ.get("EACH", "2"))
MILLION = int(os.environ.get("MILLION", "1000000"))


def main() -> None:
    """Print the figures: they are to be read, none is passed or failed here."""
    logging.disable(logging.WARNING)  # the shop's, where this process serves a request
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        enter = stack.enter_context
        scratch = Path(enter(tempfile.TemporaryDirectory(prefix="bench-")))
        stripe, shop = free_port(), free_port()
        url = enter(postgresql())
        enter(database(url, scratch, stripe))
        intent, event = examples()
        file = scratch / "intent.json"
        file.write_text(json.dumps(intent))
        enter(program(stripe, "tools/bench_stripe.py", str(stripe), str(file)))
        began = time.perf_counter()
        gunicorn = enter(
            program(shop, "-m", "gunicorn", "--config", "config/gunicorn.conf.py",
                    "--bind", f"127.0.0.1:{shop}", "config.wsgi")
        )  # fmt: skip
        started = time.perf_counter() - began

        from tools.bench_rounds import Bench

        bench = Bench(shop=shop, stripe=stripe, gunicorn=gunicorn.pid, event=event)
        print(f"{bench.surroundings()}, up after {started:.1f} s", flush=True)
        print(f"{ROUNDS} rounds, {EACH:g} s for each figure", flush=True)
        small = bench.measure("A new shop", rounds=ROUNDS, seconds=EACH)
        if MILLION:
            plans = bench.plans()
            bench.rows.fill(MILLION)
            title = f"With {MILLION:,} orders and events"
            bench.measure(title, rounds=ROUNDS, seconds=EACH, before=small)
            bench.compare_plans(plans)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def database(url: str, scratch: Path, stripe: int) -> Iterator[None]:
    """A database of its own on that server, migrated, and static files collected."""
    name = f"bench_{secrets.token_hex(4)}"
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tools.bench_settings",
        "DATABASE_URL": url,
        "BENCH_DATABASE": name,
        "BENCH_STATIC": str(scratch / "static"),
        "BENCH_STRIPE": f"http://127.0.0.1:{stripe}",
    }
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    connection.settings_dict["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
        yield
    finally:
        connection.creation.destroy_test_db("postgres", verbosity=0)


def examples() -> tuple[dict[str, object], dict[str, object]]:
    """Return a PaymentIntent and its `payment_intent.succeeded` in full size."""
    import stripe

    with SandboxServer() as sandbox:
        client = stripe.StripeClient(
            sandbox.secret_key,
            stripe_version="2026-10-28.endive",
            base_addresses={"api": sandbox.url},
        )
        intent = client.v1.payment_intents.create(
            {"amount": 1850, "currency": "usd",
             "automatic_payment_methods": {"enabled": True}}
        )  # fmt: skip
        sandbox.confirm(intent.id)
        [event] = [
            event
            for event in sandbox.objects("event")
            if event["type"] == "payment_intent.succeeded"
        ]
        return intent.to_dict(), event


@contextmanager
def program(port: int, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program that listens on `port`, until the block is left."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=log, stderr=log
        )
        try:
            wait_for(lambda: listens(port), within=60)
            yield process
        except BaseException:
            log.seek(0)
            print(log.read()[-5000:].decode(errors="replace"), file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(timeout=60)


def listens(port: int) -> bool:
    """Whether a whole answer comes from there: gunicorn listens before it can serve."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as probe:
            probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            return bool(probe.recv(100))
    except OSError:
        return False


if __name__ == "__main__":
    main()
