"""Limits: the last that passes, the first that does not, and who else is counted."""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest
import requests
from django.test import Client, RequestFactory
from django.utils import timezone

from checkout import limits, reconcile
from checkout.models import Limit, Order
from tests.chaos.world import new_browser
from tests.factories import make_product
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
    assert "Nothing was sent to your bank." in error["message"]
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


# --- Shared, and kept ---------------------------------------------------------------


def press(shop: str, cookies: dict[str, str]) -> int:
    token = {"X-CSRFToken": cookies["csrftoken"], "Referer": f"{shop}/"}
    sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    answer = requests.post(
        f"{shop}/orders/", json=wish(), headers=token | sent, timeout=30
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
