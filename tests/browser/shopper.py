"""What a shopper does with the page, in a shopper's words."""

import re
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page, expect

from checkout.models import Order, Product
from tests.factories import make_product

PAYS = "4242424242424242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
LOST = "4000000000009987"
STOLEN = "4000000000009979"
BLOCKED = "4100000000000019"
EXPIRED = "4000000000000069"
WRONG_CODE = "4000000000000127"
UNPROCESSED = "4000000000000119"
ASKS = "4000002760003184"

GENERAL_DECLINE = (
    "Your bank refused this payment. You have not been charged. "
    "Try another card or contact your bank."
)


def stock_shop() -> tuple[Product, Product]:
    """Put a notebook for $12.90 and a mug for $18.50 on sale."""
    return (
        make_product(slug="notebook", name="Notebook", unit_amount=1290),
        make_product(slug="mug", name="Mug", unit_amount=1850),
    )


def enter(page: Page, path: str = "/") -> None:
    """Open the shop, wait until the card form is there, and choose something."""
    page.goto(path)
    expect(page.locator("payment-fields")).to_have_attribute("data-state", "ready")
    if path == "/":
        choose(page)


def choose(page: Page) -> None:
    """Choose one of the first product, unless the page remembers another choice."""
    if not page.locator("[data-product][data-chosen]").count():
        page.locator("[data-product] [data-step='1']").first.click()


def fill(page: Page, number: str = PAYS, email: str = "ada@example.com") -> None:
    """Type e-mail and card."""
    if page.get_by_label("E-mail").count():
        page.get_by_label("E-mail").fill(email)
    fill_card(page, number)


def fill_card(page: Page, number: str = PAYS) -> None:
    frame = card_frame(page)
    # As by hand: emptied first, which the page hears of.
    frame.locator("[name=number]").fill("")
    frame.locator("[name=number]").fill(number)
    frame.locator("[name=expiry]").fill("12 / 34")
    frame.locator("[name=cvc]").fill("123")
    frame.locator("[name=postalCode]").fill("12345")


def card_frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[title='Secure payment input frame']")


def challenge(page: Page) -> FrameLocator:
    """The bank's dialog; its buttons are visible before they do something."""
    return page.frame_locator("iframe[title='3D Secure']")


def pay_button(page: Page) -> Locator:
    return page.locator("payment-form [type=submit]")


def pay(page: Page) -> None:
    pay_button(page).click()


def error(page: Page) -> Locator:
    return page.locator("[data-error]")


def progress(page: Page) -> Locator:
    return page.locator("[data-progress]")


def cards(page: Page) -> Locator:
    return page.locator("order-card")


def expect_paid(page: Page, **options: Any) -> Order:
    """Wait for one paid order on the page and return it from the database."""
    expect(cards(page)).to_have_count(1, **options)
    expect(cards(page)).to_have_attribute("data-status", "paid")
    order = Order.objects.get()
    expect(cards(page).get_by_role("heading")).to_have_text(f"Order {order.number}")
    assert order.is_paid
    return order


def expect_ready_to_pay(page: Page) -> None:
    expect(pay_button(page)).to_be_enabled()
    expect(pay_button(page)).to_have_text(re.compile(r"^Pay \S"))
