"""What Stripe tells, as frozen values: amounts in smallest units, ids as texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Charge:
    """The attempt that reached a network."""

    id: str
    amount_refunded: int = 0
    method: str = ""
    brand: str = ""
    last4: str = ""


@dataclass(frozen=True)
class PaymentIntent:
    """A PaymentIntent as Stripe tells it; amounts in smallest units."""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    livemode: bool
    shop: str
    order: str
    decline_code: str
    declined_method: str
    charge: Charge | None
    client_secret: str = field(repr=False)

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "PaymentIntent":
        """Read Stripe's JSON. Raises LookupError or TypeError on another shape."""
        metadata = fields["metadata"]
        return cls(
            id=fields["id"],
            status=fields["status"],
            amount=fields["amount"],
            amount_received=fields["amount_received"],
            currency=fields["currency"],
            livemode=fields["livemode"],
            shop=metadata.get("shop", ""),
            order=metadata.get("order", ""),
            decline_code=read_decline_code(fields),
            declined_method=_read_declined_method(fields),
            charge=read_charge(fields["latest_charge"]),
            # A stored event is kept without it.
            client_secret=fields.get("client_secret") or "",
        )


@dataclass(frozen=True)
class Refund:
    """A refund as Stripe tells it; `refund` is the number this shop gave it, if any."""

    id: str
    payment_intent: str
    amount: int
    currency: str
    status: str
    reason: str
    failure_reason: str
    shop: str
    refund: str

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "Refund":
        """Read Stripe's JSON. Raises LookupError or TypeError on another shape."""
        metadata = fields["metadata"] or {}
        return cls(
            id=fields["id"],
            payment_intent=fields["payment_intent"] or "",
            amount=fields["amount"],
            currency=fields["currency"],
            status=fields["status"],
            reason=fields["reason"] or "",
            failure_reason=fields.get("failure_reason") or "",
            shop=metadata.get("shop", ""),
            refund=metadata.get("refund", ""),
        )


@dataclass(frozen=True)
class Dispute:
    """A dispute as Stripe tells it; `due_by` is unix time, 0 for no answer possible."""

    id: str
    payment_intent: str
    amount: int
    currency: str
    reason: str
    status: str
    due_by: int

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "Dispute":
        """Read Stripe's JSON. Raises LookupError or TypeError on another shape."""
        return cls(
            id=fields["id"],
            payment_intent=fields["payment_intent"] or "",
            amount=fields["amount"],
            currency=fields["currency"],
            reason=fields["reason"],
            status=fields["status"],
            due_by=fields["evidence_details"]["due_by"] or 0,
        )


@dataclass(frozen=True)
class FraudWarning:
    """An issuer's early warning that a payment is probably fraudulent."""

    id: str
    payment_intent: str
    fraud_type: str

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "FraudWarning":
        """Read Stripe's JSON. Raises LookupError on another shape."""
        return cls(
            id=fields["id"],
            payment_intent=fields["payment_intent"] or "",
            fraud_type=fields["fraud_type"],
        )


@dataclass(frozen=True)
class Event:
    """An authentic event. `object` is Stripe's JSON of what it is about."""

    id: str
    type: str
    created: int
    livemode: bool
    api_version: str
    object: Mapping[str, Any] = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class WebhookEndpoint:
    """Where Stripe sends events; `secret` is known only when it is created."""

    id: str
    url: str
    status: str
    api_version: str
    types: tuple[str, ...]
    secret: str = field(repr=False)

    @classmethod
    def from_stripe(cls, fields: Mapping[str, Any]) -> "WebhookEndpoint":
        """Read Stripe's JSON. Raises LookupError on another shape."""
        return cls(
            id=fields["id"],
            url=fields["url"],
            status=fields["status"],
            api_version=fields["api_version"] or "",
            types=tuple(fields["enabled_events"]),
            secret=fields.get("secret") or "",
        )


def read_decline_code(intent: Mapping[str, Any]) -> str:
    """Return why the last attempt failed: the bank's code, else Stripe's, else ''."""
    error = intent.get("last_payment_error")
    if not isinstance(error, Mapping):
        return ""
    code = error.get("decline_code") or error.get("code")
    return code if isinstance(code, str) else ""


def _read_declined_method(intent: Mapping[str, Any]) -> str:
    """Return what the last failed attempt was made with: `sepa_debit`, or ''."""
    error = intent.get("last_payment_error")
    method = error.get("payment_method") if isinstance(error, Mapping) else None
    kind = method.get("type") if isinstance(method, Mapping) else None
    return kind if isinstance(kind, str) else ""


def read_charge(charge: Mapping[str, Any] | str | None) -> Charge | None:
    """Read Stripe's JSON of a charge, of which sometimes only the id comes."""
    if charge is None:
        return None
    if isinstance(charge, str):
        return Charge(id=charge)
    details = charge["payment_method_details"] or {}
    method = details.get("type", "")
    kind = details.get(method) or {}
    return Charge(
        id=charge["id"],
        amount_refunded=charge.get("amount_refunded", 0),
        method=method,
        brand=kind.get("brand") or kind.get("bank_name") or "",
        last4=kind.get("last4") or "",
    )
