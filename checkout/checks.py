"""System checks: what must not be wrong when the shop starts.

A message names the setting and never prints its value.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from checkout import gateway, money


@register()
def check_stripe_keys(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Both keys, of one mode, and a signing secret."""
    problems: list[CheckMessage] = []
    secret, publishable = settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY
    if not secret.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        problems.append(
            Error("STRIPE_SECRET_KEY is not a secret key.", id="checkout.E001")
        )
    if not publishable.startswith(("pk_test_", "pk_live_")):
        problems.append(
            Error(
                "STRIPE_PUBLISHABLE_KEY is not a publishable key.", id="checkout.E002"
            )
        )
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
        problems.append(
            Warning(message, id="checkout.W001")
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
