"""The places where a process can die: around every statement, commit and call.

    probe = Probe(die=...)
    with probe.installed():
        with probe.deadly(7):   # the 7th place of the block is the last
            ...

Nothing of the shop is changed: a wrapper sits on Django's connections and one on the
HTTP library.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class Killed(BaseException):
    """The process died here; no `except Exception` may notice."""


def die_at(place: str) -> None:
    raise Killed(place)


class Probe:
    def __init__(self, die: Callable[[str], None] = die_at) -> None:
        self._die = die
        self._deadly: int | None = None
        self._thread: int | None = None
        self.trail: list[str] = []
        self.has_died = False
        # What was sent to Stripe under each idempotency key.
        self.sent: dict[str, set[tuple[str, str]]] = defaultdict(set)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Sit on every database connection and HTTP session of this process."""
        for connection in connections.all():
            self._wrap(connection)
        connection_created.connect(self._on_connection, weak=False)
        commit, request = BaseDatabaseWrapper.commit, requests.Session.request

        def watched_commit(connection: BaseDatabaseWrapper) -> None:
            try:
                self._pass("before COMMIT")
            except Killed:
                # As the server does when the connection of a dead process ends;
                # Django would trip over a transaction that is still open.
                connection.connection.rollback()
                raise
            commit(connection)
            self._pass("after COMMIT")

        def watched_request(
            session: requests.Session, method: str, url: str, **options: Any
        ) -> requests.Response:
            path = urlsplit(url).path
            if not path.startswith("/v1/"):
                return request(session, method, url, **options)
            self._note_key(path, options)
            self._pass(f"before {method} {path}")
            answer = request(session, method, url, **options)
            self._pass(f"after {method} {path}")
            return answer

        try:
            with (
                mock.patch.object(BaseDatabaseWrapper, "commit", watched_commit),
                mock.patch.object(requests.Session, "request", watched_request),
            ):
                yield
        finally:
            connection_created.disconnect(self._on_connection)
            for connection in connections.all():
                connection.execute_wrappers[:] = []

    @contextmanager
    def deadly(
        self, place: int | None, *, every_thread: bool = False
    ) -> Iterator[None]:
        """Die at the `place`-th place from here on; only this thread by default."""
        self.trail.clear()
        self.has_died = False
        self._deadly = place
        self._thread = None if every_thread else threading.get_ident()
        try:
            yield
        finally:
            self._deadly = None

    def _on_connection(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        self._wrap(connection)

    def _wrap(self, connection: BaseDatabaseWrapper) -> None:
        if self._on_statement not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._on_statement)

    def _on_statement(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self._pass(f"before {sql[:60]}")
        return execute(sql, params, many, context)

    def _pass(self, place: str) -> None:
        if self._deadly is None:
            return
        if self._thread not in (None, threading.get_ident()):
            return
        self.trail.append(place)
        if len(self.trail) == self._deadly:
            self.has_died = True
            self._die(place)

    def _note_key(self, path: str, options: dict[str, Any]) -> None:
        headers = options.get("headers") or {}
        if key := headers.get("Idempotency-Key"):
            self.sent[key].add((path, str(options.get("data"))))
