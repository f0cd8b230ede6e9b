"""The three products of the demo: made once, in the shop's currency, left alone."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from checkout.models import Product

pytestmark = pytest.mark.django_db


def seed() -> None:
    call_command("seed_products", stdout=StringIO())


def test_seeding_again_changes_nothing() -> None:
    seed()
    Product.objects.filter(slug="mug").update(unit_amount=999, active=False)
    before = list(Product.objects.values())

    seed()

    assert len(before) == 3
    assert list(Product.objects.values()) == before


@pytest.mark.parametrize(
    ("currency", "amount"), [("eur", 1290), ("jpy", 1290), ("kwd", 12_900)]
)
def test_seeded_prices_make_sense_in_any_currency(
    settings: Any, currency: str, amount: int
) -> None:
    settings.CURRENCY = currency
    seed()

    notebook = Product.objects.get(slug="notebook")
    assert (notebook.unit_amount, notebook.currency) == (amount, currency)
    assert len(Product.objects.on_sale()) == 3
