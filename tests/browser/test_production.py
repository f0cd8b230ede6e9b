"""Everything somebody does, under production's settings, cookies and policy, by TLS.

`faults` fails each test whose pages report a violation of the policy or any error.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from checkout.models import Order, Refund
from tests.browser import shopper
from tests.browser.test_operator import refund, sign_in
from tests.browsers import NewPage
from tests.live import gunicorn
from tests.proxy import tls_in_front_of
from tests.sandbox_server import SandboxServer, wait_for

PASSWORD = "a-long-and-quiet-evening"


@pytest.fixture
def shop(
    sandbox: SandboxServer, transactional_db: None, tmp_path: Path
) -> Iterator[str]:
    """The deployed shop behind its proxy; events are delivered to it."""
    with ExitStack() as running:
        stripe = running.enter_context(tls_in_front_of(sandbox.url, tmp_path))
        address = running.enter_context(
            gunicorn(
                sandbox,
                DJANGO_SETTINGS_MODULE="tests.behind_proxy",
                TEST_STRIPE_JS=sandbox.js_url.replace(sandbox.url, stripe),
            )
        )
        sandbox.reset(forward_to=f"{address}/stripe/webhook/")
        yield running.enter_context(tls_in_front_of(address, tmp_path))
        sandbox.reset()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page(ignore_https_errors=True)


def expect_cookies_of_this_host_alone(page: Page) -> None:
    cookies = page.context.cookies(page.url)
    assert cookies
    for cookie in cookies:
        assert cookie["name"].startswith("__Host-")
        assert (cookie["secure"], cookie["httpOnly"]) == (True, True)
        assert (cookie["path"], cookie["sameSite"]) == ("/", "Lax")
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("number", [shopper.PAYS, shopper.ASKS])
def test_a_purchase(page: Page, sandbox: SandboxServer, number: str) -> None:
    shopper.stock_shop()
    shopper.enter(page)
    shopper.fill(page, number)
    shopper.pay(page)
    if number == shopper.ASKS:
        shopper.challenge(page).get_by_role("button", name="Complete").click()

    order = shopper.expect_paid(page)
    expect_cookies_of_this_host_alone(page)
    # By the webhook, which came to the plain address behind the proxy.
    assert " evt_" in f" {order.history.get(to_status='paid').source}"
    assert order.origin.startswith("https://127.0.0.1:")
    page.goto(order.get_absolute_url())
    expect(page.get_by_role("heading", name=order.number)).to_be_visible()


def test_an_operator_refunds(page: Page, new_page: NewPage) -> None:
    shopper.stock_shop()
    shopper.enter(page)
    shopper.fill(page)
    shopper.pay(page)
    order = shopper.expect_paid(page)
    desk = new_page(ignore_https_errors=True)

    sign_in(desk)
    desk.goto(f"/admin/checkout/order/{order.pk}/change/")
    refund(desk, "5.00")

    wait_for(lambda: Refund.objects.filter(status=Refund.Status.SUCCEEDED).exists())
    expect_cookies_of_this_host_alone(desk)
    for path in ("", "checkout/order/", "checkout/stripeevent/", "checkout/product/"):
        desk.goto(f"/admin/{path}")
        expect(desk.get_by_role("heading").first).to_be_visible()
    assert Order.objects.get().amount_refunded == 500
