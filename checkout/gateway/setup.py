"""What an operator sets up at Stripe, and what the doctor asks."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import cast

import stripe
from stripe.params import WebhookEndpointCreateParams, WebhookEndpointUpdateParams

from checkout.gateway.connection import API_VERSION, client, translated_errors
from checkout.gateway.errors import NotPermitted, Refused, Unavailable, UnexpectedState
from checkout.gateway.objects import WebhookEndpoint

NO_PAYMENT = "pi_of_no_payment"


def create_webhook_endpoint(url: str, *, types: Sequence[str]) -> WebhookEndpoint:
    """Have events of `types` sent to `url` in this shop's API version.

    Its signing secret is told this once. Raises Unavailable and Refused.
    Source: https://docs.stripe.com/api/webhook_endpoints/create
    """
    params = {"url": url, "enabled_events": [*types], "api_version": API_VERSION}
    with translated_errors("webhook_endpoints.create"):
        endpoint = client().v1.webhook_endpoints.create(
            cast(WebhookEndpointCreateParams, params)
        )
        return WebhookEndpoint.from_stripe(endpoint.to_dict())


def list_webhook_endpoints() -> Iterator[WebhookEndpoint]:
    """Yield the account's webhook endpoints. Raises Unavailable or Refused."""
    with translated_errors("webhook_endpoints.list"):
        page = client().v1.webhook_endpoints.list({"limit": 100})
        for endpoint in page.auto_paging_iter():
            yield WebhookEndpoint.from_stripe(endpoint.to_dict())


def update_webhook_endpoint(
    endpoint_id: str, *, types: Sequence[str]
) -> WebhookEndpoint:
    """Subscribe an endpoint to exactly `types` and enable it.

    Its API version cannot be changed. Raises Unavailable and Refused.
    """
    params = {"enabled_events": [*types], "disabled": False}
    with translated_errors("webhook_endpoints.update"):
        endpoint = client().v1.webhook_endpoints.update(
            endpoint_id, cast(WebhookEndpointUpdateParams, params)
        )
        return WebhookEndpoint.from_stripe(endpoint.to_dict())


def sign(body: str, secret: str) -> str:
    """Return the header with which Stripe would sign `body` now."""
    header: str = stripe.WebhookSignature.generate_signature_header(body, secret)
    return header


def server_time() -> datetime:
    """Return the time by Stripe's clock, to the second. Raises Unavailable."""
    with translated_errors("events.list"):
        response = client().v1.events.list({"limit": 1}).last_response
    headers = response.headers if response else {}
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        return parsedate_to_datetime(lowered["date"])
    except (LookupError, ValueError) as error:
        raise Unavailable("an answer without a date") from error


def missing_permissions() -> Iterator[str]:
    """Yield what the secret key may not do, of all that the shop asks of it.

    Each call that would change something is one that Stripe cannot carry out, and
    says so only to a key that might. Raises Unavailable.
    """
    v1 = client().v1
    calls: dict[str, Callable[[], object]] = {
        "PaymentIntents: read": lambda: v1.payment_intents.list({"limit": 1}),
        "PaymentIntents: write": lambda: v1.payment_intents.cancel(NO_PAYMENT),
        "Charges and refunds: read": lambda: v1.refunds.list({"limit": 1}),
        "Charges and refunds: write": lambda: v1.refunds.create(
            {"payment_intent": NO_PAYMENT}
        ),
        "Events: read": lambda: v1.events.list({"limit": 1}),
        "Webhook endpoints: read": lambda: v1.webhook_endpoints.list({"limit": 1}),
    }
    for name, call in calls.items():
        try:
            with translated_errors(name):
                call()
        except NotPermitted:
            yield name
        except (Refused, UnexpectedState):
            continue
