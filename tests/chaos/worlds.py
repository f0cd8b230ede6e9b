"""Fixtures: a sandbox that stands still, and what starts one history after another."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import stripe
from pytest_django.fixtures import Settings

from tests.chaos.clock import Clock, FrozenSandbox
from tests.chaos.probe import Probe
from tests.chaos.world import World


@pytest.fixture(scope="session")
def frozen_sandbox() -> Iterator[FrozenSandbox]:
    with FrozenSandbox() as server:
        yield server


@pytest.fixture
def begin(
    frozen_sandbox: FrozenSandbox,
    transactional_db: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str], World]]:
    """What starts a history: an empty shop and an empty sandbox at one moment."""
    settings.STRIPE_API_BASE = frozen_sandbox.url
    settings.STRIPE_JS_URL = frozen_sandbox.js_url
    settings.PROXY_COUNT = 1
    settings.EMAIL_BACKEND = "tests.chaos.world.MailServer"
    # Retries as in production, but without the pause between them.
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0)
    probe = Probe()
    with ExitStack() as shown:

        def begin(currency: str) -> World:
            settings.CURRENCY = currency
            shown.close()
            clock = Clock(frozen_sandbox)
            shown.enter_context(clock.shown_to_the_shop())
            return World(frozen_sandbox, clock, probe, currency)

        with probe.installed():
            yield begin
