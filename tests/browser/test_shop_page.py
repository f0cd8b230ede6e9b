"""The shop's page before anybody pays: quantities, amounts, and what may be missing."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import Page, Request, expect

from checkout.models import Product
from tests.browser.shopper import (
    card_frame,
    cards,
    enter,
    error,
    expect_paid,
    expect_ready_to_pay,
    fill,
    pay,
    pay_button,
    progress,
    stock_shop,
)
from tests.browsers import NARROW, PHONE, NewPage
from tests.factories import make_order
from tests.sandbox_server import SandboxServer

PAYMENT_PAGE = settings.BASE_DIR / "docs/payment-page.md"


@pytest.fixture(autouse=True)
def products(shop: str) -> tuple[Product, Product]:
    return stock_shop()


def test_looking_makes_no_payment(page: Page, sandbox: SandboxServer) -> None:
    enter(page)
    page.reload()
    expect_ready_to_pay(page)

    assert sandbox.objects("payment_intent") == []


def test_total_button_and_card_form_change_together(page: Page) -> None:
    enter(page)
    fill(page)
    mug = page.get_by_label("Quantity of Mug")
    page.get_by_role("button", name="One Mug more").click()
    expect(page.locator("[data-total]")).to_have_text("$31.40")
    expect(pay_button(page)).to_have_text("Pay $31.40")
    mug.fill("3")
    expect(pay_button(page)).to_have_text("Pay $68.40")
    page.get_by_role("button", name="One Notebook less").click()
    expect(pay_button(page)).to_have_text("Pay $55.50")

    number = card_frame(page).locator("[name=number]")
    expect(number).to_have_value(re.compile("4242"))
    pay(page)
    assert expect_paid(page).amount == 5550


def test_nothing_is_chosen_for_the_shopper(page: Page) -> None:
    page.goto("/")
    fill(page)

    expect(page.locator("[data-total]")).to_have_text("$0.00")
    expect(pay_button(page)).to_have_text("Pay")
    expect(pay_button(page)).to_be_disabled()
    expect(pay_button(page)).to_have_accessible_description(
        "Choose at least one product to pay."
    )
    page.get_by_role("button", name="One Notebook more").click()
    expect_ready_to_pay(page)
    pay(page)
    expect_paid(page)


def test_less_than_can_be_charged_is_a_reason_not_to_pay(page: Page) -> None:
    Product.objects.filter(slug="notebook").update(unit_amount=30)
    enter(page)
    expect(pay_button(page)).to_be_disabled()
    expect(page.locator("[data-reason]")).to_contain_text("$0.50")

    page.get_by_role("button", name="One Notebook more").click()
    expect(pay_button(page)).to_have_text("Pay $0.60")
    expect_ready_to_pay(page)


@pytest.mark.parametrize(("typed", "kept"), [("-3", "0"), ("1.5", "1"), ("999", "99")])
def test_a_quantity_that_does_not_count_as_typed_says_so(
    page: Page, typed: str, kept: str
) -> None:
    enter(page)
    quantity = page.get_by_label("Quantity of Notebook")
    quantity.fill(typed)
    expect(quantity).to_have_accessible_description(
        f"Whole numbers from 0 to 99 only: this counts as {kept}."
    )
    quantity.blur()

    expect(quantity).to_have_value(kept)
    expect(quantity).to_have_accessible_description(re.compile("counts as"))
    page.get_by_role("button", name="One Mug more").click()
    quantity.fill("")
    expect(quantity).to_have_accessible_description("")
    quantity.blur()
    expect(quantity).to_have_value("0")


def test_quantities_and_email_survive_a_reload(page: Page) -> None:
    enter(page)
    page.get_by_label("Quantity of Mug").fill("4")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.reload()

    expect(page.get_by_label("E-mail")).to_have_value("ada@example.com")
    expect(page.get_by_label("Quantity of Mug")).to_have_value("4")
    expect(pay_button(page)).to_have_text("Pay $86.90")


def test_a_blocked_card_form_is_explained(
    page: Page, sandbox: SandboxServer, faults: list[str]
) -> None:
    page.route(sandbox.js_url, lambda route: route.abort())
    page.goto("/")

    note = page.locator("[data-note]")
    expect(note).to_contain_text("The secure card form could not load.", timeout=3_000)
    expect(pay_button(page)).to_be_disabled()
    expect(pay_button(page)).to_have_text("Pay")
    page.get_by_role("button", name="One Notebook more").click()
    expect(page.locator("[data-total]")).to_have_text("$12.90")
    expect(pay_button(page)).to_be_disabled()
    faults.clear()


def test_a_card_form_that_never_comes_is_explained_within_ten_seconds(
    page: Page, sandbox: SandboxServer
) -> None:
    page.route("**/endive/frames/element.html", lambda route: None)
    page.clock.install()
    page.goto("/", wait_until="commit")

    note = page.locator("[data-note]")
    expect(note).to_have_text("Loading the secure card form…")
    page.clock.fast_forward(10_000)
    expect(note).to_contain_text("could not load")


def test_payment_pages_load_the_listed_scripts_and_no_other(page: Page) -> None:
    listed = set(
        re.findall(r"^\| `(\S+\.js)` \|", PAYMENT_PAGE.read_text(), re.MULTILINE)
    )
    loaded: set[str] = set()

    def note(request: Request) -> None:
        if request.resource_type == "script" and request.frame == page.main_frame:
            # The collected name without its hash.
            loaded.add(
                re.sub(r"\.[0-9a-f]{12}(?=\.js$)", "", request.url).split("/")[-1]
            )

    page.on("request", note)
    enter(page)
    order = make_order()
    enter(page, order.get_absolute_url())

    assert loaded == listed


def test_without_javascript_the_shop_can_be_read(new_page: NewPage) -> None:
    page = new_page(preferences="scriptEnabled=false")
    sentence = page.locator("noscript p").filter(has_text="Paying needs JavaScript")
    page.goto("/")
    expect(page.get_by_role("heading", name="Notebook")).to_be_visible()
    expect(page.get_by_text("$18.50")).to_be_visible()
    expect(sentence).to_be_visible()
    for useless in (
        pay_button(page),
        page.locator("[data-total]"),
        page.locator("input"),
    ):
        expect(useless.last).to_be_hidden()

    page.goto(make_order().get_absolute_url())
    expect(cards(page)).to_contain_text("has not been paid yet")
    expect(sentence).to_be_visible()
    expect(pay_button(page)).to_be_hidden()


def test_the_shop_can_be_read_before_its_scripts_are_there(page: Page) -> None:
    page.route(re.compile(r"\.js$"), lambda route: None)
    page.goto("/", wait_until="commit")

    expect(page.get_by_role("heading", name="Notebook")).to_be_visible()
    expect(page.get_by_text("$18.50")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_be_editable()
    expect(pay_button(page)).to_be_hidden()


def test_fields_tell_browser_and_phone_what_they_want(page: Page) -> None:
    page.goto("/")
    email = page.get_by_label("E-mail")

    expect(email).to_have_attribute("type", "email")
    expect(email).to_have_attribute("autocomplete", "email")
    expect(page.get_by_label("Quantity of Mug")).to_have_attribute(
        "inputmode", "numeric"
    )


def test_who_wants_no_motion_reads_instead(page: Page) -> None:
    enter(page)
    fill(page)
    page.route("**/orders/", lambda route: None)
    pay(page)
    spinner = page.locator(".button__spinner")
    expect(spinner).to_be_visible()
    page.emulate_media(reduced_motion="reduce")

    expect(spinner).to_be_hidden()
    expect(progress(page)).to_have_text("Contacting your bank…")


def test_test_cards_can_be_copied(new_page: NewPage) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    enter(page)
    expect(page.get_by_text("No real money moves.")).to_be_visible()
    page.get_by_role("button", name="Copy 4000 0000 0000 0002").click()

    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "4000 0000 0000 0002"


def test_live_mode_has_no_test_cards(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkout.gateway.is_live", lambda: True)
    page.goto("/")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("No real money moves.")).to_have_count(0)


@pytest.mark.parametrize("viewport", [NARROW, PHONE])
@pytest.mark.parametrize("path", ["/", "/orders/", "/nothing-here"])
def test_nothing_is_cut_on_a_narrow_screen(
    new_page: NewPage, viewport: dict[str, int], path: str
) -> None:
    page = new_page(viewport=viewport)
    page.goto(path)

    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]


def test_the_card_form_follows_the_colour_scheme(new_page: NewPage) -> None:
    page = new_page(color_scheme="dark")
    enter(page)
    number = card_frame(page).locator("[name=number]")
    dark = number.evaluate("(field) => getComputedStyle(field).backgroundColor")
    page.emulate_media(color_scheme="light")

    expect(number).not_to_have_css("background-color", dark)


@pytest.mark.parametrize(
    ("locale", "language", "total", "label"),
    [
        ("de-DE", "de", "12,90\u00a0$", "Kartennummer"),
        # No page is half in a language that the shop does not speak.
        ("fr-FR", "en", "$12.90", "Card number"),
    ],
)
def test_the_card_form_speaks_the_language_of_the_page(
    new_page: NewPage, locale: str, language: str, total: str, label: str
) -> None:
    page = new_page(locale=locale)
    with page.expect_request("**/v1/elements/sessions?*") as session:
        enter(page)

    assert f"locale={language}&" in f"{session.value.url}&"
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("[data-total]")).to_have_text(total)
    expect(card_frame(page).get_by_text(label)).to_be_visible()


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_the_head_of_the_page_is_one_line_on_a_phone(
    new_page: NewPage, locale: str
) -> None:
    page = new_page(locale=locale, viewport={"width": 360, "height": 740})
    page.goto("/")

    header = page.locator(".site-header").evaluate("(it) => it.offsetHeight")
    assert header < 2 * page.locator(".brand").evaluate("(it) => it.offsetHeight")


def test_an_error_goes_when_the_shopper_edits(page: Page) -> None:
    enter(page)
    fill(page)
    page.route("**/orders/", lambda route: route.fulfill(status=500))
    pay(page)
    expect(error(page)).not_to_have_text("")
    page.get_by_role("button", name="One Mug more").click()

    expect(error(page)).to_have_text("")
