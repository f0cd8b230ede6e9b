"""One API request from its first byte to its last: keys, faults, stored answers."""

import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sandbox import answers, connections, forms, idempotency, keys
from sandbox.accounts import Account
from sandbox.errors import ApiError, invalid
from sandbox.faults import Answer, Dropped, Fault, client_gone, strike
from sandbox.ids import new_id
from sandbox.operations import Operation
from sandbox.program import Sandbox

log = logging.getLogger("sandbox.api")

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, Stripe-Version, Stripe-Account"
    ),
    "Access-Control-Expose-Headers": "Request-Id, Stripe-Manage-Version",
    "Access-Control-Max-Age": "300",
}
VERSION = re.compile(r"20\d\d-\d\d-\d\d(\.[a-z]+)?")


def endpoint(
    sandbox: Sandbox, operation: Operation
) -> Callable[[Request], Awaitable[Response]]:
    """Return what the web server calls for `operation`."""

    async def handle(request: Request) -> Response:
        started = time.perf_counter()
        try:
            answer = await _answer(sandbox, operation, request)
        except (Dropped, ClientDisconnect):
            if request.client is not None:
                connections.reset((request.client.host, request.client.port))
            await client_gone(request)
            answer = Answer(499, "", {})
        log.info(
            "%s %s %s %s %.1f ms",
            request.method,
            request.url.path,
            answer.status,
            answer.headers.get("Request-Id", ""),
            (time.perf_counter() - started) * 1000,
        )
        return Response(
            answer.body,
            answer.status,
            headers={"Cache-Control": "no-cache, no-store"} | answer.headers,
            media_type=answer.headers.pop("Content-Type", "application/json"),
        )

    return handle


async def _answer(sandbox: Sandbox, operation: Operation, request: Request) -> Answer:
    account = sandbox.account(new_id("req"))
    headers = {"Request-Id": str(account.request_id)} | CORS
    key = request.headers.get("Idempotency-Key")
    if request.method == "POST":
        headers["Stripe-Should-Retry"] = "false"
        if key:
            headers["Idempotency-Key"] = key
            headers["Original-Request"] = str(account.request_id)
    try:
        params = await _params(request)
        account = _authenticated(sandbox, operation, request, account, params)
        headers["Stripe-Version"] = account.version
        if not account.publishable:
            # A web page may not read what a secret key is answered.
            headers = {name: headers[name] for name in headers if name not in CORS}
        sandbox.limits.check(account, operation.name, request.url.path)
        fault = sandbox.faults.next(operation.name)
        if request.method != "POST" or not key:
            return await _suffer(
                sandbox, operation, request, account, params, fault, headers, None
            )
        attempt = idempotency.attempt(
            livemode=account.livemode,
            key=key,
            path=request.url.path,
            params=params,
            request_id=str(account.request_id),
        )
        stored = sandbox.keys.claim(attempt)
        if stored is not None:
            return await _replay(request, stored, headers, fault)
        try:
            return await _suffer(
                sandbox, operation, request, account, params, fault, headers, attempt
            )
        finally:
            sandbox.keys.release(attempt)
    except ApiError as refusal:
        return _refusal(account, refusal, headers)


async def _params(request: Request) -> dict[str, Any]:
    if request.method in ("GET", "DELETE"):
        return forms.parse(request.url.query)
    return forms.parse((await request.body()).decode("utf-8", "replace"))


def _authenticated(
    sandbox: Sandbox,
    operation: Operation,
    request: Request,
    account: Account,
    params: dict[str, Any],
) -> Account:
    form_key = params.get("key")
    key = keys.read(
        request.headers.get("Authorization"),
        form_key if isinstance(form_key, str) else None,
    )
    sandbox.key_ring.check(key, operation.name)
    if key.is_publishable and not operation.for_browsers:
        raise keys.publishable_refused()
    version = request.headers.get("Stripe-Version") or account.version
    if not VERSION.fullmatch(version):
        raise invalid(f"Invalid Stripe API version: {version}")
    return replace(
        account,
        livemode=key.livemode,
        publishable=key.is_publishable,
        version=version,
        idempotency_key=request.headers.get("Idempotency-Key"),
    )


