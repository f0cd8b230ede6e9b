"""Whether this shop is set up to be paid, point by point, and what to do if not.

Looks at settings and database, asks Stripe, and posts a signed event to the shop's own
webhook address as Stripe would. Changes nothing; prints no secret.
"""

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPAuthenticationError, SMTPException, SMTPNotSupportedError
from socket import gaierror
from ssl import SSLCertVerificationError, SSLError
from typing import Literal
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import timezone

from checkout import checks, gateway, health, inbox
from checkout.models import Order, Product, Shop, StripeEvent

# Stripe's signatures are fresh for five minutes.
CLOCK_TOLERANCE = timedelta(seconds=60)
# Stripe's own timeout is not published; a delivery that takes longer is in danger.
ANSWER_SECONDS = 10
DELIVERED_WITHIN = timedelta(minutes=10)
RECENT = timedelta(days=1)
MOST_EVENTS = 300

State = Literal["ok", "problem", "note"]


@dataclass(frozen=True)
class Finding:
    """What one point is like; `advice` says what to do about a problem."""

    point: str
    state: State
    text: str
    advice: str = ""


def examine(webhook_url: str) -> Iterator[Finding]:
    """Yield every finding. `webhook_url` is this shop's own, empty if not known.

    Without a database, only those that need none.
    """
    yield from _keys()
    yield from _stripe(webhook_url)
    yield from _mail()
    yield (database := _database())
    if database.state == "problem":
        return
    yield from _self_test(webhook_url)
    yield _reconciler()
    yield from _products()
    yield from _leftovers()


def own_webhook_url() -> str:
    """Return the address of the endpoint by the first allowed host; empty if none."""
    local = ("127.0.0.1", "localhost", "[::1]")
    named = [host for host in settings.ALLOWED_HOSTS if host not in local]
    hosts = [host.lstrip(".") for host in named if host != "*"]
    if hosts:
        return f"https://{hosts[0]}{reverse('stripe_webhook')}"
    if settings.DEBUG:
        return f"{settings.DEVELOPMENT_ADDRESS}{reverse('stripe_webhook')}"
    return ""


def ok(point: str, text: str) -> Finding:
    return Finding(point, "ok", text)


def problem(point: str, text: str, advice: str) -> Finding:
    return Finding(point, "problem", text, advice)


# --- Settings -----------------------------------------------------------------------


def _keys() -> Iterator[Finding]:
    wrong = [*checks.check_stripe_keys(None), *checks.check_currency(None)]
    for message in wrong:
        yield problem("keys", str(message.msg), "Correct it in the environment.")
    if not wrong:
        mode = "live" if gateway.is_live() else "test"
        yield ok("keys", f"A pair of one mode, {mode}, and a signing secret.")


# --- Stripe -------------------------------------------------------------------------


def _stripe(webhook_url: str) -> Iterator[Finding]:
    """Everything that needs an answer of Stripe; without one, only that."""
    where = urlsplit(settings.STRIPE_API_BASE).netloc
    try:
        with gateway.deadline(60):
            yield from _clock(where)
            yield from _permissions()
            yield from _endpoint(webhook_url)
            yield from _deliveries()
    except gateway.KeyRejected:
        yield problem(
            "Stripe",
            f"{where} does not accept the secret key.",
            "Copy the key of the right account from the Dashboard; it may be rolled.",
        )
    except gateway.NotPermitted:
        yield problem(
            "Stripe",
            "The key may not read what the doctor looks at.",
            "Give the restricted key the permissions named above.",
        )
    except gateway.StripeError as error:
        yield problem(
            "Stripe",
            f"{where} gives no usable answer: {error}",
            "Look at network, proxy and firewall: the shop must reach it by HTTPS.",
        )


def _clock(where: str) -> Iterator[Finding]:
    before = timezone.now()
    there = gateway.server_time()
    yield ok("Stripe", f"{where} answers, in API version {gateway.API_VERSION}.")
    off = abs(there - before)
    if off > CLOCK_TOLERANCE:
        yield problem(
            "clock",
            f"It differs from Stripe's by {off.total_seconds():.0f} s.",
            "Set it (NTP): signatures of webhooks are refused after 300 s.",
        )
    else:
        yield ok("clock", "It agrees with Stripe's.")


