"""Everything the shop says to Stripe and hears from it; the only import of stripe.

Plain values in, frozen dataclasses out, Stripe's errors turned into three of ours.
Knows no model. Every call is bounded by the deadline of the request it serves, and
a call that changes something is sent again only under the same idempotency key.
"""

from checkout.gateway.calls import (
    cancel_payment_intent,
    create_payment_intent,
    create_refund,
    list_events,
    list_payment_intents,
    list_refunds,
    read_stored_event,
    retrieve_event,
    retrieve_payment_intent,
)
from checkout.gateway.connection import (
    API_VERSION,
    DEADLINE_SECONDS,
    deadline,
    is_live,
    is_sandbox,
)
from checkout.gateway.errors import (
    KeyRejected,
    KeySpent,
    NotAuthentic,
    NotPermitted,
    Refused,
    StripeError,
    Unavailable,
    UnexpectedState,
)
from checkout.gateway.objects import (
    Charge,
    Dispute,
    Event,
    FraudWarning,
    PaymentIntent,
    Refund,
    WebhookEndpoint,
    read_charge,
    read_decline_code,
)
from checkout.gateway.setup import (
    create_webhook_endpoint,
    list_webhook_endpoints,
    missing_permissions,
    server_time,
    sign,
    update_webhook_endpoint,
)
from checkout.gateway.signature import verify_event

__all__ = [
    "API_VERSION",
    "DEADLINE_SECONDS",
    "Charge",
    "Dispute",
    "Event",
    "FraudWarning",
    "KeyRejected",
    "KeySpent",
    "NotAuthentic",
    "NotPermitted",
    "PaymentIntent",
    "Refund",
    "Refused",
    "StripeError",
    "Unavailable",
    "UnexpectedState",
    "WebhookEndpoint",
    "cancel_payment_intent",
    "create_payment_intent",
    "create_refund",
    "create_webhook_endpoint",
    "deadline",
    "is_live",
    "is_sandbox",
    "list_events",
    "list_payment_intents",
    "list_refunds",
    "list_webhook_endpoints",
    "missing_permissions",
    "read_charge",
    "read_decline_code",
    "read_stored_event",
    "retrieve_event",
    "retrieve_payment_intent",
    "server_time",
    "sign",
    "update_webhook_endpoint",
    "verify_event",
]
