"""Every page and state for everybody: axe, narrow screens, large text, no jumps."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from checkout.models import Order
from tests.browser.conftest import MOST_SHIFT
from tests.browser.shopper import (
    DECLINED,
    enter,
    error,
    expect_paid,
    fill,
    fill_card,
    pay,
    pay_button,
)
from tests.browsers import DESKTOP, NARROW, PHONE, NewPage, forget_lost_requests
from tests.sandbox_server import wait_for

# The ways through every state; here is who looks.
from tests.screenshots import (  # noqa: F401
    Camera,
    test_accounts,
    test_already_paid,
    test_before_paying,
    test_errors,
    test_german,
    test_long_wait,
    test_mail,
    test_nothing_on_sale,
    test_orders,
    test_orders_that_are_not_paid,
    test_paying,
    test_unfinished_orders,
)

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
# A phone zooms in when a field with smaller text is touched, and does not come back.
FIND_SMALL_TEXT = """() => [...document.querySelectorAll("input:not([type=hidden])")]
  .filter((it) => parseFloat(getComputedStyle(it).fontSize) < 16)
  .map((it) => `text below 16 px: ${it.outerHTML}`)"""
FIND_CUT = """() => [...document.querySelectorAll("*")]
  .filter((it) => it.checkVisibility() && !it.matches(".visually-hidden, [type=email]"))
  .filter((it) => it.clientWidth && it.scrollWidth > it.clientWidth + 4)
  .map((it) => `cut at ${innerWidth} px: ${it.outerHTML.slice(0, 200)}`)"""

# The card form's frame shows its own.
FIND_UNSEEN_FOCUS = """() => {
  const it = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(it);
  const isSeen = outlineStyle !== "none" && outlineWidth !== "0px";
  return isSeen || it.matches("iframe") ? [] : [it.outerHTML];
}"""


@pytest.fixture(params=["en-US"])
def camera(
    new_page: NewPage, axe: str, faults: list[str], request: pytest.FixtureRequest
) -> Iterator[Camera]:
    """A page, and a function that inspects it instead of photographing."""
    call_command("seed_products", verbosity=0)
    page = new_page(locale=request.param)
    yield page, lambda state: inspect(page, axe, state)
    forget_lost_requests(faults)


def inspect(page: Page, axe: str, state: str) -> None:
    """Fail with everything that keeps somebody from using the page as it is now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    # Another screen makes the page jump; the shopper is not here.
    page.evaluate("() => { layoutShift = -Infinity }")
    found = []
    for size, scheme in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += page.evaluate(FIND_FAULTS, RULES)
    found += page.evaluate(FIND_SMALL_TARGETS)
    found += page.evaluate(FIND_SMALL_TEXT)
    for size in (NARROW, ZOOMED):
        page.set_viewport_size(size)
        found += page.evaluate(FIND_CUT)
    page.set_viewport_size(DESKTOP)
    assert not found, f"{state}: " + "\n".join(found)


def test_a_reader_who_chooses_the_colours(new_page: NewPage, axe: str) -> None:
    call_command("seed_products", verbosity=0)
    page = new_page(forced_colors="active")
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_be_focused()
    page.evaluate(axe)

    assert page.evaluate(FIND_FAULTS, RULES) == []


def test_text_of_twice_the_size_is_not_cut(new_page: NewPage) -> None:
    call_command("seed_products", verbosity=0)
    page = new_page(preferences="defaultFontSize=32")
    found = []

    def look() -> None:
        page.evaluate("() => { layoutShift = -Infinity }")
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            found.extend(page.evaluate(FIND_CUT))

    enter(page)
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "32px"
    look()
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_be_focused()
    look()
    page.goto(Order.objects.get().get_absolute_url())
    look()
    fill_card(page)
    pay(page)
    expect_paid(page)
    look()
    for path in ("/orders/", "/accounts/login/"):
        page.goto(path)
        look()
    assert not found, "\n".join(found)


def test_every_stop_of_the_keyboard_can_be_seen(page: Page) -> None:
    call_command("seed_products", verbosity=0)
    enter(page)
    # From the top of the page, which keeps what was chosen.
    page.reload()
    expect(pay_button(page)).to_be_enabled()
    unseen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        unseen += page.evaluate(FIND_UNSEEN_FOCUS)
        if page.evaluate("document.activeElement.matches('[type=submit]')"):
            break
    expect(pay_button(page)).to_be_focused()
    assert not unseen, "\n".join(unseen)


@pytest.mark.parametrize(
    ("size", "total_ends", "button_ends"),
    [
        # All on the first screen of a desktop; one push of the thumb away on a phone.
        ({"width": 1280, "height": 800}, 800, 800),
        ({"width": 360, "height": 740}, 740, 2 * 740),
    ],
)
def test_what_is_bought_and_paid_is_near(
    new_page: NewPage, size: dict[str, int], total_ends: int, button_ends: int
) -> None:
    call_command("seed_products", verbosity=0)
    page = new_page(viewport=size)
    enter(page)

    for part, end in ((".total", total_ends), ("[type=submit]", button_ends)):
        box = page.locator(part).bounding_box()
        assert box is not None
        bottom = box["y"] + box["height"] + page.evaluate("scrollY")
        assert bottom <= end, part


def test_a_jump_of_the_page_is_a_fault(page: Page, faults: list[str]) -> None:
    page.goto("/")
    page.evaluate("document.body.style.paddingBlockStart = '400px'")

    wait_for(lambda: page.title() and faults)
    assert "layout shift of" in faults.pop()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_jumps_from_the_first_sight_to_the_paid_order(
    new_page: NewPage, viewport: dict[str, int]
) -> None:
    call_command("seed_products", verbosity=0)
    page = new_page(viewport=viewport)
    enter(page)
    # Nobody reads what is below the place where the paid order will be; whether its way
    # out of sight counted would hang on the half second after a press.
    page.evaluate("document.querySelector('.site-footer').style.visibility = 'hidden'")
    assert page.evaluate("layoutShift") < MOST_SHIFT / 2
    fill(page)
    pay(page)
    expect_paid(page)
    expect(page.locator("payment-fields")).to_have_attribute("data-state", "ready")

    assert page.evaluate("layoutShift") < MOST_SHIFT
