"""Events: recorded with each change of state, in the same transaction."""

import json

from sandbox.accounts import DAY, DEFAULT_VERSION, Account
from sandbox.answers import Condition, list_object, page, public
from sandbox.errors import invalid, no_such
from sandbox.ids import new_id
from sandbox.parameters import (
    EXPAND,
    PAGE,
    RANGE,
    Params,
    boolean,
    fields,
    list_of,
    text,
)
from sandbox.store import Object
from sandbox.webhook_endpoints import FORWARDING

LIST = fields(
    PAGE
    | {
        "created": RANGE,
        "type": text,
        "types": list_of(text),
        "delivery_success": boolean,
    }
)
RETRY = fields(EXPAND | {"webhook_endpoint": text, "for_stripecli": boolean})
KEPT_FOR = 30 * DAY

# What the id of a `stripe listen` begins with.
LISTENER = "cliws"

# Who listens counts only when what it forwards to refused.
UNDELIVERED = (
    "FROM deliveries AS one WHERE status != 'succeeded'"
    " AND (endpoint NOT GLOB 'cliws_*' OR status = 'failed') AND NOT EXISTS"
    " (SELECT 1 FROM deliveries WHERE event = one.event"
    " AND endpoint = one.endpoint AND status = 'succeeded')"
)


def emit(
    account: Account, kind: str, thing: Object, *, previous: Object | None = None
) -> Object:
    """Record that something happened to `thing`, and that endpoints are to be told.

    `previous` holds the old values of what changed, for `….updated` events.
    """
    snapshot = {"object": public(thing)}
    if previous is not None:
        snapshot["previous_attributes"] = public(previous)
    event = account.insert(
        {
            "id": new_id("evt"),
            "object": "event",
            "api_version": DEFAULT_VERSION,
            "created": account.now(),
            "data": snapshot,
            "livemode": account.livemode,
            "pending_webhooks": 0,
            "request": {
                "id": account.request_id,
                "idempotency_key": account.idempotency_key,
            },
            "type": kind,
        }
    )
    for endpoint in account.find("webhook_endpoint"):
        if endpoint["status"] == "enabled" and _wants(endpoint, kind):
            _queue(account, event["id"], endpoint["id"])
    for listener in _listeners(account):
        _queue(account, event["id"], listener)
    return event


def retrieve(account: Account, params: Params, event_id: str) -> Object:
    event = account.get("event", event_id, param="id")
    if event["created"] < account.now() - KEPT_FOR:
        raise no_such("event", event_id, param="id")
    return _counted(account, event)


def list_all(account: Account, params: Params) -> Object:
    if "type" in params and "types" in params:
        raise invalid(
            "You may only specify one of these parameters: type, types.",
            code="parameters_exclusive",
        )
    where: list[Condition] = [("created", ">=", account.now() - KEPT_FOR)]
    patterns = params.get("types") or [
        params[key] for key in ("type",) if key in params
    ]
    if patterns:
        where.append(("type", "IN", _types(account, patterns)))
    if "delivery_success" in params:
        operator = "NOT IN" if params["delivery_success"] else "IN"
        where.append(("id", operator, _undelivered(account)))
    found = page(account, "event", params, url="/v1/events", where=where)
    data = [_counted(account, event) for event in found["data"]]
    return list_object(data, url="/v1/events", has_more=found["has_more"])


def copy(account: Account, event: Object) -> Object:
    """Record the same fact once more under another id, as Stripe sometimes does."""
    return emit(
        account,
        event["type"],
        event["data"]["object"],
        previous=event["data"].get("previous_attributes"),
    )


def retry(account: Account, params: Params, event_id: str) -> Object:
    """Deliver an event once more, to one endpoint or to all that want it.

    `for_stripecli` asks for those who listen, and for what --forward-to stands in for.
    """
    event = account.get("event", event_id, param="id")
    if "webhook_endpoint" in params:
        chosen = [account.get("webhook_endpoint", params["webhook_endpoint"])["id"]]
    else:
        chosen = _listeners(account) + [
            endpoint["id"]
            for endpoint in account.find("webhook_endpoint")
            if endpoint["status"] == "enabled" and _wants(endpoint, event["type"])
        ]
    if params.get("for_stripecli"):
        chosen = [one for one in chosen if one.startswith((LISTENER, FORWARDING))]
    for endpoint in chosen:
        _queue(account, event_id, endpoint)
    return _counted(account, event)


def payload(account: Account, event: Object, version: str | None) -> bytes:
    """The body that is delivered, in that version or the account's own."""
    version = version or event["api_version"]
    return json.dumps(_counted(account, event) | {"api_version": version}).encode()


def _listeners(account: Account) -> list[str]:
    """The ids of `stripe listen` in this mode."""
    rows = account.store.db.execute(
        "SELECT id FROM listeners WHERE connected AND livemode = ?",
        (account.livemode,),
    )
    return [row["id"] for row in rows]


def _queue(account: Account, event_id: str, endpoint_id: str) -> None:
    account.store.db.execute(
        "INSERT INTO deliveries (event, endpoint, next_at) VALUES (?, ?, ?)",
        (event_id, endpoint_id, account.clock.exact()),
    )


def _wants(endpoint: Object, kind: str) -> bool:
    return any(_covers(wanted, kind) for wanted in endpoint["enabled_events"])


def _covers(pattern: str, kind: str) -> bool:
    if pattern.endswith("*"):
        return kind.startswith(pattern[:-1])
    return pattern == kind


def _types(account: Account, patterns: list[str]) -> list[str]:
    """The event types that occurred and that one of the patterns covers."""
    rows = account.store.db.execute(
        "SELECT DISTINCT type FROM objects WHERE kind = 'event'"
    )
    return [
        row["type"]
        for row in rows
        if any(_covers(pattern, row["type"]) for pattern in patterns)
    ]


def _counted(account: Account, event: Object) -> Object:
    row = account.store.db.execute(
        f"SELECT count(DISTINCT endpoint) {UNDELIVERED} AND event = ?",
        (event["id"],),
    ).fetchone()
    return event | {"pending_webhooks": row[0]}


def _undelivered(account: Account) -> list[str]:
    """The events that some endpoint has not taken with a 2xx."""
    rows = account.store.db.execute(f"SELECT DISTINCT event {UNDELIVERED}")
    return [row["event"] for row in rows]
