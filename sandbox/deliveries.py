"""Delivering events: several at once, signed afresh per try, again on anything but 2xx.

Due times are in sandbox time, so moving the clock makes retries due. Who is being
delivered to right now is known only here, in memory: after a crash every delivery
without a 2xx is simply tried again.
"""

import asyncio
import logging
import random
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field, replace

from sandbox import events, webhook_endpoints
from sandbox.accounts import Account
from sandbox.http_client import Client, NotDelivered
from sandbox.listeners import Listeners
from sandbox.store import Object

log = logging.getLogger("sandbox.deliveries")

# How many at once to all webhook endpoints together, and to each listener.
AT_ONCE = 8
AT_ONCE_TO_A_LISTENER = 50
# Seconds between one try and the next; after the last one the delivery has failed.
RETRY_AFTER = (1, 5, 30, 120, 600, 1800, 3600)
LONGEST_SLEEP = 0.25

# All webhook endpoints together; every listener is a place of its own.
ENDPOINTS = "we_*"


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
    def __init__(self, account: Account, listeners: Listeners) -> None:
        self._account = account
        self._listeners = listeners
        self._client = Client()
        # What is being delivered, by place.
        self._in_flight: dict[str, dict[int, asyncio.Task[None]]] = defaultdict(dict)
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
                self._start_due(ENDPOINTS, AT_ONCE)
                for listener in self._listeners.connected:
                    self._start_due(listener, AT_ONCE_TO_A_LISTENER)
            self._listeners.forget_the_gone()
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
                if not any(row["seq"] in tasks for tasks in self._in_flight.values()):
                    await asyncio.wait([self._start(row)])
        else:
            self._account.store.db.execute(
                "UPDATE deliveries SET next_at = ? WHERE status = 'pending'",
                (self._account.clock.exact(),),
            )
        self.held = False
        self.wake()

    def forget(self) -> None:
        """Give up what is in flight and every disturbance."""
        for tasks in self._in_flight.values():
            for task in tasks.values():
                task.cancel()
        self._in_flight.clear()
        self.held = False
        self.reorder_at = 0
        self.disturbances.clear()

    def _start_due(self, place: str, most: int) -> None:
        under_way = self._in_flight[place]
        free = most - len(under_way)
        if free <= 0:
            return
        due = self._account.store.db.execute(
            "SELECT * FROM deliveries WHERE status = 'pending' AND next_at <= ?"
            " AND endpoint GLOB ? ORDER BY next_at, seq LIMIT ?",
            (self._account.clock.exact(), place, most + free),
        ).fetchall()
        for row in [row for row in due if row["seq"] not in under_way][:free]:
            self._start(row)

    def _start(self, row: sqlite3.Row) -> asyncio.Task[None]:
        is_listener = row["endpoint"].startswith(events.LISTENER)
        under_way = self._in_flight[row["endpoint"] if is_listener else ENDPOINTS]
        task = asyncio.ensure_future(self._deliver(row))
        under_way[row["seq"]] = task
        task.add_done_callback(lambda _: under_way.pop(row["seq"], None))
        task.add_done_callback(lambda _: self.wake())
        return task

    async def _deliver(self, row: sqlite3.Row) -> None:
        event = self._account.store.get(row["event"])
        if event is None:
            self._record(row, "given up", "the event is gone")
            return
        disturbance = self._disturbance(event["type"])
        if disturbance is not None and disturbance.action == "drop":
            self._record(row, "dropped", "dropped as asked")
            return
        if disturbance is not None and disturbance.action == "delay":
            self._postpone(row, disturbance.seconds)
            return
        times = disturbance.times if disturbance is not None else 1
        if row["endpoint"].startswith(events.LISTENER):
            await self._tell(row, event, times)
        else:
            await self._post(row, event, times)

    async def _tell(self, row: sqlite3.Row, event: Object, times: int) -> None:
        """Hand an event to `stripe listen`; it stays pending until acknowledged."""
        for _ in range(times):
            account = replace(self._account, livemode=event["livemode"])
            told = self._listeners.deliver(account, event, row["endpoint"], row["seq"])
            if not await told:
                return
            log.info("%s %s to stripe listen", event["type"], event["id"])
            # Unless what it was forwarded to has answered already.
            self._account.store.db.execute(
                "UPDATE deliveries SET status = 'succeeded', tries = tries + 1,"
                " last_answer = 'acknowledged' WHERE seq = ? AND status = 'pending'",
                (row["seq"],),
            )

    async def _post(self, row: sqlite3.Row, event: Object, times: int) -> None:
        endpoint = self._account.store.get(row["endpoint"])
        if endpoint is None or endpoint["status"] != "enabled":
            self._record(row, "given up", "the endpoint is gone or disabled")
            return
        account = replace(self._account, livemode=event["livemode"])
        tries = [self._try(account, event, endpoint) for _ in range(times)]
        answers = await asyncio.gather(*tries)
        worst = min(answers, key=_is_success)
        log.info("%s %s to %s: %s", event["type"], event["id"], endpoint["url"], worst)
        if _is_success(worst):
            self._record(row, "succeeded", worst)
        elif row["tries"] < len(RETRY_AFTER):
            self._record(row, "pending", worst, again_in=RETRY_AFTER[row["tries"]])
        else:
            self._record(row, "failed", worst)

    async def _try(self, account: Account, event: Object, endpoint: Object) -> str:
        """Try once; return the status, or why there was none."""
        payload = events.payload(account, event, endpoint["api_version"])
        secrets = webhook_endpoints.secrets_alive(account, endpoint)
        headers = webhook_endpoints.headers(secrets, payload)
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