async def _suffer(
    sandbox: Sandbox,
    operation: Operation,
    request: Request,
    account: Account,
    params: dict[str, Any],
    fault: Fault | None,
    headers: dict[str, str],
    attempt: idempotency.Attempt | None,
) -> Answer:
    """Run the operation with its scripted fault before or after it."""
    if fault is not None and fault.when == "before":
        early = await strike(request, fault, headers)
        if early is not None:
            if fault.stored and attempt is not None:
                sandbox.keys.keep(attempt, status=early.status, body=early.body)
            return early
    answer = _run(sandbox, operation, request, account, params, fault, attempt)
    answer.headers = headers | answer.headers
    if fault is not None and fault.when == "after":
        late = await strike(request, fault, headers)
        if late is not None:
            if fault.stored and attempt is not None:
                sandbox.keys.keep(attempt, status=late.status, body=late.body)
            return late
    return answer


def _run(
    sandbox: Sandbox,
    operation: Operation,
    request: Request,
    account: Account,
    params: dict[str, Any],
    fault: Fault | None,
    attempt: idempotency.Attempt | None,
) -> Answer:
    """Do the work and keep its answer, in one transaction."""
    if fault is not None and fault.do == "stale":
        account = replace(account, hidden_since=account.now() - fault.seconds)
    try:
        with sandbox.store.transaction():
            answer = _result(operation, request, account, params)
            if attempt is not None:
                sandbox.keys.keep(attempt, status=answer.status, body=answer.body)
    except ApiError as refusal:
        answer = _refusal(account, refusal, {})
        if attempt is not None and refusal.stored:
            sandbox.keys.keep(attempt, status=answer.status, body=answer.body)
    sandbox.deliveries.wake()
    return answer


def _result(
    operation: Operation, request: Request, account: Account, params: dict[str, Any]
) -> Answer:
    """Return the answer; a 402 is one too, as its effects are to stay."""
    try:
        taken = operation.takes(params, "")
        thing = operation.run(account, taken, *request.path_params.values())
        thing = answers.expand(account, dict(thing), taken.get("expand", []))
    except ApiError as refusal:
        if refusal.status == 402:
            return _refusal(account, refusal, {})
        raise
    if account.publishable:
        thing = answers.publishable_view(thing)
    return Answer(200, json.dumps(answers.public(thing)), {})


def _refusal(account: Account, refusal: ApiError, headers: dict[str, str]) -> Answer:
    error = dict(refusal.error)
    mode = "" if account.livemode else "test/"
    error["request_log_url"] = (
        f"https://dashboard.stripe.com/{mode}logs/{account.request_id}"
    )
    if account.publishable and "payment_intent" in error:
        error["payment_intent"] = answers.publishable_view(error["payment_intent"])
    headers = headers | refusal.headers
    if refusal.status in (409, 429):
        headers.pop("Stripe-Should-Retry", None)
    body = json.dumps({"error": answers.public(error)})
    return Answer(refusal.status, body, headers)


async def _replay(
    request: Request,
    stored: idempotency.StoredAnswer,
    headers: dict[str, str],
    fault: Fault | None,
) -> Answer:
    replayed = headers | {
        "Original-Request": stored.request_id,
        "Idempotent-Replayed": "true",
    }
    struck = await strike(request, fault, headers) if fault is not None else None
    return struck or Answer(stored.status, stored.body, replayed)


async def preflight(request: Request) -> Response:
    """Answer the browser's question whether it may call from another origin."""
    return Response(status_code=204, headers=CORS)


async def unknown_path(request: Request) -> Response:
    error = {
        "type": "invalid_request_error",
        "message": (
            f"Unrecognized request URL ({request.method}: {request.url.path})."
            " The sandbox knows only part of Stripe's API: see sandbox/README.md."
        ),
    }
    return Response(
        json.dumps({"error": error}),
        404,
        headers={"Request-Id": new_id("req")} | CORS,
        media_type="application/json",
    )
