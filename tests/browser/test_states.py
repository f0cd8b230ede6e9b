"""States that are neither paid nor declined: what the page says, and the way out."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from checkout import limits, payments, reconcile, visitor
from checkout.models import Limit, Order, Product
from tests.browser.shopper import (
    ASKS,
    DECLINED,
    card_frame,
    cards,
    challenge,
    choose,
    enter,
    error,
    expect_paid,
    expect_ready_to_pay,
    fill,
    fill_card,
    pay,
    pay_button,
    progress,
    stock_shop,
)
from tests.browsers import NewPage, forget_lost_requests
from tests.factories import make_order
from tests.sandbox_server import SandboxServer, wait_for

CHECKING = re.compile("We are checking with the bank")
NOT_PAID = "The payment was not completed. You have not been charged."
DEBIT_REFUSED = "Your bank refused the debit. You have not been charged."
# It never settles by itself.
BANK_ACCOUNT = {
    "name": "Ada Lovelace",
    "routingNumber": "110000000",
    "accountNumber": "000000000009",
}


@pytest.fixture(autouse=True)
def products(shop: str) -> tuple[Product, Product]:
    return stock_shop()


def unfinished(page: Page) -> Locator:
    return page.locator("[data-unfinished]")


def choose_method(page: Page, name: str) -> None:
    page.get_by_label("E-mail").fill("ada@example.com")
    card_frame(page).get_by_role("button", name=name).click()


# --- Before the bank is asked -------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "sentence"),
    [("ada@-example.com", "name@example.com"), ("adá@example.com", "without accents")],
)
def test_an_email_the_shop_refuses_is_said_at_the_field(
    page: Page, email: str, sentence: str
) -> None:
    enter(page)
    fill(page, email=email)
    pay(page)

    field = page.get_by_label("E-mail")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-email-error]")).to_contain_text(sentence)
    expect(error(page)).to_have_text("")
    field.fill("ada@bücher.example")
    pay(page)
    assert expect_paid(page).email == "ada@xn--bcher-kva.example"


def test_a_product_that_is_gone_leaves_the_cart(page: Page) -> None:
    enter(page)
    page.get_by_role("button", name="One Mug more").click()
    fill(page)
    Product.objects.filter(slug="notebook").update(active=False)
    pay(page)

    expect(error(page)).to_contain_text("taken out of your cart: Notebook.")
    expect(error(page)).to_be_focused()
    expect(page.get_by_role("heading", name="Notebook")).to_have_count(0)
    expect(pay_button(page)).to_have_text("Pay $18.50")
    pay(page)
    assert expect_paid(page).amount == 1850


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            # A message is text, whatever it looks like.
            {"error": {"code": "too_many_requests", "message": "<b>Slowly.</b>"}},
            "<b>Slowly.</b>",
        ),
        ("a proxy's own page", "Please wait a minute, then try again."),
    ],
)
def test_too_many_tries_are_answered_calmly(
    page: Page, answer: Any, sentence: str
) -> None:
    enter(page)
    fill(page)
    kind = "text/html" if isinstance(answer, str) else "application/json"
    page.route(
        "**/orders/",
        lambda route: route.fulfill(
            status=429, body=json.dumps(answer), content_type=kind
        ),
    )
    pay(page)

    expect(error(page)).to_contain_text(sentence)
    expect_ready_to_pay(page)
    page.unroute("**/orders/")
    pay(page)
    expect_paid(page)


def test_too_many_orders_of_one_browser_keep_the_form(page: Page) -> None:
    enter(page)
    fill(page)
    [cookie] = [
        it for it in page.context.cookies() if it["name"] == visitor.cookie_name()
    ]
    visitor_id, _ = signing.loads(cookie["value"], salt=visitor.SALT)
    for _ in range(limits.ORDERS_OF_VISITOR.most):
        limits.spend(limits.ORDERS_OF_VISITOR, visitor_id)
    pay(page)

    expect(error(page)).to_contain_text("too many attempts to order")
    expect(error(page)).to_contain_text(re.compile(r"try again in (\d+ minutes|a min)"))
    expect(error(page)).to_be_focused()
    expect(page.get_by_label("E-mail")).to_have_value("ada@example.com")
    expect_ready_to_pay(page)
    assert not Order.objects.exists()
    # Ten minutes later, with the card as it was typed.
    Limit.objects.all().delete()
    pay(page)
    expect_paid(page)


def test_nobody_can_pay_before_the_card_form_is_there(page: Page) -> None:
    page.route("**/endive/frames/element.html", lambda route: None)
    page.goto("/", wait_until="commit")
    choose(page)

    expect(page.locator("[data-total]")).to_have_text("$12.90")
    expect(page.locator("[data-note]")).to_have_text("Loading the secure card form…")
    # Now, not once it is known that the form never comes.
    assert pay_button(page).is_disabled()


def test_a_blocker_that_leaves_another_script_is_noticed(
    page: Page, sandbox: SandboxServer
) -> None:
    page.route(
        sandbox.js_url,
        lambda route: route.fulfill(body="", content_type="text/javascript"),
    )
    page.goto("/")

    note = page.locator("[data-note]")
    expect(note).to_contain_text("The secure card form could not load.", timeout=3_000)
    expect(pay_button(page)).to_be_disabled()


# --- Coming back --------------------------------------------------------------------


def test_coming_back_in_another_browser_never_offers_to_pay_a_paid_order(
    page: Page, new_page: NewPage, sandbox: SandboxServer
) -> None:
    enter(page)
    choose_method(page, "Klarna")
    pay(page)
    page.wait_for_url(re.compile("localhost"))
    sandbox.hold_deliveries()
    order = Order.objects.get()
    assert order.payment_intent_id
    sandbox.authenticate(order.payment_intent_id)
    elsewhere = new_page()
    elsewhere.clock.install()
    elsewhere.goto(f"{order.get_absolute_url()}?redirect_status=succeeded")

    expect(elsewhere).to_have_url(re.compile(f"{order.get_absolute_url()}$"))
    expect(progress(elsewhere)).to_have_text(CHECKING)
    expect(pay_button(elsewhere)).to_be_disabled()
    elsewhere.clock.fast_forward(4_000)
    expect_paid(elsewhere)
    expect(pay_button(elsewhere)).to_have_count(0)
    assert len(sandbox.objects("charge")) == 1


def test_giving_up_at_the_bank_is_told_in_plain_words(page: Page) -> None:
    page.clock.install()
    enter(page)
    choose_method(page, "Klarna")
    pay(page)
    page.get_by_role("button", name="Fail").click()
    expect(progress(page)).to_have_text(CHECKING)
    page.clock.fast_forward(4_000)

    # What happened, that nothing was charged, what to do.
    expect(error(page)).to_have_text(
        "The bank’s check was not completed. You have not been charged. "
        "Try again and complete it, or pay with something else."
    )
    expect_ready_to_pay(page)


def test_a_connection_lost_while_confirming_is_named_and_comes_back(
    page: Page, faults: list[str]
) -> None:
    enter(page)
    fill(page, ASKS)
    pay(page)
    complete = challenge(page).get_by_role("button", name="Complete")
    expect(complete).to_be_enabled()
    page.context.set_offline(True)
    complete.click()

    expect(progress(page)).to_contain_text("There is no connection to the internet")
    expect(progress(page)).to_contain_text("Please do not pay again")
    page.context.set_offline(False)
    expect(progress(page)).not_to_contain_text("no connection")
    forget_lost_requests(faults)


def test_giving_up_at_the_bank_is_told_in_another_browser_too(
    page: Page, new_page: NewPage, sandbox: SandboxServer
) -> None:
    enter(page)
    choose_method(page, "Klarna")
    pay(page)
    page.wait_for_url(re.compile("localhost"))
    order = Order.objects.get()
    assert order.payment_intent_id
    sandbox.authenticate(order.payment_intent_id, "fail")
    elsewhere = new_page()
    elsewhere.clock.install()
    elsewhere.goto(f"{order.get_absolute_url()}?redirect_status=failed")
    expect(progress(elsewhere)).to_have_text(CHECKING)
    elsewhere.clock.fast_forward(4_000)

    expect(error(elsewhere)).to_contain_text("You have not been charged.")
    expect_ready_to_pay(elsewhere)


def test_an_order_closed_while_the_shopper_is_at_the_bank_is_shown_closed(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    choose_method(page, "Klarna")
    pay(page)
    authorise = page.get_by_role("button", name=re.compile("Authori[sz]e|Complete"))
    expect(authorise).to_be_visible()
    order = Order.objects.get()
    payments.close(order, reason=Order.ClosedReason.OPERATOR, source="olga")
    page.goto(f"{order.get_absolute_url()}?redirect_status=failed")

    expect(cards(page)).to_contain_text("We closed this order before it was paid.")
    expect(pay_button(page)).to_have_count(0)
    assert not [it for it in sandbox.objects("charge") if it["paid"]]


def test_an_order_is_paid_at_the_bank_from_its_own_page(page: Page) -> None:
    order = make_order(payment_intent_id=None)
    enter(page, order.get_absolute_url())
    card_frame(page).get_by_role("button", name="Klarna").click()
    pay(page)
    page.get_by_role("button", name=re.compile("Authori[sz]e|Complete")).click()

    assert expect_paid(page) == order
    assert page.url.endswith(order.get_absolute_url())
    expect(pay_button(page)).to_have_count(0)


def test_an_order_stays_in_sight_when_its_card_form_is_blocked(
    page: Page, sandbox: SandboxServer, faults: list[str]
) -> None:
    order = make_order()
    page.route(sandbox.js_url, lambda route: route.abort())
    page.goto(order.get_absolute_url())

    expect(page.locator("[data-note]")).to_contain_text("could not load.")
    expect(pay_button(page)).to_be_disabled()
    expect(cards(page)).to_contain_text(order.number)
    forget_lost_requests(faults)


def test_back_from_the_banks_page_asks_first_and_can_pay_again(page: Page) -> None:
    page.clock.install()
    enter(page)
    choose_method(page, "Klarna")
    pay(page)
    page.wait_for_url(re.compile("localhost"))
    page.go_back()

    expect(progress(page)).to_have_text(CHECKING)
    expect(pay_button(page)).to_be_disabled()
    page.clock.fast_forward(4_000)
    expect(error(page)).to_contain_text(NOT_PAID)
    fill(page)
    pay(page)
    expect_paid(page)


def test_a_page_that_is_online_again_asks_and_leaves_the_shopper_alone(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_contain_text("refused this payment")
    page.get_by_label("E-mail").focus()
    with page.expect_response(re.compile(r"://[^/]+/$")):
        reconnect(page)
    expect_ready_to_pay(page)

    expect(page.get_by_label("E-mail")).to_be_focused()
    expect(error(page)).to_contain_text("refused this payment")
    # Meanwhile it is paid elsewhere.
    order = Order.objects.get()
    assert order.payment_intent_id
    sandbox.confirm(order.payment_intent_id)
    sandbox.wait_until_delivered()
    reconnect(page)
    assert expect_paid(page) == order


def reconnect(page: Page) -> None:
    page.context.set_offline(True)
    page.context.set_offline(False)


def test_nobody_pays_on_a_page_out_of_the_browsers_memory_before_it_is_fresh(
    page: Page,
) -> None:
    enter(page)
    held: list[Route] = []
    page.route(re.compile(r"://[^/]+/$"), lambda route: held.append(route))
    page.evaluate(
        "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    )

    expect(page.locator("[data-reason]")).to_have_text("Updating this page…")
    expect(pay_button(page)).to_be_disabled()
    held[0].continue_()
    expect_ready_to_pay(page)
    expect(page.locator("[data-reason]")).to_have_text("")


def test_what_is_said_later_has_its_live_region_from_the_start(page: Page) -> None:
    enter(page)

    for role, place in (
        ("alert", "[data-error]"), ("alert", "[data-email-error]"),
        ("status", "[data-progress]"), ("status", "[data-note]"),
        ("status", "#quantity-note-mug"),
    ):  # fmt: skip
        # Found by its role only where it is not hidden.
        expect(page.get_by_role(role).and_(page.locator(place))).to_have_text("")


def pass_time(page: Page) -> None:
    page.clock.fast_forward(21_000)


def come_back(page: Page) -> None:
    """What a browser says on coming back to a tab; headless pages are never hidden."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.parametrize("look", [pass_time, come_back])
