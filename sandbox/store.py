"""Everything the sandbox remembers: one SQLite database, on disk or in memory.

One transaction per request. A killed process loses nothing that it answered:
committed pages are with the operating system, so no fsync is needed for that.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Object = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    livemode INTEGER NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    payment_intent TEXT GENERATED ALWAYS AS (body ->> 'payment_intent'),
    charge TEXT GENERATED ALWAYS AS (body ->> 'charge'),
    customer TEXT GENERATED ALWAYS AS (body ->> 'customer'),
    type TEXT GENERATED ALWAYS AS (body ->> 'type')
);
CREATE INDEX IF NOT EXISTS by_kind ON objects (kind, livemode, seq);
CREATE INDEX IF NOT EXISTS by_intent ON objects (payment_intent, kind);
CREATE INDEX IF NOT EXISTS by_charge ON objects (charge, kind);
CREATE INDEX IF NOT EXISTS by_customer ON objects (customer, kind);
CREATE INDEX IF NOT EXISTS by_type ON objects (kind, type, seq);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending',
    tries INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL,
    last_answer TEXT
);
CREATE INDEX IF NOT EXISTS due_deliveries ON deliveries (status, next_at);
CREATE INDEX IF NOT EXISTS deliveries_of ON deliveries (event);
CREATE TABLE IF NOT EXISTS answers (
    livemode INTEGER NOT NULL,
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    created REAL NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (livemode, key)
);
CREATE TABLE IF NOT EXISTS agenda (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    due REAL NOT NULL,
    act TEXT NOT NULL,
    object TEXT NOT NULL,
    livemode INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS agenda_due ON agenda (due);
CREATE TABLE IF NOT EXISTS listeners (
    id TEXT PRIMARY KEY,
    livemode INTEGER NOT NULL,
    connected INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
TABLES = ("objects", "deliveries", "answers", "agenda")
FILTERS = {"id", "payment_intent", "charge", "customer", "type", "created", "seq"}
OPERATORS = {"=", "<", "<=", ">", ">=", "IN", "NOT IN"}


class Store:
    def __init__(self, file: Path | None = None) -> None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)  # it holds the signing secrets
        self.db = sqlite3.connect(file or ":memory:", isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(SCHEMA)
        self._settings = dict(self.db.execute("SELECT name, value FROM settings"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all of the block or, on an exception, nothing of it."""
        self.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def insert(self, thing: Object, *, livemode: bool) -> None:
        self.db.execute(
            "INSERT INTO objects (id, kind, livemode, created, body)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                thing["id"],
                thing["object"],
                livemode,
                thing["created"],
                json.dumps(thing),
            ),
        )

    def update(self, thing: Object) -> None:
        self.db.execute(
            "UPDATE objects SET body = ? WHERE id = ?", (json.dumps(thing), thing["id"])
        )

    def delete(self, object_id: str) -> None:
        self.db.execute("DELETE FROM objects WHERE id = ?", (object_id,))

    def get(self, object_id: str) -> Object | None:
        row = self._row(object_id)
        return None if row is None else json.loads(row["body"])

    def is_live(self, object_id: str) -> bool | None:
        """Which mode the object belongs to; None if there is no such object."""
        row = self._row(object_id)
        return None if row is None else bool(row["livemode"])

    def seq(self, object_id: str) -> int | None:
        """Where the object stands in order of creation."""
        row = self._row(object_id)
        return None if row is None else row["seq"]

    def find(
        self,
        kind: str,
        *,
        livemode: bool,
        where: list[tuple[str, str, Any]] | None = None,
        oldest_first: bool = False,
        limit: int = -1,
    ) -> list[Object]:
        """Return objects, newest first; `where` is (column, operator, value).

        For IN and NOT IN the value is a list of any length.
        """
        clauses = ["kind = ?", "livemode = ?"]
        values: list[Any] = [kind, livemode]
        for column, operator, value in where or []:
            clauses.append(_clause(column, operator))
            values.append(json.dumps(value) if "IN" in operator else value)
        direction = "ASC" if oldest_first else "DESC"
        rows = self.db.execute(
            f"SELECT body FROM objects WHERE {' AND '.join(clauses)}"  # noqa: S608
            f" ORDER BY seq {direction} LIMIT ?",
            [*values, limit],
        )
        return [json.loads(row["body"]) for row in rows]

    def setting(self, name: str) -> str | None:
        return self._settings.get(name)

    def set_setting(self, name: str, value: str) -> None:
        self._settings[name] = value
        self.db.execute("REPLACE INTO settings VALUES (?, ?)", (name, value))

    def snapshot(self) -> sqlite3.Connection:
        """Return a copy of everything."""
        copy = sqlite3.connect(":memory:", isolation_level=None)
        self.db.backup(copy)
        return copy

    def restore(self, copy: sqlite3.Connection) -> None:
        """Go back to a copy; who listens now goes on listening."""
        listeners = self.db.execute("SELECT * FROM listeners").fetchall()
        copy.backup(self.db)
        self.db.execute("DELETE FROM listeners")
        self.db.executemany("INSERT INTO listeners VALUES (?, ?, ?)", listeners)
        self._settings = dict(self.db.execute("SELECT name, value FROM settings"))

    def clear(self) -> None:
        """Forget everything but the settings and who listens."""
        for table in TABLES:
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608

    def _row(self, object_id: str) -> Any:
        return self.db.execute(
            "SELECT seq, livemode, body FROM objects WHERE id = ?", (object_id,)
        ).fetchone()


def _clause(column: str, operator: str) -> str:
    if column not in FILTERS or operator not in OPERATORS:
        raise ValueError(f"Cannot filter by {column} {operator}")
    right = "(SELECT value FROM json_each(?))" if "IN" in operator else "?"
    return f"{column} {operator} {right}"
