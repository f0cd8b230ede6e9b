"""The shop as a running server, and the sandbox it pays through."""

from collections.abc import Iterator

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test.testcases import LiveServerThread


@pytest.fixture(scope="session")
def shop_server(django_db_setup: None, static_files: None) -> Iterator[str]:
    """The address of the shop, served by WSGI with its static files as deployed."""
    # pytest-django's `live_server` knows static files by their plain names only.
    thread = LiveServerThread("127.0.0.1", static_handler=lambda _: WSGIHandler())
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def shop(shop_server: str, transactional_db: None) -> str:
    return shop_server
