"""Stored answers under idempotency keys, for a day of sandbox time."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sandbox.accounts import DAY
from sandbox.clock import Clock
from sandbox.errors import ApiError, invalid
from sandbox.store import Store

IN_USE = (
    "There is currently another in-progress request using this Idempotent Key (that"
    " probably means you submitted twice, and the other request is still going"
    " through): {key}. Please try again later."
)
OTHER_PARAMETERS = (
    "Keys for idempotent requests can only be used with the same parameters they were"
    " first used with. Try using a key other than '{key}' if you meant to execute a"
    " different request."
)
OTHER_PATH = (
    "Keys for idempotent requests can only be used for the same endpoint they were"
    " first used for ('{path}' vs '{first}'). Try using a key other than '{key}' if"
    " you meant to execute a different request."
)


@dataclass(frozen=True)
class Attempt:
    """One request under a key."""

    livemode: bool
    key: str
    path: str
    digest: str
    request_id: str


@dataclass(frozen=True)
class StoredAnswer:
    status: int
    body: str
    request_id: str


def attempt(
    *, livemode: bool, key: str, path: str, params: dict[str, Any], request_id: str
) -> Attempt:
    """Describe a request; the order of its parameters does not count."""
    if len(key) > 255:
        raise invalid("Idempotency keys can have up to 255 characters.")
    canonical = json.dumps(params, sort_keys=True).encode()
    digest = hashlib.sha256(canonical).hexdigest()
    return Attempt(livemode, key, path, digest, request_id)


class Keys:
    """Which keys are being worked on, and what earlier ones were answered."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._in_flight: set[tuple[bool, str]] = set()

    def claim(self, request: Attempt) -> StoredAnswer | None:
        """Take the key, or return what it was answered; raise 400 or 409."""
        stored = self._stored(request)
        if stored is not None:
            return stored
        if (request.livemode, request.key) in self._in_flight:
            raise ApiError(
                409,
                "invalid_request_error",
                IN_USE.format(key=request.key),
                code="idempotency_key_in_use",
                stored=False,
            )
        self._in_flight.add((request.livemode, request.key))
        return None

    def release(self, request: Attempt) -> None:
        self._in_flight.discard((request.livemode, request.key))

    def keep(self, request: Attempt, *, status: int, body: str) -> None:
        self._store.db.execute(
            "REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                request.livemode,
                request.key,
                request.path,
                request.digest,
                self._clock.exact(),
                request.request_id,
                status,
                body,
            ),
        )

    def _stored(self, request: Attempt) -> StoredAnswer | None:
        row = self._store.db.execute(
            "SELECT * FROM answers WHERE livemode = ? AND key = ? AND created > ?",
            (request.livemode, request.key, self._clock.exact() - DAY),
        ).fetchone()
        if row is None:
            return None
        if row["path"] != request.path:
            raise _mismatch(
                OTHER_PATH.format(path=request.path, first=row["path"], key=request.key)
            )
        if row["digest"] != request.digest:
            raise _mismatch(OTHER_PARAMETERS.format(key=request.key))
        return StoredAnswer(row["status"], row["body"], row["request_id"])


def _mismatch(message: str) -> ApiError:
    return ApiError(400, "idempotency_error", message, stored=False)
