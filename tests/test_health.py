"""Health is told to everybody, and so tells nothing but itself."""

from collections.abc import Iterator
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

from checkout import views

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    """Nothing is known yet of the database, nor left for the next test."""
    views._once_migrated.clear()
    yield
    views._once_migrated.clear()


def ask() -> tuple[int, bytes, int]:
    """Return status, text and number of queries."""
    with CaptureQueriesContext(connection) as queries:
        answer = Client().get("/readyz")
    return answer.status_code, answer.content, len(queries)


def test_the_process_answers_without_a_database() -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = Client().get("/healthz")

    assert (answer.status_code, answer.content, len(queries)) == (200, b"ok", 0)


def test_migrations_are_looked_up_once() -> None:
    assert ask()[:2] == (200, b"ok")

    assert ask() == (200, b"ok", 1)


def test_a_database_that_is_not_migrated_is_not_ready_until_it_is() -> None:
    recorder = MigrationRecorder(connection)
    newest = recorder.migration_qs.filter(app="checkout").latest("pk").name
    recorder.record_unapplied("checkout", newest)
    for _ in range(2):
        assert ask()[:2] == (503, b"not ready")

    recorder.record_applied("checkout", newest)

    assert ask()[:2] == (200, b"ok")


def test_a_database_that_goes_away_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    assert ask()[0] == 200
    gone = OperationalError("host db-3.internal is down")
    with mock.patch.object(connection, "cursor", side_effect=gone):
        answer = Client().get("/readyz")

    assert (answer.status_code, answer.content) == (503, b"not ready")
    assert "Not ready: OperationalError" in caplog.messages
    assert "db-3" not in caplog.text
