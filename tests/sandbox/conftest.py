"""One sandbox and one endpoint for all of these tests; reset before each."""

from collections.abc import Iterator

import pytest
import stripe

from tests.sandbox.listener import Listener
from tests.sandbox_server import SandboxServer

ENDIVE = "2026-10-28.endive"
stripe.enable_telemetry = False


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    with Listener() as listening:
        yield listening


@pytest.fixture(scope="session")
def server(listener: Listener) -> Iterator[SandboxServer]:
    with SandboxServer(forward_to=listener.url) as running:
        yield running


@pytest.fixture
def sandbox(server: SandboxServer, listener: Listener) -> SandboxServer:
    server.reset(forward_to=listener.begin())
    return server


@pytest.fixture
def client(sandbox: SandboxServer) -> stripe.StripeClient:
    return stripe_client(sandbox)


def stripe_client(
    sandbox: SandboxServer, key: str = "sk_test_sandbox"
) -> stripe.StripeClient:
    """The real library, as the shop uses it."""
    return stripe.StripeClient(
        key, base_addresses={"api": sandbox.url}, stripe_version=ENDIVE
    )
