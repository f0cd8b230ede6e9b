"""System checks: what must not be wrong when the shop starts.

A message names the setting and never prints its value.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from checkout import gateway, money
from checkout.models import Product

SECRET_PREFIXES = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")
PUBLISHABLE_PREFIXES = ("pk_test_", "pk_live_")


@register()
def check_stripe_keys(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Both keys, of one mode, and a signing secret."""
    problems: list[CheckMessage] = []
    secret, publishable = settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY
    for name, key, prefixes, kind in [
        ("STRIPE_SECRET_KEY", secret, SECRET_PREFIXES, "secret"),
        ("STRIPE_PUBLISHABLE_KEY", publishable, PUBLISHABLE_PREFIXES, "publishable"),
    ]:
        if not key:
            problems.append(Error(f"{name} is not set.", id="checkout.E001"))
        elif not key.startswith(prefixes):
            problems.append(Error(f"{name} is not a {kind} key.", id="checkout.E002"))
    if publishable.startswith("pk_live_") != gateway.is_live():
        problems.append(
            Error(
                "STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY are of different modes.",
                id="checkout.E003",
            )
        )
    if settings.DEBUG and gateway.is_live():
        problems.append(
            Error("DEBUG is on with live keys: turn it off.", id="checkout.E006")
        )
    if not settings.STRIPE_WEBHOOK_SECRETS:
        message = "STRIPE_WEBHOOK_SECRET is not set: every webhook is refused."
        hint = "`make run` makes one of its own for the sandbox."
        problems.append(
            Warning(message, hint=hint, id="checkout.W001")
            if settings.DEBUG
            else Error(message, id="checkout.E004")
        )
    return problems


@register()
def check_currency(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """A currency whose smallest unit and least amount are known."""
    if settings.CURRENCY in money.KNOWN:
        return []
    return [Error("CURRENCY is not a currency Stripe charges in.", id="checkout.E005")]


@register(Tags.database)
def check_products(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Products the shop does not show because they are in another currency."""
    if not databases or Product._meta.db_table not in _tables(databases[0]):
        return []
    hidden = Product.objects.filter(active=True).exclude(currency=settings.CURRENCY)
    names = ", ".join(hidden.values_list("slug", flat=True)[:10])
    if not names:
        return []
    message = f"Not on sale, because CURRENCY is another than theirs: {names}."
    return [Warning(message, id="checkout.W002")]


def _tables(alias: str) -> list[str]:
    tables: list[str] = connections[alias].introspection.table_names()
    return tables
