"""`manage.py seed_products`: three products, made once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from checkout import money
from checkout.models import Product

# Slug, name, description, picture, price in tenths of the currency's main unit.
PRODUCTS = [
    (
        "notebook",
        "Dot-grid notebook",
        "192 numbered pages that lie flat, in a linen cover.",
        "img/notebook.svg",
        129,
    ),
    (
        "mug",
        "Stoneware mug",
        "Glazed by hand, holds a third of a litre, likes the dishwasher.",
        "img/mug.svg",
        185,
    ),
    (
        "lamp",
        "Reading lamp",
        "Warm light on a brass arm, dimmable, with a long cloth cable.",
        "img/lamp.svg",
        640,
    ),
]


class Command(BaseCommand):
    help = "Create the three products of the demo shop, unless they exist."

    def handle(self, *args: Any, **options: Any) -> None:
        currency = settings.CURRENCY
        # Prices that make sense with and without decimals: 12.90 or 1290.
        tenth = max(10 ** money.exponent(currency) // 10, 10)
        for position, (slug, name, description, picture, tenths) in enumerate(PRODUCTS):
            _, is_new = Product.objects.get_or_create(
                slug=slug,
                defaults={
                    "name": name,
                    "description": description,
                    "picture": picture,
                    "unit_amount": tenths * tenth,
                    "currency": currency,
                    "position": position,
                },
            )
            self.stdout.write(f"{slug}: {'created' if is_new else 'there already'}")