def test_what_is_called_unpaid_turns_when_it_is_paid_in_another_tab(
    page: Page, sandbox: SandboxServer, look: Callable[[Page], None]
) -> None:
    page.clock.install()
    enter(page)
    choose_method(page, "Klarna")
    pay(page)
    page.wait_for_url(re.compile("localhost"))
    page.go_back()
    expect(progress(page)).to_have_text(CHECKING)
    page.clock.fast_forward(4_000)
    expect(error(page)).to_contain_text(NOT_PAID)
    order = Order.objects.get()
    assert order.payment_intent_id
    # The bank's page was still open elsewhere.
    sandbox.authenticate(order.payment_intent_id)
    sandbox.wait_until_delivered()
    look(page)

    assert expect_paid(page) == order
    expect(error(page)).to_have_text("")
    expect(page.locator("[data-product][data-chosen]")).to_have_count(0)


def test_a_cart_changed_since_the_decline_is_left_alone(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_contain_text("refused this payment")
    page.get_by_role("button", name="One Mug more").click()
    order = Order.objects.get()
    assert order.payment_intent_id
    sandbox.confirm(order.payment_intent_id)
    sandbox.wait_until_delivered()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    come_back(page)

    expect(pay_button(page)).to_have_text("Pay $31.40")
    expect(cards(page)).to_have_count(0)
    assert not [url for url in asked if "/orders/" in url]


@pytest.mark.parametrize("look", [pass_time, come_back])
def test_the_page_of_an_order_paid_elsewhere_turns_paid(
    page: Page, sandbox: SandboxServer, look: Callable[[Page], None]
) -> None:
    page.clock.install()
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_be_visible()
    order = Order.objects.get()
    enter(page, order.get_absolute_url())
    expect(cards(page)).to_contain_text("has not been paid yet")
    assert order.payment_intent_id
    sandbox.confirm(order.payment_intent_id)
    sandbox.wait_until_delivered()
    look(page)

    assert expect_paid(page) == order
    expect(pay_button(page)).to_have_count(0)
    # The form is gone, and asks no more.
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    look(page)
    assert not asked


def test_a_browser_closed_in_the_middle_finds_the_paid_order(
    new_context: Callable[..., BrowserContext], sandbox: SandboxServer
) -> None:
    before = new_context()
    page = before.new_page()
    enter(page)
    fill(page, ASKS)
    pay(page)
    expect(challenge(page).get_by_role("button", name="Complete")).to_be_enabled()
    cookies: Any = before.storage_state()
    before.close()
    order = Order.objects.get()
    assert order.payment_intent_id
    sandbox.authenticate(order.payment_intent_id)
    sandbox.wait_until_delivered()
    again = new_context(storage_state=cookies).new_page()
    enter(again)

    assert expect_paid(again) == order


# --- Orders that end otherwise ------------------------------------------------------


def test_an_order_replaced_by_another_cart_cannot_be_paid_from_its_open_page(
    new_context: Callable[..., BrowserContext], sandbox: SandboxServer
) -> None:
    context = new_context()
    shop, kept = context.new_page(), context.new_page()
    enter(shop)
    fill(shop, DECLINED)
    pay(shop)
    expect(error(shop)).to_be_visible()
    first = Order.objects.get()
    enter(kept, first.get_absolute_url())
    shop.get_by_role("button", name="One Mug more").click()
    fill_card(shop)
    pay(shop)
    expect(cards(shop)).to_have_attribute("data-status", "paid")
    fill_card(kept)
    pay(kept)

    expect(cards(kept)).to_contain_text("This order was replaced by another cart")
    expect(pay_button(kept)).to_have_count(0)
    expect(kept.get_by_role("link", name="Back to the shop")).to_be_visible()
    paid = [it for it in sandbox.objects("charge") if it["status"] == "succeeded"]
    assert len(paid) == 1


@pytest.mark.parametrize("is_found_closed", [False, True])
def test_the_fifth_decline_closes_the_order_and_keeps_the_cart(
    page: Page, sandbox: SandboxServer, is_found_closed: bool
) -> None:
    enter(page)
    for _ in range(5):
        fill(page, DECLINED)
        pay(page)
        expect(error(page)).to_contain_text("Your bank refused this payment.")
    sandbox.wait_until_delivered()
    if is_found_closed:
        list(reconcile.look_up_due_orders())
    fill(page)
    pay(page)

    expect(error(page)).to_contain_text("Too many payments of this order failed")
    expect(error(page)).to_contain_text("You have not been charged. Order again with")
    order = Order.objects.get()
    assert order.closed_reason == "declined"
    expect(pay_button(page)).to_have_text("Pay $12.90")
    expect_ready_to_pay(page)
    pay(page)
    expect(cards(page)).to_have_attribute("data-status", "paid")
    assert Order.objects.exclude(pk=order.pk).get().is_paid


def test_the_fifth_decline_ends_the_orders_own_page(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_be_visible()
    order = Order.objects.get()
    assert order.payment_intent_id
    for _ in range(4):
        sandbox.confirm(order.payment_intent_id, number=DECLINED)
    sandbox.wait_until_delivered()
    enter(page, order.get_absolute_url())
    fill_card(page)
    pay(page)

    expect(cards(page)).to_contain_text("Too many payments of this order failed")
    expect(pay_button(page)).to_have_count(0)
    expect(page.get_by_role("link", name="Back to the shop")).to_be_visible()


def test_an_order_the_operator_closed_during_the_check_has_no_live_form(
    new_context: Callable[..., BrowserContext], sandbox: SandboxServer
) -> None:
    context = new_context()
    shop = context.new_page()
    enter(shop)
    fill(shop, ASKS)
    pay(shop)
    complete = challenge(shop).get_by_role("button", name="Complete")
    expect(complete).to_be_enabled()
    order = Order.objects.get()
    payments.close(order, reason=Order.ClosedReason.OPERATOR, source="olga")
    complete.click()

    expect(cards(shop)).to_have_attribute("data-status", "canceled")
    expect(cards(shop)).to_contain_text("We closed this order before it was paid.")
    expect(cards(shop)).to_contain_text("You have not been charged.")
    expect(cards(shop).get_by_role("heading")).to_be_focused()
    expect(pay_button(shop)).to_be_disabled()
    expect(shop.locator("[data-reason]")).to_contain_text("Choose at least one")
    sandbox.wait_until_delivered()
    assert not [it for it in sandbox.objects("charge") if it["paid"]]


def test_a_page_whose_order_the_operator_closed_loses_its_form(page: Page) -> None:
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_be_visible()
    order = Order.objects.get()
    enter(page, order.get_absolute_url())
    fill_card(page, ASKS)
    pay(page)
    complete = challenge(page).get_by_role("button", name="Complete")
    expect(complete).to_be_enabled()
    payments.close(order, reason=Order.ClosedReason.OPERATOR, source="olga")
    complete.click()

    expect(cards(page)).to_contain_text("We closed this order before it was paid.")
    expect(pay_button(page)).to_have_count(0)


# --- Orders on their way ------------------------------------------------------------


def buy_by_debit(page: Page) -> Order:
    enter(page)
    choose_method(page, "US bank account")
    for name, text in BANK_ACCOUNT.items():
        card_frame(page).locator(f"[name={name}]").fill(text)
    pay(page)
    expect(cards(page)).to_have_attribute("data-status", "processing")
    return Order.objects.get()


def test_an_order_on_its_way_is_named_at_the_button(
    new_context: Callable[..., BrowserContext], sandbox: SandboxServer
) -> None:
    context = new_context()
    page, other = context.new_page(), context.new_page()
    order = buy_by_debit(page)
    on_its_way = f"processing the payment of order {order.number} ($12.90)"
    other.goto("/")

    for tab in (page, other):
        expect(unfinished(tab)).to_contain_text(on_its_way)
        expect(tab.get_by_role("heading", name="Your orders")).to_be_visible()
        expect(cards(tab)).to_contain_text("Payment processing")
        expect(tab.locator("[data-product][data-chosen]")).to_have_count(0)
        expect(pay_button(tab)).to_be_disabled()

    assert order.payment_intent_id
    expect(page).to_have_title(re.compile(f"^Payment processing: order {order.number}"))
    sandbox.settle(order.payment_intent_id)
    for tab in (page, other):
        expect(cards(tab)).to_have_attribute("data-status", "paid")
        expect(unfinished(tab)).to_have_text("")
    expect(page).to_have_title(re.compile(f"^Paid: order {order.number}"))
    # Nobody bought there.
    expect(other).to_have_title(re.compile("^Shop"))


def test_an_order_whose_debit_failed_stays_in_sight_beside_a_new_cart(
    page: Page, sandbox: SandboxServer
) -> None:
    order = buy_by_debit(page)
    assert order.payment_intent_id
    sandbox.settle(order.payment_intent_id, "fail", code="insufficient_funds")
    expect(cards(page)).to_have_attribute("data-status", "pending")
    expect(unfinished(page)).to_contain_text(f"Order {order.number} ($12.90) has not")
    expect(cards(page)).to_contain_text(DEBIT_REFUSED)
    expect(page).to_have_title(re.compile("^Waiting for payment: order"))
    page.reload()
    expect(cards(page)).to_contain_text("Waiting for payment")
    expect(cards(page)).to_contain_text(DEBIT_REFUSED)
    choose(page)
    fill(page)
    pay(page)
    expect(cards(page).first).to_have_attribute("data-status", "paid")

    expect(unfinished(page)).to_contain_text(f"Order {order.number} ($12.90) has not")
    unfinished(page).get_by_role("link", name="Pay this order").click()
    fill_card(page)
    pay(page)
    expect(cards(page)).to_have_attribute("data-status", "paid")
    order.refresh_from_db()
    assert order.is_paid


def test_a_reload_right_after_the_press_says_that_there_is_an_order(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    fill(page)
    placed: list[int] = []
    # The shop places the order, and its answer finds nobody.
    page.route("**/orders/", lambda route: placed.append(route.fetch().status))
    pay(page)
    wait_for(lambda: page.title() and placed)
    page.reload()
    page.unroute("**/orders/")

    order = Order.objects.get()
    expect(unfinished(page)).to_contain_text(
        f"Order {order.number} ($12.90) has not been paid. Pay this order"
        ", or press Pay below: you pay only once."
    )
    expect(page.get_by_text("Nothing yet")).to_have_count(0)
    # Its cart is still here: to pay this is to pay that order.
    fill(page, ASKS)
    pay(page)
    complete = challenge(page).get_by_role("button", name="Complete")
    expect(complete).to_be_enabled()
    expect(unfinished(page)).to_have_text("")
    complete.click()
    assert expect_paid(page) == order


def test_an_order_paid_in_another_tab_is_no_longer_called_unpaid(
    new_context: Callable[..., BrowserContext],
) -> None:
    context = new_context()
    page, other = context.new_page(), context.new_page()
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_be_visible()
    order = Order.objects.get()
    page.reload()
    expect(unfinished(page)).to_contain_text(f"Order {order.number} ($12.90) has not")
    link = unfinished(page).get_by_role("link", name="Pay this order")
    link.focus()
    for _ in range(2):
        with page.expect_response(re.compile(r"://[^/]+/$")):
            come_back(page)
    expect(link).to_be_focused()
    enter(other, order.get_absolute_url())
    fill_card(other)
    pay(other)
    assert expect_paid(other) == order

    come_back(page)
    expect(unfinished(page)).to_have_text("")


def test_a_refused_debit_paid_in_another_tab_is_no_longer_called_unpaid(
    new_context: Callable[..., BrowserContext], sandbox: SandboxServer
) -> None:
    context = new_context()
    page, other = context.new_page(), context.new_page()
    order = buy_by_debit(page)
    assert order.payment_intent_id
    sandbox.settle(order.payment_intent_id, "fail")
    expect(cards(page)).to_contain_text("Waiting for payment")
    enter(other, order.get_absolute_url())
    fill_card(other)
    pay(other)
    assert expect_paid(other) == order
    come_back(page)

    assert expect_paid(page) == order
    expect(unfinished(page)).to_have_text("")


def test_a_paid_order_stands_beside_no_sentence_that_it_is_being_checked(
    page: Page, sandbox: SandboxServer, faults: list[str]
) -> None:
    enter(page)
    fill(page)
    sandbox.hold_deliveries()
    pay(page)
    expect(progress(page)).to_contain_text("Confirming your order")
    page.context.set_offline(True)
    expect(progress(page)).to_contain_text("There is no connection to the internet")
    sandbox.release_deliveries()
    sandbox.wait_until_delivered()
    # The form gets ready for another purchase, for which it waits here.
    page.route(re.compile(r"://[^/]+/$"), lambda route: None)
    page.context.set_offline(False)

    expect_paid(page)
    expect(progress(page)).to_be_hidden()
    expect(pay_button(page)).to_be_disabled()
    forget_lost_requests(faults)


def test_a_returned_bank_debit_can_be_paid_again(
    page: Page, sandbox: SandboxServer
) -> None:
    order = buy_by_debit(page)
    page.goto(order.get_absolute_url())
    expect(cards(page)).to_contain_text("This can take a few days.")
    assert order.payment_intent_id
    sandbox.settle(order.payment_intent_id, "fail", code="insufficient_funds")

    expect(cards(page)).to_have_attribute("data-status", "pending")
    expect(cards(page)).to_contain_text(DEBIT_REFUSED)
    fill_card(page)
    pay(page)
    assert expect_paid(page) == order


# --- After paying -------------------------------------------------------------------


def test_an_account_is_offered_after_paying_to_who_bought(
    page: Page, new_page: NewPage
) -> None:
    enter(page)
    offer = page.get_by_role("link", name="Create an account")
    expect(offer).to_be_hidden()
    fill(page)
    pay(page)
    order = expect_paid(page)
    expect(offer).to_be_visible()
    page.goto(order.get_absolute_url())
    expect(offer).to_be_visible()

    elsewhere = new_page()
    elsewhere.goto(order.get_absolute_url())
    expect(cards(elsewhere)).to_have_attribute("data-status", "paid")
    expect(elsewhere.get_by_role("link", name="Create an account")).to_have_count(0)


def test_a_developer_sees_that_no_webhook_came(
    page: Page, sandbox: SandboxServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkout.payments.WAIT_FOR_EVENT", timedelta(seconds=1))
    settings.DEBUG = True
    sandbox.hold_deliveries()
    enter(page)
    fill(page)
    pay(page)

    order = expect_paid(page)
    expect(cards(page)).to_contain_text("No webhook has come for this order yet")
    sandbox.release_deliveries()
    sandbox.wait_until_delivered()
    page.goto(order.get_absolute_url())
    expect(cards(page)).to_have_attribute("data-status", "paid")
    expect(cards(page)).not_to_contain_text("No webhook")
