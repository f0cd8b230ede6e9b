"""The sandbox's own page: what happens to payments, events and deliveries, live.

`/` carries the control token, so it is only for the address bar: it answers a Host of
this machine and may be framed by nobody. Another web page can neither read it nor send
the token, which is a header. It is at home on 127.0.0.1, apart from the frames,
challenges and bank pages on localhost.
"""

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from sandbox import answers, events, test_data
from sandbox.errors import no_such
from sandbox.ids import random_text
from sandbox.program import Sandbox
from sandbox.store import Object

PAGE = Path(__file__).parent / "inspector"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
# How many of each are shown, the newest first.
NEWEST = 100
# Tells a page that a sandbox it knew has been started again.
RUN = random_text(8)

INTENTS = """
SELECT id, body ->> 'amount' AS amount, body ->> 'currency' AS currency,
    body ->> 'status' AS status, body ->> 'description' AS description,
    created, livemode
FROM objects WHERE kind = 'payment_intent' ORDER BY seq DESC LIMIT ?
"""
EVENTS = """
SELECT id, type, created, body ->> '$.data.object.id' AS object,
    coalesce(body ->> '$.data.object.payment_intent', body ->> '$.data.object.id')
    AS intent
FROM objects WHERE kind = 'event' ORDER BY seq DESC LIMIT ?
"""
DELIVERIES = """
SELECT one.seq, one.event, one.endpoint, one.status, one.tries, one.last_answer,
    one.next_at, event.type AS type, event.body ->> '$.data.object.id' AS object,
    coalesce(event.body ->> '$.data.object.payment_intent',
        event.body ->> '$.data.object.id') AS intent,
    place.body ->> 'url' AS url
FROM deliveries AS one LEFT JOIN objects AS event ON event.id = one.event
LEFT JOIN objects AS place ON place.id = one.endpoint
ORDER BY one.seq DESC LIMIT ?
"""


def routes(sandbox: Sandbox) -> list[Route]:
    return [
        Route("/", _index(sandbox)),
        Route("/test-cards", _test_cards),
        Route("/test-cards.json", _test_data),
        Route("/inspector/{file}", _file),
    ]


async def watch(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """What there is to see; next to nothing if it is still as `?since` saw it."""
    db = sandbox.store.db
    held, listeners = sandbox.deliveries.held, len(sandbox.listeners.connected)
    version = f"{RUN}-{db.total_changes}-{held}-{listeners}"
    seen: Object = {"version": version, "now": sandbox.clock.exact()}
    if request.query_params.get("since") == version:
        return seen
    queries = {"intents": INTENTS, "events": EVENTS, "deliveries": DELIVERIES}
    return seen | {
        "held": held,
        "listeners": listeners,
        **{
            name: [dict(row) for row in db.execute(query, (NEWEST,))]
            for name, query in queries.items()
        },
    }


async def show(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """One object, and what belongs to it: the charges of an intent, for example."""
    object_id = request.path_params["id"]
    thing = sandbox.store.get(object_id)
    if thing is None:
        raise no_such("object", object_id, param="id")
    related = [
        found
        for kind in ("charge", "refund", "dispute")
        for found in sandbox.store.find(
            kind,
            livemode=bool(sandbox.store.is_live(object_id)),
            where=[("payment_intent", "=", object_id)],
        )
    ]
    return {"object": answers.public(thing), "related": answers.public(related)}


async def resend(sandbox: Sandbox, request: Request, body: Object) -> Object:
    """Deliver an event once more: to one `endpoint`, or to all that want it."""
    event_id = request.path_params["id"]
    account = sandbox.account()
    account.livemode = bool(sandbox.store.is_live(event_id))
    endpoint = body.get("endpoint")
    params = {"webhook_endpoint": endpoint} if endpoint else {}
    with sandbox.store.transaction():
        event: Object = answers.public(events.retry(account, params, event_id))
    return event


def _index(sandbox: Sandbox) -> Callable[[Request], Awaitable[Response]]:
    async def index(request: Request) -> Response:
        host = urlsplit(f"//{request.headers.get('Host', '')}")
        if host.hostname == "localhost":
            address = sandbox.origin.replace("localhost", "127.0.0.1")
            return RedirectResponse(f"{address}/", 307, HEADERS)
        wanted_as = request.headers.get("Sec-Fetch-Dest", "document")
        if host.hostname not in ("127.0.0.1", "::1") or wanted_as != "document":
            return Response("Only for the address bar of this machine.", 403, HEADERS)
        page = (PAGE / "index.html").read_text()
        token = escape(sandbox.control_token, quote=True)
        return HTMLResponse(page.replace("CONTROL_TOKEN", token), headers=HEADERS)

    return index


async def _test_cards(request: Request) -> Response:
    return FileResponse(PAGE / "test-cards.html", headers=HEADERS)


async def _test_data(request: Request) -> Response:
    groups: list[Any] = test_data.groups()
    return JSONResponse(groups, headers=HEADERS)


async def _file(request: Request) -> Response:
    file = PAGE / request.path_params["file"]
    if file.suffix not in TYPES or not file.is_file():
        return Response("Not found", 404, HEADERS)
    return FileResponse(file, media_type=TYPES[file.suffix], headers=HEADERS)
