"""A guest, a returning user, a reader of German: each buys as themselves."""

import re

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from checkout.models import Order, User
from tests.browser import shopper
from tests.browsers import NewPage
from tests.sandbox_server import wait_for

PASSWORD = "a-long-and-quiet-evening"

pytestmark = pytest.mark.usefixtures("shop")


def mail_to(address: str) -> str:
    """Return the newest mail's text."""
    wait_for(lambda: [m for m in mail.outbox if m.to == [address]])
    text = next(m.body for m in reversed(mail.outbox) if m.to == [address])
    mail.outbox.clear()
    return text


def buy(page: Page, email: str) -> Order:
    shopper.enter(page)
    shopper.fill(page, email=email)
    shopper.pay(page)
    expect(page.locator("[data-status=paid]").first).to_be_visible()
    return Order.objects.latest("pk")


def test_guest_becomes_a_user_and_comes_back(page: Page, new_page: NewPage) -> None:
    shopper.stock_shop()
    order = buy(page, "ada@example.com")
    confirmation = mail_to("ada@example.com")
    assert order.number in confirmation
    assert "$12.90" in confirmation

    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Create one").click()
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(re.findall(r"http\S+", mail_to("ada@example.com"))[0])
    page.get_by_label("New password", exact=False).first.fill(PASSWORD)
    page.get_by_label("confirmation", exact=False).fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()

    expect(page.get_by_text(order.number)).to_be_visible()
    assert Order.objects.get(pk=order.pk).user == User.objects.get()

    elsewhere = new_page()
    elsewhere.goto("/accounts/login/")
    elsewhere.get_by_label("E-mail address").fill("Ada@Example.com")
    elsewhere.get_by_label("Password").fill(PASSWORD)
    elsewhere.get_by_role("button", name="Sign in").click()
    expect(elsewhere.get_by_text(order.number)).to_be_visible()
    second = buy(elsewhere, "ada@example.com")
    assert second.user == User.objects.get()

    elsewhere.get_by_role("button", name="Sign out").click()
    elsewhere.goto("/orders/")
    expect(elsewhere.get_by_text("Nothing yet.")).to_be_visible()
    elsewhere.goto(second.get_absolute_url())
    expect(elsewhere.get_by_text(second.number)).to_be_visible()


def test_what_was_typed_goes_with_who_signs_out(page: Page) -> None:
    shopper.stock_shop()
    User.objects.create_user("ada@example.com", PASSWORD)
    shopper.enter(page)
    page.get_by_label("E-mail").fill("lovelace@example.com")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your orders")).to_be_visible()
    other, kept = page.context.new_page(), page.context.new_page()
    for tab in (other, kept):
        shopper.enter(tab)
        tab.get_by_label("E-mail").fill("lovelace@example.com")
    # What she chose before she signed in is hers, too: this tab shows it no more.
    page.get_by_role("button", name="Sign out").click()
    other.goto("/")
    # Out of the browser's memory.
    kept.evaluate(
        "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    )

    for tab in (page, other, kept):
        expect(tab.get_by_role("link", name="Sign in")).to_be_visible()
        expect(tab.get_by_label("Quantity of Notebook")).to_have_value("0")
        expect(tab.get_by_label("E-mail")).to_have_value("")


def test_what_a_guest_chose_stays_when_they_sign_in(page: Page) -> None:
    shopper.stock_shop()
    User.objects.create_user("ada@example.com", PASSWORD)
    shopper.enter(page)
    page.goto("/accounts/login/?next=/")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.get_by_label("Quantity of Notebook")).to_have_value("1")


def test_order_is_payable_by_its_link_in_any_browser(
    page: Page, new_page: NewPage
) -> None:
    shopper.stock_shop()
    shopper.enter(page)
    shopper.fill(page, shopper.DECLINED)
    shopper.pay(page)
    expect(shopper.error(page)).to_be_visible()
    order = Order.objects.get()

    other = new_page()
    shopper.enter(other, order.get_absolute_url())
    shopper.fill_card(other)
    shopper.pay(other)

    expect(other.locator("order-card[data-status=paid]")).to_be_visible()
    order.refresh_from_db()
    assert order.is_paid
    assert Order.objects.count() == 1


def test_german_page_has_a_german_element_and_amounts(new_page: NewPage) -> None:
    shopper.stock_shop()
    page = new_page(locale="de-DE")
    shopper.enter(page)

    assert page.locator("html").get_attribute("lang") == "de"
    expect(shopper.pay_button(page)).to_contain_text("12,90\xa0$ bezahlen")
    expect(shopper.card_frame(page).get_by_text("Kartennummer")).to_be_visible()

    # The steps type a postal code, which a German card does not ask for.
    shopper.card_frame(page).locator("[name=country]").select_option("US")
    page.get_by_label("E-Mail").fill("ada@example.com")
    shopper.fill_card(page, shopper.NO_FUNDS)
    shopper.pay(page)
    expect(shopper.error(page)).to_contain_text("nicht ausreichend gedeckt")

    shopper.fill_card(page)
    shopper.pay(page)
    expect(page.locator("[data-status=paid]").first).to_contain_text("Vielen Dank!")
    text = mail_to("ada@example.com")
    assert "Vielen Dank für Ihre Bestellung." in text
    assert "12,90\xa0$" in text
