"""Every address of the shop, and every refusal, under the headers it needs."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from checkout.models import Order, Product, User
from tests.factories import deliver, make_order, make_product, payment_succeeded

pytestmark = pytest.mark.django_db

POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "font-src": {"'self'"},
    "connect-src": {"'self'"},
    "frame-src": {"'none'"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "object-src": {"'none'"},
    "frame-ancestors": {"'none'"},
}
# Stripe's and Link's hosts: https://docs.stripe.com/security/guide
LINK = {"https://link.com", "https://*.link.com"}
JS = {"https://js.stripe.com", "https://*.js.stripe.com"}
PAYMENT_POLICY = POLICY | {
    "script-src": {"'self'", *JS},
    "img-src": {"'self'", "data:", "https://*.stripe.com", "https://*.link.com"},
    "connect-src": {"'self'", "https://api.stripe.com", *LINK},
    "frame-src": {"https://hooks.stripe.com", *JS, *LINK},
}
PAYMENT_PAGES = {"shop", "order"}
UNUSED = ["camera", "geolocation", "microphone", "usb"]


@pytest.fixture(autouse=True)
def _stripe_itself(settings: Settings) -> None:
    """As in production; no page of these tests asks Stripe anything."""
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    settings.STRIPE_JS_URL = "https://js.stripe.com/endive/stripe.js"


def assert_headers(response: Any, *, is_payment_page: bool = False) -> None:
    """Compare with the table of headers, one by one."""
    expected = {
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin-allow-popups"
        if is_payment_page
        else "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    where = f"{response.status_code} {response.request['PATH_INFO']}"
    assert {name: response.get(name) for name in expected} == expected, where
    assert policy_of(response) == (PAYMENT_POLICY if is_payment_page else POLICY), where
    features = dict(re.findall(r"([-\w]+)=\((.*?)\)", response["Permissions-Policy"]))
    payment = 'self "https://js.stripe.com"' if is_payment_page else ""
    assert features["payment"] == payment, where
    assert [features[name] for name in UNUSED] == [""] * len(UNUSED)
    assert "Access-Control-Allow-Origin" not in response
    for name, cookie in response.cookies.items():
        assert name.startswith("__Host-"), f"{name} at {where}"
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["path"] == "/"
        assert cookie["samesite"] == "Lax"
        assert not cookie["domain"]


def policy_of(response: Any) -> dict[str, set[str]]:
    directives = response["Content-Security-Policy"].split(";")
    parts = (part.split() for part in directives)
    return {name: set(sources) for name, *sources in parts}


# --- Every address ------------------------------------------------------------------


def patterns(
    resolver: URLResolver, before: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Yield every pattern of the URLconf with its whole route."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        else:
            yield route, pattern


def path_of(route: str, values: dict[str, str]) -> str:
    """Fill a route; regular expressions of this URLconf become plain text."""
    path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route)
    path = path.replace("^", "").replace("$", "").replace("\\Z", "")
    path = re.sub(r"\(\?P<(\w+)>.*\)", r"<\1>", path)
    return "/" + re.sub(
        r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], "1"), path
    )


@pytest.fixture
def shop_with_orders() -> Order:
    make_product()
    order = make_order()
    deliver(Client(), payment_succeeded(order))
    order.refresh_from_db()
    return order


def test_every_address_has_the_headers_of_the_table(shop_with_orders: Order) -> None:
    user = User.objects.create_superuser(email="root@example.com", password="x" * 20)
    values = {
        "token": shop_with_orders.token,
        "uidb64": "MQ",
        "object_id": str(shop_with_orders.pk),
        "pk": str(shop_with_orders.pk),
        "app_label": "checkout",
        "url": "nowhere/",
    }
    operator = Client()
    operator.force_login(user)
    seen = set()

    for route, pattern in patterns(get_resolver()):
        path = path_of(route, values)
        for client in (Client(), operator):
            response = client.get(path, secure=True)
            is_payment_page = pattern.name in PAYMENT_PAGES
            assert_headers(response, is_payment_page=is_payment_page)
            assert "no-store" in response["Cache-Control"], path
            if response.status_code == 200:
                seen.add(path)

    # Not only refusals were looked at.
    assert {"/", "/orders/", "/accounts/login/", "/healthz", "/admin/"} <= seen
    assert f"/admin/checkout/order/{shop_with_orders.pk}/change/" in seen
    assert shop_with_orders.get_absolute_url() in seen
    assert len(seen) >= 30, sorted(seen)


def test_no_address_answers_without_a_check_of_its_headers() -> None:
    names = {pattern.name for _, pattern in patterns(get_resolver())}
    assert names >= PAYMENT_PAGES


# --- Every refusal ------------------------------------------------------------------


def test_refusals_have_the_headers_too(shop_with_orders: Order) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    body = json.dumps({"lines": []})
    with_json = {"content_type": "application/json", "secure": True}
    with mock.patch.object(Product.objects, "on_sale", side_effect=ZeroDivisionError):
        broken = client.get("/", secure=True)
    answers: list[tuple[int, Any]] = [
        (404, client.get("/nowhere/", secure=True)),
        (404, client.get("/orders/0123456789abcdef01/", secure=True)),
        (404, client.get("/static/nothing.js", secure=True)),
        (403, client.post("/orders/", body, **with_json)),
        (403, client.post("/accounts/login/", {}, secure=True)),
        (405, client.get("/stripe/webhook/", secure=True)),
        (400, client.get("/", secure=True, headers={"Host": "evil.example"})),
        (400, client.post("/stripe/webhook/", body, **with_json)),
        (413, client.post("/stripe/webhook/", b" " * 2**21, **with_json)),
        (302, client.get("/admin/checkout/order/", secure=True)),
        (301, client.get("/orders", secure=True)),
        (500, broken),
    ]
    for status, response in answers:
        assert response.status_code == status
        assert_headers(response)
        assert "no-store" in response["Cache-Control"]


def test_plain_http_leads_to_https_and_a_wrong_host_nowhere(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    client = Client()

    led = client.get("/orders/")
    refused = client.get("/", headers={"Host": "evil.example"})

    assert (led.status_code, led["Location"]) == (301, "https://testserver/orders/")
    assert refused.status_code == 400
    for response in (led, refused):
        # A browser listens to this one over HTTPS alone.
        response["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        assert_headers(response)
    for path in ("/stripe/webhook/", "/stripe/webhook", "/healthz", "/readyz"):
        assert client.get(path).status_code in (200, 405)


def test_static_files_have_them_and_are_kept() -> None:
    for name in ("css/shop.css", "js/payment-form.js", "img/favicon.svg"):
        response = Client().get(staticfiles_storage.url(name), secure=True)

        assert response.status_code == 200
        response.close()
        assert_headers(response)
        assert "immutable" in response["Cache-Control"]


def test_static_files_are_sent_compressed() -> None:
    for name in ("css/shop.css", "js/payment-form.js", "img/favicon.svg"):
        address = staticfiles_storage.url(name)
        packed = Client().get(address, headers={"Accept-Encoding": "gzip"})
        plain = Client().get(address)

        assert packed["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in packed["Vary"]
        assert gzip.decompress(packed.getvalue()) == plain.getvalue()
        assert "Content-Encoding" not in plain


# --- What the headers stand on --------------------------------------------------------


def test_links_in_mails_lead_only_to_a_host_of_the_shop() -> None:
    User.objects.create_user(email="anna@example.com", password="x" * 20)
    for path in ("/accounts/password_reset/", "/accounts/signup/"):
        for forged in (
            {"Host": "evil.example"},
            {"Host": "testserver@evil.example"},
            {"Host": "testserver.evil.example"},
        ):
            refused = Client().post(
                path, {"email": "anna@example.com"}, secure=True, headers=forged
            )
            assert refused.status_code == 400
    assert mail.outbox == []


def test_a_forwarded_host_is_not_believed() -> None:
    User.objects.create_user(email="anna@example.com", password="x" * 20)
    for forged in ("X-Forwarded-Host", "X-Host", "Forwarded"):
        response = Client().get(
            "/orders", secure=True, headers={forged: "host=evil.example"}
        )
        assert response["Location"] == "/orders/"
        page: HttpResponse = Client().get(
            "/", secure=True, headers={forged: "evil.example"}
        )
        assert page.wsgi_request.build_absolute_uri("/") == "https://testserver/"
