"""Delivering events: several at once, signed afresh per try, again on anything but 2xx.

Due times are in sandbox time, so moving the clock makes retries due. Who is being
delivered to right now is known only here, in memory: after a crash every delivery
without a 2xx is simply tried again.
"""

import asyncio
import logging
import random
import sqlite3
import time
from dataclasses import dataclass, field, replace

from sandbox import events, webhook_endpoints
from sandbox.accounts import Account
from sandbox.http_client import Client, NotDelivered
from sandbox.store import Object

log = logging.getLogger("sandbox.deliveries")

AT_ONCE = 8
# Seconds between one try and the next; after the last one the delivery has failed.
RETRY_AFTER = (1, 5, 30, 120, 600, 1800, 3600)
LONGEST_SLEEP = 0.25

USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


@dataclass
class Disturbance:
    """What is done to the next `count` deliveries of these event types."""

    action: str  # drop, repeat or delay
    count: int
    types: list[str] = field(default_factory=list)
    times: int = 2
    seconds: float = 0

    def covers(self, event_type: str) -> bool:
        return self.count > 0 and (not self.types or event_type in self.types)


class Deliveries:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._client = Client()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self.held = False
        self.reorder_at = 0  # how many to collect before they go out backwards
        self.disturbances: list[Disturbance] = []

    def wake(self) -> None:
        self._wake.set()

    async def keep(self) -> None:
        """Deliver what is due for as long as the sandbox runs."""
        while True:
            self._wake.clear()
            if self.reorder_at and len(self.waiting()) >= self.reorder_at:
                self.reorder_at = 0
                await self.release("reverse")
            if not self.held:
                self._start_due()
            try:
                async with asyncio.timeout(LONGEST_SLEEP):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def waiting(self) -> list[sqlite3.Row]:
        """Everything that is still to be delivered, oldest first."""
        return self._account.store.db.execute(
            "SELECT * FROM deliveries WHERE status = 'pending' ORDER BY seq"
        ).fetchall()

    async def release(self, order: str = "created") -> None:
        """Let held deliveries go; in another order than `created`, one by one."""
        if order != "created":
            rows = self.waiting()
            random.shuffle(rows) if order == "shuffle" else rows.reverse()
            for row in rows:
                if row["seq"] not in self._in_flight:
                    self._in_flight[row["seq"]] = asyncio.ensure_future(self._run(row))
                    await asyncio.wait([self._in_flight[row["seq"]]])
        else:
            self._account.store.db.execute(
                "UPDATE deliveries SET next_at = ? WHERE status = 'pending'",
                (self._account.clock.exact(),),
            )
        self.held = False
        self.wake()

    def forget(self) -> None:
        """Give up what is in flight and every disturbance."""
        for task in self._in_flight.values():
            task.cancel()
        self._in_flight.clear()
        self.held = False
        self.reorder_at = 0
        self.disturbances.clear()

    def _start_due(self) -> None:
        free = AT_ONCE - len(self._in_flight)
        if free <= 0:
            return
        due = self._account.store.db.execute(
            "SELECT * FROM deliveries WHERE status = 'pending' AND next_at <= ?"
            " ORDER BY next_at, seq LIMIT ?",
            (self._account.clock.exact(), AT_ONCE + free),
        ).fetchall()
        for row in [row for row in due if row["seq"] not in self._in_flight][:free]:
            self._in_flight[row["seq"]] = asyncio.ensure_future(self._run(row))

    async def _run(self, row: sqlite3.Row) -> None:
        try:
            await self._deliver(row)
        finally:
            self._in_flight.pop(row["seq"], None)
            self.wake()

    async def _deliver(self, row: sqlite3.Row) -> None:
        event = self._account.store.get(row["event"])
        endpoint = self._account.store.get(row["endpoint"])
        if event is None or endpoint is None or endpoint["status"] != "enabled":
            self._record(row, "given up", "the endpoint is gone or disabled")
            return
        disturbance = self._disturbance(event["type"])
        if disturbance is not None and disturbance.action == "drop":
            self._record(row, "dropped", "dropped as asked")
            return
        if disturbance is not None and disturbance.action == "delay":
            self._postpone(row, disturbance.seconds)
            return
        account = replace(self._account, livemode=event["livemode"])
        times = disturbance.times if disturbance is not None else 1
        tries = [self._send(account, event, endpoint) for _ in range(times)]
        answers = await asyncio.gather(*tries)
        worst = min(answers, key=_is_success)
        log.info("%s %s to %s: %s", event["type"], event["id"], endpoint["url"], worst)
        if _is_success(worst):
            self._record(row, "succeeded", worst)
        elif row["tries"] < len(RETRY_AFTER):
            self._record(row, "pending", worst, again_in=RETRY_AFTER[row["tries"]])
        else:
            self._record(row, "failed", worst)

    async def _send(self, account: Account, event: Object, endpoint: Object) -> str:
        """Try once; return the status, or why there was none."""
        payload = events.payload(account, event, endpoint)
        moment = int(time.time())
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "*/*; q=0.5, application/xml",
            "Cache-Control": "no-cache",
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": webhook_endpoints.signature(
                account, endpoint, payload, moment
            ),
        }
        try:
            return str(await self._client.post(endpoint["url"], headers, payload))
        except NotDelivered as error:
            return str(error)

    def _disturbance(self, event_type: str) -> Disturbance | None:
        for disturbance in self.disturbances:
            if disturbance.covers(event_type):
                disturbance.count -= 1
                return disturbance
        return None

    def _postpone(self, row: sqlite3.Row, seconds: float) -> None:
        self._account.store.db.execute(
            "UPDATE deliveries SET next_at = ? WHERE seq = ?",
            (self._account.clock.exact() + seconds, row["seq"]),
        )

    def _record(
        self, row: sqlite3.Row, status: str, answer: str, *, again_in: float = 0
    ) -> None:
        self._account.store.db.execute(
            "UPDATE deliveries SET status = ?, tries = tries + 1, last_answer = ?,"
            " next_at = ? WHERE seq = ?",
            (status, answer, self._account.clock.exact() + again_in, row["seq"]),
        )


def _is_success(answer: str) -> bool:
    return len(answer) == 3 and answer.startswith("2")
