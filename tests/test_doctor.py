"""The doctor names what is wrong with a set-up; the other command sets it right."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import (
    CommandError,
    call_command,
    execute_from_command_line,
)
from django.core.management.base import SystemCheckError
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.testcases import LiveServerThread
from django.utils import timezone
from pytest_django.fixtures import Settings

from checkout import doctor, gateway, inbox
from checkout.models import Shop, StripeEvent
from tests.factories import make_order, make_product
from tests.proxy import tls_in_front_of
from tests.sandbox_server import SandboxServer


def run(*arguments: str) -> tuple[str, bool]:
    """Return what a command printed, and whether it succeeded."""
    out = StringIO()
    try:
        call_command(*arguments, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}", False
    return out.getvalue(), True


@pytest.fixture
def url(shop: str, settings: Settings) -> Iterator[str]:
    """The webhook address of a running shop that is set up as it should be."""
    make_product()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = "shop@example.com"
    Shop.current()
    Shop.objects.update(reconciled_at=timezone.now() - timedelta(seconds=30))
    return f"{shop}/stripe/webhook/"


def wrong_key(sandbox: SandboxServer, settings: Settings) -> None:
    sandbox.expire_key(sandbox.secret_key)


def restricted_key(sandbox: SandboxServer, settings: Settings) -> None:
    sandbox.restrict_key(
        sandbox.secret_key, "payment_intents.*", "events.*", "webhook_endpoints.*"
    )


def keys_of_two_modes(sandbox: SandboxServer, settings: Settings) -> None:
    settings.STRIPE_PUBLISHABLE_KEY = "pk_live_0"


def unreachable(sandbox: SandboxServer, settings: Settings) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"


def no_signing_secret(sandbox: SandboxServer, settings: Settings) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = []


def printed_mail(sandbox: SandboxServer, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"


def dead_mail_server(sandbox: SandboxServer, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def unknown_mail_host(sandbox: SandboxServer, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "no-such-host.invalid"


def sender_at_localhost(sandbox: SandboxServer, settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "shop@localhost"


def no_round(sandbox: SandboxServer, settings: Settings) -> None:
    Shop.objects.update(reconciled_at=None)


def old_round(sandbox: SandboxServer, settings: Settings) -> None:
    Shop.objects.update(reconciled_at=timezone.now() - timedelta(hours=2))


def product_in_another_currency(sandbox: SandboxServer, settings: Settings) -> None:
    make_product(name="Teapot", currency="eur")


def order_of_the_sandbox(sandbox: SandboxServer, settings: Settings) -> None:
    make_order(payment_intent_id="pi_of_another_account")


def missing_migration(sandbox: SandboxServer, settings: Settings) -> None:
    rows = MigrationRecorder.Migration.objects
    rows.filter(app="checkout").order_by("-id")[:1].get().delete()


def disabled_endpoint(sandbox: SandboxServer, settings: Settings) -> None:
    _client(sandbox).v1.webhook_endpoints.update(FORWARDING, {"disabled": True})


def endpoint_with_few_types(sandbox: SandboxServer, settings: Settings) -> None:
    _client(sandbox).v1.webhook_endpoints.update(
        FORWARDING, {"enabled_events": ["payment_intent.succeeded"]}
    )


def endpoint_of_another_version(sandbox: SandboxServer, settings: Settings) -> None:
    endpoints = _client(sandbox).v1.webhook_endpoints
    address = endpoints.retrieve(FORWARDING).url
    endpoints.create(
        {"url": address, "enabled_events": ["*"], "api_version": "2026-08-26.dahlia"}
    )


FORWARDING = "we_sandboxForwardTo"


def _client(sandbox: SandboxServer) -> Any:
    import stripe

    return stripe.StripeClient(sandbox.secret_key, base_addresses={"api": sandbox.url})


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (wrong_key, "does not accept the secret key"),
        (restricted_key, "lacks “Charges and refunds: write”"),
        (keys_of_two_modes, "of different modes"),
        (unreachable, "gives no usable answer"),
        (no_signing_secret, "STRIPE_WEBHOOK_SECRET is not set"),
        (printed_mail, "printed, not sent"),
        (dead_mail_server, "No mail server answers at this host and port."),
        (unknown_mail_host, "The mail server's host is not known."),
        (sender_at_localhost, "The sender is an address at localhost"),
        (no_round, "No round was complete."),
        (old_round, "No complete round for 120 minutes."),
        (product_in_another_currency, "“Teapot” is priced in EUR"),
        (order_of_the_sandbox, "does not know the newest order"),
        (missing_migration, "1 migrations are missing"),
        (disabled_endpoint, "It is disabled"),
        (endpoint_with_few_types, "It lacks payment_intent.canceled"),
        (endpoint_of_another_version, "It sends 2026-08-26.dahlia, not"),
    ],
)
def test_each_wrong_set_up_is_named(
    url: str, sandbox: SandboxServer, settings: Settings, break_it: Any, words: str
) -> None:
    break_it(sandbox, settings)
    try:
        said, succeeded = run("doctor", "--url", url)
    finally:
        call_command("migrate", fake=True, verbosity=0)

    assert words in said
    assert "→" in said
    assert not succeeded


class Talk(socketserver.StreamRequestHandler):
    """A mail server that offers what `offers` says and refuses every password."""

    offers = ""

    def handle(self) -> None:
        self.wfile.write(b"220 mail.example\r\n")
        for line in self.rfile:
            match line.split()[0].upper():
                case b"EHLO":
                    answer = f"250-mail.example\r\n250 {self.offers or 'HELP'}"
                case b"QUIT":
                    return
                case _:
                    answer = "535 no"
            self.wfile.write(f"{answer}\r\n".encode())


@contextmanager
def mail_server(settings: Settings, **options: Any) -> Iterator[None]:
    """Let the shop find a mail server on this machine, of the given kind."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    talk = type("Talk", (Talk,), {"offers": options.pop("offers", "")})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), talk) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        for name, value in options.items():
            setattr(settings, name, value)
        yield
        server.shutdown()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "The mail server answers. No mail was sent"),
        ({"EMAIL_USE_TLS": True}, "offers no STARTTLS"),
        ({"EMAIL_USE_SSL": True}, "does not begin with TLS at this port"),
        (
            {
                "offers": "AUTH PLAIN",
                "EMAIL_HOST_USER": "shop",
                "EMAIL_HOST_PASSWORD": "a-s3cret",
            },
            "refuses the user or the password",
        ),
    ],
)
def test_what_a_mail_server_refuses_is_named(
    url: str, settings: Settings, options: dict[str, Any], words: str
) -> None:
    with mail_server(settings, **options):
        said, succeeded = run("doctor", "--url", url)

    assert words in said
    assert succeeded == (not options)
    assert "s3cret" not in said


