"""Every page and state for everybody: axe, narrow screens, large text, no jumps."""

from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page, expect

from checkout.models import Dispute
from tests.browser.conftest import MOST_SHIFT
from tests.browser.shopper import (
    DECLINED,
    cards,
    enter,
    error,
    expect_paid,
    fill,
    fill_card,
    pay,
    progress,
)
from tests.browsers import DESKTOP, NARROW, PHONE, NewPage
from tests.factories import make_order
from tests.sandbox_server import SandboxServer

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The rules need no page reload to look at another screen and another colour scheme.
LOOKS: list[tuple[Any, Any]] = [(DESKTOP, "light"), (PHONE, "dark")]
ZOOMED = {"width": 640, "height": 450}  # 1280 at 200 %
FIND_FAULTS = """async (tags) => {
  const options = { runOnly: tags, iframes: false, resultTypes: ["violations"] };
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}"""
# A link inside a sentence may be as high as the line: WCAG 2.5.8.
FIND_SMALL_TARGETS = """() =>
  [...document.querySelectorAll("a, button, summary, input:not([type=hidden])")]
    .filter((it) => it.checkVisibility() && !it.matches(".skip-link, p > a"))
    .filter((it) => it.getBoundingClientRect().height < 44)
    .map((it) => it.outerHTML)"""


@pytest.fixture
def products(shop: str) -> None:
    call_command("seed_products", verbosity=0)


def inspect(page: Page, axe: str, state: str) -> None:
    """Fail with everything that keeps somebody from using the page as it is now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    # Another screen and larger text make the page jump; the shopper is not here.
    page.evaluate("() => { layoutShift = -Infinity }")
    found = []
    for size, scheme in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += page.evaluate(FIND_FAULTS, RULES)
    found += page.evaluate(FIND_SMALL_TARGETS)
    for size, text in ((NARROW, "100%"), (ZOOMED, "100%"), (DESKTOP, "200%")):
        page.set_viewport_size(size)
        page.evaluate(
            "(size) => { document.documentElement.style.fontSize = size }", text
        )
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"scrolls sideways at {size['width']} px, text of {text}")
    page.evaluate("() => { document.documentElement.style.fontSize = '' }")
    page.set_viewport_size(DESKTOP)
    assert not found, f"{state}: " + "\n".join(found)


@pytest.mark.usefixtures("products")
def test_the_shop_in_the_states_of_a_purchase(
    page: Page, axe: str, sandbox: SandboxServer
) -> None:
    enter(page)
    inspect(page, axe, "ready")
    fill(page, DECLINED, email="")
    pay(page)
    expect(page.get_by_label("E-mail")).to_be_focused()
    inspect(page, axe, "no e-mail")
    page.get_by_label("E-mail").fill("ada@example.com")
    pay(page)
    expect(error(page)).to_be_focused()
    inspect(page, axe, "declined")
    fill_card(page)
    sandbox.hold_deliveries()
    pay(page)
    expect(progress(page)).to_contain_text("Confirming")
    inspect(page, axe, "confirming")
    sandbox.release_deliveries()
    expect_paid(page)
    inspect(page, axe, "paid")


@pytest.mark.usefixtures("products")
def test_an_order_in_every_status(page: Page, axe: str) -> None:
    paid = {
        "status": "paid", "paid_at": timezone.now(), "amount_received": 1099,
        "method": "card", "brand": "visa", "last4": "4242",
    }  # fmt: skip
    states: list[dict[str, Any]] = [
        {},
        {"status": "processing"},
        paid,
        {**paid, "amount_refunded": 500},
        {"status": "canceled", "closed_reason": "expired"},
    ]
    for fields in states:
        order = make_order(**fields)
        if order.is_unpaid:
            enter(page, order.get_absolute_url())
        else:
            page.goto(order.get_absolute_url())
        inspect(page, axe, f"order {fields}")
    Dispute.objects.create(
        stripe_id="du_1", order=make_order(**paid), amount=1099, currency="usd",
        reason="fraudulent", status="needs_response", as_of=timezone.now(),
    )  # fmt: skip
    page.goto(Dispute.objects.get().order.get_absolute_url())
    expect(cards(page)).to_contain_text("Disputed")
    inspect(page, axe, "disputed")


@pytest.mark.usefixtures("shop")
def test_the_other_pages(page: Page, axe: str) -> None:
    for path in ("/orders/", "/accounts/login/", "/accounts/signup/", "/nothing/"):
        page.goto(path)
        inspect(page, axe, path)
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("not hers")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    inspect(page, axe, "refused sign-in")


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_jumps_from_the_first_sight_to_the_paid_order(
    new_page: NewPage, viewport: dict[str, int]
) -> None:
    page = new_page(viewport=viewport)
    enter(page)
    assert page.evaluate("layoutShift") < MOST_SHIFT / 2
    fill(page)
    pay(page)
    expect_paid(page)
    expect(page.locator("payment-fields")).to_have_attribute("data-state", "ready")

    assert page.evaluate("layoutShift") < MOST_SHIFT
