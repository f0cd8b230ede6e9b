"""The operator's desk: prices as people write them, nothing about money editable."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.contrib.admin.utils import label_for_field, quote
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from pytest_django.fixtures import Settings

from checkout.models import Attention, Order, OrderLine, Product, StripeEvent, User
from tests.factories import deliver, make_order, make_product, payment_succeeded

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator@example.com", "x"))
    return client


def product_form(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Teapot",
        "slug": "teapot",
        "description": "",
        "price": "12.90",
        "currency": "usd",
        "picture": "",
        "active": "on",
        "position": "1",
        **changes,
    }


@pytest.mark.parametrize(
    ("price", "currency", "amount"),
    [
        ("12.90", "usd", 1290),
        ("500", "jpy", 500),
        ("500", "isk", 50_000),
        ("1.250", "kwd", 1250),
        ("0.5", "EUR", 50),
    ],
)
def test_price_is_typed_as_people_write_it(
    operator: Client, price: str, currency: str, amount: int
) -> None:
    form = product_form(price=price, currency=currency)

    response = operator.post("/admin/checkout/product/add/", form)

    assert response.status_code == 302
    product = Product.objects.get()
    assert (product.unit_amount, product.currency) == (amount, currency.lower())
    page = operator.get(f"/admin/checkout/product/{product.pk}/change/")
    assert page.context["adminform"].form.initial["price"] == Decimal(price)


@pytest.mark.parametrize(
    ("price", "currency", "reason"),
    [
        ("0.49", "usd", "$0.50"),
        ("49", "jpy", "¥50"),
        ("174", "huf", "HUF\xa0175.00"),
        ("0", "usd", "above zero; Stripe charges $0.50"),
        ("-5", "usd", "above zero; Stripe charges $0.50"),
        ("−5", "usd", "above zero"),
        ("1.005", "usd", "USD"),
        ("1.5", "jpy", "JPY"),
        ("1000000", "usd", "more than"),
        ("12.90", "xxx", "currency"),
        ("abc", "usd", "number"),
        ("1e1", "usd", "number"),
        ("1_0", "usd", "number"),
        ("٣", "usd", "number"),
        ("", "usd", "required"),
    ],
)
def test_price_that_cannot_be_charged_is_refused_with_the_reason(
    operator: Client, price: str, currency: str, reason: str
) -> None:
    form = product_form(price=price, currency=currency)

    response = operator.post("/admin/checkout/product/add/", form)

    assert response.status_code == 200
    errors = response.context["adminform"].form.errors
    assert reason in str(errors)
    assert not Product.objects.exists()


def test_price_is_typed_in_the_operators_language(operator: Client) -> None:
    response = operator.post(
        "/admin/checkout/product/add/",
        product_form(price="12,90"),
        headers={"Accept-Language": "de"},
    )

    assert response.status_code == 302
    assert Product.objects.get().unit_amount == 1290


def test_bought_product_is_hidden_not_deleted(operator: Client) -> None:
    bought = make_order().lines.get().product
    unsold = make_product()

    for product in (bought, unsold):
        operator.post(f"/admin/checkout/product/{product.pk}/delete/", {"post": "yes"})

    assert list(Product.objects.all()) == [bought]
    form = product_form(slug=bought.slug)
    del form["active"]
    operator.post(f"/admin/checkout/product/{bought.pk}/change/", form)
    assert not Product.objects.on_sale()


def test_changed_price_leaves_orders_alone(operator: Client) -> None:
    order = make_order()
    product = order.lines.get().product
    form = product_form(slug=product.slug, price="99.00")

    operator.post(f"/admin/checkout/product/{product.pk}/change/", form)

    product.refresh_from_db()
    assert product.unit_amount == 9900
    assert order.lines.get().unit_amount == 1099


def test_lists_and_pages_of_everything_open(
    operator: Client, settings: Settings
) -> None:
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    order = make_order()
    deliver(operator, payment_succeeded(order))
    deliver(operator, payment_succeeded(make_order(), amount_received=1))
    for model in site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert operator.get(reverse(f"{name}_changelist")).status_code == 200
        for row in model._default_manager.all()[:3]:
            page = operator.get(reverse(f"{name}_change", args=[quote(row.pk)]))
            assert page.status_code == 200

    page = operator.get(f"/admin/checkout/order/{order.pk}/change/").content.decode()
    intent = order.payment_intent_id
    assert f"https://dashboard.stripe.com/test/payments/{intent}" in page
    assert "$10.99" in page


def test_no_page_links_to_a_payment_there_is_not(
    operator: Client, settings: Settings
) -> None:
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    order = make_order(payment_intent_id=None)

    page = operator.get(f"/admin/checkout/order/{order.pk}/change/").content.decode()

    assert "dashboard.stripe.com" not in page


def test_columns_and_filters_speak_the_operators_language(operator: Client) -> None:
    # Spelled alike in both.
    alike = {"Name"}
    for model in (Order, Attention, StripeEvent, Product, User):
        titles = []
        for language in ("en", "de"):
            page = operator.get(
                reverse(f"admin:checkout_{model._meta.model_name}_changelist"),
                headers={"Accept-Language": language},
            )
            changelist = page.context["cl"]
            with override(language):
                columns = {
                    str(label_for_field(name, model, changelist.model_admin))
                    for name in changelist.list_display[-8:]
                    if name != "action_checkbox"
                }
            titles.append(columns | {str(it.title) for it in changelist.filter_specs})
        english, german = titles
        assert english & german <= alike, model


def test_results_are_counted_where_something_was_looked_for(operator: Client) -> None:
    order = make_order()
    for query, is_counted in (("", False), (f"?q={order.number}", True)):
        page = operator.get(f"/admin/checkout/order/{query}")
        assert ("Show all" in page.content.decode()) == is_counted, query


def test_orders_are_found_by_what_an_operator_has_at_hand(operator: Client) -> None:
    order = make_order(email="anna@example.com", charge_id="ch_1")
    make_order(email="berta@example.com")
    for words in (order.number, "anna@", order.payment_intent_id, "ch_1"):
        response = operator.get("/admin/checkout/order/", {"q": words})
        assert [found.pk for found in response.context["cl"].queryset] == [order.pk]


@pytest.mark.parametrize("model", [Order, StripeEvent, Attention])
def test_nothing_about_money_is_added_changed_or_deleted(
    operator: Client, model: Any
) -> None:
    deliver(operator, payment_succeeded(make_order(), amount_received=1))
    row = model.objects.get()
    before = list(model.objects.values())
    lines = list(OrderLine.objects.values())
    base = f"/admin/checkout/{model._meta.model_name}/"
    forged = {
        "status": "paid",
        "amount": "1",
        "amount_received": "1",
        "outcome": "applied",
        "lines-TOTAL_FORMS": "1",
        "lines-INITIAL_FORMS": "1",
        "lines-0-quantity": "50",
    }

    requests = [
        (f"{base}add/", forged),
        (f"{base}{row.pk}/change/", forged),
        (f"{base}{row.pk}/delete/", {"post": "yes"}),
        (
            base,
            {"action": "delete_selected", "_selected_action": [row.pk], "post": "1"},
        ),
    ]
    for address, fields in requests:
        # The list knows no such action and shows itself again.
        expected = 200 if address == base else 403
        assert operator.post(address, fields).status_code == expected

    assert list(model.objects.values()) == before
    assert list(OrderLine.objects.values()) == lines


def test_shoppers_do_not_get_in(client: Client) -> None:
    client.force_login(User.objects.create_user("anna@example.com", "x"))

    assert client.get("/admin/").status_code == 302
    assert client.get("/admin/checkout/order/").status_code == 302
