"""/_sandbox/…: how tests look inside, act as a shopper, and make things go wrong.

Needs the control token, and a Host of this machine (against DNS rebinding).
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import answers, operations, pages
from sandbox.deliveries import Disturbance
from sandbox.errors import ApiError
from sandbox.program import Sandbox
from sandbox.store import Object

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Handler = Callable[[Sandbox, Request, Object], Awaitable[Any]]


class BadControl(Exception):
    """A control call that makes no sense; its text says why."""


def routes(sandbox: Sandbox) -> list[Route]:
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/state", state),
        ("POST", "/reset", reset),
        ("POST", "/deliveries", deliveries),
        ("POST", "/faults", faults),
        ("DELETE", "/faults", clear_faults),
        ("POST", "/payment_intents/{intent}/confirm", confirm),
        ("POST", "/payment_intents/{intent}/authenticate", authenticate),
    ]
    return [
        Route(f"/_sandbox{path}", _guarded(sandbox, handler), methods=[method])
        for method, path, handler in table
    ]


async def state(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Every object by kind, oldest first, and every delivery."""
    kinds = [
        row["kind"]
        for row in sandbox.store.db.execute("SELECT DISTINCT kind FROM objects")
    ]
    objects = {
        kind: answers.public(
            [
                thing
                for livemode in (False, True)
                for thing in sandbox.store.find(
                    kind, livemode=livemode, oldest_first=True
                )
            ]
        )
        for kind in kinds
    }
    rows = sandbox.store.db.execute("SELECT * FROM deliveries ORDER BY seq")
    return {
        "now": sandbox.clock.now(),
        "forward_to": sandbox.forward_to,
        "held": sandbox.deliveries.held,
        "faults": [vars(fault) for fault in sandbox.faults.scripted],
        "objects": objects,
        "deliveries": [dict(row) for row in rows],
    }


async def reset(sandbox: Sandbox, request: Request, body: Object) -> Object:
    sandbox.reset(
        forward_to=body.get("forward_to"), webhook_secret=body.get("webhook_secret")
    )
    return {}


async def deliveries(sandbox: Sandbox, request: Request, body: Object) -> Object:
    match body.get("action"):
        case "hold":
            sandbox.deliveries.held = True
        case "release":
            await sandbox.deliveries.release(body.get("order", "created"))
        case "reorder":
            sandbox.deliveries.held = True
            sandbox.deliveries.reorder_at = int(body.get("count", 2))
        case "drop" | "repeat" | "delay" as action:
            disturbance = Disturbance(
                action,
                count=int(body.get("count", 1)),
                types=body.get("types", []),
                times=int(body.get("times", 2)),
                seconds=float(body.get("seconds", 5)),
            )
            sandbox.deliveries.disturbances.append(disturbance)
        case action:
            raise BadControl(f"unknown action {action!r}")
    return {"waiting": len(sandbox.deliveries.waiting())}


async def faults(sandbox: Sandbox, request: Request, body: Object) -> Object:
    known = {operation.name for operation in operations.OPERATIONS} | {"*"}
    if body.get("operation") not in known:
        raise BadControl(f"operation is one of {sorted(known)}")
    try:
        sandbox.faults.add(body)
    except (TypeError, ValueError) as error:
        raise BadControl(str(error)) from error
    return {"faults": len(sandbox.faults.scripted)}


async def clear_faults(sandbox: Sandbox, request: Request, body: Object) -> Object:
    sandbox.faults.scripted.clear()
    return {}


async def confirm(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Act as the shopper who types a card number; answers 402 if it declines."""
    account = sandbox.account()
    intent = account.get(
        "payment_intent", request.path_params["intent"], param="intent"
    )
    account.livemode, account.publishable = intent["livemode"], True
    card = {"number": body.get("number", "4242424242424242"), "cvc": "123"}
    card |= {"exp_month": "12", "exp_year": str(account.clock.month()[0] + 1)}
    params = {
        "payment_method_data": {"type": "card", "card": card},
        "client_secret": intent["client_secret"],
        "return_url": body.get("return_url", "http://127.0.0.1/return"),
    }
    return _as_shopper(sandbox, account, "payment_intents.confirm", intent, params)


async def authenticate(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Act as the shopper in the challenge or at the bank."""
    account = sandbox.account()
    intent = account.get(
        "payment_intent", request.path_params["intent"], param="intent"
    )
    account.livemode = intent["livemode"]
    with sandbox.store.transaction():
        pages.conclude(account, intent, passed=body.get("outcome") != "fail")
    sandbox.deliveries.wake()
    return _public(intent)


def _as_shopper(
    sandbox: Sandbox, account: Any, name: str, intent: Object, params: Object
) -> Object:
    [operation] = [one for one in operations.OPERATIONS if one.name == name]
    refusal: ApiError | None = None
    with sandbox.store.transaction():
        try:
            intent = operation.run(account, operation.takes(params, ""), intent["id"])
        except ApiError as error:
            if error.status != 402:
                raise
            refusal = error
    sandbox.deliveries.wake()
    if refusal is not None:
        raise refusal
    return _public(intent)


def _public(thing: Object) -> Object:
    shown: Object = answers.public(thing)
    return shown


def _guarded(
    sandbox: Sandbox, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        if not _may_control(sandbox, request):
            return JSONResponse({"error": "control token or Host refused"}, 403)
        text = await request.body()
        try:
            body = json.loads(text or "{}")
            return JSONResponse(await handler(sandbox, request, body))
        except (json.JSONDecodeError, BadControl) as error:
            return JSONResponse({"error": str(error)}, 400)
        except ApiError as refusal:
            error_object = answers.public(refusal.error)
            return JSONResponse({"error": error_object}, refusal.status)

    return handle


def _may_control(sandbox: Sandbox, request: Request) -> bool:
    host = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    expected = f"Bearer {sandbox.control_token}"
    given = request.headers.get("Authorization", "")
    return host in LOOPBACK and secrets.compare_digest(given, expected)
