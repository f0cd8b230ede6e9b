"""A real Chromium whose pages fail the test when something is wrong in them."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tools import chromium

# Viewports; `new_page(viewport=PHONE, color_scheme="dark", has_touch=True)`.
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}
# It looks for nothing outside this machine; root has no sandbox of Chromium's to use.
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
LOCAL = {"127.0.0.1", "localhost"}
WAIT_MILLISECONDS = 10_000

NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is; a test that comes by this is one of the browser's."""
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium on this machine, and none could be installed")
    return path


@pytest.fixture(scope="session")
def launch(chromium_path: str) -> Iterator[Callable[..., Browser]]:
    """Return a function that starts a Chromium with these arguments."""
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright leaves its event loop running in the tests' thread; Django would
        # take every query there for one inside a coroutine.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield lambda *arguments: playwright.chromium.launch(
            executable_path=chromium_path, args=[*ARGUMENTS, *arguments]
        )


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    """One Chromium for all tests."""
    launched = launch()
    yield launched
    launched.close()


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """What went wrong in the test's pages; a test that expects some takes them out."""
    found: list[str] = []
    yield found
    assert not found, "\n".join(found)


def forget_lost_requests(faults: list[str]) -> None:
    """Take out what the console says of requests that the test itself lets fail."""
    faults[:] = [it for it in faults if "Failed to load resource: net::" not in it]


@pytest.fixture
def new_context(
    browser: Browser, launch: Callable[..., Browser], faults: list[str], shop: str
) -> Iterator[Callable[..., BrowserContext]]:
    """Return a function that opens a browser of its own cookies at the shop.

    It takes Playwright's options of a context, and `preferences`: what somebody has set
    in a Chromium of their own, by Blink's names. Whatever is wrong in its pages becomes
    one of the test's `faults`.
    """
    opened: list[Browser | BrowserContext] = []

    def new(*, preferences: str = "", **options: Any) -> BrowserContext:
        chromium = browser
        if preferences:
            chromium = launch(f"--blink-settings={preferences}")
            opened.append(chromium)
        context = chromium.new_context(
            base_url=shop, **{"viewport": DESKTOP, "locale": "en-US", **options}
        )
        opened.append(context)
        context.set_default_timeout(WAIT_MILLISECONDS)
        _watch(context, faults)
        return context

    yield new
    for it in reversed(opened):
        it.close()


@pytest.fixture
def new_page(new_context: Callable[..., BrowserContext]) -> NewPage:
    """Return a function that opens a page in a browser of its own cookies."""
    return lambda **options: new_context(**options).new_page()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """One page of a desktop browser that has never seen the shop."""
    return new_page()


def _watch(context: BrowserContext, faults: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        # Answers such as 409 belong to the shop's conversation; `on_response` has them.
        answered = message.text.startswith("Failed to load resource: the server resp")
        if message.type in ("error", "warning") and not answered:
            faults.append(f"console {message.type}: {message.text}")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname not in LOCAL:
            faults.append(f"request to another host: {request.url}")

    def on_response(response: Response) -> None:
        expected = response.request.resource_type in ("document", "fetch", "xhr")
        if response.status >= 400 and not expected:
            faults.append(f"{response.status} for {response.url}")

    context.on("console", on_console)
    context.on("request", on_request)
    context.on("response", on_response)
    context.on("weberror", lambda error: faults.append(f"page error: {error.error}"))
