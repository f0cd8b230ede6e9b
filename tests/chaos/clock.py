"""One clock for the shop and the sandbox; it moves only when a history says so."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from unittest import mock

from tests.sandbox_server import SandboxServer

# Close to now: signatures are made and checked in real time.
START = int(time.time())


class FrozenSandbox(SandboxServer):
    """A sandbox that stands at `START` until its clock is advanced."""

    module = "tests.chaos.frozen_sandbox"

    def start(self) -> None:
        os.environ["SANDBOX_TIME"] = str(START)
        super().start()


class _AnyDatetime(type):
    """So that `isinstance(value, datetime)` still means every datetime."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


class Clock:
    """The time of a history, the same on both sides."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self._sandbox = sandbox
        self._passed = 0.0

    def advance(self, seconds: float) -> None:
        self._passed += seconds
        self._sandbox.advance_clock(seconds)

    def catch_up(self) -> None:
        """Go to the real moment: another process cannot see this clock."""
        self.advance(max(0.0, time.time() - START - self._passed))

    def now(self, tz: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(START, tz) + timedelta(seconds=self._passed)

    @contextmanager
    def shown_to_the_shop(self) -> Iterator[None]:
        """Let `django.utils.timezone.now` tell this clock's time."""
        shown = _AnyDatetime("datetime", (datetime,), {"now": staticmethod(self.now)})
        with mock.patch("django.utils.timezone.datetime", shown):
            yield
