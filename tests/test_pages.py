"""The pages as a browser gets them: few queries, light, under a strict policy."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import connection
from django.template import engines
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from checkout import visitor
from checkout.models import Product
from tests.factories import deliver, make_order, make_product, payment_succeeded

pytestmark = pytest.mark.django_db

ROOT = Path(settings.STATIC_ROOT)


def stocked() -> Client:
    for _ in range(3):
        make_product()
    client = Client()
    client.get("/")
    return client


def buy(client: Client, count: int) -> None:
    """Give the browser `count` paid orders."""
    here = visitor.of(client.get("/").wsgi_request)
    assert here is not None
    for _ in range(count):
        deliver(client, payment_succeeded(make_order(visitor=here.id)))


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", ["/", "/orders/"])
def test_three_queries_at_most_however_many_orders(path: str) -> None:
    client = stocked()
    assert queries(client, path) <= 3
    buy(client, 1)
    one = queries(client, path)
    buy(client, 9)

    assert queries(client, path) == one <= 3


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("unit_amount", 1234, ">$12.34<"),
        ("unit_amount", 1234, 'data-unit-amount="1234"'),
        ("slug", "new-mug", 'id="quantity-new-mug"'),
        ("name", "New mug", "Quantity of New mug"),
        ("description", "Blue now.", "Blue now."),
        ("picture", "img/mug.svg", "/static/img/mug."),
    ],
)
def test_shop_shows_a_product_as_it_is_now(field: str, value: Any, shown: str) -> None:
    product = make_product()
    client = Client()
    assert shown not in client.get("/").text

    Product.objects.filter(pk=product.pk).update(**{field: value})

    assert shown in client.get("/").text


def test_shop_speaks_each_ones_language() -> None:
    make_product(name="Mug")
    client = Client()

    english = client.get("/", headers={"Accept-Language": "en"}).text
    german = client.get("/", headers={"Accept-Language": "de"}).text

    assert "Quantity of Mug" in english
    assert "Menge: Mug" in german
    assert "Wählen Sie mindestens einen Artikel." in german


def test_a_part_is_given_plain_values_only() -> None:
    """A row with a new price equals the one with the old price, which would be kept."""
    text = "{% load shop %}{% part 'checkout/_product.html' product=product %}"
    template = engines["django"].from_string(text)

    with pytest.raises(TypeError):
        template.render({"product": make_product()})


def test_status_of_a_settled_order_is_one_query() -> None:
    order = make_order()
    deliver(Client(), payment_succeeded(order))

    assert queries(Client(), f"/orders/{order.token}/status/") == 1


def scripts_of(source: str, seen: set[str]) -> set[str]:
    """Return the names of a module and of everything it imports, as collected."""
    if source in seen:
        return seen
    seen.add(source)
    text = (ROOT / source).read_text()
    for name in re.findall(r'from\s*"\./([^"]+)"|import\s*"\./([^"]+)"', text):
        scripts_of(f"js/{name[0] or name[1]}", seen)
    return seen


def test_shop_page_is_light() -> None:
    page = stocked().get("/").content
    own = re.findall(r'(?:src|href)="/static/((?:js|css)/[^"]+)"', page.decode())
    files = {name for name in own if name.endswith(".css")}
    for name in own:
        if name.endswith(".js"):
            files |= scripts_of(name, set())
    assert any(name.endswith(".css") for name in files)
    assert any(name.endswith(".js") for name in files)

    total = len(gzip.compress(page)) + sum(
        len(gzip.compress((ROOT / name).read_bytes())) for name in files
    )

    assert total <= 25 * 1024, f"{total} bytes: {sorted(files)}"


def test_static_files_are_kept_for_ever() -> None:
    name = staticfiles_storage.url("css/shop.css")
    assert re.search(r"shop\.[0-9a-f]{12}\.css$", name)
    assert find("css/shop.css")


def policy_of(path: str) -> dict[str, list[str]]:
    response = Client().get(path)
    directives = response["Content-Security-Policy"].split(";")
    return {name: sources for name, *sources in (part.split() for part in directives)}


def test_no_page_allows_inline_code_or_style() -> None:
    make_product()
    order = make_order()
    for path in ("/", "/orders/", order.get_absolute_url(), "/accounts/login/", "/x/"):
        policy = policy_of(path)
        assert policy["default-src"] == ["'none'"]
        assert policy["style-src"] == ["'self'"]
        for sources in policy.values():
            assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & set(sources)
        page = Client().get(path).content.decode()
        assert not re.search(r"\sstyle=|\son\w+=|<style", page)
        for script in re.findall(r"<script[^>]*>", page):
            assert "src=" in script or 'type="application/json"' in script


def test_stripe_is_allowed_only_where_somebody_pays() -> None:
    order = make_order()
    for path in ("/", order.get_absolute_url()):
        assert len(policy_of(path)["script-src"]) > 1
    for path in ("/orders/", "/accounts/login/", "/admin/login/"):
        policy = policy_of(path)
        assert policy["script-src"] == ["'self'"]
        assert policy["frame-src"] == ["'none'"]


def test_stripes_own_hosts_in_production(settings: object) -> None:
    settings.STRIPE_API_BASE = "https://api.stripe.com"  # type: ignore[attr-defined]
    settings.STRIPE_JS_URL = "https://js.stripe.com/endive/stripe.js"  # type: ignore[attr-defined]

    policy = policy_of("/")

    assert policy["script-src"][:2] == ["'self'", "https://js.stripe.com"]
    assert "https://hooks.stripe.com" in policy["frame-src"]
    assert "'none'" not in policy["frame-src"]
    assert "https://api.stripe.com" in policy["connect-src"]


def test_pages_about_orders_and_payment_are_never_stored() -> None:
    order = make_order()
    for path in (
        "/",
        "/orders/",
        order.get_absolute_url(),
        f"/orders/{order.token}/status/",
    ):
        assert "no-store" in Client().get(path)["Cache-Control"]


def test_no_page_with_orders_is_for_search_engines() -> None:
    for path in ("/orders/", make_order().get_absolute_url()):
        assert '<meta name="robots" content="noindex">' in Client().get(path).text


def test_visitor_cookie_is_for_this_server_alone() -> None:
    response = Client().get("/")

    cookie = response.cookies["__Host-visitor"]
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]


def test_a_changed_visitor_cookie_is_nobodys() -> None:
    client = stocked()
    order = make_order(visitor="someone-elses-browser")
    client.cookies["__Host-visitor"] = "someone-elses-browser"

    assert order.number not in client.get(reverse("orders")).content.decode()


def test_a_shop_with_nothing_in_its_currency_says_so(settings: Any) -> None:
    make_product(currency="usd")
    settings.CURRENCY = "eur"
    page = Client().get("/").content.decode()

    assert "Nothing is on sale in EUR at the moment." in page
    assert "products in another currency than the shop’s are not shown" in page
    assert 'aria-labelledby="payment" hidden' in page
