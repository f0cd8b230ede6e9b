"""Sandbox time: real time plus an offset that only grows."""

import time

from sandbox.store import Store


class Clock:
    """What the sandbox's objects, key ages and settling go by.

    The signature of a delivery does not: its `t` is always real time.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def exact(self) -> float:
        return time.time() + self.offset

    def now(self) -> int:
        return int(self.exact())

    @property
    def offset(self) -> float:
        return float(self._store.setting("clock_offset") or 0)

    def advance(self, seconds: float) -> None:
        self._store.set_setting("clock_offset", str(self.offset + seconds))

    def month(self) -> tuple[int, int]:
        """The year and month it is."""
        today = time.gmtime(self.exact())
        return today.tm_year, today.tm_mon
