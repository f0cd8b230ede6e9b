"""The parts of a running sandbox, and how they start and are reset."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox import agenda, webhook_endpoints
from sandbox.accounts import Account
from sandbox.clock import Clock
from sandbox.deliveries import Deliveries
from sandbox.faults import Faults
from sandbox.idempotency import Keys
from sandbox.ids import random_text
from sandbox.keys import KeyRing
from sandbox.limits import Limits
from sandbox.listeners import Listeners
from sandbox.store import Store


@dataclass(frozen=True)
class Options:
    """What the command line said."""

    port: int
    forward_to: str | None = None
    webhook_secret: str | None = None
    control_token: str | None = None
    state: Path | None = None


class Sandbox:
    def __init__(self, options: Options) -> None:
        self.store = Store(options.state)
        self.clock = Clock(self.store)
        self.origin = f"http://localhost:{options.port}"
        self.webhook_secret = self._secret(
            "webhook_secret", options.webhook_secret, f"whsec_{random_text(32)}"
        )
        self.control_token = self._secret(
            "control_token", options.control_token, random_text(32)
        )
        self.forward_to = options.forward_to
        self.keys = Keys(self.store, self.clock)
        self.key_ring = KeyRing()
        self.faults = Faults()
        self.limits = Limits()
        self.listeners = Listeners(self.store)
        self.deliveries = Deliveries(self.account(), self.listeners)
        self.refuse: Callable[[float], None] = lambda seconds: None
        self.snapshots: dict[str, sqlite3.Connection] = {}
        self._forward()

    def account(self, request_id: str | None = None) -> Account:
        return Account(self.store, self.clock, self.origin, request_id=request_id)

    def reset(self, *, forward_to: str | None, webhook_secret: str | None) -> None:
        """Forget all objects, faults and deliveries; perhaps forward elsewhere."""
        self.deliveries.forget()
        self.store.clear()
        self.store.set_setting("clock_offset", "0")
        self.faults.scripted.clear()
        self.limits.on = False
        self.key_ring = KeyRing()
        self.forward_to = forward_to or self.forward_to
        if webhook_secret is not None:
            self.webhook_secret = webhook_secret
            self.store.set_setting("webhook_secret", webhook_secret)
        self._forward()

    def restore(self, copy: sqlite3.Connection) -> None:
        """Go back to a snapshot."""
        self.deliveries.forget()
        self.faults.scripted.clear()
        self.store.restore(copy)
        self.webhook_secret = self.store.setting("webhook_secret") or ""

    async def run(self) -> None:
        """Keep the agenda and deliver events until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.deliveries.keep())
            tasks.create_task(agenda.keep(self.account(), self.deliveries.wake))

    def _secret(self, name: str, given: str | None, fresh: str) -> str:
        """The one given, else the one kept from last time, else a fresh one."""
        secret = given or self.store.setting(name) or fresh
        self.store.set_setting(name, secret)
        return secret

    def _forward(self) -> None:
        if self.forward_to is not None:
            webhook_endpoints.forward_to(
                self.account(), self.forward_to, self.webhook_secret
            )
