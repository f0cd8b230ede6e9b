"""Bodies nobody should send: each is refused in words, and nothing is lost by it."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from checkout.models import Order, User
from tests.chaos.world import new_browser
from tests.factories import make_order, make_product, sign
from tests.live import gunicorn
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.usefixtures("transactional_db")

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=cut"
TOO_LONG = b" " * 2_700_000
WISH = {
    "lines": [{"product": "mug", "quantity": 1}],
    "email": "shopper@example.com",
    "amount": 1850,
    "currency": "usd",
}


def browser() -> Client:
    """A browser that is answered as in production, whatever goes wrong."""
    client = new_browser()
    client.raise_request_exception = False
    client.get("/")
    return client


def wish(**changes: str) -> bytes:
    """The JSON of an order in which texts stand for values as they are written."""
    text = json.dumps({**WISH, **{name: f"@{name}@" for name in changes}})
    for name, written in changes.items():
        text = text.replace(f'"@{name}@"', written)
    return text.encode()


UNREADABLE = {
    "empty": (b"", JSON),
    "cut off": (b'{"lines": [', JSON),
    "another type": (b"[]", JSON),
    "not UTF-8": (b'{"email": "\xff\xfe"}', JSON),
    "nested": (b'{"lines": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON),
    "too long": (TOO_LONG + wish(), JSON),
    "too large a number": (wish(amount="1e400"), JSON),
    "no number": (wish(amount="NaN"), JSON),
    "endless": (wish(amount="-Infinity"), JSON),
    "thousands of digits": (wish(amount="9" * 5000), JSON),
    "negative": (wish(amount="-1"), JSON),
    "a fraction": (wish(amount="18.5"), JSON),
    "quantity of digits": (wish(lines='[{"product":"mug","quantity":1e400}]'), JSON),
    "surrogate": (wish(email=r'"\ud800@example.com"'), JSON),
    "zero byte": (wish(checkout=r'"\u0000"'), JSON),
    "a form": (b"email=shopper%40example.com", FORM),
    "a form too long": (b"a=" + TOO_LONG, FORM),
    "a form of many fields": (b"a=1&" * 1500, FORM),
    "a form in latin": (b"a=%ff", FORM + "; charset=iso-8859-1"),
    "multipart": (b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
                  b"--cut--\r\n", MULTIPART),
    "multipart cut off": (b"--cut\r\nContent-Disp", MULTIPART),
    "multipart without a boundary": (b"a", "multipart/form-data"),
    "multipart of many files": (
        b'--cut\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n1\r\n'
        * 200 + b"--cut--\r\n", MULTIPART),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_order_is_answered_in_json(name: str) -> None:
    make_product(slug="mug", unit_amount=1850)
    body, kind = UNREADABLE[name]

    answer = browser().post("/orders/", body, content_type=kind)

    assert answer.status_code == 400
    assert answer["Content-Type"] == JSON
    error = answer.json()["error"]
    assert error["code"]
    assert error["message"]
    assert not Order.objects.exists()


@pytest.mark.parametrize("kind", [JSON, FORM, MULTIPART])
def test_body_too_long_of_a_payment_is_answered_in_json(kind: str) -> None:
    order = make_order()
    before = Order.objects.values().get()

    path = f"{order.get_absolute_url()}payment/"
    answer = browser().post(path, b"a=" + TOO_LONG, content_type=kind)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert Order.objects.values().get() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" " * (1024 * 1024 + 1), 413),
        (TOO_LONG, 413),
        (b"\xff" * 100, 400),
        (b"[" * 100_000, 400),
        (b"9" * 5000, 400),
        (b"NaN", 400),
        (b'{"id": 1e400}', 400),
        (b"", 400),
    ],
)
@pytest.mark.parametrize("kind", [JSON, FORM, MULTIPART, "text/html"])
@pytest.mark.parametrize("is_signed", [True, False])
def test_webhook_refuses_what_is_no_event(
    body: bytes, status: int, kind: str, is_signed: bool
) -> None:
    headers = {"Stripe-Signature": sign(body)} if is_signed else {}

    answer = browser().post(
        "/stripe/webhook/", body, content_type=kind, headers=headers
    )

    assert answer.status_code == status
    assert answer["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "length", ["-1", "one", "9" * 5000, "1.5", "1, 2", "2\r\nContent-Length: 3"]
)
def test_a_length_that_is_none_is_refused(server: str, length: str) -> None:
    host, port = server.removeprefix("http://").split(":")
    for path in ("/stripe/webhook/", "/orders/"):
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Content-Length: {length}\r\n\r\n{{}}".encode()
            )
            assert line.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with SandboxServer() as sandbox, gunicorn(sandbox) as address:
        yield address


FORMS = ["/accounts/login/", "/accounts/signup/", "/accounts/password_reset/",
         "/admin/login/"]  # fmt: skip
REFUSED = ["a form too long", "a form of many fields", "a form in latin",
           "multipart without a boundary",
           "multipart of many files"]  # fmt: skip


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("name", REFUSED)
def test_forms_refuse_what_is_no_form_with_a_page(path: str, name: str) -> None:
    body, kind = UNREADABLE[name]

    answer = browser().post(path, body, content_type=kind)

    assert answer.status_code == 400
    assert "could not be read" in answer.content.decode()
    assert "text/html" in answer["Content-Type"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("value", ["\0", "%00", "%ff%fe", "%ed%a0%80", "9" * 10_000])
def test_forms_answer_any_text(path: str, value: str) -> None:
    body = "&".join(f"{name}={value}" for name in ("email", "username", "password"))

    answer = browser().post(path, body, content_type=FORM)

    assert answer.status_code == 200


AMOUNTS = ["1e400", "NaN", "9" * 5000, "-1", "\0", "0." + "1" * 5000, "9" * 400]


@pytest.mark.parametrize("typed", AMOUNTS)
def test_amounts_on_the_desk_that_are_none_are_told(typed: str) -> None:
    order = make_order()
    paid = {
        "status": "paid",
        "amount_received": order.amount,
        "paid_at": order.placed_at,
    }
    Order.objects.update(**paid)
    desk = browser()
    desk.force_login(User.objects.create_superuser("olga@example.com", "a-quiet-lamp"))

    path = f"/admin/checkout/order/{order.pk}/refund/"
    asked = desk.get(path, {"amount": typed, "reason": "requested_by_customer"})
    priced = desk.post("/admin/checkout/product/add/", product(typed))

    assert asked.status_code == 200
    assert priced.status_code == 200
    assert "errorlist" in priced.content.decode()


def product(price: str) -> dict[str, Any]:
    return {"name": "A", "slug": "a", "price": price, "currency": "usd", "position": 1}