def test_a_certificate_that_is_not_valid_is_named(
    url: str, shop: str, settings: Settings, tmp_path: Path
) -> None:
    with tls_in_front_of(shop, tmp_path) as address:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_USE_SSL = True
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = urlsplit(address).port
        said, _ = run("doctor", "--url", f"{address}/stripe/webhook/")

    assert "stripe/webhook/ has no certificate that is valid for it" in said
    assert "mail server's certificate is not valid" in said


def test_what_needs_no_database_is_said_without_one(
    url: str, settings: Settings
) -> None:
    settings.EMAIL_PORT = 1
    with mock.patch.object(
        connection, "ensure_connection", side_effect=OperationalError
    ):
        connection.close()
        said, succeeded = run("doctor", "--url", url)

    assert "problem  database: It does not answer." in said
    assert "ok       mail" in said
    assert not succeeded


def test_while_developing_a_reconciler_that_just_starts_is_no_problem(
    url: str, settings: Settings
) -> None:
    settings.DEBUG = True
    Shop.objects.update(reconciled_at=None)

    said, succeeded = run("doctor", "--url", url)

    assert "note     reconciler: No round was complete." in said
    assert succeeded, said


def test_a_sound_set_up_passes_and_leaves_nothing(
    url: str, sandbox: SandboxServer
) -> None:
    said, succeeded = run("doctor", "--url", url)

    assert succeeded, said
    assert "problem" not in said
    # Who answered: this is not Stripe.
    assert f"127.0.0.1:{sandbox.port} answers, in API version" in said
    assert "A signed event arrived." in said
    assert not StripeEvent.objects.exists()


