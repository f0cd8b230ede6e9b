"""`make screenshots`: every page and state at 1280 and 360, light and dark.

Not a test: it asserts nothing and is collected only when it is named. The pictures go
to build/screenshots; the best are copied to docs/screenshots for the README.
"""

from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from playwright.sync_api import Page, expect

from checkout.models import Order, User
from tests.browser import shopper
from tests.sandbox_server import SandboxServer, wait_for

FOLDER = Path(__file__).resolve().parent.parent / "build" / "screenshots"
SIZES = {"1280": {"width": 1280, "height": 800}, "360": {"width": 360, "height": 740}}


@pytest.fixture(params=[(s, c) for s in SIZES for c in ("light", "dark")], ids=str)
def camera(request: Any, new_page: Any) -> tuple[Page, Any]:
    size, scheme = request.param
    call_command("seed_products", verbosity=0)
    page = new_page(viewport=SIZES[size], color_scheme=scheme, locale="en-US")

    def shoot(name: str) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        # A viewport as long as the page: Chromium's own full-page picture catches
        # frames of another site in the middle of their layout.
        height = page.evaluate("document.documentElement.scrollHeight")
        width = SIZES[size]["width"]
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(600)
        page.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.png")
        page.set_viewport_size(SIZES[size])

    return page, shoot


def choose(page: Page) -> None:
    page.locator("input[type=number]").nth(0).fill("2")
    page.locator("input[type=number]").nth(1).fill("1")


def buy(page: Page) -> Order:
    shopper.enter(page)
    choose(page)
    shopper.fill(page)
    shopper.pay(page)
    expect(page.locator("[data-status=paid]").first).to_be_visible()
    return Order.objects.filter(status="paid").latest("pk")


def test_shop_and_payment(camera: Any, sandbox: SandboxServer) -> None:
    page, shoot = camera
    shopper.enter(page)
    shoot("shop")
    choose(page)
    shopper.fill(page, shopper.DECLINED)
    shoot("filled")
    shopper.pay(page)
    expect(shopper.error(page)).to_be_visible()
    shoot("declined")
    shopper.fill_card(page, shopper.ASKS)
    shopper.pay(page)
    shopper.challenge(page).get_by_role("button").first.wait_for()
    shoot("challenge")
    sandbox.hold_deliveries()
    shopper.challenge(page).get_by_role("button", name="Complete").click()
    expect(shopper.progress(page)).to_contain_text("Confirming")
    shoot("confirming")
    sandbox.release_deliveries()
    expect(page.locator("[data-status=paid]").first).to_be_visible()
    shoot("paid")


def test_orders_and_mail(camera: Any) -> None:
    page, shoot = camera
    order = buy(page)
    page.goto(order.get_absolute_url())
    shoot("order")
    page.goto("/orders/")
    shoot("orders")
    wait_for(lambda: mail.outbox)
    html = mail.outbox[-1].alternatives[0].content
    page.goto("about:blank")
    page.set_content(html)
    shoot("mail")


def test_accounts(camera: Any) -> None:
    page, shoot = camera
    for name in ("login", "signup", "password_reset"):
        page.goto(f"/accounts/{name}/")
        shoot(name)
    page.get_by_role("button", name="Send me the link").click()
    page.goto("/no-such-page/")
    shoot("404")


def test_german(camera: Any, new_page: Any) -> None:
    page, shoot = camera
    page.set_extra_http_headers({"Accept-Language": "de"})
    shopper.enter(page)
    shoot("german")


def test_admin(camera: Any) -> None:
    page, shoot = camera
    order = buy(page)
    User.objects.create_superuser("operator@example.com", "a-quiet-evening")
    page.goto("/admin/")
    shoot("admin-login")
    page.locator("[name=username]").fill("operator@example.com")
    page.locator("[name=password]").fill("a-quiet-evening")
    page.locator("[type=submit]").click()
    shoot("admin")
    page.goto("/admin/checkout/order/")
    shoot("admin-orders")
    page.goto(f"/admin/checkout/order/{order.pk}/change/")
    shoot("admin-order")
    page.goto("/admin/checkout/product/add/")
    shoot("admin-product")
