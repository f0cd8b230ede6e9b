"""Rounds of measuring, and the table of their medians."""

import os
import statistics
import time
import urllib.request
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.utils import timezone

from checkout import emails
from tools import bench_plans, bench_straight
from tools.bench_load import Measured, run
from tools.bench_requests import Requests
from tools.bench_rows import Rows

CONNECTIONS = 16
# Fewer where each may wait for Stripe: the gateway lets half of a process's threads.
SHOPPERS = 8
# A proxy's; enough to keep any pace here.
MANY = 32
# More requests than any can answer.
PER_SECOND = 1_500


class Figure(NamedTuple):
    """A line of the table: what is compared with which yardstick, and Stripe's part."""

    name: str
    yardstick: str = ""
    statements: str = ""
    stripe_ms: int = 0


PLACED = "order placed, Stripe "
FIGURES = [
    Figure("bare webhook: construct_event, INSERT"),
    Figure("webhook settles an order", "bare webhook: construct_event, INSERT",
           "settles"),
    Figure("webhook repeated", "bare webhook: construct_event, INSERT", "repeated"),
    Figure("webhook settles, 100 a second", "", "settles"),
    Figure("its statements by psycopg alone", "", "settles"),
    Figure("bare order, Stripe 0 ms"),
    Figure(PLACED + "0 ms", "bare order, Stripe 0 ms", "order"),
    Figure("bare order, Stripe 100 ms", "", "", 100),
    Figure(PLACED + "100 ms", "bare order, Stripe 100 ms", "order", 100),
    Figure(PLACED + "300 ms, 40 a second", "", "order", 300),
    Figure("bare view: one SELECT"),
    Figure("status poll, settled", "bare view: one SELECT", "poll"),
    Figure("shop page, one order paid", "bare view: one SELECT", "page"),
]  # fmt: skip
(BARE_EVENT, SETTLES, REPEATED, PACED, STRAIGHT, BARE_0, PLACE_0, BARE_100, PLACE_100,
 PLACE_300, BARE_READ, POLL, PAGE) = (figure.name for figure in FIGURES)  # fmt: skip

Rounds = list[dict[str, Measured]]


