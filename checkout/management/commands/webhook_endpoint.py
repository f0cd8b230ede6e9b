"""`manage.py webhook_endpoint create URL | list | update [ID]`: where events go."""

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from checkout import doctor, gateway, inbox


class Command(BaseCommand):
    help = "Register this shop's webhook endpoint at Stripe, list or update them."
    # It prints the signing secret, without which the checks refuse everything else.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        create = acts.add_parser("create", help="register URL and print its secret")
        create.add_argument("url", metavar="URL")
        acts.add_parser("list", help="show the account's endpoints")
        update = acts.add_parser("update", help="subscribe to exactly the needed types")
        update.add_argument("id", metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            match options["act"]:
                case "create":
                    self._create(options["url"])
                case "list":
                    self._list()
                case "update":
                    self._update(options["id"])
        except gateway.StripeError as error:
            raise CommandError(f"Stripe did not do it: {error}") from error

    def _create(self, url: str) -> None:
        _check(url)
        for endpoint in gateway.list_webhook_endpoints():
            if endpoint.url.rstrip("/") == url.rstrip("/"):
                raise CommandError(
                    f"{endpoint.id} leads there already: webhook_endpoint update "
                    f"{endpoint.id}"
                )
        created = gateway.create_webhook_endpoint(url, types=inbox.EVENT_TYPES)
        self._show(created)
        self.stdout.write("Its signing secret is shown only now; put it into .env:")
        self.stdout.write(f"STRIPE_WEBHOOK_SECRET={created.secret}")

    def _list(self) -> None:
        for endpoint in gateway.list_webhook_endpoints():
            self._show(endpoint)

    def _update(self, endpoint_id: str) -> None:
        updated = gateway.update_webhook_endpoint(endpoint_id, types=inbox.EVENT_TYPES)
        self._show(updated)
        if updated.api_version != gateway.API_VERSION:
            self.stdout.write(
                f"Its version cannot be changed to {gateway.API_VERSION}: create a new "
                "endpoint, then delete this one at Stripe."
            )

    def _show(self, endpoint: gateway.WebhookEndpoint) -> None:
        missing = doctor.missing_types(endpoint.types)
        types = f"lacks {', '.join(missing)}" if missing else "every needed type"
        version = endpoint.api_version or "default version"
        self.stdout.write(
            f"{endpoint.id} {endpoint.status} {endpoint.url} ({version}, {types})"
        )


def _check(url: str) -> None:
    """Refuse an address that Stripe would refuse, or that is not the webhook's."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError("Give the whole address: https://shop.example/…")
    if gateway.is_live() and parts.scheme != "https":
        raise CommandError("In live mode Stripe delivers by HTTPS only.")
    if parts.path.rstrip("/") != "/stripe/webhook" or parts.query:
        raise CommandError("This shop takes events at /stripe/webhook/ only.")
