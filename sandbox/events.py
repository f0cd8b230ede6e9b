"""Events: recorded with each change of state, in the same transaction."""

import json
from typing import Any

from sandbox.accounts import DAY, DEFAULT_VERSION, Account
from sandbox.answers import list_object, page, public
from sandbox.errors import invalid, refused
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

RETRIEVE = fields(EXPAND)
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
    return event


def retrieve(account: Account, params: Params, event_id: str) -> Object:
    event = account.get("event", event_id, param="id")
    if event["created"] < account.now() - KEPT_FOR:
        raise refused(f"No such event: '{event_id}'", code="resource_missing")
    return _counted(account, event)


def list_all(account: Account, params: Params) -> Object:
    if "type" in params and "types" in params:
        raise invalid(
            "You may only specify one of these parameters: type, types.",
            code="parameters_exclusive",
        )
    wanted = params.get("types") or [
        params[name] for name in ("type",) if name in params
    ]
    where: list[tuple[str, str, Any]] = [("created", ">=", account.now() - KEPT_FOR)]
    exact = [kind for kind in wanted if "*" not in kind]
    if exact and exact == wanted:
        where.append(("type", "IN", exact))
    success = params.get("delivery_success")

    def matches(event: Object) -> bool:
        if wanted and not any(_covers(kind, event["type"]) for kind in wanted):
            return False
        return success is None or success == (_undelivered(account, event["id"]) == 0)

    needs_a_look = success is not None or exact != wanted
    found = page(
        account,
        "event",
        params | {"_where": where},
        url="/v1/events",
        matches=matches if needs_a_look else None,
    )
    data = [_counted(account, event) for event in found["data"]]
    return list_object(data, url="/v1/events", has_more=found["has_more"])


def retry(account: Account, params: Params, event_id: str) -> Object:
    """Deliver an event once more, to one endpoint or to all that want it."""
    event = account.get("event", event_id, param="id")
    if "webhook_endpoint" in params:
        chosen = [account.get("webhook_endpoint", params["webhook_endpoint"])]
    else:
        chosen = [
            endpoint
            for endpoint in account.find("webhook_endpoint")
            if endpoint["status"] == "enabled" and _wants(endpoint, event["type"])
        ]
    for endpoint in chosen:
        _queue(account, event_id, endpoint["id"])
    return _counted(account, event)


def payload(account: Account, event: Object, endpoint: Object) -> bytes:
    """The body that one endpoint gets, in that endpoint's API version."""
    version = endpoint["api_version"] or event["api_version"]
    return json.dumps(_counted(account, event) | {"api_version": version}).encode()


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


def _counted(account: Account, event: Object) -> Object:
    return event | {"pending_webhooks": _undelivered(account, event["id"])}


def _undelivered(account: Account, event_id: str) -> int:
    row = account.store.db.execute(
        "SELECT count(DISTINCT endpoint) FROM deliveries AS one WHERE event = ?"
        " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = one.event"
        " AND endpoint = one.endpoint AND status = 'succeeded')",
        (event_id,),
    ).fetchone()
    return int(row[0])
