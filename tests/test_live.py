"""The ground the other tests stand on: a page's faults, and events on their way."""

import pytest
import requests
from playwright.sync_api import Error, Page

from checkout.models import StripeEvent
from tests.sandbox_server import SandboxServer, wait_for

INLINE_SCRIPT = """
const script = document.createElement("script");
script.textContent = "0";
document.head.append(script);
"""


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("console.error('no card form')", "no card form"),
        ("void setTimeout(() => { throw new Error('not caught') })", "not caught"),
        ("void new Image().setAttribute('src', '/static/absent.png')", "404 for"),
        (INLINE_SCRIPT, "Content Security Policy"),
    ],
)
def test_a_fault_in_a_page_is_noticed(
    page: Page, faults: list[str], script: str, fault: str
) -> None:
    page.goto("/healthz")
    page.evaluate(f"() => {{ {script} }}")

    notice(page, faults, fault)


def test_a_request_that_leaves_this_machine_is_noticed(
    page: Page, faults: list[str]
) -> None:
    with pytest.raises(Error, match="127"):
        page.goto("http://127.0.0.2:1/")

    notice(page, faults, "another host: http://127.0.0.2:1/")


def notice(page: Page, faults: list[str], fault: str) -> None:
    """Wait until a fault contains the text, and forget it."""

    def is_noticed() -> bool:
        page.title()  # Playwright hands its events over only while it is called.
        return any(fault in text for text in faults)

    wait_for(is_noticed)
    faults.clear()


def test_the_sandbox_delivers_events_to_the_running_shop(
    shop: str, sandbox: SandboxServer
) -> None:
    intent = requests.post(
        f"{sandbox.url}/v1/payment_intents",
        data={"amount": 1099, "currency": "usd"},
        auth=(sandbox.secret_key, ""),
        timeout=10,
    ).json()
    sandbox.confirm(intent["id"])

    wait_for(StripeEvent.objects.filter(type="payment_intent.succeeded").exists)


def test_without_the_running_shop_nothing_is_delivered(sandbox: SandboxServer) -> None:
    assert sandbox.state()["held"]
