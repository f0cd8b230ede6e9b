"""Misbehaviour on order: this call, this many times, in this way."""

from dataclasses import dataclass, field
from typing import Any

ACTS = ("drop", "delay", "hang", "status", "not_json", "stale")
MOMENTS = ("before", "after")


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


def error_body(fault: Fault) -> dict[str, Any]:
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
    return {"error": error | ({"code": code} if code else {})}
