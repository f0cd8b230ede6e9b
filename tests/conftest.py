"""Fixtures of every test, and which tests run where.

`tests/live.py` has the running shop with its sandbox, `tests/browsers.py` the pages,
`tests/chaos/worlds.py` both sides with a clock that stands still.
"""

import shutil
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from checkout.models import Shop
from tests.factories import flush
from tests.settings import SCRATCH

pytest_plugins = [
    "tests.browsers",
    "tests.chaos.worlds",
    "tests.live",
    "tests.log_lines",
]


def pytest_configure() -> None:
    SCRATCH.mkdir()


def pytest_unconfigure() -> None:
    shutil.rmtree(SCRATCH)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches the database or drives a browser; browsers come last.

    Playwright's event loop keeps running in this thread once it has started, and a
    test that wants one of its own could not have it.
    """
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        test_class = getattr(item, "cls", None) or object
        if (
            used & {"db", "transactional_db"}
            or item.get_closest_marker("django_db")
            or issubclass(test_class, TransactionTestCase)
        ):
            item.add_marker("database")
        if "chromium_path" in used:
            item.add_marker("browser")
    if connection.vendor != "postgresql":
        items[:] = [it for it in items if not it.get_closest_marker("postgresql")]
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def another_shop() -> None:
    """A process serves one database, but this one gets an empty one for every test."""
    Shop.known_reference = ""


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Empty the database after a test that commits by our own, quicker flush."""
    with patch.object(TransactionTestCase, "_fixture_teardown", lambda test: flush()):
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Give static files their hashed names, as a deployment does."""
    call_command("collectstatic", interactive=False, verbosity=0)