def test_wrong_addresses_of_the_webhook_are_named(url: str, shop: str) -> None:
    elsewhere, _ = run("doctor", "--url", f"{shop}/elsewhere/")
    assert "answers 404" in elsewhere
    assert "None of 1 leads to" in elsewhere

    redirecting, _ = run("doctor", "--url", f"{shop}/accounts/login")
    assert "redirects to /accounts/login/" in redirecting


def test_a_shop_with_another_secret_is_named(
    url: str, shop_server: LiveServerThread, settings: Settings
) -> None:
    with mock.patch.object(gateway, "sign", return_value="t=1,v1=0"):
        said, succeeded = run("doctor", "--url", url)
    assert "refuses what it signs" in said
    assert not succeeded


def test_events_that_stripe_cannot_deliver_are_named(
    url: str, sandbox: SandboxServer
) -> None:
    sandbox.hold_deliveries()
    intents = _client(sandbox).v1.payment_intents
    intent = intents.create({"amount": 1099, "currency": "usd"})
    sandbox.confirm(intent.id)

    at_once, succeeded = run("doctor", "--url", url)
    assert succeeded, at_once
    with mock.patch.object(doctor, "DELIVERED_WITHIN", timedelta(0)):
        later, succeeded = run("doctor", "--url", url)
    assert "could not deliver 2 of the last 2 events" in later
    assert not succeeded


def test_a_wrong_clock_is_named(url: str) -> None:
    late = timezone.now() + timedelta(minutes=4)
    with mock.patch.object(gateway, "server_time", return_value=late):
        said, _ = run("doctor", "--url", url)
    assert "differs from Stripe's by 240 s" in said


def test_no_secret_is_printed(url: str, sandbox: SandboxServer) -> None:
    sandbox.expire_key(sandbox.secret_key)
    said, _ = run("doctor", "--url", url)
    for secret in (settings.STRIPE_SECRET_KEY, *settings.STRIPE_WEBHOOK_SECRETS):
        assert secret not in said


def test_endpoint_is_created_with_what_the_shop_needs(sandbox: SandboxServer) -> None:
    address = "https://shop.example/stripe/webhook/"

    said, succeeded = run("webhook_endpoint", "create", address)

    assert succeeded
    *_, endpoint = sandbox.objects("webhook_endpoint")
    assert endpoint["url"] == address
    assert endpoint["api_version"] == gateway.API_VERSION
    assert set(endpoint["enabled_events"]) == set(inbox.EVENT_TYPES)
    assert "STRIPE_WEBHOOK_SECRET=whsec_" in said
    again, succeeded = run("webhook_endpoint", "create", address.rstrip("/"))
    assert not succeeded
    assert f"webhook_endpoint update {endpoint['id']}" in again
    listed, _ = run("webhook_endpoint", "list")
    assert endpoint["id"] in listed
    assert "whsec_" not in listed


def test_endpoint_is_updated_and_enabled(sandbox: SandboxServer) -> None:
    made = _client(sandbox).v1.webhook_endpoints.create(
        {
            "url": "https://shop.example/stripe/webhook/",
            "enabled_events": ["charge.refunded"],
        }
    )
    _client(sandbox).v1.webhook_endpoints.update(made.id, {"disabled": True})

    said, succeeded = run("webhook_endpoint", "update", made.id)

    assert succeeded
    *_, endpoint = sandbox.objects("webhook_endpoint")
    assert endpoint["status"] == "enabled"
    assert set(endpoint["enabled_events"]) == set(inbox.EVENT_TYPES)
    assert "version cannot be changed" in said


def test_endpoint_is_created_before_there_is_a_signing_secret(
    sandbox: SandboxServer, settings: Settings
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = []
    with pytest.raises(SystemCheckError, match="STRIPE_WEBHOOK_SECRET"):
        call_command("verify_payments", skip_checks=False)

    # As from a terminal, with the checks that `call_command` leaves out.
    execute_from_command_line(["manage.py", "webhook_endpoint", "list"])


@pytest.mark.parametrize(
    "address", ["shop.example", "https://shop.example/", "ftp://shop.example/x"]
)
def test_endpoint_elsewhere_is_refused(address: str) -> None:
    _said, succeeded = run("webhook_endpoint", "create", address)
    assert not succeeded