def _permissions() -> Iterator[Finding]:
    missing = list(gateway.missing_permissions())
    for name in missing:
        yield problem(
            "permissions",
            f"The secret key lacks “{name}”.",
            "Add it to the restricted key at dashboard.stripe.com/apikeys.",
        )
    if not missing:
        yield ok("permissions", "The key may do all that the shop asks for.")


def _endpoint(webhook_url: str) -> Iterator[Finding]:
    point = "webhook endpoint"
    create = "Run “manage.py webhook_endpoint create URL”."
    endpoints = list(gateway.list_webhook_endpoints())
    if not webhook_url:
        yield problem(
            point,
            "This shop's own address is not known.",
            "Set ALLOWED_HOSTS, or give it: “manage.py doctor --url URL”.",
        )
        return
    here = [one for one in endpoints if _same(one.url, webhook_url)]
    if not here:
        text = f"None of {len(endpoints)} leads to {webhook_url}."
        if settings.DEBUG:
            yield Finding(point, "note", f"{text} “stripe listen” needs none.")
        else:
            yield problem(point, text, create)
    for endpoint in here:
        yield from _about(endpoint)


def _same(one: str, other: str) -> bool:
    """The shop answers with and without the last slash."""
    return one.rstrip("/") == other.rstrip("/")


def _about(endpoint: gateway.WebhookEndpoint) -> Iterator[Finding]:
    point = f"webhook endpoint {endpoint.id}"
    update = f"Run “manage.py webhook_endpoint update {endpoint.id}”."
    faultless = True
    if endpoint.status != "enabled":
        faultless = False
        yield problem(point, f"It is {endpoint.status}.", update)
    if gateway.is_live() and not endpoint.url.startswith("https://"):
        faultless = False
        yield problem(point, "It is not HTTPS.", "Create it anew with https://.")
    if endpoint.api_version != gateway.API_VERSION:
        faultless = False
        version = endpoint.api_version or "the account's default version"
        yield problem(
            point,
            f"It sends {version}, not {gateway.API_VERSION}.",
            "A version is chosen at creation: create a new one, delete this one.",
        )
    if lacking := missing_types(endpoint.types):
        faultless = False
        yield problem(point, f"It lacks {', '.join(lacking)}.", update)
    if faultless:
        yield ok(point, "Enabled, of the right version, with every event type.")


def missing_types(types: Iterable[str]) -> list[str]:
    """Return the event types of this shop that `types` leaves out."""
    subscribed = set(types)
    if "*" in subscribed:
        return []
    return [name for name in inbox.EVENT_TYPES if name not in subscribed]


def _deliveries() -> Iterator[Finding]:
    """Whether Stripe still has to deliver what is older than a retry or two."""
    until = timezone.now() - DELIVERED_WITHIN
    waiting, seen = 0, 0
    recent = gateway.list_events(
        created_from=timezone.now() - RECENT, types=inbox.EVENT_TYPES
    )
    for event in recent:
        seen += 1
        is_old = event.created < until.timestamp()
        waiting += is_old and event.payload.get("pending_webhooks", 0) > 0
        if seen == MOST_EVENTS:
            break
    if waiting:
        yield problem(
            "deliveries",
            f"Stripe could not deliver {waiting} of the last {seen} events.",
            "See why at dashboard.stripe.com/webhooks; mostly the signing secret.",
        )
    else:
        yield ok("deliveries", f"None of the last {seen} events waits.")


# --- The shop's own endpoint --------------------------------------------------------


def _self_test(webhook_url: str) -> Iterator[Finding]:
    """Post an event signed with each secret to the address, as Stripe would."""
    if not webhook_url or not settings.STRIPE_WEBHOOK_SECRETS:
        return
    for number, secret in enumerate(settings.STRIPE_WEBHOOK_SECRETS, 1):
        yield _post_signed(webhook_url, secret, f"signing secret {number}")


