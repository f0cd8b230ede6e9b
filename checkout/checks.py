"""System checks: what must not be wrong when the shop starts.

A message names the setting, says what to do and never prints the value.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from checkout import gateway, money
from checkout.models import Product

SECRET_PREFIXES = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")
PUBLISHABLE_PREFIXES = ("pk_test_", "pk_live_")
SIGNING_PREFIXES = ("whsec_",)
# Words of examples and tutorials; too long to stand in a random text by chance.
PLACEHOLDER = re.compile(
    r"change.?me|placeholder|your[-_ ]|replace|example|insecure|x{6}|\.\.\.|…",
    re.IGNORECASE,
)
# Stripe's are longer; the shortest that was seen has 24 after its prefix.
SHORTEST_SECRET = 16
# Django's own `check --deploy` asks for as many.
SHORTEST_SECRET_KEY = 50
STRIPE_ADDRESSES = {
    "STRIPE_API_BASE": ("https", "api.stripe.com"),
    "STRIPE_JS_URL": ("https", "js.stripe.com"),
}


# --- Stripe -------------------------------------------------------------------------


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
            problems.append(
                Error(f"{name} is not set: copy both keys.", id="checkout.E001")
            )
        elif not key.startswith(prefixes):
            problems.append(
                Error(
                    f"{name} is not a {kind} key: it starts with {prefixes[0]}….",
                    id="checkout.E002",
                )
            )
        elif _is_no_secret(key, prefixes):
            problems.append(_placeholder(name))
    if publishable.startswith("pk_live_") != gateway.is_live():
        problems.append(
            Error(
                "STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY are of different modes: "
                "copy both from the same page of the Dashboard.",
                id="checkout.E003",
            )
        )
    if settings.DEBUG and gateway.is_live():
        problems.append(
            Error("DEBUG is on with live keys: turn it off.", id="checkout.E006")
        )
    return [*problems, *_signing_secrets()]


def _signing_secrets() -> Iterator[CheckMessage]:
    name = "STRIPE_WEBHOOK_SECRET"
    if not settings.STRIPE_WEBHOOK_SECRETS:
        message = f"{name} is not set: every webhook is refused."
        hint = "`make run` makes one of its own for the sandbox."
        yield (
            Warning(message, hint=hint, id="checkout.W001")
            if settings.DEBUG
            else Error(message, id="checkout.E004")
        )
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        if not secret.startswith(SIGNING_PREFIXES):
            yield Error(
                f"{name} is not a signing secret: copy the endpoint's, whsec_….",
                id="checkout.E007",
            )
        elif _is_no_secret(secret, SIGNING_PREFIXES):
            yield _placeholder(name)


def _is_no_secret(text: str, prefixes: Sequence[str]) -> bool:
    """Whether Stripe never made this: what stands in an example, or a part of it.

    While developing, and at the sandbox, it may be anything.
    """
    if settings.DEBUG or gateway.is_sandbox():
        return False
    rest = text.removeprefix(next(p for p in prefixes if text.startswith(p)))
    return (
        len(rest) < SHORTEST_SECRET
        or len(set(rest)) < SHORTEST_SECRET // 2
        or PLACEHOLDER.search(rest) is not None
    )


def _placeholder(name: str) -> Error:
    return Error(
        f"{name} is a placeholder or cut off: copy it whole from Stripe's Dashboard.",
        id="checkout.E008",
    )


@register()
def check_stripe_addresses(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """With live keys, nothing but Stripe itself."""
    return [
        Error(f"{name} is not Stripe's, with live keys: remove it.", id="checkout.E009")
        for name, place in STRIPE_ADDRESSES.items()
        if gateway.is_live() and urlsplit(getattr(settings, name))[:2] != place
    ]


# --- Django -------------------------------------------------------------------------


@register()
def check_secret_key(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Long, random, and nobody else's: it signs sessions, links and the visitor."""
    key = settings.SECRET_KEY
    # A text that repeats itself shrinks to little more than zlib's own bytes.
    is_random = len(zlib.compress(key.encode())) >= SHORTEST_SECRET_KEY * 2 // 3
    is_long = len(key) >= SHORTEST_SECRET_KEY
    if settings.DEBUG or (is_long and is_random and not PLACEHOLDER.search(key)):
        return []
    return [
        Error(
            "DJANGO_SECRET_KEY is short, a placeholder or not random: make one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe(50))'`.",
            id="checkout.E010",
        )
    ]


@register()
def check_hosts(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Every host by its name: links in mails are built from the one that was asked."""
    if settings.DEBUG:
        return []
    hosts = settings.ALLOWED_HOSTS
    problems: list[CheckMessage] = []
    if not hosts:
        message = "ALLOWED_HOSTS is empty: list the names the shop is reached by."
        problems.append(Error(message, id="checkout.E011"))
    if any("*" in host or host.startswith(".") or "/" in host for host in hosts):
        message = "ALLOWED_HOSTS must name each host: no *, no leading dot, no scheme."
        problems.append(Error(message, id="checkout.E012"))
    origins = settings.CSRF_TRUSTED_ORIGINS
    if any("*" in origin or not origin.startswith("https://") for origin in origins):
        message = "CSRF_TRUSTED_ORIGINS must be https:// origins, each by its name."
        problems.append(Error(message, id="checkout.E013"))
    return problems


@register()
def check_contact(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """An address that a program can follow, on one line."""
    contact = settings.SECURITY_CONTACT
    if not contact or re.fullmatch(r"(mailto:|https://|tel:)[^\s]+", contact):
        return []
    message = "SECURITY_CONTACT must start with mailto:, https:// or tel:."
    return [Error(message, id="checkout.E014")]


@register()
def check_mail(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Mail that is printed has links in it that nobody else may read."""
    if settings.DEBUG or not settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        return []
    message = "EMAIL_URL is console: mail is printed, not sent. Name a mail server."
    return [Warning(message, id="checkout.W003")]


# --- Shop ---------------------------------------------------------------------------


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
