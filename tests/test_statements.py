"""How many statements a request costs, counted on a process that has served before."""

import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from checkout import visitor
from checkout.models import Order, Shop
from tests.chaos.world import new_browser
from tests.factories import deliver, make_order, make_product, payment_succeeded
from tests.sandbox_server import SandboxServer

# Committed for real: BEGIN, COMMIT and savepoints count as they do in production.
pytestmark = pytest.mark.usefixtures("transactional_db", "warm")


@pytest.fixture
def warm() -> None:
    Shop.current_reference()


def statements(request: Callable[[], object]) -> list[str]:
    """Return the first word of each statement, in order."""
    with CaptureQueriesContext(connection) as captured:
        request()
    return [query["sql"].split()[0] for query in captured.captured_queries]


def test_event_that_settles_an_order() -> None:
    event = payment_succeeded(make_order())

    found = statements(lambda: deliver(Client(), event))

    assert found == [
        "UPDATE",  # the event, had it been done before
        "BEGIN", "SELECT", "UPDATE",  # the order, locked
        "INSERT", "INSERT",  # history and mail
        "INSERT", "COMMIT",  # the event with its outcome
    ]  # fmt: skip


def test_repeated_event_is_one_statement() -> None:
    event = payment_succeeded(make_order())
    deliver(Client(), event)

    found = statements(lambda: deliver(Client(), event))

    assert found == ["UPDATE"]


def test_placing_an_order(sandbox: SandboxServer) -> None:
    make_product(slug="mug", unit_amount=1850)
    browser = new_browser()
    browser.get("/")
    wish = {
        "lines": [{"product": "mug", "quantity": 1}],
        "email": "shopper@example.com",
        "amount": 1850,
        "currency": "usd",
    }

    found = statements(
        lambda: browser.post(
            "/orders/", json.dumps(wish), content_type="application/json"
        )
    )

    assert Order.objects.get().payment_intent_id
    assert found == [
        "SELECT", "SELECT",  # the checkout, the products
        "BEGIN", "INSERT", "INSERT", "INSERT",  # order, line, history
        "INSERT", "INSERT", "COMMIT",  # counted: of this visitor, of this address
        "UPDATE",  # its PaymentIntent
    ]  # fmt: skip


def test_status_of_a_settled_order_is_one_query() -> None:
    order = make_order()
    deliver(Client(), payment_succeeded(order))

    path = f"{order.get_absolute_url()}status/"
    found = statements(lambda: Client().get(path))

    assert found == ["SELECT"]


def test_shop_page_of_somebody_who_has_bought() -> None:
    make_product()
    browser = new_browser()
    browser.get("/")
    here = visitor.of(browser.get("/").wsgi_request)
    assert here is not None
    deliver(Client(), payment_succeeded(make_order(visitor=here.id)))

    found = statements(lambda: browser.get("/"))

    assert found == ["SELECT", "SELECT", "SELECT"]  # orders, lines, products
