"""The shop as a running server, and the sandbox it pays through."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test.testcases import LiveServerThread
from pytest_django.fixtures import Settings

from tests.sandbox_server import SandboxServer, wait_for

ROOT = Path(__file__).resolve().parent.parent


class Handler(WSGIHandler):
    """The shop's WSGI application, which also knows whether it is at work."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._requests = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self._count(1)
        try:
            return super().__call__(environ, start_response)
        finally:
            self._count(-1)

    def is_idle(self) -> bool:
        with self._lock:
            return self._requests == 0

    def _count(self, change: int) -> None:
        with self._lock:
            self._requests += change


@pytest.fixture(scope="session")
def shop_server(
    django_db_setup: None, static_files: None
) -> Iterator[LiveServerThread]:
    """The shop, served with its static files under their hashed names, as deployed."""
    handler = Handler()
    thread = LiveServerThread("127.0.0.1", static_handler=lambda _: handler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield thread
    thread.terminate()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    """One sandbox for all tests; it lives in memory."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: SandboxServer, settings: Settings) -> SandboxServer:
    """The sandbox, empty, and the shop's settings pointing at it.

    It delivers no event: a test that wants them delivered asks for `shop`.
    """
    if sandbox_server.process.poll() is not None:
        sandbox_server.start()
    sandbox_server.reset()
    sandbox_server.hold_deliveries()
    settings.STRIPE_API_BASE = sandbox_server.url
    settings.STRIPE_JS_URL = sandbox_server.js_url
    return sandbox_server


@pytest.fixture
def shop(
    shop_server: LiveServerThread, sandbox: SandboxServer, transactional_db: None
) -> Iterator[str]:
    """The address of the running shop, to which the sandbox delivers its events."""
    address = f"http://{shop_server.host}:{shop_server.port}"
    sandbox.reset(forward_to=f"{address}/stripe/webhook/")
    yield address
    # A late event must not write into the database of the next test.
    if sandbox.process.poll() is None:
        sandbox.reset()
    wait_for(shop_server.httpd.get_app().is_idle)


@contextmanager
def gunicorn(sandbox: SandboxServer, **environment: str) -> Iterator[str]:
    """Serve the tests' database as it is deployed, in processes of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    chosen = {
        "DJANGO_SETTINGS_MODULE": "tests.served",
        "TEST_DATABASE": str(connection.settings_dict["NAME"]),
        "TEST_STATIC": str(django_settings.STATIC_ROOT),
        "TEST_STRIPE": sandbox.url,
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py",
         "--bind", address, "--log-level", "error", "config.wsgi"],
        cwd=ROOT,
        env=os.environ | chosen | environment,
    )  # fmt: skip
    try:
        wait_for(lambda: _is_up(address), within=60)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(timeout=40)


def _is_up(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/healthz", timeout=5).ok
    except requests.RequestException:
        return False