def _post_signed(url: str, secret: str, point: str) -> Finding:
    event_id = f"evt_doctor_{secrets.token_hex(8)}"
    body = json.dumps(_harmless_event(event_id))
    try:
        answer = requests.post(
            url,
            data=body.encode(),
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": gateway.sign(body, secret),
            },
            timeout=ANSWER_SECONDS,
            allow_redirects=False,
        )
    except requests.exceptions.SSLError:
        return problem(
            point,
            f"{url} has no certificate that is valid for it.",
            "Renew it, with all between it and its root: Stripe delivers to no other.",
        )
    except requests.RequestException as error:
        advice = (
            "Stripe must reach it from the internet; HTTPS with a valid certificate."
        )
        if settings.DEBUG:
            advice = "Does the shop run? Elsewhere: “manage.py doctor --url URL”."
        text = f"{url} does not answer: {type(error).__name__}."
        return problem(point, text, advice)
    arrived = StripeEvent.objects.filter(pk=event_id).delete()[0]
    return _judge(answer, url, point, arrived=bool(arrived))


def _harmless_event(event_id: str) -> dict[str, object]:
    """An event of a type that no handler has: recorded, ignored, then removed."""
    return {
        "id": event_id,
        "object": "event",
        "type": "doctor.self_test",
        "created": int(time.time()),
        "livemode": gateway.is_live(),
        "api_version": gateway.API_VERSION,
        "data": {"object": {"object": "self_test"}},
    }


def _judge(
    answer: requests.Response, url: str, point: str, *, arrived: bool
) -> Finding:
    status = answer.status_code
    if 300 <= status < 400:
        return problem(
            point,
            f"{url} redirects to {answer.headers.get('Location', 'somewhere')}.",
            "Register the address it leads to: Stripe follows no redirect.",
        )
    if status == 400:
        return problem(
            point,
            "The running shop refuses what it signs.",
            "Restart the shop with the same STRIPE_WEBHOOK_SECRET.",
        )
    if status != 200:
        return problem(
            point,
            f"{url} answers {status}.",
            "Let requests to it through: no login, no bot protection, no cache.",
        )
    if not arrived:
        return problem(
            point,
            f"{url} took an event that is not in this database.",
            "Another shop answers there, or this one has another DATABASE_URL.",
        )
    return ok(point, "A signed event arrived.")


# --- The rest -----------------------------------------------------------------------


def _database() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return problem("database", "It does not answer.", "Check DATABASE_URL.")
    if missing:
        text = f"{len(missing)} migrations are missing."
        return problem("database", text, "Run “manage.py migrate”.")
    if connection.vendor == "sqlite" and not settings.DEBUG:
        return Finding("database", "note", "SQLite: for one machine only.")
    return ok("database", "It answers and has every migration.")


def _reconciler() -> Finding:
    """Whether its rounds come to their end; the desk's light says the same."""
    last = Shop.current().reconciled_at
    age = timezone.now() - last if last else None
    if age is not None and age <= health.ROUND_LATE:
        return ok("reconciler", f"Its last complete round began {_ago(age)} ago.")
    text = f"No complete round for {_ago(age)}." if age else "No round was complete."
    advice = (
        "Keep “manage.py reconcile --watch 30” running beside the shop, and read what "
        "it logs as “Not reconciled”."
    )
    if settings.DEBUG:
        return Finding("reconciler", "note", text, "`make run` starts it: wait 30 s.")
    return problem("reconciler", text, advice)


