"""Limits: the last that passes, the first that does not, and who else is counted."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest
import requests
from django.conf import settings as shop_settings
from django.contrib.auth.tokens import default_token_generator
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode

from checkout import limits, reconcile, webhooks
from checkout.models import Limit, Order, User
from tests.chaos.world import new_browser
from tests.factories import make_order, make_product, payment_succeeded, sign
from tests.live import gunicorn
from tests.sandbox_server import SandboxServer
from tests.test_races import at_once

NOON = datetime(2026, 6, 1, 12, 0, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def read(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    with mock.patch("django.utils.timezone.now", new=clock.read):
        yield clock


@pytest.fixture(autouse=True)
def mug(transactional_db: None) -> None:
    make_product(slug="mug", unit_amount=1850)


def wish(**changes: Any) -> dict[str, Any]:
    """What a page posts; another checkout each time, unless it is named."""
    return {
        "checkout": secrets.token_urlsafe(16),
        "lines": [{"product": "mug", "quantity": 1}],
        "email": "shopper@example.com",
        "amount": 1850,
        "currency": "usd",
        **changes,
    }


def place(browser: Client, *, address: str = "", **changes: Any) -> Any:
    return browser.post(
        "/orders/",
        json.dumps(wish(**changes)),
        content_type="application/json",
        REMOTE_ADDR=address or "127.0.0.1",
    )


def visiting() -> Client:
    browser = new_browser()
    browser.get("/")
    return browser


def assert_too_many(answer: Any, *, after: int) -> None:
    assert answer.status_code == 429
    assert answer["Retry-After"] == str(after)
    error = answer.json()["error"]
    assert error["code"] == "too_many_requests"
    assert "You have not been charged." in error["message"]
    assert "no-store" in answer["Cache-Control"]


def statuses(count: int, act: Callable[[], Any]) -> Counter[int]:
    return Counter(act().status_code for _ in range(count))


# --- Placing an order ---------------------------------------------------------------


def test_ten_orders_of_a_visitor_in_ten_minutes(
    sandbox: SandboxServer, clock: Clock
) -> None:
    browser, other = visiting(), visiting()

    assert statuses(10, lambda: place(browser)) == {201: 10}
    assert_too_many(place(browser), after=599)

    assert Order.objects.count() == 10
    assert len(sandbox.objects("payment_intent")) == 10
    assert place(other).status_code == 201
    clock.pass_by(timedelta(seconds=598))
    assert_too_many(place(browser), after=1)
    clock.pass_by(timedelta(seconds=1))
    assert place(browser).status_code == 201


def test_sixty_orders_of_an_address_in_ten_minutes(
    sandbox: SandboxServer, clock: Clock
) -> None:
    assert statuses(60, lambda: place(new_browser())) == {201: 60}
    assert_too_many(place(new_browser()), after=599)

    assert Order.objects.count() == 60
    assert place(new_browser(), address="192.0.2.7").status_code == 201
    clock.pass_by(10 * MINUTE)
    assert place(new_browser()).status_code == 201


def test_only_orders_that_were_placed_count(
    sandbox: SandboxServer, clock: Clock
) -> None:
    browser = visiting()

    for refused in ({"amount": 1}, {"lines": []}, {"email": "nobody"}):
        assert {*statuses(11, lambda r=refused: place(browser, **r))} <= {400, 409}
    assert statuses(10, lambda: place(browser)) == {201: 10}
    # Nor do those that are over the limit.
    assert statuses(3, lambda: place(browser)) == {429: 3}
    assert Order.objects.count() == 10


def test_of_twenty_orders_at_once_exactly_ten_are_placed(
    sandbox: SandboxServer, clock: Clock
) -> None:
    browser = visiting()

    def press() -> int:
        tab = new_browser()
        tab.cookies = browser.cookies
        status: int = place(tab).status_code
        return status

    # Some may have been placed and wait for Stripe, which only so many may ask.
    answers = Counter(at_once(*[press] * 20))
    assert answers[429] == 10, answers
    assert Order.objects.count() == 10


def test_losers_of_a_race_for_one_checkout_do_not_count(
    sandbox: SandboxServer, clock: Clock
) -> None:
    browser = visiting()

    def press() -> int:
        tab = new_browser()
        tab.cookies = browser.cookies
        status: int = place(tab, checkout="the-same-for-everybody").status_code
        return status

    assert set(at_once(*[press] * 20)) <= {200, 201, 503}
    assert statuses(9, lambda: place(browser)) == {201: 9}
    assert_too_many(place(browser), after=599)


# --- Repeats ------------------------------------------------------------------------


def test_sixty_repeats_of_a_visitor_in_a_minute(
    sandbox: SandboxServer, clock: Clock
) -> None:
    browser = visiting()
    again = {"checkout": secrets.token_urlsafe(16)}
    order = place(browser, **again).json()["order"]

    def press() -> Any:
        return place(browser, **again, address="192.0.2.7")

    assert statuses(59, press) == {200: 59}
    assert browser.post(f"{order['url']}payment/").status_code == 200
    assert_too_many(press(), after=59)
    assert_too_many(browser.post(f"{order['url']}payment/"), after=59)
    # The order is as it was, and another one may still be placed.
    assert browser.get(f"{order['url']}status/").json()["order"] == order
    assert place(browser).status_code == 201
    clock.pass_by(MINUTE)
    assert press().status_code == 200


def test_sixty_repeats_of_an_address_in_a_minute(
    sandbox: SandboxServer, clock: Clock
) -> None:
    order = place(visiting()).json()["order"]

    def pay() -> Any:
        # Whoever has the link, in a browser that was never here.
        return new_browser().post(f"{order['url']}payment/")

    assert statuses(60, pay) == {200: 60}
    assert_too_many(pay(), after=59)
    elsewhere = new_browser().post(f"{order['url']}payment/", REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200
    clock.pass_by(MINUTE)
    assert pay().status_code == 200


def test_a_spent_checkout_is_repeated_no_more_often(
    sandbox: SandboxServer, clock: Clock
) -> None:
    browser = visiting()
    again = {"checkout": secrets.token_urlsafe(16)}
    place(browser, **again)
    Order.objects.update(status="processing")

    assert statuses(60, lambda: place(browser, **again)) == {409: 60}
    assert_too_many(place(browser, **again), after=59)


# --- Accounts -----------------------------------------------------------------------

ANNA = "anna@example.com"
PASSWORD = "a-long-and-quiet-evening"
DOORS = ["/accounts/login/", "/admin/login/"]


@pytest.fixture
def anna() -> User:
    return User.objects.create_user(ANNA, PASSWORD, is_staff=True)


def sign_in(
    password: str, *, who: str = ANNA, address: str = "192.0.2.7", door: str = DOORS[0]
) -> Any:
    fields = {"username": who, "password": password}
    return new_browser().post(door, fields, REMOTE_ADDR=address)


def text_of(page: Any) -> str:
    return re.sub(r'value="[^"]*"', "", page.content.decode())


def test_whoever_chose_a_new_password_by_mail_need_not_wait(
    clock: Clock, anna: User
) -> None:
    for _ in range(11):
        sign_in("wrong")
    token = default_token_generator.make_token(anna)
    link = f"/accounts/reset/{urlsafe_base64_encode(str(anna.pk).encode())}/{token}/"
    browser = new_browser()
    form = browser.get(link, REMOTE_ADDR="192.0.2.7", follow=True)
    new = "another-long-and-quiet-evening"

    browser.post(
        form.redirect_chain[-1][0],
        {"new_password1": new, "new_password2": new},
        REMOTE_ADDR="192.0.2.7",
    )

    assert sign_in(new).status_code == 302


@pytest.mark.parametrize("door", DOORS)
def test_ten_wrong_passwords_for_an_account_from_an_address(
    clock: Clock, anna: User, door: str
) -> None:
    wrong = [sign_in("wrong", door=door) for _ in range(10)]
    over = [sign_in(password, door=door) for password in ("wrong", PASSWORD)]

    assert {answer.status_code for answer in wrong} == {200}
    for answer in over:
        assert answer.status_code == 429
        assert answer["Retry-After"] == "899"
        assert text_of(answer) == text_of(wrong[0])
        assert "no-store" in answer["Cache-Control"]
    # However the name is written, and at the other door.
    other = DOORS[door == DOORS[0]]
    assert sign_in(PASSWORD, who=" ANNA@example.com", door=other).status_code == 429
    # Not for somebody else here, nor for Anna elsewhere.
    assert sign_in("wrong", who="berta@example.com", door=door).status_code == 200
    assert sign_in(PASSWORD, address="192.0.2.8", door=door).status_code == 302
    clock.pass_by(15 * MINUTE)
    assert sign_in(PASSWORD, door=door).status_code == 302


def test_an_account_that_does_not_exist_is_locked_alike(
    clock: Clock, anna: User
) -> None:
    answers = [
        [sign_in("wrong", who=who) for _ in range(12)]
        for who in (ANNA, "nobody@example.com")
    ]

    there, nowhere = [[(a.status_code, text_of(a)) for a in some] for some in answers]
    assert there == nowhere


def test_fifty_wrong_passwords_of_an_address(clock: Clock, anna: User) -> None:
    def attack() -> Counter[int]:
        names = [f"{number // 5}@example.com" for number in range(51)]
        return Counter(sign_in("wrong", who=name).status_code for name in names)

    assert attack() == {200: 50, 429: 1}
    assert sign_in(PASSWORD).status_code == 429
    assert sign_in(PASSWORD, address="192.0.2.8").status_code == 302
    clock.pass_by(15 * MINUTE)
    assert sign_in(PASSWORD).status_code == 302


def test_signing_in_rightly_is_not_limited(clock: Clock, anna: User) -> None:
    for _ in range(9):
        sign_in("wrong")

    assert {sign_in(PASSWORD).status_code for _ in range(60)} == {302}
    assert sign_in("wrong").status_code == 200
    assert sign_in(PASSWORD).status_code == 429


def test_of_forty_passwords_at_once_ten_are_tried(clock: Clock, anna: User) -> None:
    answers = at_once(*[lambda: sign_in("wrong").status_code] * 40)

    assert Counter(answers) == {200: 10, 429: 30}


def test_what_is_kept_and_logged_of_a_sign_in_names_nobody(
    clock: Clock, anna: User, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(12):
        sign_in("wrong")

    kept = str(list(Limit.objects.values()))
    for told in (kept, caplog.text):
        assert "anna" not in told.lower()
        assert "192.0.2" not in told
    assert "Limit reached: sign-ins of account" in caplog.text


@pytest.mark.parametrize("page", ["signup", "password_reset"])
def test_ten_mails_of_an_address_in_ten_minutes(
    clock: Clock, anna: User, page: str
) -> None:
    def ask(email: str, address: str = "192.0.2.7") -> Any:
        fields = {"email": email}
        return new_browser().post(f"/accounts/{page}/", fields, REMOTE_ADDR=address)

    passed = {ask(f"{number}@example.com").status_code for number in range(10)}
    over = [ask(email) for email in (ANNA, "nobody@example.com")]

    assert passed <= {200, 302}
    for answer in over:
        assert answer.status_code == 429
        assert answer["Retry-After"] == "599"
        assert "Please try again in 10 minutes." in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
    assert over[0].content == over[1].content
    # What is not an address is no mail.
    assert ask("nobody").status_code == 200
    assert ask("nobody@example.com", "192.0.2.8").status_code in passed
    clock.pass_by(10 * MINUTE)
    assert ask("nobody@example.com").status_code in passed


# --- What is too much ---------------------------------------------------------------


def of_length(length: int) -> str:
    return "@example.com".rjust(length, "x")


@pytest.mark.parametrize(
    ("most", "over"),
    [
        ({"lines": [{"product": "mug", "quantity": 99}], "amount": 183_150},
         {"lines": [{"product": "mug", "quantity": 100}], "amount": 185_000}),
        ({"lines": [{"product": "gold", "quantity": 33}], "amount": 99_999_999},
         {"lines": [{"product": "gold", "quantity": 33},
                    {"product": "gum", "quantity": 1}], "amount": 100_000_000}),
        ({"email": of_length(254)}, {"email": of_length(255)}),
    ],
)  # fmt: skip
def test_fields(
    sandbox: SandboxServer, most: dict[str, Any], over: dict[str, Any]
) -> None:
    make_product(slug="gold", unit_amount=3_030_303)
    make_product(slug="gum", unit_amount=1)

    assert place(new_browser(), **most).status_code == 201
    refused = place(new_browser(), **over)

    assert refused.status_code == 400
    assert refused.json()["error"]["message"]
    assert Order.objects.count() == 1


def test_a_hundred_lines(sandbox: SandboxServer) -> None:
    products = [make_product(unit_amount=100) for _ in range(101)]
    lines = [{"product": product.slug, "quantity": 1} for product in products]

    refused = place(new_browser(), lines=lines, amount=10_100)
    assert place(new_browser(), lines=lines[:100], amount=10_000).status_code == 201

    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "invalid_cart"


def test_bodies_and_their_fields() -> None:
    def post(body: bytes) -> int:
        return new_browser().post("/orders/", body, "application/json").status_code

    def sign_up(fields: int) -> int:
        body = "&".join(["email=nobody"] * fields)
        form = "application/x-www-form-urlencoded"
        return new_browser().post("/accounts/signup/", body, form).status_code

    most = 5 * 1024 * 1024 // 2
    # Read and refused for what it says, or not read at all.
    assert (
        b"could not be read"
        in new_browser().post("/orders/", b" " * most, "application/json").content
    )
    assert post(b" " * (most + 1)) in (400, 413)
    assert sign_up(1000) == 200
    assert sign_up(1001) in (400, 413)


def test_webhooks_of_any_length_are_read_within_a_mebibyte(
    sandbox: SandboxServer,
) -> None:
    event = json.dumps(payment_succeeded(make_order())).encode()
    longest = event.ljust(webhooks.MAX_BYTES)

    def post(shop: str, body: bytes, sent: Any = None) -> int:
        headers = {"Stripe-Signature": sign(body)}
        url = f"{shop}/stripe/webhook/"
        return requests.post(url, sent or body, headers=headers, timeout=30).status_code

    with gunicorn(sandbox) as shop:
        assert post(shop, longest) == 200
        assert post(shop, longest + b" ") == 413
        # In chunks, without a length: nothing of it is read, so nothing is authentic.
        for body in (event, longest + b" "):
            assert post(shop, body, iter([body])) == 400


# --- Shared, and kept ---------------------------------------------------------------


def press(shop: str, cookies: dict[str, str]) -> int:
    proof = {
        "X-CSRFToken": cookies[shop_settings.CSRF_COOKIE_NAME],
        "Referer": f"{shop}/",
    }
    sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    answer = requests.post(
        f"{shop}/orders/", json=wish(), headers=proof | sent, timeout=30
    )
    return answer.status_code


def test_workers_count_together_and_remember_over_a_restart(
    sandbox: SandboxServer,
) -> None:
    while True:
        before = window()
        placed_before = Order.objects.count()
        with gunicorn(sandbox) as shop:
            cookies = requests.get(f"{shop}/", timeout=30).cookies.get_dict()
            answers = Counter(at_once(*[partial(press, shop, cookies)] * 16))
        with gunicorn(sandbox) as shop:
            later = [press(shop, cookies) for _ in range(3)]
        if window() == before:
            break
        # The window ended meanwhile: once more in the one that has just begun.
    assert answers[429] == 6, answers
    assert Order.objects.count() - placed_before == 10
    assert later == [429] * 3


def window() -> int:
    return int(timezone.now().timestamp() // 600)


def test_counters_tell_nobodys_name_and_are_forgotten(
    sandbox: SandboxServer, clock: Clock
) -> None:
    browser = visiting()
    place(browser, address="192.0.2.7")
    visitor = Order.objects.get().visitor

    kept = str(list(Limit.objects.values()))
    assert "192.0.2" not in kept
    assert visitor not in kept
    assert Limit.objects.count() == 2
    clock.pass_by(2 * timedelta(hours=1))
    list(reconcile.prune_limits())
    assert not Limit.objects.exists()


def test_counters_in_use_are_not_forgotten(
    sandbox: SandboxServer, clock: Clock
) -> None:
    browser = visiting()
    statuses(10, lambda: place(browser))
    clock.pass_by(timedelta(seconds=598))

    list(reconcile.prune_limits())

    assert place(browser).status_code == 429


# --- Whose request ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "forwarded", "direct", "found"),
    [
        (0, "203.0.113.9", "192.0.2.7", "192.0.2.7"),
        (1, "203.0.113.9", "192.0.2.7", "203.0.113.9"),
        (1, "forged, 203.0.113.9", "192.0.2.7", "203.0.113.9"),
        (1, "10.9.9.9,203.0.113.9", "192.0.2.7", "203.0.113.9"),
        (2, "10.9.9.9, 203.0.113.9, 198.51.100.1", "192.0.2.7", "203.0.113.9"),
        # Not through all proxies: nothing in it was added by one that is believed.
        (2, "203.0.113.9", "192.0.2.7", "192.0.2.7"),
        (1, "", "192.0.2.7", "192.0.2.7"),
        (1, "unknown", "192.0.2.7", "192.0.2.7"),
        (1, "203.0.113.9:4711", "192.0.2.7", "203.0.113.9"),
        (1, "[2001:db8:1:2::9]:4711", "192.0.2.7", "2001:db8:1:2::/64"),
        (1, "[", "192.0.2.7", "192.0.2.7"),
        (0, "", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (0, "", "2001:db8:1:3::1", "2001:db8:1:3::/64"),
        (0, "", "::ffff:192.0.2.7", "192.0.2.7"),
        (0, "", "fe80::1%eth0", "fe80::/64"),
        (0, "", "", ""),
    ],
)
def test_address(
    settings: Any, proxies: int, forwarded: str, direct: str, found: str
) -> None:
    settings.PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=direct)

    assert limits.address_of(request) == found


def test_forged_addresses_count_as_the_real_one(
    sandbox: SandboxServer, clock: Clock
) -> None:
    order = place(visiting()).json()["order"]

    def pay(number: int) -> int:
        forged = {"X-Forwarded-For": f"203.0.113.{number}"}
        answer = new_browser().post(f"{order['url']}payment/", headers=forged)
        status: int = answer.status_code
        return status

    assert Counter(pay(number) for number in range(61)) == {200: 60, 429: 1}


def test_shoppers_behind_a_proxy_are_counted_each(
    sandbox: SandboxServer, clock: Clock, settings: Any
) -> None:
    settings.PROXY_COUNT = 1
    order = place(visiting()).json()["order"]

    def pay(number: int) -> int:
        added = {"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.{number}"}
        answer = new_browser().post(f"{order['url']}payment/", headers=added)
        status: int = answer.status_code
        return status

    assert Counter(pay(number) for number in range(61)) == {200: 61}


def test_one_household_of_ipv6_is_one_address(
    sandbox: SandboxServer, clock: Clock
) -> None:
    order = place(visiting()).json()["order"]

    def pay(address: str) -> int:
        answer = new_browser().post(f"{order['url']}payment/", REMOTE_ADDR=address)
        status: int = answer.status_code
        return status

    answers = Counter(pay(f"2001:db8:1:2:{number:x}::1") for number in range(61))
    assert answers == {200: 60, 429: 1}
    assert pay("2001:db8:1:3::1") == 200
