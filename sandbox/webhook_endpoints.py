"""Webhook endpoints: where events go, which ones, in which version, how signed."""

import hashlib
import hmac
import time

from sandbox.accounts import DAY, ENDIVE, Account
from sandbox.answers import page
from sandbox.errors import invalid, missing
from sandbox.ids import new_id, random_text
from sandbox.parameters import (
    EXPAND,
    PAGE,
    Params,
    boolean,
    fields,
    list_of,
    merge_metadata,
    metadata,
    or_unset,
    text,
)
from sandbox.store import Object

CREATE = fields(
    EXPAND
    | {
        "url": text,
        "enabled_events": list_of(text),
        "api_version": text,
        "description": or_unset(text),
        "metadata": metadata,
        "connect": boolean,
    }
)
UPDATE = fields(
    EXPAND
    | {
        "url": text,
        "enabled_events": list_of(text),
        "description": or_unset(text),
        "metadata": metadata,
        "disabled": boolean,
    }
)
LIST = fields(PAGE)
MOST = 16

# The endpoint that --forward-to stands for.
FORWARDING = "we_sandboxForwardTo"

USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


def create(account: Account, params: Params) -> Object:
    for name in ("url", "enabled_events"):
        if name not in params:
            raise missing(name)
    _check_url(params["url"])
    if len(account.find("webhook_endpoint")) >= MOST:
        raise invalid(f"You have reached the maximum of {MOST} webhook endpoints.")
    secret = f"whsec_{random_text(32)}"
    endpoint = account.insert(
        _endpoint(account, new_id("we"), params["url"], [secret])
        | {
            "enabled_events": params["enabled_events"],
            "api_version": params.get("api_version"),
            "description": params.get("description") or None,
            "metadata": params.get("metadata") or {},
        }
    )
    return endpoint | {"secret": secret}


def retrieve(account: Account, params: Params, endpoint_id: str) -> Object:
    return account.get("webhook_endpoint", endpoint_id, param="webhook_endpoint")


def list_all(account: Account, params: Params) -> Object:
    return page(account, "webhook_endpoint", params, url="/v1/webhook_endpoints")


def update(account: Account, params: Params, endpoint_id: str) -> Object:
    endpoint = retrieve(account, {}, endpoint_id)
    if "url" in params:
        _check_url(params["url"])
    for name in ("url", "enabled_events", "description"):
        if name in params:
            endpoint[name] = params[name] or None
    if "metadata" in params:
        endpoint["metadata"] = merge_metadata(endpoint["metadata"], params["metadata"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    return account.update(endpoint)


def delete(account: Account, params: Params, endpoint_id: str) -> Object:
    retrieve(account, {}, endpoint_id)
    account.store.delete(endpoint_id)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def forward_to(account: Account, url: str, secret: str) -> None:
    """Send every event to the shop, in the version it was written for."""
    endpoint = _endpoint(account, FORWARDING, url, [secret])
    account.store.delete(FORWARDING)
    account.insert(endpoint)


def roll_secret(account: Account, endpoint_id: str, secret: str | None) -> str:
    """Give the endpoint a new secret; the old one signs too for a day."""
    endpoint = retrieve(account, {}, endpoint_id)
    new = secret or f"whsec_{random_text(32)}"
    now = account.clock.exact()
    old = [
        entry | {"until": entry["until"] or now + DAY}
        for entry in endpoint["_"]["secrets"]
    ]
    endpoint["_"]["secrets"] = [{"secret": new, "until": None}, *old]
    account.update(endpoint)
    return new


def secrets_alive(account: Account, endpoint: Object) -> list[str]:
    """What signs for an endpoint now: its secret, and those rolled within a day."""
    now = account.clock.exact()
    return [
        entry["secret"]
        for entry in endpoint["_"]["secrets"]
        if entry["until"] is None or entry["until"] > now
    ]


def headers(secrets: list[str], payload: bytes) -> dict[str, str]:
    """The headers of a delivery that is sent this moment."""
    return {
        "User-Agent": USER_AGENT,
        "Accept": "*/*; q=0.5, application/xml",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": _signature(secrets, payload, int(time.time())),
    }


def _signature(secrets: list[str], payload: bytes, moment: int) -> str:
    """One `v1` for each secret."""
    signed = f"{moment}.".encode() + payload
    parts = [
        "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for secret in secrets
    ]
    decoy = hmac.new(b"v0", signed, hashlib.sha256).hexdigest()
    return ",".join([f"t={moment}", *parts, f"v0={decoy}"])


def _endpoint(
    account: Account, endpoint_id: str, url: str, secrets: list[str]
) -> Object:
    return {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": ENDIVE,
        "application": None,
        "created": account.now(),
        "description": None,
        "enabled_events": ["*"],
        "livemode": account.livemode,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_": {"secrets": [{"secret": secret, "until": None} for secret in secrets]},
    }


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise invalid("Invalid URL: it must be an explicit HTTP URL.", param="url")
