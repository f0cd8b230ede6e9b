"""What is logged: each event once, with what it is about, and nothing secret."""

import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import requests
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from checkout.models import Order, Product, User
from config import logs
from tests.factories import deliver, make_event, make_intent, make_order, make_product
from tests.log_lines import tells
from tests.sandbox_server import SandboxServer, wait_for

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a-long-and-quiet-evening"
EMAIL = "anna@example.com"
OPERATOR = "olga@example.com"
ASKED = {"amount": "18.50", "reason": "requested_by_customer"}


class Lines(logging.Handler):
    """The lines as production prints them, read back."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.JsonFormatter())
        self.texts: list[str] = []
        self.raw: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))
        self.raw.append(record.getMessage())

    def of(self, message: str) -> list[dict[str, Any]]:
        """Return the lines whose message matches."""
        lines: list[dict[str, Any]] = [json.loads(text) for text in self.texts]
        return [line for line in lines if re.search(message, line["message"])]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def mug(transactional_db: None) -> Product:
    return make_product(slug="mug", unit_amount=1850)


def place(client: Client) -> Order:
    client.get("/")
    body = {
        "lines": [{"product": "mug", "quantity": 1}],
        "email": EMAIL,
        "amount": 1850,
        "currency": "usd",
    }
    answer = client.post("/orders/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 201
    return Order.objects.get(number=answer.json()["order"]["number"])


def buy(client: Client, sandbox: SandboxServer) -> Order:
    order = place(client)
    sandbox.confirm(order.payment_intent_id)
    for event in sandbox.objects("event"):
        assert deliver(client, event).status_code == 200
    order.refresh_from_db()
    assert order.is_paid
    return order


def operator() -> Client:
    User.objects.create_superuser(email=OPERATOR, password=PASSWORD)
    client = Client()
    client.post("/admin/login/", {"username": OPERATOR, "password": PASSWORD})
    return client


def mailed(path: str) -> str:
    """Return the address under `path` that a mail leads to."""

    def found() -> list[str]:
        texts = "\n".join(str(message.body) for message in mail.outbox)
        return re.findall(rf"https?://testserver({path}\S+)", texts)

    address: str = wait_for(found)[0]
    return address


def once(lines: Lines, message: str, **expected: Any) -> dict[str, Any]:
    """Return the one line with this message; it names its request."""
    [line] = lines.of(message)
    assert line["request_id"]
    assert {name: line.get(name) for name in expected} == expected
    return line


# --- Each event once ----------------------------------------------------------------


def test_a_purchase_and_its_refund(
    mug: Product, sandbox: SandboxServer, lines: Lines
) -> None:
    order = buy(Client(), sandbox)
    desk = operator()
    lines.texts.clear()
    page = f"/admin/checkout/order/{order.pk}/refund/"
    review = desk.get(page, ASKED)["Location"]
    looked_at = desk.get(review).context["looked_at"]
    desk.post(f"{page}review/", {"looked_at": looked_at})

    number = order.number
    user = f"user {User.objects.get().pk}"
    refunds = lines.of(f"Order {number}: paid → paid")
    assert len(refunds) == order.refunds.count() + 1
    assert "asked" in refunds[0]["message"]
    assert all(line["order"] == number for line in refunds)
    assert refunds[0]["actor"] == user


def test_transitions_name_order_and_source(
    mug: Product, sandbox: SandboxServer, lines: Lines
) -> None:
    order = buy(Client(), sandbox)

    once(lines, f"^Order {order.number}: new → pending by shopper$")
    paid = once(lines, f"^Order {order.number}: pending → paid", order=order.number)
    assert " by evt_" in paid["message"]


def test_signing_in_and_not(transactional_db: None, lines: Lines) -> None:
    operator()
    User.objects.create_user(email=EMAIL, password=PASSWORD)
    for password in ("wrong", PASSWORD):
        Client().post("/accounts/login/", {"username": EMAIL, "password": password})

    user = f"user {User.objects.get(email=EMAIL).pk}"
    once(lines, f"^Signed in: {user}$", actor=user)
    # The line of one request says nothing of who made the last.
    once(lines, "^Sign-in failed$", actor=None)


def test_refusals_at_the_door(transactional_db: None, lines: Lines) -> None:
    clerk = User.objects.create_user(email=EMAIL, password=PASSWORD, is_staff=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(clerk)
    client.post("/orders/", "{}", content_type="application/json")
    client.get("/admin/checkout/order/")
    client.post("/stripe/webhook/", b"{}", content_type="application/json")
    client.post("/stripe/webhook/", b" " * 2**21, content_type="application/json")

    once(lines, "^Forbidden .CSRF", level="WARNING")
    once(lines, "^Forbidden .Permission denied")
    once(lines, "^Webhook refused: no usable signature header$")
    once(lines, "^Webhook refused: too long$")


def test_events_that_change_nothing_and_money_that_does_not_fit(
    transactional_db: None, lines: Lines
) -> None:
    order = make_order()
    live = make_event("payment_intent.succeeded", make_intent(order), livemode=True)
    unknown = make_intent(order, id="pi_unknown", metadata={})
    foreign = make_event("payment_intent.succeeded", unknown)
    short = make_event(
        "payment_intent.succeeded", make_intent(order, amount_received=1)
    )
    for event in (live, foreign, short, {**short, "id": "evt_again"}):
        assert deliver(Client(), event).status_code == 200

    once(lines, f"^Event {live['id']} .* ignored: other mode", event=live["id"])
    once(lines, f"^Event {foreign['id']} .* ignored: not of this shop")
    once(lines, "^Attention: payment.mismatch", order=order.number, level="ERROR")


def test_a_new_price(mug: Product, lines: Lines) -> None:
    desk = operator()
    fields = {"name": "Mug", "slug": "mug", "currency": "usd", "active": "on"}
    more = {"position": "1", "picture": mug.picture, "description": ""}
    for price in ("18.50", "19.00"):
        answer = desk.post(
            f"/admin/checkout/product/{mug.pk}/change/",
            {**fields, **more, "price": price},
        )
        assert answer.status_code == 302

    user = f"user {User.objects.get().pk}"
    # The first time it was the same.
    line = once(lines, "^Price of", actor=user)
    assert line["message"] == "Price of mug: 18.50 → 19.00 usd"


def test_a_call_to_stripe_that_failed(
    mug: Product, sandbox: SandboxServer, lines: Lines
) -> None:
    client = Client()
    client.get("/")
    sandbox.fault("payment_intents.create", "status", status=500)
    with pytest.raises(AssertionError):
        place(client)

    line = once(lines, "^Stripe call failed: payment_intents.create APIError")
    assert line["stripe_request"].startswith("req_")
    assert line["message"].endswith("tries=2")


def test_what_the_reconciler_finds(
    mug: Product, sandbox: SandboxServer, lines: Lines
) -> None:
    order = place(Client())
    sandbox.confirm(order.payment_intent_id)

    call_command("reconcile")

    assert len(lines.of(r"^Reconciled: event evt_\w+: payment_intent.succeeded")) == 1


def test_what_the_reconciler_could_not_do(
    mug: Product, sandbox: SandboxServer, lines: Lines
) -> None:
    order = place(Client())
    sandbox.confirm(order.payment_intent_id)
    sandbox.fault("events.list", "status", status=500)

    with pytest.raises(CommandError, match="run it again"):
        call_command("reconcile")

    [failed] = lines.of("^Not reconciled: read_events: ")
    assert failed["level"] == "WARNING"
    # Everything else was done.
    assert len(lines.of(rf"^Reconciled: {order.number}: pending → paid$")) == 1
    assert lines.of("^Reconciled: .*Error") == []


# --- A reference for whoever asks ---------------------------------------------------


def test_an_answer_is_named_and_so_are_its_lines(
    transactional_db: None, lines: Lines
) -> None:
    client = Client(raise_request_exception=False)
    with mock.patch.object(Product.objects, "on_sale", side_effect=ZeroDivisionError):
        page = client.get("/", headers={"X-Request-ID": "chosen-by-a-visitor"})
    name = page["X-Request-ID"]

    assert page.status_code == 500
    assert re.fullmatch("[0-9a-f]{16}", name)
    assert name in page.content.decode()
    assert b"ZeroDivisionError" not in page.content
    line = once(lines, "^Internal Server Error: /$", request_id=name)
    assert "ZeroDivisionError" in line["exception"]
    assert client.get("/")["X-Request-ID"] != name


def test_json_that_failed_names_its_request(mug: Product) -> None:
    client = Client(raise_request_exception=False)
    client.get("/")
    with mock.patch("checkout.cart.price", side_effect=ZeroDivisionError):
        broken = client.post("/orders/", *order_of_a_mug())
    silent = client.post("/orders/", *order_of_a_mug())

    for answer, status in ((broken, 500), (silent, 503)):
        assert answer.status_code == status
        assert answer.json()["error"]["reference"] == answer["X-Request-ID"]


def order_of_a_mug() -> tuple[str, str]:
    wish = {"lines": [{"product": "mug", "quantity": 1}], "email": EMAIL}
    return json.dumps({**wish, "amount": 1850, "currency": "usd"}), "application/json"


def test_a_proxy_of_ours_may_name_the_request(settings: Any) -> None:
    settings.PROXY_COUNT = 1
    for given, kept in (("4bf92f3577b34da6", True), ("<script>", False), ("x", False)):
        answer = Client().get("/healthz", headers={"X-Request-ID": given})
        assert (answer["X-Request-ID"] == given) is kept


# --- Nothing secret -----------------------------------------------------------------


def test_no_line_of_a_whole_life_tells_a_secret(
    mug: Product, sandbox: SandboxServer, lines: Lines
) -> None:
    shopper = Client(enforce_csrf_checks=False, raise_request_exception=False)
    order = buy(shopper, sandbox)
    intent = sandbox.objects("payment_intent")[0]
    secret = intent["client_secret"]
    link = order.get_absolute_url()
    # An account by its mailed link, a forgotten password, a wrong one.
    shopper.post("/accounts/signup/", {"email": EMAIL})
    signup = mailed("/accounts/signup/")
    passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    shopper.post(signup, passwords)
    shopper.post(signup, passwords)
    shopper.post("/accounts/password_reset/", {"email": EMAIL})
    reset = mailed("/accounts/reset/")
    shopper.get(reset + "x")
    shopper.post(
        "/accounts/login/", {"username": EMAIL, "password": "wrong-" + PASSWORD}
    )
    # Back from the bank, to pages that break or are not there.
    query = f"?payment_intent={intent['id']}&payment_intent_client_secret={secret}"
    shopper.get(link + query)
    shopper.get(link + "nowhere/" + query)
    shopper.get(f"/nowhere/{EMAIL}/" + query)
    shopper.get("/", headers={"Host": f"{EMAIL}.evil.example"})
    trouble = ZeroDivisionError(
        f"{EMAIL} {secret} {settings.STRIPE_WEBHOOK_SECRETS[0]}"
    )
    with mock.patch("checkout.words.describe", side_effect=trouble):
        shopper.get(f"{link}status/{query}")
    # Webhooks that are not Stripe's, and one that cannot be applied.
    event = sandbox.objects("event")[0]
    deliver(shopper, event, secret="whsec_somebody_elses")
    broken = make_event("charge.refunded", {"object": "charge", "receipt_email": EMAIL})
    deliver(shopper, broken)
    # An operator.
    desk = operator()
    desk.get(f"/admin/checkout/order/?q={EMAIL}")
    desk.get(f"/admin/checkout/order/{order.pk}/nowhere/?q={EMAIL}")
    sandbox.fault("*", "status", status=500)
    desk.post(f"/admin/checkout/order/{order.pk}/check/")
    with pytest.raises(CommandError):
        call_command("reconcile")

    secrets = [
        order.token, order.visitor, order.email, OPERATOR, secret, PASSWORD,
        settings.STRIPE_SECRET_KEY, *settings.STRIPE_WEBHOOK_SECRETS, "somebody_elses",
        settings.SECRET_KEY, signup.split("/")[3], reset.split("/")[4],
        *(cookie.value for cookie in shopper.cookies.values()),
        *(cookie.value for cookie in desk.cookies.values()),
    ]  # fmt: skip
    assert len(lines.texts) > 15
    everything = "\n".join(lines.texts)
    # A cookie holds the order's number, too, and that may be read by everybody.
    secrets = [value for value in secrets if value not in ("", order.number)]
    told = [value for value in secrets if value in everything]
    assert told == []
    assert [text for text in lines.texts if tells(text)] == []
    # The net was needed: Django's own lines have such things in them.
    assert order.token in "\n".join(lines.raw)


@pytest.mark.parametrize(
    "text",
    [
        "POST /v1 Authorization: Bearer sk_test_abc",
        "{'Authorization': 'Basic c2tfdGVzdF9hYmM6'}",
        "Cookie: __Host-sessionid=abcdef; __Host-visitor=x",
        "Stripe-Signature: t=1700000000,v1=0123456789abcdef,v1=0011223344556677",
        "header t=1700000000,v1=0123456789abcdef",
        "pi_3Abc_secret_def, seti_1_secret_x and rk_live_abc",
        "whsec_abc+/=",
        'GET /orders/0123456789abcdefABCDEF/status/?a=b HTTP/1.1" 200',
        "https://shop.example/orders/0123456789abcdefABCDEF/",
        "/accounts/signup/ImFubmEi:1abcde:sIgNaTuReOfThIrTyThReEcHaRaCtErS/",
        "/accounts/reset/MQ/abcdef-0123456789abcdef0123456789abcdef/",
        "postgresql://shop:s3cret@database:5432/shop",
        "called with Bearer abcDEF123456==",
        "mail to Anna <anna+x@mail.example.com>",
        'DETAIL:  Failing row contains (1, 0123, anna@example.com, "x").',
    ],
)
def test_what_is_masked(text: str) -> None:
    masked = logs.masked(text)

    assert "***" in masked
    assert not tells(masked)
    for part in ("abc", "secret_d", "s3cret", "anna", "0123", "ImFu", "c2tf", "=b"):
        assert part not in masked.replace("abcdef***", "")


@pytest.mark.parametrize(
    "text",
    [
        "Order 0123456789ABCDEF: pending → paid by evt_1Abc",
        "Attention: payment mismatch pi_3Abc amount",
        "Stripe call failed: refunds.create APIError request=req_abc tries=2",
        "GET /orders/ and /static/js/shop.0123456789ab.js",
    ],
)
def test_what_is_needed_to_find_something_stays(text: str) -> None:
    assert logs.masked(text) == text


# --- Servers ------------------------------------------------------------------------


GUNICORN = (
    "-m gunicorn --config config/gunicorn.conf.py --access-logfile - config.wsgi --bind"
)
RUNSERVER = "manage.py runserver --noreload"


def answers(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def served(command: str, folder: Path, **environment: str) -> Iterator[list[str]]:
    """Ask a server for an address with secrets in it; yield what it prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    chosen = {
        "DJANGO_SETTINGS_MODULE": "tests.served",
        "DATABASE_URL": "",
        "TEST_DATABASE": str(folder / "db.sqlite3"),
        "TEST_STATIC": str(settings.STATIC_ROOT),
        "TEST_STRIPE": "http://127.0.0.1:1",
        "PYTHONUNBUFFERED": "1",
    }
    server = subprocess.Popen(
        [sys.executable, *command.split(), address],
        cwd=ROOT,
        env=os.environ | chosen | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout is not None
    printed: list[str] = []
    reader = threading.Thread(target=printed.extend, args=(server.stdout,))
    reader.start()
    try:
        wait_for(lambda: answers(address), within=60)
        requests.get(
            f"http://{address}/orders/0123456789abcdefABCDEF/x/",
            params={"payment_intent_client_secret": "pi_1_secret_2"},
            headers={"Referer": f"http://{address}/orders/0123456789abcdefABCDEF/"},
            timeout=30,
        )
    finally:
        server.terminate()
        server.wait(timeout=40)
        reader.join()
        server.stdout.close()
    yield printed


@pytest.mark.parametrize("format", ["json", "text"])
def test_gunicorns_request_lines(format: str, tmp_path: Path) -> None:
    with served(GUNICORN, tmp_path, TEST_LOG_FORMAT=format) as printed:
        asked = [line for line in printed if "GET /orders/***/x/?***" in line]

    assert len(asked) == 1, "".join(printed)
    assert not [line for line in printed if "0123456789" in line or tells(line)]
    own = [line for line in printed if "gunicorn." in line]
    assert own
    if format == "json":
        assert {json.loads(line)["logger"] for line in own} >= {"gunicorn.access"}


def test_runservers_request_lines(tmp_path: Path) -> None:
    with served(RUNSERVER, tmp_path) as printed:
        asked = [line for line in printed if "GET /orders/***/x/?***" in line]

    assert len(asked) == 1, "".join(printed)
    assert not [line for line in printed if "0123456789" in line]