class Bench:
    """A running shop, its rows and what is sent to it."""

    def __init__(
        self, *, shop: int, stripe: int, gunicorn: int, event: dict[str, Any]
    ) -> None:
        self.address = ("127.0.0.1", shop)
        self.stripe = stripe
        self.gunicorn = gunicorn
        self.rows = Rows(event)
        self.requests = Requests(self.rows, event)

    def surroundings(self) -> str:
        """Return what the figures depend on."""
        with connection.cursor() as cursor:
            cursor.execute("SHOW fsync")
            [fsync] = cursor.fetchone()
            cursor.execute("SHOW server_version")
            [version] = cursor.fetchone()
        return (
            f"{os.cpu_count()} cores for everything; PostgreSQL {version.split()[0]}, "
            f"fsync {fsync}; {len(self._workers())} workers of {settings.WEB_THREADS} "
            "threads"
        )

    def measure(
        self, title: str, *, rounds: int, seconds: float, before: Rounds | None = None
    ) -> Rounds:
        """Measure everything so often and print the medians."""
        counts = {
            name: len(texts)
            for name, texts in bench_plans.of_each(self.requests).items()
        }
        self._round(1)  # caches fill, connections open
        found = [self._round(seconds) for _ in range(rounds)]
        print_table(title, found, counts, before)
        sizes = ", ".join(f"{proportional_size(pid):.0f}" for pid in self._workers())
        print(f"memory of a worker (PSS): {sizes} MiB", flush=True)
        return found

    def plans(self) -> dict[str, list[str]]:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return bench_plans.plans(bench_plans.of_each(self.requests))

    def compare_plans(self, before: dict[str, list[str]]) -> None:
        """Say which statements are planned otherwise than before."""
        after = self.plans()
        pairs = [
            (name, *pair)
            for name in before
            for pair in zip(before[name], after[name], strict=True)
        ]
        others = [pair for pair in pairs if pair[1] != pair[2]]
        print(f"query plans: {len(pairs) - len(others)} of {len(pairs)} the same")
        for name, small, large in others:
            print(f"  {name}: {small}\n    became {large}")

    def _round(self, seconds: float) -> dict[str, Measured]:
        requests, count = self.requests, int(PER_SECOND * seconds)
        found = {}

        def send(name: str, prepared: Any, connections: int, rate: float = 0) -> int:
            found[name] = run(
                self.address, prepared,
                connections=connections, seconds=seconds, rate=rate,
            )  # fmt: skip
            self._leave_no_mail()
            return sum(found[name].statuses.values())

        for wait, bare, ours in ((0, BARE_0, PLACE_0), (0.1, BARE_100, PLACE_100)):
            self._let_stripe_take(wait)
            for name, path in ((bare, "/bare/orders/"), (ours, "/orders/")):
                orders = list(islice(requests.placing(path), count))
                send(name, orders, SHOPPERS)
        self._let_stripe_take(0.3)
        orders = list(islice(requests.placing("/orders/"), count))
        send(PLACE_300, orders, MANY, rate=40)

        send(BARE_EVENT, list(islice(requests.events_for_the_bare_view(), count)),
             CONNECTIONS)  # fmt: skip
        events = [requests.settling(number) for number in self.rows.pending(count)]
        sent = send(SETTLES, events, CONNECTIONS)
        send(REPEATED, events[:sent] * 20, CONNECTIONS)
        send(PACED, events[sent:], CONNECTIONS, rate=100)
        found[STRAIGHT] = self._straight(seconds)

        status = f"orders/{self.rows.paid_token}/status/"
        send(BARE_READ, requests.reading(f"/bare/{status}"), CONNECTIONS)
        send(POLL, requests.reading(f"/{status}"), CONNECTIONS)
        send(PAGE, requests.reading("/"), CONNECTIONS)
        return found

    def _straight(self, seconds: float) -> Measured:
        """Settle orders by the statements of a settling event and nothing else."""
        example = bench_plans.EXAMPLE
        self.rows.remake(example)
        event = self.requests.settling(example)
        texts = bench_plans.statements(lambda: bench_plans.in_process(event, 200))
        params = connection.get_connection_params()
        work = bench_straight.Work(
            server=f"host={params['host']} port={params.get('port', 5432)} "
            f"user={params['user']} dbname={params['dbname']}",
            statements=texts,
            example=example,
            numbers=self.rows.pending(int(PER_SECOND * seconds)),
            seconds=seconds,
        )
        found = bench_straight.latencies(work)
        self._leave_no_mail()
        return Measured(seconds, Counter({200: len(found)}), found)

    def _leave_no_mail(self) -> None:
        """Call every mail sent, so that none is composed while another figure is."""
        if emails.due().update(sent_at=timezone.now()):
            time.sleep(1)

    def _let_stripe_take(self, seconds: float) -> None:
        url = f"http://127.0.0.1:{self.stripe}/wait/{seconds}"
        urllib.request.urlopen(url, timeout=5).close()

    def _workers(self) -> list[int]:
        path = f"/proc/{self.gunicorn}/task/{self.gunicorn}/children"
        return [int(pid) for pid in Path(path).read_text().split()]


def print_table(
    title: str, rounds: Rounds, counts: dict[str, int], before: Rounds | None
) -> None:
    print(f"\n{title}\n")
    print("| | statements | per second | p50 ms | p95 | p99 | beyond Stripe | "
          "of the yardstick | of a new shop | not 2xx |")  # fmt: skip
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for figure in FIGURES:
        found = [one[figure.name] for one in rounds]
        p50, p95, p99 = (
            statistics.median(one.percentile(percent) for one in found)
            for percent in (50, 95, 99)
        )
        cells = [
            figure.name,
            str(counts.get(figure.statements, "")),
            f"{rate(rounds, figure.name):.0f}",
            f"{p50:.1f}", f"{p95:.1f}", f"{p99:.1f}",
            f"{p50 - figure.stripe_ms:.1f}" if figure.stripe_ms else "",
            f"**{ratio(rounds, figure):.2f}**" if figure.yardstick else "",
            f"{rate(rounds, figure.name) / rate(before, figure.name):.2f}"
            if before else "",
            str(sum(one.refused for one in found)),
        ]  # fmt: skip
        print(f"| {' | '.join(cells)} |")
    print(flush=True)


def rate(rounds: Rounds, name: str) -> float:
    return statistics.median(one[name].rate for one in rounds)


def ratio(rounds: Rounds, figure: Figure) -> float:
    """Return the median of what the two were to each other in one round."""
    return statistics.median(
        one[figure.name].rate / one[figure.yardstick].rate for one in rounds
    )


def proportional_size(pid: int) -> float:
    """Return a process's memory in MiB, what it shares divided by the sharers."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no Pss")
