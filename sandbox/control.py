"""/_sandbox/…: how tests look inside and make things go wrong.

Needs the control token, and a Host of this machine (against DNS rebinding); a web page
may call only from the sandbox's own address.
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import acting, agenda, answers, connections, inspecting, operations
from sandbox.acting import BadControl
from sandbox.deliveries import Disturbance
from sandbox.errors import ApiError
from sandbox.program import Sandbox
from sandbox.store import Object

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Handler = Callable[[Sandbox, Request, Object], Awaitable[Any]]


def routes(sandbox: Sandbox) -> list[Route]:
    table: list[tuple[str, Handler]] = [
        ("GET /state", state),
        ("POST /reset", reset),
        ("POST /clock", clock),
        ("POST /snapshots/{name}", snapshot),
        ("POST /snapshots/{name}/restore", restore),
        ("GET /deliveries", list_deliveries),
        ("POST /deliveries", deliveries),
        ("POST /faults", faults),
        ("DELETE /faults", clear_faults),
        ("POST /refuse", refuse),
        ("POST /limits", limits),
        ("POST /keys", keys),
        ("POST /payment_intents/{id}/confirm", acting.confirm),
        ("POST /payment_intents/{id}/authenticate", acting.authenticate),
        ("POST /payment_intents/{id}/settle", acting.settle),
        ("POST /refunds/{id}/answer", acting.answer_refund),
        ("POST /charges/{id}/dispute", acting.dispute_charge),
        ("POST /webhook_endpoints/{id}/roll_secret", acting.roll_secret),
        ("POST /events", acting.emit_event),
        ("GET /watch", inspecting.watch),
        ("GET /objects/{id}", inspecting.show),
        ("POST /events/{id}/resend", inspecting.resend),
    ]
    return [_route(sandbox, call, handler) for call, handler in table]


async def state(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Objects by kind, oldest first; `?kinds=charge,refund` limits them."""
    chosen = request.query_params.get("kinds")
    rows = sandbox.store.db.execute("SELECT DISTINCT kind FROM objects")
    kinds = chosen.split(",") if chosen else [row["kind"] for row in rows]
    return {
        "now": sandbox.clock.now(),
        "forward_to": sandbox.forward_to,
        "held": sandbox.deliveries.held,
        "faults": [vars(fault) for fault in sandbox.faults.scripted],
        "objects": {kind: _objects(sandbox, kind) for kind in kinds},
    }


async def reset(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Forget everything; perhaps deliver elsewhere, signed otherwise."""
    sandbox.reset(
        forward_to=body.get("forward_to"), webhook_secret=body.get("webhook_secret")
    )
    return {}


async def clock(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Move sandbox time on by `advance` seconds, or to the moment `to`."""
    seconds = float(body.get("advance", 0))
    if "to" in body:
        seconds = float(body["to"]) - sandbox.clock.exact()
    if seconds < 0:
        raise BadControl("the clock only moves forward")
    agenda.advance(sandbox.account(), seconds)
    return {"now": sandbox.clock.now()}


async def snapshot(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Remember everything under a name."""
    sandbox.snapshots[request.path_params["name"]] = sandbox.store.snapshot()
    return {}


async def restore(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Go back to what was remembered; faults and disturbances end."""
    copy = sandbox.snapshots.get(request.path_params["name"])
    if copy is None:
        raise BadControl("there is no snapshot of that name")
    sandbox.restore(copy)
    return {}


async def list_deliveries(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Every delivery, oldest first, with its status, tries and last answer."""
    rows = sandbox.store.db.execute("SELECT * FROM deliveries ORDER BY seq")
    waiting = len(sandbox.deliveries.waiting())
    return {"waiting": waiting, "deliveries": [dict(row) for row in rows]}


async def deliveries(sandbox: Sandbox, request: Request, body: Object) -> Object:
    match body.get("action"):
        case "hold":
            sandbox.deliveries.held = True
        case "release":
            await sandbox.deliveries.release(body.get("order", "created"))
        case "reorder":
            sandbox.deliveries.reorder_at = int(body.get("count", 2))
            sandbox.deliveries.held = True
        case "drop" | "repeat" | "delay" as action:
            sandbox.deliveries.disturbances.append(_disturbance(action, body))
        case action:
            raise BadControl(f"unknown action {action!r}")
    return {"waiting": len(sandbox.deliveries.waiting())}


async def faults(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Script a fault; see faults.Fault for its fields."""
    if body.get("operation") not in {*operations.BY_NAME, "*"}:
        raise BadControl(f"operation is * or one of {sorted(operations.BY_NAME)}")
    try:
        sandbox.faults.add(body)
    except (TypeError, ValueError) as error:
        raise BadControl(str(error)) from error
    return {"faults": len(sandbox.faults.scripted)}


async def clear_faults(sandbox: Sandbox, request: Request, body: Object) -> Object:
    sandbox.faults.scripted.clear()
    return {}


async def refuse(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Refuse new connections for some seconds, and cut the ones there are."""
    sandbox.refuse(float(body.get("seconds", 1)))
    if request.client is not None:
        connections.reset_all_but((request.client.host, request.client.port))
    return {}


async def limits(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Switch Stripe's rate limits on or off."""
    sandbox.limits.on = bool(body.get("on", True))
    return {"on": sandbox.limits.on}


async def keys(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Restrict a key to operations (`refunds.*`), or let it expire."""
    key = body.get("key")
    if not isinstance(key, str):
        raise BadControl("say which key")
    if "allow" in body:
        sandbox.key_ring.allowed[key] = list(body["allow"])
    if body.get("expired"):
        sandbox.key_ring.expired.add(key)
    return {}


def _objects(sandbox: Sandbox, kind: str) -> Any:
    both = [
        sandbox.store.find(kind, livemode=mode, oldest_first=True)
        for mode in (False, True)
    ]
    return answers.public(both[0] + both[1])


def _disturbance(action: str, body: Object) -> Disturbance:
    return Disturbance(
        action,
        count=int(body.get("count", 1)),
        types=body.get("types", []),
        times=int(body.get("times", 2)),
        seconds=float(body.get("seconds", 5)),
    )


def _route(sandbox: Sandbox, call: str, handler: Handler) -> Route:
    method, path = call.split()

    async def guarded(request: Request) -> Response:
        if not _may_control(sandbox, request):
            return JSONResponse({"error": "control token, Host or Origin refused"}, 403)
        try:
            body = json.loads(await request.body() or "{}")
            return JSONResponse(await handler(sandbox, request, body))
        except (json.JSONDecodeError, BadControl) as error:
            return JSONResponse({"error": str(error)}, 400)
        except ApiError as refusal:
            error_object = answers.public(refusal.error)
            return JSONResponse({"error": error_object}, refusal.status)
        finally:
            sandbox.deliveries.wake()

    return Route(f"/_sandbox{path}", guarded, methods=[method])


def _may_control(sandbox: Sandbox, request: Request) -> bool:
    address = request.headers.get("Host", "")
    host = urlsplit(f"//{address}").hostname
    origin = request.headers.get("Origin", f"http://{address}")
    expected = f"Bearer {sandbox.control_token}"
    given = request.headers.get("Authorization", "")
    right = secrets.compare_digest(given.encode(), expected.encode())
    return host in LOOPBACK and origin == f"http://{address}" and right
