"""The database refuses connections: every answer says so, and none says more."""

import json
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from checkout.models import Order, StripeEvent
from tests.chaos.world import new_browser
from tests.factories import deliver, make_order, make_product, payment_succeeded

pytestmark = pytest.mark.usefixtures("transactional_db")

WISH = {
    "lines": [{"product": "mug", "quantity": 1}],
    "email": "shopper@example.com",
    "amount": 1850,
    "currency": "usd",
}


class Database:
    """The tests' own; it can be sent away and brought back."""

    def __init__(self) -> None:
        self.settings = dict(connection.settings_dict)

    def leave(self) -> None:
        nowhere: dict[str, Any] = {"NAME": "/no/such/folder/shop.sqlite3"}
        if connection.vendor == "postgresql":
            options = self.settings["OPTIONS"]
            pool = {**options["pool"], "timeout": 1}
            options = {**options, "pool": pool}
            nowhere = {"HOST": "127.0.0.1", "PORT": "1", "OPTIONS": options}
        self._become(nowhere)

    def narrow(self) -> None:
        """Leave a single connection for all."""
        options = self.settings["OPTIONS"]
        pool = {**options["pool"], "timeout": 1, "max_size": 1}
        self._become({"OPTIONS": {**options, "pool": pool}})

    def come_back(self) -> None:
        self._become(self.settings)

    def _become(self, settings: dict[str, Any]) -> None:
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()
        connection.settings_dict.update(settings)


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database()
    yield database
    database.come_back()


@pytest.fixture
def browser() -> Client:
    client = new_browser()
    client.raise_request_exception = False
    client.get("/")
    return client


def test_json_says_to_try_again(database: Database, browser: Client) -> None:
    make_product(slug="mug", unit_amount=1850)
    order = make_order()
    database.leave()

    answers = [
        browser.post("/orders/", json.dumps(WISH), content_type="application/json"),
        browser.post(f"{order.get_absolute_url()}payment/"),
        browser.get(f"{order.get_absolute_url()}status/"),
    ]

    for answer in answers:
        assert answer.status_code == 503
        assert answer["Retry-After"] == "5"
        error = answer.json()["error"]
        assert error["code"] == "shop_unavailable"
        assert "nothing is paid twice" in error["message"]
        assert error["reference"] == answer["X-Request-ID"]
        assert "no-store" in answer["Cache-Control"]
    database.come_back()
    assert Order.objects.get() == order


def test_an_order_is_placed_once_when_it_is_back(
    database: Database, browser: Client, sandbox: object
) -> None:
    make_product(slug="mug", unit_amount=1850)
    database.leave()
    body = json.dumps(WISH)
    assert browser.post("/orders/", body, content_type="application/json").status_code

    database.come_back()
    answer = browser.post("/orders/", body, content_type="application/json")

    assert answer.status_code == 201
    assert Order.objects.count() == 1


@pytest.mark.parametrize("path", ["/", "/orders/", "/admin/", "/accounts/login/"])
def test_pages_say_so_without_the_database(
    database: Database, browser: Client, path: str
) -> None:
    browser.cookies["sessionid"] = browser.cookies["__Host-sessionid"] = "x" * 32
    database.leave()

    answer = browser.get(path)

    assert answer.status_code == 503
    assert answer["X-Request-ID"] in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


def test_webhook_is_delivered_again(database: Database, browser: Client) -> None:
    order = make_order()
    event = payment_succeeded(order)
    database.leave()

    refused = deliver(browser, event)

    assert refused.status_code == 503
    assert "html" not in refused["Content-Type"]
    database.come_back()
    assert not StripeEvent.objects.exists()
    assert deliver(browser, event).status_code == 200
    order.refresh_from_db()
    assert order.is_paid


@pytest.mark.postgresql
def test_no_connection_left_in_the_pool_is_said_too(
    database: Database, browser: Client
) -> None:
    make_product(slug="mug", unit_amount=1850)
    database.narrow()
    let_go, has_it = Event(), Event()

    def hold() -> None:
        connection.ensure_connection()
        has_it.set()
        let_go.wait(timeout=30)
        connection.close()

    holder = Thread(target=hold)
    holder.start()
    assert has_it.wait(timeout=30)
    try:
        refused = browser.post(
            "/orders/", json.dumps(WISH), content_type="application/json"
        )
    finally:
        let_go.set()
        holder.join()

    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "shop_unavailable"
    assert browser.get("/").status_code == 200
