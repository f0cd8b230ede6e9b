"""Misbehaviour on order: this call, this many times, in this way."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.types import Message

ACTS = ("drop", "delay", "hang", "status", "not_json", "stale")
MOMENTS = ("before", "after")
PROXY_PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Fault:
    """One scripted fault.

    `calls` are counted from 1 since the fault was set; empty means every call.
    """

    operation: str
    do: str
    calls: list[int] = field(default_factory=list)
    when: str = "before"
    seconds: float = 0
    status: int = 500
    stored: bool = False
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seen: int = 0

    def __post_init__(self) -> None:
        if self.do not in ACTS or self.when not in MOMENTS:
            raise ValueError(f"do is one of {ACTS}, when is one of {MOMENTS}")


class Faults:
    def __init__(self) -> None:
        self.scripted: list[Fault] = []

    def add(self, script: dict[str, Any]) -> None:
        self.scripted.append(Fault(**script))

    def next(self, operation: str) -> Fault | None:
        """Count this call, and return the fault it is to suffer."""
        struck = None
        for fault in self.scripted:
            if fault.operation not in (operation, "*"):
                continue
            fault.seen += 1
            if struck is None and (not fault.calls or fault.seen in fault.calls):
                struck = fault
        return struck


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str]


class Dropped(Exception):
    """No answer at all: the connection is cut."""


async def strike(
    request: Request, fault: Fault, headers: dict[str, str]
) -> Answer | None:
    """Do what the fault says; return the answer it puts in place of the real one."""
    if fault.do == "drop":
        raise Dropped
    if fault.do == "hang":
        await client_gone(request)
        raise Dropped
    if fault.do == "delay":
        await asyncio.sleep(fault.seconds)
    if fault.do == "not_json":
        return Answer(fault.status, PROXY_PAGE, headers | {"Content-Type": "text/html"})
    if fault.do == "status":
        kept = {
            name: value
            for name, value in headers.items()
            if name != "Stripe-Should-Retry"
        }
        return Answer(fault.status, _error_body(fault), kept | fault.headers)
    return None


async def client_gone(request: Request) -> None:
    """Wait until the other side has closed the connection."""
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await request.receive()


def _error_body(fault: Fault) -> str:
    """The error object of a scripted status."""
    messages = {
        409: "There is currently another in-progress request using this key.",
        429: "Too many requests. Please back off.",
    }
    message = messages.get(fault.status, "An unknown error occurred.")
    server_side = fault.status >= 500
    error = {
        "type": "api_error" if server_side else "invalid_request_error",
        "message": message,
    }
    codes = {409: "idempotency_key_in_use", 429: "rate_limit"}
    code = fault.code or codes.get(fault.status)
    return json.dumps({"error": error | ({"code": code} if code else {})})
