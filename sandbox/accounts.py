"""The one account, in one mode, as one caller sees it: what every operation gets."""

from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.errors import no_such
from sandbox.store import Object, Store

DAHLIA = "2026-08-26.dahlia"
ENDIVE = "2026-10-28.endive"
DEFAULT_VERSION = DAHLIA

# Seconds of sandbox time after which things happen by themselves.
MINUTE, HOUR, DAY = 60, 3600, 86400


OTHER_MODE = {
    True: "a similar object exists in test mode, but a live mode key was used",
    False: "a similar object exists in live mode, but a test mode key was used",
}


@dataclass
class Account:
    store: Store
    clock: Clock
    origin: str  # where frames, challenges and bank pages are served
    livemode: bool = False
    publishable: bool = False
    version: str = DEFAULT_VERSION
    request_id: str | None = None
    idempotency_key: str | None = None
    hidden_since: float | None = None  # a list that lags: objects from then on

    def now(self) -> int:
        return self.clock.now()

    def insert(self, thing: Object) -> Object:
        self.store.insert(thing, livemode=self.livemode)
        return thing

    def update(self, thing: Object) -> Object:
        self.store.update(thing)
        return thing

    def get(
        self, kind: str, object_id: str, *, param: str = "id", status: int = 404
    ) -> Object:
        """Return the object, or raise: not there, another kind or the other mode."""
        thing = self.store.get(object_id)
        if thing is None or thing["object"] != kind:
            raise no_such(kind, object_id, param=param, status=status)
        if self.store.is_live(object_id) != self.livemode:
            raise no_such(
                kind,
                object_id,
                param=param,
                status=status,
                hint=OTHER_MODE[self.livemode],
            )
        return thing

    def find(self, kind: str, **criteria: Any) -> list[Object]:
        return self.store.find(kind, livemode=self.livemode, **criteria)

    def later(self, seconds: float, act: str, object_id: str) -> None:
        """Put an act (a key of `agenda.ACTS`) on the agenda, in sandbox time."""
        self.store.db.execute(
            "INSERT INTO agenda (due, act, object, livemode) VALUES (?, ?, ?, ?)",
            (self.clock.exact() + seconds, act, object_id, self.livemode),
        )