def _ago(age: timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    return f"{seconds} s" if seconds < 300 else f"{seconds // 60} minutes"


# What a mail server's refusal means: the first that fits.
MAIL_TROUBLES: list[tuple[type[OSError], str, str]] = [
    (
        SMTPAuthenticationError,
        "The mail server answers and refuses the user or the password.",
        "Correct them in EMAIL_URL, percent-encoded: @ is %40, / is %2F.",
    ),
    (
        SMTPNotSupportedError,
        "The mail server answers and offers no STARTTLS, or no sign-in.",
        "In EMAIL_URL, try smtp+ssl:// with its port 465; smtp:// is not encrypted.",
    ),
    (
        SMTPException,
        "Something answers as the mail server and does not let the shop in.",
        "In EMAIL_URL, smtp+tls:// is for port 587, smtp+ssl:// for 465.",
    ),
    (
        SSLCertVerificationError,
        "The mail server's certificate is not valid for the host in EMAIL_URL.",
        "Use the host its provider names; a self-signed certificate is not accepted.",
    ),
    (
        SSLError,
        "The mail server does not begin with TLS at this port.",
        "In EMAIL_URL, smtp+ssl:// is for port 465, smtp+tls:// for 587.",
    ),
    (
        gaierror,
        "The mail server's host is not known.",
        "Correct the host in EMAIL_URL.",
    ),
    (
        OSError,
        "No mail server answers at this host and port.",
        "Check EMAIL_URL: smtp+tls:// with port 587, smtp+ssl:// with 465; and that "
        "no firewall is between.",
    ),
]


def _mail() -> Iterator[Finding]:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        text = "Mail is printed, not sent."
        if settings.DEBUG:
            yield Finding("mail", "note", text)
        else:
            yield problem("mail", text, "Set EMAIL_URL to your mail server.")
        return
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost") and not settings.DEBUG:
        yield problem(
            "mail",
            "The sender is an address at localhost, which other servers refuse.",
            "Add ?from=shop@your-domain to EMAIL_URL.",
        )
    try:
        with closing(get_connection()) as server:
            server.open()
    except OSError as error:
        fitting = (one for one in MAIL_TROUBLES if isinstance(error, one[0]))
        _kind, text, advice = next(fitting)
        yield problem("mail", f"{text} ({type(error).__name__})", advice)
    else:
        took = "took user and password" if settings.EMAIL_HOST_USER else "answers"
        yield ok("mail", f"The mail server {took}. No mail was sent to try it.")


def _products() -> Iterator[Finding]:
    active = Product.objects.filter(active=True)
    hidden = active.exclude(currency=settings.CURRENCY)
    for product in hidden[:10]:
        yield problem(
            "products",
            f"“{product.name}” is priced in {product.currency.upper()}: not shown.",
            f"Price it in {settings.CURRENCY.upper()}, or set CURRENCY.",
        )
    if not active.filter(currency=settings.CURRENCY).exists():
        yield problem("products", "Nothing is on sale.", "Add a product in the admin.")
    elif not hidden:
        yield ok("products", f"All are priced in {settings.CURRENCY.upper()}.")


def _leftovers() -> Iterator[Finding]:
    """What the sandbox or the other mode left in the database."""
    unfinished = Order.objects.filter(status__in=Order.UNFINISHED)
    other_mode = unfinished.exclude(livemode=gateway.is_live()).count()
    if other_mode:
        yield problem(
            "leftovers",
            f"{other_mode} unfinished orders are of the other mode.",
            "Go live with an empty database.",
        )
    newest = unfinished.filter(payment_intent_id__isnull=False).first()
    strange = newest is not None and _is_unknown(newest.payment_intent_id or "")
    if strange:
        yield problem(
            "leftovers",
            "Stripe does not know the newest order's PaymentIntent.",
            "These orders are the sandbox's or another account's: use another "
            "database, or close them.",
        )
    if settings.DEBUG and gateway.is_live():
        yield problem("leftovers", "DEBUG is on with live keys.", "Turn DEBUG off.")
    if not other_mode and not strange:
        yield ok("leftovers", "None of the sandbox's or the other mode's orders.")


def _is_unknown(intent_id: str) -> bool:
    try:
        with gateway.deadline(gateway.DEADLINE_SECONDS):
            gateway.retrieve_payment_intent(intent_id)
    except gateway.Refused as refusal:
        return refusal.code == "resource_missing"
    except gateway.StripeError:
        return False
    return False
