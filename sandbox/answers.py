"""What leaves the sandbox: objects without private fields, expanded, in lists."""

from typing import Any

from sandbox.accounts import Account
from sandbox.errors import invalid
from sandbox.store import Object

# A private part of a stored object: which test case it is, and the like.
PRIVATE = "_"

Condition = tuple[str, str, Any]

EXPANDABLE = ("ch_", "py_", "pi_", "pm_", "cus_", "txn_", "re_", "pyr_", "dp_")

PUBLISHABLE_INTENT = (
    "id",
    "object",
    "amount",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "last_payment_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "source",
    "status",
)


def public(thing: Any) -> Any:
    """The same, all the way down, without what is only for the sandbox."""
    if isinstance(thing, dict):
        return {key: public(value) for key, value in thing.items() if key != PRIVATE}
    if isinstance(thing, list):
        return [public(entry) for entry in thing]
    return thing


def publishable_view(thing: Any) -> Any:
    """What a publishable key may see; other objects than intents are unchanged."""
    if isinstance(thing, dict) and thing.get("object") == "payment_intent":
        return {key: thing[key] for key in PUBLISHABLE_INTENT}
    return thing


def expand(account: Account, thing: Object, paths: list[str]) -> Object:
    """Replace ids by the objects they name; `data.` walks through a list."""
    for path in paths:
        if len(path.split(".")) > 4:
            raise invalid("You cannot expand more than 4 levels of a property.")
        _expand(account, thing, path.split("."), path)
    return thing


def _expand(account: Account, thing: Object, path: list[str], whole: str) -> None:
    name, rest = path[0], path[1:]
    if name == "refunds" and thing.get("object") == "charge":
        thing["refunds"] = _refunds_of(account, thing)
    if name not in thing:
        raise invalid(f"This property cannot be expanded ({whole}).", param="expand")
    value = thing[name]
    if isinstance(value, str):
        value = thing[name] = _object(account, value, whole)
    for inner in value if isinstance(value, list) else [value]:
        if rest and isinstance(inner, dict):
            _expand(account, inner, rest, whole)


def _object(account: Account, object_id: str, whole: str) -> Object:
    found = account.store.get(object_id)
    if found is None or not object_id.startswith(EXPANDABLE):
        raise invalid(f"This property cannot be expanded ({whole}).", param="expand")
    return found


def _refunds_of(account: Account, charge: Object) -> Object:
    refunds = account.find("refund", where=[("charge", "=", charge["id"])])
    return list_object(refunds, url=f"/v1/charges/{charge['id']}/refunds")


def list_object(data: list[Object], *, url: str, has_more: bool = False) -> Object:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def page(
    account: Account,
    kind: str,
    params: dict[str, Any],
    *,
    url: str,
    filters: tuple[str, ...] = (),
    where: list[Condition] | None = None,
) -> Object:
    """Return one page, newest first, as `limit` and the two cursors say.

    `filters` are the parameters that stand for a field; `where` narrows further.
    """
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid(
            "Invalid integer: limit must be between 1 and 100.",
            code="parameter_invalid_integer",
            param="limit",
        )
    conditions = [(name, "=", params[name]) for name in filters if name in params]
    conditions += _created(params.get("created")) + (where or [])
    if account.hidden_since is not None:
        conditions.append(("created", "<", account.hidden_since))
    backwards = "ending_before" in params
    for cursor, operator in (("starting_after", "<"), ("ending_before", ">")):
        if cursor in params:
            account.get(kind, params[cursor], param=cursor, status=400)
            conditions.append(("seq", operator, account.store.seq(params[cursor])))
    found = account.find(
        kind, where=conditions, oldest_first=backwards, limit=limit + 1
    )
    data = found[:limit]
    if backwards:
        data.reverse()
    return list_object(data, url=url, has_more=len(found) > limit)


def _created(value: Any) -> list[Condition]:
    operators = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
    if value is None:
        return []
    if isinstance(value, int):
        return [("created", "=", value)]
    return [("created", operators[name], moment) for name, moment in value.items()]
