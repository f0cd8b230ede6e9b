"""What is sent to the shop that is measured, byte by byte, prepared beforehand."""

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import stripe
from django.conf import settings
from django.core import signing

from checkout import visitor
from tools.bench_rows import PRICE, Rows

CSRF = "x" * 32


class Requests:
    """Every kind of request, for one shop."""

    def __init__(self, rows: Rows, event: dict[str, Any]) -> None:
        self.rows = rows
        self.event = event

    def settling(self, number: int) -> bytes:
        """Return the event that pays order `number`."""
        intent = self.event["data"]["object"] | {
            "id": f"pi_{number}",
            "metadata": {"shop": self.rows.shop, "order": f"N{number}"},
        }
        return signed(
            "/stripe/webhook/",
            self.event | {"id": f"evt_{number}", "data": {"object": intent}},
        )

    def events_for_the_bare_view(self) -> Iterator[bytes]:
        while True:
            event = self.event | {"id": f"evt_{secrets.token_hex(12)}"}
            yield signed("/bare/webhook/", event)

    def placing(self, path: str) -> Iterator[bytes]:
        """Yield orders, each from another browser at another address."""
        wish = {
            "lines": [{"product": "mug-0", "quantity": 1}],
            "email": "shopper@example.com",
            "amount": PRICE,
            "currency": "usd",
        }
        body = json.dumps(wish).encode()
        while True:
            address = f"10.{'.'.join(str(secrets.randbelow(256)) for _ in range(3))}"
            yield request("POST", path, body, browser=visitor.new(), address=address)

    def reading(self, path: str) -> Iterator[bytes]:
        """Yield the same page for ever, asked for by the returning customer."""
        prepared = request("GET", path, browser=self.rows.customer)
        while True:
            yield prepared


def signed(path: str, event: dict[str, Any]) -> bytes:
    """Return a delivery as Stripe makes it: JSON in lines, signed now."""
    body = json.dumps(event, indent=2)
    header = stripe.WebhookSignature.generate_signature_header(
        body, settings.STRIPE_WEBHOOK_SECRETS[0], timestamp=int(time.time())
    )
    return request("POST", path, body.encode(), **{"Stripe-Signature": header})


def request(
    method: str,
    path: str,
    body: bytes = b"",
    *,
    browser: visitor.Visitor | None = None,
    address: str = "10.0.0.1",
    **headers: str,
) -> bytes:
    """Return the request as the proxy in front of the shop hands it on."""
    headers |= {
        "Host": "shop.example",
        "X-Forwarded-For": address,
        "X-Forwarded-Proto": "https",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    if browser is not None:
        cookie = signing.dumps([browser.id, browser.checkout], salt=visitor.SALT)
        headers |= {
            "Cookie": f"{visitor.cookie_name()}={cookie}; "
            f"{settings.CSRF_COOKIE_NAME}={CSRF}",
            "X-CSRFToken": CSRF,
            "Origin": "https://shop.example",
        }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
