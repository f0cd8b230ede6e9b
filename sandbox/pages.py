"""The browser's side: Stripe.js, frames, and what challenge and bank pages post."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox import answers, confirmation, forms
from sandbox.accounts import Account
from sandbox.api import CORS
from sandbox.errors import ApiError, invalid
from sandbox.payment_intents import by_client_secret
from sandbox.program import Sandbox
from sandbox.store import Object

BROWSER = Path(__file__).parent / "browser"
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
HEADERS = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}


def routes(sandbox: Sandbox) -> list[Route]:
    async def outcome(request: Request) -> Response:
        return await _outcome(sandbox, request)

    return [
        Route("/endive/stripe.js", _page("stripe.js")),
        Route("/endive/frames/{file:path}", _frame),
        Route("/authenticate/{intent}", _page("authenticate.html")),
        Route("/bank/{intent}", _page("bank.html")),
        Route("/authenticate/{intent}", outcome, methods=["POST"]),
        Route("/bank/{intent}", outcome, methods=["POST"]),
    ]


def conclude(account: Account, intent: Object, *, passed: bool) -> None:
    """The shopper completed or failed the challenge, or the payment at the bank."""
    if intent["status"] != "requires_action":
        return
    if passed:
        try:
            confirmation.authenticated(account, intent)
        except ApiError as refusal:
            # A decline after the challenge stands on the intent.
            if refusal.status != 402:
                raise
    else:
        confirmation.authentication_failed(account, intent)


def _page(name: str) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        return _file(BROWSER / name)

    return show


def _frame(request: Request) -> Response:
    return _file(BROWSER / request.path_params["file"])


def _file(file: Path) -> Response:
    inside = file.resolve().is_relative_to(BROWSER.resolve())
    if not inside or not file.is_file() or file.suffix not in TYPES:
        return Response("Not found", 404)
    return FileResponse(file, media_type=TYPES[file.suffix], headers=HEADERS)


async def _outcome(sandbox: Sandbox, request: Request) -> Response:
    form = forms.parse((await request.body()).decode("utf-8", "replace"))
    try:
        answer = _concluded(sandbox, request.path_params["intent"], form)
    except ApiError as refusal:
        return JSONResponse({"error": refusal.error}, refusal.status, headers=CORS)
    sandbox.deliveries.wake()
    return Response(json.dumps(answer), headers=CORS, media_type="application/json")


def _concluded(sandbox: Sandbox, intent_id: str, form: Object) -> Object:
    if form.get("outcome") not in ("succeed", "fail"):
        raise invalid("Invalid outcome: must be succeed or fail", param="outcome")
    account = sandbox.account()
    account.livemode = bool(sandbox.store.is_live(intent_id))
    intent = by_client_secret(account, intent_id, str(form.get("client_secret")))
    return_url = intent["_"].get("return_url")
    with sandbox.store.transaction():
        conclude(account, intent, passed=form["outcome"] == "succeed")
    return {
        "payment_intent": answers.public(answers.publishable_view(intent)),
        "return_url": return_url and _with_result(return_url, intent),
    }


def _with_result(return_url: str, intent: Object) -> str:
    """Append what Stripe appends when the shopper comes back."""
    failed = intent["status"] in ("requires_payment_method", "canceled")
    result = urlencode(
        {
            "payment_intent": intent["id"],
            "payment_intent_client_secret": intent["client_secret"],
            "redirect_status": "failed" if failed else "succeeded",
        }
    )
    parts = urlsplit(return_url)
    query = f"{parts.query}&{result}" if parts.query else result
    return urlunsplit(parts._replace(query=query))
