"""One API request from its first byte to its last: keys, faults, stored answers."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sandbox import answers, connections, forms, idempotency, keys
from sandbox.errors import ApiError, invalid
from sandbox.faults import Answer, Dropped, Fault, client_gone, strike
from sandbox.idempotency import Attempt, StoredAnswer
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
        call = Call(sandbox, operation, request)
        try:
            answer = await call.answer()
        except (Dropped, ClientDisconnect, asyncio.CancelledError):
            # Cancelled is what waits for its fault when the sandbox ends.
            if request.client is not None:
                connections.reset((request.client.host, request.client.port))
            await client_gone(request)
            answer = Answer(499, "", {})
        taken = (time.perf_counter() - started) * 1000
        told = (request.method, request.url.path, answer.status)
        log.info("%s %s %s %s %.1f ms", *told, call.account.request_id, taken)
        headers = {"Cache-Control": "no-cache, no-store"} | answer.headers
        media_type = headers.pop("Content-Type", "application/json")
        return Response(answer.body, answer.status, headers, media_type)

    return handle


class Call:
    """One API request on its way to its answer."""

    def __init__(
        self, sandbox: Sandbox, operation: Operation, request: Request
    ) -> None:
        self.sandbox = sandbox
        self.operation = operation
        self.request = request
        self.params: dict[str, Any] = {}
        self.account = sandbox.account(new_id("req"))
        self.headers = {"Request-Id": str(self.account.request_id)} | CORS
        self.key = request.headers.get("Idempotency-Key", "")
        if request.method == "POST":
            self.headers["Stripe-Should-Retry"] = "false"
            if self.key:
                self.headers["Idempotency-Key"] = self.key
                self.headers["Original-Request"] = str(self.account.request_id)

    async def answer(self) -> Answer:
        try:
            await self._read()
            self._authenticate()
            self.sandbox.limits.check(
                self.account, self.operation.name, self.request.url.path
            )
            fault = self.sandbox.faults.next(self.operation.name)
            if self.request.method == "POST" and self.key:
                return await self._answer_once(fault)
            return await self._suffer(fault, None)
        except ApiError as refusal:
            return self._refusal(refusal)

    async def _read(self) -> None:
        if self.request.method == "POST":
            encoded = (await self.request.body()).decode("utf-8", "replace")
        else:
            encoded = self.request.url.query
        self.params = forms.parse(encoded)

    def _authenticate(self) -> None:
        sent = self.request.headers
        form_key = self.params.get("key")
        key = keys.read(
            sent.get("Authorization"), form_key if isinstance(form_key, str) else None
        )
        self.sandbox.key_ring.check(key, self.operation.name)
        if key.is_publishable and not self.operation.for_browsers:
            raise keys.publishable_refused()
        version = sent.get("Stripe-Version") or self.account.version
        if not VERSION.fullmatch(version):
            raise invalid(f"Invalid Stripe API version: {version}")
        self.account.livemode = key.livemode
        self.account.publishable = key.is_publishable
        self.account.version = self.headers["Stripe-Version"] = version
        self.account.idempotency_key = self.key or None
        if not key.is_publishable:
            # A web page may not read what a secret key is answered.
            for name in CORS:
                del self.headers[name]

    async def _answer_once(self, fault: Fault | None) -> Answer:
        """Answer as the first request with this key was answered."""
        attempt = idempotency.attempt(
            livemode=self.account.livemode,
            key=self.key,
            path=self.request.url.path,
            params=self.params,
            request_id=str(self.account.request_id),
        )
        stored = self.sandbox.keys.claim(attempt)
        if stored is not None:
            return await self._replay(stored, fault)
        try:
            return await self._suffer(fault, attempt)
        finally:
            self.sandbox.keys.release(attempt)

    async def _replay(self, stored: StoredAnswer, fault: Fault | None) -> Answer:
        struck = None
        if fault is not None:
            struck = await strike(self.request, fault, self.headers)
        replayed = {
            "Original-Request": stored.request_id,
            "Idempotent-Replayed": "true",
        }
        return struck or Answer(stored.status, stored.body, self.headers | replayed)

    async def _suffer(self, fault: Fault | None, attempt: Attempt | None) -> Answer:
        """Run the operation, with its scripted fault before or after it."""
        if fault is None:
            return self._run(attempt)
        if fault.when == "before" and (early := await self._strike(fault, attempt)):
            return early
        if fault.do == "stale":
            self.account.hidden_since = self.account.now() - fault.seconds
        answer = self._run(attempt)
        if fault.when == "after" and (late := await self._strike(fault, attempt)):
            return late
        return answer

    async def _strike(self, fault: Fault, attempt: Attempt | None) -> Answer | None:
        struck = await strike(self.request, fault, self.headers)
        if struck is not None and fault.stored and attempt is not None:
            self.sandbox.keys.keep(attempt, status=struck.status, body=struck.body)
        return struck

    def _run(self, attempt: Attempt | None) -> Answer:
        """Do the work and keep its answer, in one transaction."""
        keep = self.sandbox.keys.keep
        try:
            with self.sandbox.store.transaction():
                answer = self._result()
                if attempt is not None:
                    keep(attempt, status=answer.status, body=answer.body)
        except ApiError as refusal:
            answer = self._refusal(refusal)
            if attempt is not None and refusal.stored:
                keep(attempt, status=answer.status, body=answer.body)
        self.sandbox.deliveries.wake()
        return answer

    def _result(self) -> Answer:
        """Return the answer; a 402 is one too, as its effects are to stay."""
        path = self.request.path_params.values()
        try:
            taken = self.operation.takes(self.params)
            thing = dict(self.operation.run(self.account, taken, *path))
            answers.expand(self.account, thing, taken.get("expand", []))
        except ApiError as refusal:
            if refusal.status == 402:
                return self._refusal(refusal)
            raise
        if self.account.publishable:
            thing = answers.publishable_view(thing)
        return Answer(200, json.dumps(answers.public(thing)), self.headers)

    def _refusal(self, refusal: ApiError) -> Answer:
        error = dict(refusal.error)
        mode = "" if self.account.livemode else "test/"
        error["request_log_url"] = (
            f"https://dashboard.stripe.com/{mode}logs/{self.account.request_id}"
        )
        if self.account.publishable and "payment_intent" in error:
            error["payment_intent"] = answers.publishable_view(error["payment_intent"])
        headers = self.headers | refusal.headers
        if refusal.status in (409, 429):
            headers.pop("Stripe-Should-Retry", None)
        body = json.dumps({"error": answers.public(error)})
        return Answer(refusal.status, body, headers)


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
