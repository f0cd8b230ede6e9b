"""Paying on the shop's page, from the press of Pay to what the page then says."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from checkout.models import Order, Product
from tests.browser.shopper import (
    ASKS,
    BLOCKED,
    DECLINED,
    EXPIRED,
    GENERAL_DECLINE,
    LOST,
    NO_FUNDS,
    PAYS,
    STOLEN,
    UNPROCESSED,
    WRONG_CODE,
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
from tests.browsers import forget_lost_requests
from tests.sandbox_server import SandboxServer

NewContext = Callable[..., BrowserContext]
CHECKING = re.compile("We are checking with the bank")
# Until the shop asks Stripe, whose event has not come.
SHORT_WAIT = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def products(shop: str) -> tuple[Product, Product]:
    return stock_shop()


def test_a_purchase_ends_in_a_paid_order_on_the_same_page(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    page.get_by_role("button", name="One Notebook more").click()
    page.get_by_role("button", name="One Mug more").click()
    fill(page)
    expect(pay_button(page)).to_have_text("Pay $44.30")
    pay(page)

    order = expect_paid(page)
    card = cards(page)
    expect(card.get_by_role("heading")).to_be_focused()
    expect(page).to_have_title(re.compile(f"Paid: order {order.number}"))
    for text in ("2 × Notebook", "$25.80", "1 × Mug", "$44.30", "ada@example.com"):
        expect(card).to_contain_text(text)
    assert page.url.endswith("/")
    assert order.history.last().source.startswith("evt_")
    (intent,) = sandbox.objects("payment_intent")
    assert intent["amount_received"] == order.amount == 4430


def test_after_a_purchase_the_form_is_as_new(page: Page) -> None:
    enter(page)
    page.get_by_role("button", name="One Mug more").click()
    fill(page)
    pay(page)
    expect_paid(page)

    expect(page.get_by_label("Quantity of Mug")).to_have_value("0")
    expect(page.get_by_label("Quantity of Notebook")).to_have_value("0")
    expect(card_frame(page).locator("[name=number]")).to_have_value("")
    expect(pay_button(page)).to_be_disabled()
    choose(page)
    expect_ready_to_pay(page)
    fill(page)
    pay(page)
    expect(cards(page)).to_have_count(2)
    expect(cards(page).first).to_contain_text("$12.90")
    assert Order.objects.filter(status="paid").count() == 2


@pytest.mark.parametrize(
    "declines",
    [
        [
            (DECLINED, GENERAL_DECLINE),
            (LOST, GENERAL_DECLINE),
            (STOLEN, GENERAL_DECLINE),
            (NO_FUNDS, "You have not been charged. Use another card or ask your bank."),
        ],
        [
            (EXPIRED, "The card has expired. You have not been charged."),
            (WRONG_CODE, "The security code is wrong. You have not been charged."),
            (UNPROCESSED, "Try once more; if it fails again, contact your bank."),
            (BLOCKED, GENERAL_DECLINE),
        ],
    ],
    ids=["refused", "to be corrected"],
)
def test_a_decline_is_said_and_another_card_pays_the_same_order(
    page: Page, sandbox: SandboxServer, declines: list[tuple[str, str]]
) -> None:
    enter(page)
    page.get_by_label("E-mail").fill("ada@example.com")
    for number, sentence in declines:
        fill_card(page, number)
        expect(error(page)).to_have_text("")
        pay(page)
        expect(error(page)).to_contain_text(sentence)
        expect(error(page)).to_be_focused()
        expect_ready_to_pay(page)
        expect(card_frame(page).locator("[name=number]")).not_to_have_value("")
    declined = Order.objects.get()
    fill_card(page, PAYS)
    pay(page)

    assert expect_paid(page).number == declined.number
    (intent,) = sandbox.objects("payment_intent")
    assert intent["id"] == declined.payment_intent_id


def test_a_completed_challenge_pays(page: Page) -> None:
    enter(page)
    fill(page, ASKS)
    pay(page)
    challenge(page).get_by_role("button", name="Complete").click()

    expect_paid(page)


def test_a_failed_challenge_says_so_and_can_be_repeated(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    fill(page, ASKS)
    pay(page)
    challenge(page).get_by_role("button", name="Fail").click()

    expect(error(page)).to_have_text(
        "The bank’s check was not completed. You have not been charged. "
        "Try again and complete it, or pay with something else."
    )
    expect_ready_to_pay(page)
    pay(page)
    complete = challenge(page).get_by_role("button", name="Complete")
    expect(complete).to_be_enabled()
    expect(error(page)).to_have_text("")
    complete.click()
    expect_paid(page)
    assert len(sandbox.objects("payment_intent")) == 1


def test_ten_rapid_clicks_are_one_payment(page: Page, sandbox: SandboxServer) -> None:
    posts: list[str] = []
    page.on("request", lambda sent: posts.append(sent.method + sent.url))
    enter(page)
    fill(page)
    is_locked = pay_button(page).evaluate(
        """(button) => {
          button.form.requestSubmit();  // Enter in a field
          for (let i = 0; i < 10; i++) button.click();
          return button.disabled;
        }"""
    )
    assert is_locked
    expect_paid(page)

    assert sum(post.startswith("POST") and "/orders/" in post for post in posts) == 1
    assert sum("/confirm" in post for post in posts) == 1
    assert len(sandbox.objects("payment_intent")) == 1
    assert len(sandbox.objects("charge")) == 1


def test_everything_is_locked_while_the_bank_is_asked(page: Page) -> None:
    enter(page)
    fill(page, ASKS)
    pay(page)
    expect(challenge(page).get_by_role("button", name="Complete")).to_be_enabled()

    expect(pay_button(page)).to_be_disabled()
    expect(page.get_by_label("E-mail")).to_be_disabled()
    expect(page.get_by_label("Quantity of Mug")).to_be_disabled()
    expect(page.locator("payment-form form")).to_have_attribute("aria-busy", "true")
    expect(progress(page)).to_have_text("Contacting your bank…")


def test_two_tabs_pay_once(new_context: NewContext, sandbox: SandboxServer) -> None:
    context = new_context()
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        enter(tab)
        fill(tab, ASKS)
        pay(tab)
        expect(challenge(tab).get_by_role("button", name="Fail")).to_be_enabled()
    # The second press began the challenge anew; the first one leads nowhere now.
    challenge(tabs[1]).get_by_role("button", name="Complete").click()
    expect_paid(tabs[1])
    challenge(tabs[0]).get_by_role("button", name="Complete").click()

    expect_paid(tabs[0])
    assert len(sandbox.objects("payment_intent")) == 1
    assert len(sandbox.objects("charge")) == 1


def test_a_stale_tab_is_told_that_the_order_is_paid(
    new_context: NewContext, sandbox: SandboxServer
) -> None:
    context = new_context()
    stale, other, fresh = context.new_page(), context.new_page(), context.new_page()
    for tab in (stale, other, fresh):
        enter(tab)
        fill(tab)
    pay(fresh)
    order = expect_paid(fresh)
    pay(stale)

    expect(error(stale)).to_have_text(
        re.compile(rf"^Order {order.number} is already paid \(\w+ \d+, .*\)\.$")
    )
    assert expect_paid(stale) == order
    expect(cards(stale).get_by_role("heading")).to_be_focused()

    # Another cart is not the one that was paid: it is kept, and nothing is bought.
    other.get_by_role("button", name="One Mug more").click()
    pay(other)
    expect(error(other)).to_contain_text(f"Order {order.number} is already paid (")
    expect(error(other)).to_contain_text("That order is shown here.")
    expect(cards(other)).to_contain_text(order.number)
    expect(other.get_by_label("Quantity of Mug")).to_have_value("1")
    assert len(sandbox.objects("payment_intent")) == 1


def test_a_tab_whose_order_was_replaced_and_paid_elsewhere_is_told_so(
    new_context: NewContext, sandbox: SandboxServer
) -> None:
    context = new_context()
    replaced, paying = context.new_page(), context.new_page()
    enter(replaced)
    fill(replaced, ASKS)
    pay(replaced)
    complete = challenge(replaced).get_by_role("button", name="Complete")
    expect(complete).to_be_enabled()
    enter(paying)
    paying.get_by_role("button", name="One Mug more").click()
    fill(paying)
    pay(paying)
    expect(cards(paying)).to_have_attribute("data-status", "paid")
    order = Order.objects.get(status=Order.Status.PAID)
    complete.click()
    expect(error(replaced)).to_contain_text("was replaced by another cart")
    fill_card(replaced)
    pay(replaced)

    expect(error(replaced)).to_contain_text(f"Order {order.number} is already paid (")
    expect(cards(replaced)).to_contain_text(order.number)
    paid = [it for it in sandbox.objects("charge") if it["status"] == "succeeded"]
    assert len(paid) == 1


def test_reload_and_back_show_the_paid_order_and_an_empty_form(page: Page) -> None:
    enter(page)
    fill(page)
    pay(page)
    order = expect_paid(page)
    page.reload()
    assert expect_paid(page) == order

    cards(page).get_by_role("link", name="Open the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your order")
    expect(pay_button(page)).to_have_count(0)
    page.go_back()
    assert expect_paid(page) == order
    expect(page.get_by_label("Quantity of Notebook")).to_have_value("0")


def test_dusk_during_a_payment_dresses_the_form_and_does_not_stop_it(
    page: Page,
) -> None:
    enter(page)
    fill(page)
    held: list[Route] = []
    page.route("**/orders/", lambda route: held.append(route))
    with page.expect_request("**/orders/"):
        pay(page)
    number = card_frame(page).locator("[name=number]")
    light = number.evaluate("(field) => getComputedStyle(field).backgroundColor")
    page.emulate_media(color_scheme="dark")
    expect(number).not_to_have_css("background-color", light)
    held[0].continue_()

    expect_paid(page)


BROKEN_STRIPE = """
let real;
Object.defineProperty(window, "Stripe", {
  get: () => real,
  set: (made) => {
    const broken = (...options) => Object.assign(made(...options), {
      async confirmPayment() { throw new Error("used wrongly"); },
    });
    real = Object.assign(broken, { version: made.version });
  },
});
"""


def test_what_stripe_js_throws_is_no_answer_of_the_bank(page: Page) -> None:
    page.add_init_script(BROKEN_STRIPE)
    page.clock.install()
    enter(page)
    fill(page)
    pay(page)

    expect(progress(page)).to_have_text(CHECKING)
    expect(pay_button(page)).to_be_disabled()
    page.clock.fast_forward(11_000)
    expect(error(page)).to_contain_text("You have not been charged")
    expect(pay_button(page)).to_be_enabled()


def only_visits(route: Route) -> None:
    if route.request.is_navigation_request():
        route.continue_()


def test_the_cart_is_empty_as_soon_as_it_is_paid(page: Page) -> None:
    enter(page)
    fill(page)
    # Its own fresh copy, which the page fetches last, never comes.
    page.route(re.compile(r"://[^/]+/$"), only_visits)
    pay(page)
    expect_paid(page)
    expect(page.get_by_label("Quantity of Notebook")).to_have_value("0")

    page.reload()
    expect(page.locator("payment-fields")).to_have_attribute("data-state", "ready")
    expect(page.get_by_label("Quantity of Notebook")).to_have_value("0")


def test_a_reload_in_the_middle_ends_with_the_truth(page: Page) -> None:
    page.clock.install()
    enter(page)
    fill(page, ASKS)
    pay(page)
    expect(challenge(page).get_by_role("button", name="Complete")).to_be_enabled()
    held: list[Route] = []
    page.route("**/status/", lambda route: held.append(route))
    page.reload()

    # Said before the shop has answered.
    expect(progress(page)).to_have_text(CHECKING)
    expect(pay_button(page)).to_be_disabled()
    expect(page.get_by_role("link", name="Open the order")).to_be_visible()
    held[0].continue_()
    page.unroute("**/status/")
    page.clock.fast_forward(4_000)
    expect(error(page)).to_contain_text("You have not been charged")
    fill(page, PAYS)
    pay(page)
    expect_paid(page)


def test_a_payment_at_the_banks_own_page_comes_back_to_the_order(page: Page) -> None:
    enter(page)
    page.get_by_label("E-mail").fill("ada@example.com")
    card_frame(page).get_by_role("button", name="Klarna").click()
    pay(page)
    page.get_by_role("button", name=re.compile("Authori[sz]e|Complete")).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your order")
    order = expect_paid(page)
    assert page.url.endswith(order.get_absolute_url())
    expect(pay_button(page)).to_have_count(0)


def test_a_payment_given_up_at_the_bank_can_be_made_again(page: Page) -> None:
    page.clock.install()
    enter(page)
    page.get_by_label("E-mail").fill("ada@example.com")
    card_frame(page).get_by_role("button", name="Klarna").click()
    pay(page)
    page.get_by_role("button", name="Fail").click()

    expect(progress(page)).to_have_text(CHECKING)
    page.clock.fast_forward(4_000)
    expect(error(page)).to_contain_text("You have not been charged")
    fill_card(page)
    pay(page)
    expect_paid(page)


def test_a_page_out_of_the_browsers_memory_asks_for_the_truth(
    new_context: NewContext,
) -> None:
    context = new_context()
    kept, other = context.new_page(), context.new_page()
    enter(kept)
    enter(other)
    fill(other)
    pay(other)
    order = expect_paid(other)
    kept.evaluate(
        "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    )

    assert expect_paid(kept) == order


def test_a_long_wait_lets_the_shopper_go(page: Page) -> None:
    enter(page)
    fill(page)
    page.route("**/status/", still_pending)
    page.clock.install()
    pay(page)
    expect(progress(page)).to_contain_text("Confirming your order…")
    page.clock.fast_forward(21_000)

    number = Order.objects.get().number
    expect(progress(page)).to_contain_text(f"Your order {number} is saved.")
    expect(page.get_by_role("link", name="Open the order")).to_be_visible()
    # A screen reader hears the sentence once, however often the page asks.
    progress(page).evaluate(COUNT_CHANGES)
    for _ in range(4):
        with page.expect_response("**/status/"):
            page.clock.fast_forward(5_000)
    assert page.evaluate("changes") == 0
    # By then it asks every five seconds.
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    start = page.evaluate("performance.now()")
    for _ in range(10):
        page.clock.run_for(1_000)
    passed = page.evaluate("performance.now()") - start
    assert len(asked) <= 1 + passed / 5_000
    page.unroute("**/status/")
    page.clock.fast_forward(5_000)
    expect_paid(page)


COUNT_CHANGES = """(place) => {
  window.changes = 0;
  const count = (records) => { window.changes += records.length; };
  new MutationObserver(count).observe(place, { childList: true, characterData: true });
}"""


def still_pending(route: Route) -> None:
    order = Order.objects.get()
    state = {"number": order.number, "status": "pending"}
    route.fulfill(json={"order": state})


def test_an_edited_return_address_pays_nothing(page: Page) -> None:
    enter(page)
    fill(page, DECLINED)
    pay(page)
    expect(error(page)).to_have_text(GENERAL_DECLINE)
    order = Order.objects.get()
    address = order.get_absolute_url()
    page.goto(f"{address}?payment_intent=pi_1&redirect_status=succeeded")

    expect(page).to_have_url(re.compile(f"{re.escape(address)}$"))
    expect(cards(page)).to_have_attribute("data-status", "pending")
    order.refresh_from_db()
    assert order.is_unpaid


def test_a_changed_price_is_shown_and_asked_about(
    page: Page, products: tuple[Product, Product]
) -> None:
    enter(page)
    fill(page)
    Product.objects.filter(slug="notebook").update(unit_amount=1490)
    pay(page)

    expect(error(page)).to_have_text(
        "The total changed from $12.90 to $14.90. Please check and confirm."
    )
    expect(page.locator("[data-total]")).to_have_text("$14.90")
    expect(page.locator("[data-product=notebook] [data-price]")).to_have_text("$14.90")
    expect(pay_button(page)).to_have_text("Pay $14.90")
    assert not Order.objects.exists()
    pay(page)
    assert expect_paid(page).amount == 1490


def test_without_stripe_the_order_is_kept_and_payable_later(
    page: Page, sandbox: SandboxServer
) -> None:
    enter(page)
    fill(page)
    sandbox.stop()
    pay(page)

    # With the number under which the shop's logs know the request.
    said = (
        "You have not been charged, and your order is kept. "
        r"Please try again in a moment. Reference: \w{16}$"
    )
    expect(error(page)).to_have_text(re.compile(said), timeout=15_000)
    kept = Order.objects.get()
    assert kept.is_unpaid
    sandbox.start()
    pay(page)
    assert expect_paid(page) == kept


def test_without_events_the_shop_asks_stripe_itself(
    page: Page, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkout.payments.WAIT_FOR_EVENT", SHORT_WAIT)
    sandbox.hold_deliveries()
    enter(page)
    fill(page)
    pay(page)
    expect(progress(page)).to_contain_text("Confirming your order…")

    order = expect_paid(page)
    assert order.history.last().source == "status check"


def test_a_lost_answer_of_the_bank_is_looked_up(
    page: Page,
    sandbox: SandboxServer,
    faults: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("checkout.payments.WAIT_FOR_EVENT", SHORT_WAIT)
    enter(page)
    fill(page)
    sandbox.hold_deliveries()
    sandbox.fault("payment_intents.confirm", "drop", when="after")
    pay(page)

    expect(progress(page)).to_have_text(CHECKING)
    expect(pay_button(page)).to_be_disabled()
    expect_paid(page)
    forget_lost_requests(faults)


def test_a_lost_question_to_the_bank_is_found_unpaid(
    page: Page, sandbox: SandboxServer, faults: list[str]
) -> None:
    enter(page)
    fill(page)
    sandbox.fault("payment_intents.confirm", "drop", when="before")
    page.clock.install()
    pay(page)

    expect(progress(page)).to_have_text(CHECKING)
    sandbox.clear_faults()
    page.clock.fast_forward(11_000)
    expect(error(page)).to_have_text(
        "The payment was not completed. You have not been charged. "
        "You can try again, or pay with something else."
    )
    pay(page)
    expect_paid(page)
    assert len(sandbox.objects("payment_intent")) == 1
    forget_lost_requests(faults)


def test_offline_is_said_at_once_and_passes(page: Page, faults: list[str]) -> None:
    enter(page)
    fill(page)
    page.context.set_offline(True)
    pay(page)
    expect(error(page)).to_contain_text("no connection to the internet")

    page.context.set_offline(False)
    expect(error(page)).to_have_text("")
    pay(page)
    expect_paid(page)
    assert not faults


def test_a_broken_shop_is_said_calmly(page: Page) -> None:
    enter(page)
    fill(page)
    page.route(
        "**/orders/", lambda route: route.fulfill(status=500, body="<h1>no</h1>")
    )
    pay(page)

    expect(error(page)).to_contain_text("Something went wrong on our side.")
    expect(error(page)).to_contain_text("You have not been charged.")
    page.unroute("**/orders/")
    pay(page)
    expect_paid(page)


def test_a_shop_that_does_not_answer_is_said_calmly(
    page: Page, faults: list[str]
) -> None:
    enter(page)
    fill(page)
    page.route("**/orders/", lambda route: route.abort())
    pay(page)

    expect(error(page)).to_contain_text("The shop does not answer.")
    expect_ready_to_pay(page)
    forget_lost_requests(faults)


def test_a_spent_csrf_token_is_renewed_unseen(page: Page) -> None:
    enter(page)
    fill(page)
    page.context.clear_cookies(name=re.compile("csrftoken$"))
    pay(page)

    expect_paid(page)


def test_a_card_that_is_not_complete_never_reaches_the_shop(page: Page) -> None:
    enter(page)
    page.get_by_label("E-mail").fill("ada@example.com")
    pay(page)

    number = card_frame(page).locator("[name=number]")
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(number).to_be_focused()
    expect_ready_to_pay(page)
    assert not Order.objects.exists()


@pytest.mark.parametrize("email", ["", "ada", "ada@example"])
def test_an_email_that_cannot_be_one_is_said_at_the_field(
    page: Page, email: str
) -> None:
    enter(page)
    fill(page, email=email)
    pay(page)

    field = page.get_by_label("E-mail")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-email-error]")).to_contain_text("name@example.com")
    field.fill("ada@example.com")
    expect(page.locator("[data-email-error]")).to_have_text("")
    assert not Order.objects.exists()


def test_the_whole_purchase_by_keyboard(page: Page) -> None:
    enter(page)
    page.get_by_role("button", name="One Notebook more").focus()
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type("ada@example.com")
    number = card_frame(page).locator("[name=number]")
    press_tab_until(page, lambda: number.evaluate("(it) => it.matches(':focus')"))
    page.keyboard.type(PAYS)
    page.keyboard.press("Tab")
    page.keyboard.type("1234")
    page.keyboard.press("Tab")
    page.keyboard.type("123")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("12345")
    press_tab_until(page, lambda: has_focus(page, "[type=submit]"))
    page.keyboard.press("Enter")

    assert expect_paid(page).amount == 2580


def press_tab_until(page: Page, arrived: Callable[[], bool]) -> None:
    for _ in range(12):
        if arrived():
            return
        page.keyboard.press("Tab")
    raise AssertionError("not reached by Tab")


def has_focus(page: Page, selector: str) -> bool:
    matches: bool = page.evaluate(
        "(selector) => document.activeElement.matches(selector)", selector
    )
    return matches
