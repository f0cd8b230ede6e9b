"""`make screenshots`: every page and state at 1280 and 360, light and dark.

Collected only when it is named; the tests of accessibility go the same ways and inspect
where this photographs. The pictures go to build/screenshots; the best are copied to
docs/screenshots for the README.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from checkout import attention, visitor
from checkout.models import (
    Attention,
    Dispute,
    Order,
    Product,
    Refund,
    StripeEvent,
    User,
)
from tests.browser import shopper
from tests.browsers import forget_lost_requests
from tests.factories import make_order
from tests.sandbox_server import SandboxServer, wait_for

FOLDER = Path(__file__).resolve().parent.parent / "build" / "screenshots"
SIZES = {"1280": {"width": 1280, "height": 800}, "360": {"width": 360, "height": 740}}
PAID = {
    "status": "paid", "amount_received": 1099, "method": "card", "brand": "visa",
    "last4": "4242",
}  # fmt: skip

Camera = tuple[Page, Callable[[str], None]]
# The names of all pictures of this run.
taken: set[str] = set()


@pytest.fixture(params=["en-US"])
def camera(new_page: Any, faults: list[str], request: Any) -> Any:
    """A page, and a function that photographs it in every size and colour scheme."""
    call_command("seed_products", verbosity=0)
    page: Page = new_page(locale=request.param)
    FOLDER.mkdir(parents=True, exist_ok=True)

    def shoot(name: str) -> None:
        assert name not in taken, f"{name} would hide another picture"
        taken.add(name)
        for label, size in SIZES.items():
            page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(300)
                # A viewport as long as the page: Chromium's own full-page picture
                # catches frames of another site in the middle of their layout.
                height = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": size["width"], "height": height})
                page.wait_for_timeout(300)
                page.screenshot(path=FOLDER / f"{name}-{label}-{scheme}.png")
                page.set_viewport_size(size)
        page.set_viewport_size(SIZES["1280"])

    yield page, shoot
    forget_lost_requests(faults)


def choose(page: Page) -> None:
    page.locator("input[type=number]").nth(0).fill("2")
    page.locator("input[type=number]").nth(1).fill("1")


def press_pay(page: Page) -> None:
    # A click soon after a resize lands in a frame that is not where it was.
    expect(shopper.pay_button(page)).to_be_enabled()
    shopper.pay_button(page).press("Enter")


def buy(page: Page) -> Order:
    shopper.enter(page)
    before = page.locator("[data-status=paid]").count()
    choose(page)
    shopper.fill(page)
    press_pay(page)
    expect(page.locator("[data-status=paid]")).to_have_count(before + 1)
    return Order.objects.filter(status="paid").latest("pk")


def fail(page: Page, shoot: Callable[[str], None], name: str, route: Any) -> None:
    """Photograph what the page says when placing the order ends so."""
    page.route("**/orders/", route)
    press_pay(page)
    expect(shopper.error(page)).not_to_have_text("")
    shoot(name)
    page.unroute("**/orders/")


def test_before_paying(camera: Camera, sandbox: SandboxServer) -> None:
    page, shoot = camera
    page.route(sandbox.js_url, lambda route: route.abort())
    page.goto("/")
    expect(page.locator("[data-note]")).to_contain_text("could not load")
    shoot("blocked")
    page.unroute(sandbox.js_url)
    page.route("**/endive/frames/element.html", lambda route: None)
    page.goto("/", wait_until="commit")
    expect(page.locator("[data-note]")).to_contain_text("Loading")
    shoot("loading")
    page.unroute("**/endive/frames/element.html")
    page.goto("/")
    expect(page.locator("payment-fields")).to_have_attribute("data-state", "ready")
    shoot("nothing-chosen")
    page.locator("input[type=number]").nth(1).fill("1.5")
    shoot("quantity")
    choose(page)
    shoot("shop")
    press_pay(page)
    shoot("no-email")
    shopper.fill(page)
    shoot("filled")


def test_errors(camera: Camera) -> None:
    page, shoot = camera
    shopper.enter(page)
    choose(page)
    shopper.fill(page)
    fail(page, shoot, "too-fast", lambda route: route.fulfill(status=429))
    reference = {"X-Request-ID": "5f1c2a7d90be"}
    broken = {"status": 500, "headers": reference}
    fail(page, shoot, "our-error", lambda route: route.fulfill(**broken))
    placing: list[Route] = []
    page.route("**/orders/", lambda route: placing.append(route))
    press_pay(page)
    wait_for(lambda: page.title() and placing)
    expect(shopper.progress(page)).to_contain_text("Contacting")
    shoot("contacting")
    placing.pop().abort()
    expect(shopper.error(page)).not_to_have_text("")
    shoot("unreachable")
    page.unroute("**/orders/")
    page.context.set_offline(True)
    press_pay(page)
    shoot("offline")
    page.context.set_offline(False)
    expect(shopper.error(page)).to_have_text("")
    first, second = Product.objects.on_sale()[:2]
    Product.objects.filter(pk=first.pk).update(unit_amount=first.unit_amount + 200)
    press_pay(page)
    expect(shopper.error(page)).to_contain_text("The total changed")
    shoot("price-changed")
    Product.objects.filter(pk=second.pk).update(active=False)
    press_pay(page)
    expect(shopper.error(page)).to_contain_text("No longer available")
    shoot("product-gone")
    Product.objects.update(unit_amount=20)
    page.reload()
    expect(page.locator("[data-reason]")).to_contain_text("smallest amount")
    shoot("too-small")


def test_paying(camera: Camera, sandbox: SandboxServer) -> None:
    page, shoot = camera
    shopper.enter(page)
    choose(page)
    shopper.fill(page, shopper.DECLINED)
    press_pay(page)
    expect(shopper.error(page)).not_to_have_text("")
    shoot("declined")
    shopper.fill_card(page, shopper.ASKS)
    press_pay(page)
    shopper.challenge(page).get_by_role("button").first.wait_for()
    shoot("challenge")
    shopper.challenge(page).get_by_role("button", name="Fail").click()
    expect(shopper.error(page)).not_to_have_text("")
    shoot("not-authenticated")
    sandbox.hold_deliveries()
    page.route("**/status/", still_pending)
    press_pay(page)
    shopper.challenge(page).get_by_role("button", name="Complete").click()
    expect(shopper.progress(page)).to_contain_text("Confirming")
    shoot("confirming")
    page.reload()
    expect(shopper.progress(page)).to_contain_text("We are checking")
    shoot("checking")
    page.unroute("**/status/")
    sandbox.release_deliveries()
    expect(page.locator("[data-status=paid]").first).to_be_visible()
    shoot("paid")


def test_long_wait(camera: Camera) -> None:
    page, shoot = camera
    shopper.enter(page)
    shopper.fill(page)
    page.route("**/status/", still_pending)
    page.clock.install()
    press_pay(page)
    expect(shopper.progress(page)).to_contain_text("Confirming")
    page.clock.fast_forward(21_000)
    expect(shopper.progress(page)).to_contain_text("longer than usual")
    shoot("long-wait")


def still_pending(route: Route) -> None:
    state = {"number": Order.objects.get().number, "status": "pending"}
    route.fulfill(json={"order": state})


def test_orders(camera: Camera, settings: Any) -> None:
    page, shoot = camera
    order = buy(page)
    page.goto("/orders/")
    shoot("orders")
    page.goto(order.get_absolute_url())
    shoot("order")
    settings.DEBUG = True
    make_order_page(page, shoot, "no-webhook")
    settings.DEBUG = False
    make_order_page(page, shoot, "partly-refunded", amount_refunded=500)
    make_order_page(page, shoot, "refunded", amount_refunded=1099)
    failed = make_order(**PAID, paid_at=timezone.now())
    Refund.objects.create(
        order=failed, stripe_id="re_1", amount=1099, status="failed", source="evt_1"
    )
    attention.open_item(attention.Kind.REFUND_FAILED, "re_1", failed)
    page.goto(failed.get_absolute_url())
    shoot("refund-failed")
    disputed = make_order(**PAID, paid_at=timezone.now())
    Dispute.objects.create(
        stripe_id="du_1", order=disputed, amount=1099, currency="usd",
        reason="fraudulent", status="needs_response", as_of=timezone.now(),
    )  # fmt: skip
    page.goto(disputed.get_absolute_url())
    shoot("disputed")


def test_orders_that_are_not_paid(camera: Camera) -> None:
    page, shoot = camera
    make_order_page(page, shoot, "processing", status="processing")
    for reason in ("expired", "replaced", "declined", "operator"):
        state = {"status": "canceled", "closed_reason": reason}
        make_order_page(page, shoot, f"closed-{reason}", **state)
    unpaid = make_order()
    page.goto(unpaid.get_absolute_url())
    expect(page.locator("payment-fields")).to_have_attribute("data-state", "ready")
    shoot("unpaid")


def test_mail(camera: Camera) -> None:
    page, shoot = camera
    buy(page)
    wait_for(lambda: mail.outbox)
    html = mail.outbox[-1].alternatives[0].content
    page.goto("about:blank")
    page.set_content(html)
    shoot("mail")


def test_without_scripts(new_page: Any) -> None:
    call_command("seed_products", verbosity=0)
    page = new_page(preferences="scriptEnabled=false")
    for label, size in SIZES.items():
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto("/")
            name = f"no-script-{label}-{scheme}.png"
            page.screenshot(path=FOLDER / name, full_page=True)


def test_nothing_on_sale(camera: Camera) -> None:
    page, shoot = camera
    Product.objects.update(currency="eur")
    page.goto("/")
    shoot("nothing-on-sale")


@pytest.mark.parametrize("camera", ["en-US", "de-DE"], indirect=True)
def test_unfinished_orders(camera: Camera, request: Any) -> None:
    page, shoot = camera
    language = request.node.callspec.params["camera"][:2]
    page.goto("/")
    cookie = {it["name"]: it["value"] for it in page.context.cookies()}
    client = Client()
    client.cookies.load({name: cookie[name] for name in cookie})
    here = visitor.of(client.get("/").wsgi_request)
    assert here
    make_order(visitor=here.id, status="processing")
    make_order(visitor=here.id, decline_code="insufficient_funds", amount=6400)
    shopper.enter(page)
    choose(page)
    shoot(f"unfinished-{language}")


def make_order_page(
    page: Page, shoot: Callable[[str], None], name: str, **fields: Any
) -> None:
    if "status" not in fields:
        fields = {**PAID, "paid_at": timezone.now(), **fields}
    order = make_order(**fields)
    page.goto(order.get_absolute_url())
    shoot(name)


def test_already_paid(camera: Camera) -> None:
    page, shoot = camera
    stale = page.context.new_page()
    shopper.enter(page)
    shopper.enter(stale)
    shopper.fill(stale)
    shopper.pay(stale)
    expect(stale.locator("[data-status=paid]").first).to_be_visible()
    shopper.fill(page)
    press_pay(page)
    expect(shopper.error(page)).to_contain_text("is already paid")
    shoot("already-paid")


def test_accounts(camera: Camera) -> None:
    page, shoot = camera
    for name in ("login", "signup", "password_reset"):
        page.goto(f"/accounts/{name}/")
        shoot(name)
    User.objects.create_user("ada@example.com", "a-quiet-evening")
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("not hers")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    shoot("login-refused")
    page.get_by_label("Password").fill("a-quiet-evening")
    page.get_by_role("button", name="Sign in").click()
    shoot("orders-signed-in")
    page.get_by_role("link", name="Change your password").click()
    page.get_by_label("Old password").fill("a-quiet-evening")
    page.get_by_label("New password", exact=True).fill("123")
    page.get_by_label("confirmation").fill("1234")
    page.get_by_role("button").last.click()
    shoot("password-change")
    page.goto("/no-such-page/")
    shoot("404")


@pytest.mark.parametrize("camera", ["de-DE"], indirect=True)
def test_german(camera: Camera) -> None:
    page, shoot = camera
    shopper.enter(page)
    page.locator("#email").fill("ada@example.com")
    # Where German is spoken, nobody is asked for a postal code.
    card = {"number": shopper.NO_FUNDS, "expiry": "12 / 34", "cvc": "123"}
    for name, text in card.items():
        shopper.card_frame(page).locator(f"[name={name}]").fill(text)
    press_pay(page)
    expect(shopper.error(page)).not_to_have_text("")
    shoot("german")


def test_admin(camera: Camera, sandbox: SandboxServer) -> None:
    page, shoot = camera
    order = buy(page)
    make_order(decline_code="insufficient_funds")
    sandbox.dispute(order.charge_id)
    wait_for(Attention.objects.exists)
    page.goto("/")
    refunded = buy(page)
    User.objects.create_superuser("operator@example.com", "a-quiet-evening")
    page.goto("/admin/")
    shoot("admin-login")
    page.locator("[name=username]").fill("operator@example.com")
    page.locator("[name=password]").fill("a-quiet-evening")
    page.locator("[type=submit]").click()
    shoot("admin")
    one, item = f"order/{order.pk}", Attention.objects.get()
    refund = f"order/{refunded.pk}/refund/"
    event = StripeEvent.objects.filter(outcome="applied").latest("received_at")
    for name, path in {
        "orders": "order/",
        "order": f"{one}/change/",
        "refund": refund,
        "refund-too-much": f"{refund}?amount=999&reason=duplicate",
        "refund-review": f"{refund}?amount=1&reason=duplicate",
        "attention": "attention/",
        "attention-item": f"attention/{item.pk}/change/",
        "events": "stripeevent/",
        "event": f"stripeevent/{quote(event.pk)}/change/",
        "products": "product/",
        "product": f"product/{Product.objects.first().pk}/change/",
        "product-new": "product/add/",
        "people": "user/",
        "person": f"user/{User.objects.get().pk}/change/",
    }.items():
        page.goto(f"/admin/checkout/{path}")
        shoot(f"admin-{name}")
    page.goto("/admin/checkout/product/add/")
    page.get_by_label("Price").fill("-5")
    page.get_by_role("button", name="Save", exact=True).click()
    shoot("admin-product-refused")
