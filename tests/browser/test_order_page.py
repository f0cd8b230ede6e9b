"""An order's own page: what its link shows, and paying there."""

import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from checkout.models import Dispute, Order
from tests.browser.shopper import (
    ASKS,
    DECLINED,
    GENERAL_DECLINE,
    card_frame,
    cards,
    challenge,
    enter,
    error,
    expect_paid,
    fill,
    fill_card,
    pay,
    pay_button,
    progress,
    stock_shop,
)
from tests.browsers import NewPage
from tests.factories import make_order
from tests.sandbox_server import SandboxServer


@pytest.fixture(autouse=True)
def products(shop: str) -> None:
    stock_shop()


@pytest.fixture
def unpaid(page: Page, products: None) -> Order:
    """An order whose first card was declined."""
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_have_text(GENERAL_DECLINE)
    return Order.objects.get()


def test_an_unpaid_order_is_paid_from_its_link_in_another_browser(
    unpaid: Order, new_page: NewPage, sandbox: SandboxServer
) -> None:
    elsewhere = new_page()
    enter(elsewhere, unpaid.get_absolute_url())
    expect(pay_button(elsewhere)).to_have_text("Pay $12.90")
    expect(cards(elsewhere)).to_contain_text("1 × Notebook")
    fill_card(elsewhere)
    pay(elsewhere)

    assert expect_paid(elsewhere) == unpaid
    expect(pay_button(elsewhere)).to_have_count(0)
    expect(elsewhere).to_have_title(re.compile("^Paid: order"))
    assert len(sandbox.objects("payment_intent")) == 1


def test_a_decline_on_the_order_page_can_be_repaired(page: Page, unpaid: Order) -> None:
    enter(page, unpaid.get_absolute_url())
    fill_card(page, DECLINED)
    pay(page)
    expect(error(page)).to_have_text(GENERAL_DECLINE)
    fill_card(page, ASKS)
    pay(page)
    challenge(page).get_by_role("button", name="Complete").click()

    expect_paid(page)


def test_an_order_paid_elsewhere_meanwhile_is_shown(
    page: Page, unpaid: Order, sandbox: SandboxServer
) -> None:
    enter(page, unpaid.get_absolute_url())
    assert unpaid.payment_intent_id
    sandbox.confirm(unpaid.payment_intent_id)
    sandbox.wait_until_delivered()
    fill_card(page)
    pay(page)

    expect_paid(page)
    assert len(sandbox.objects("charge")) == 2  # The declined one, and this.


def test_a_paid_order_has_no_form(page: Page, unpaid: Order) -> None:
    pay_again(page)
    enter_paid(page, unpaid)

    expect(pay_button(page)).to_have_count(0)
    expect(cards(page)).to_contain_text("Visa •••• 4242")
    expect(cards(page)).to_contain_text("ada@example.com")


def test_a_bank_debit_is_shown_as_processing_and_turns_paid_by_itself(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    page.get_by_label("E-mail").fill("ada@example.com")
    frame = card_frame(page)
    frame.get_by_role("button", name="US bank account").click()
    for name, text in BANK_ACCOUNT.items():
        frame.locator(f"[name={name}]").fill(text)
    pay(page)

    expect(cards(page)).to_have_attribute("data-status", "processing")
    expect(cards(page)).to_contain_text("Your bank is processing the payment.")
    (intent,) = sandbox.objects("payment_intent")
    sandbox.settle(intent["id"])
    expect(cards(page)).to_have_attribute("data-status", "paid")


# It never settles by itself.
BANK_ACCOUNT = {
    "name": "Ada Lovelace",
    "routingNumber": "110000000",
    "accountNumber": "000000000009",
}


def test_orders_are_listed_for_their_browser_alone(
    page: Page, unpaid: Order, new_page: NewPage
) -> None:
    page.goto("/orders/")
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_contain_text(unpaid.number)
    elsewhere = new_page()
    elsewhere.goto("/orders/")

    expect(elsewhere.get_by_text("Nothing yet.")).to_be_visible()
    expect(cards(elsewhere)).to_have_count(0)


def test_coming_back_from_the_bank_does_not_ask_to_pay_at_once(
    page: Page, unpaid: Order
) -> None:
    address = unpaid.get_absolute_url()
    page.evaluate("(url) => sessionStorage.setItem('payment under way', url)", address)
    page.goto(f"{address}?redirect_status=succeeded")

    expect(progress(page)).to_contain_text("We are checking with the bank")
    expect(pay_button(page)).to_be_disabled()


PAID = {"status": "paid", "paid_at": timezone.now(), "amount_received": 1099}


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("needs_response", "objected to this payment"),
        ("lost", "your bank gave the money back"),
        ("won", "Paid. Thank you!"),
    ],
)
def test_a_disputed_order_says_so(page: Page, status: str, sentence: str) -> None:
    order = make_order(**PAID)
    Dispute.objects.create(
        stripe_id="du_1", order=order, amount=1099, currency="usd",
        reason="fraudulent", status=status, as_of=timezone.now(),
    )  # fmt: skip
    page.goto(order.get_absolute_url())

    expect(cards(page)).to_contain_text(sentence)
    expect(pay_button(page)).to_have_count(0)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"amount_refunded": 500}, "$5.00 of it has been refunded"),
        ({"amount_refunded": 1099}, "refunded in full"),
        ({"status": "canceled", "closed_reason": "expired"}, "was not paid in time"),
        ({"status": "canceled", "closed_reason": "replaced"}, "was replaced by"),
        ({"status": "canceled", "closed_reason": "declined"}, "Too many payments"),
    ],
)
def test_an_order_that_is_over_says_how(
    page: Page, fields: dict[str, Any], sentence: str
) -> None:
    order = make_order(**{**PAID, **fields})
    page.goto(order.get_absolute_url())

    expect(cards(page)).to_contain_text(sentence)
    expect(pay_button(page)).to_have_count(0)


def test_a_printed_order_is_the_order_alone(page: Page) -> None:
    enter(page, make_order().get_absolute_url())
    # Paper may look otherwise; nobody sees the page jump.
    page.evaluate("() => { layoutShift = -Infinity }")
    page.emulate_media(media="print")

    expect(cards(page)).to_be_visible()
    for useless in (".site-header", ".test-strip", ".site-footer", "form"):
        expect(page.locator(useless)).to_be_hidden()


def pay_again(page: Page) -> None:
    fill_card(page)
    pay(page)
    expect_paid(page)


def enter_paid(page: Page, order: Order) -> None:
    page.goto(order.get_absolute_url())
    expect(cards(page)).to_have_attribute("data-status", "paid")
