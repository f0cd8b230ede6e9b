"""Log lines: those of one request belong together, and none of them tells a secret.

The shop writes none into its lines. Masking is the net beneath that: it catches what
others write, such as request lines of Django and gunicorn, and tracebacks.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

# Of the request this thread serves, or served last: Django says what it answered
# when the middleware are done.
request_id: ContextVar[str] = ContextVar("request_id", default="")
# Whoever is known to act in it, such as "user 3"; never a name.
actor: ContextVar[str] = ContextVar("actor", default="")

# What a line is about, given as `extra={"order": …}`.
SUBJECTS = ("order", "event", "payment_intent", "stripe_request")

MASK = "***"
MASKED = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # Headers, to the end of their value.
        (r"\b((?:proxy-)?authorization|(?:set-)?cookie|stripe-signature)"
         r"(['\"]?\s*[:=]\s*)[^\r\n]+", rf"\1\2{MASK}"),
        (r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", rf"\1 {MASK}"),
        (r"\bt=\d+,v\d=[0-9a-f,v=]+", MASK),
        # Stripe's secrets; a publishable key is none.
        (r"\b([a-z]+_\w+_secret)_\w+", rf"\1_{MASK}"),
        (r"\b([sr]k_(?:live|test))_[\w*]+", rf"\1_{MASK}"),
        (r"\bwhsec_[\w+/=*-]+", f"whsec_{MASK}"),
        # Links that are their own permission.
        (r"(/orders/)[-\w]{16,43}", rf"\1{MASK}"),
        (r"(/accounts/signup/)[^\s/\"']+", rf"\1{MASK}"),
        (r"(/accounts/reset/)[^\s/\"']+/[^\s/\"']+", rf"\1{MASK}"),
        # Query strings; names and passwords in addresses; mail addresses.
        (r"(/[^\s?\"']*)\?[^\s\"']+", rf"\1?{MASK}"),
        (r"(://)[^\s/@\"']+@", rf"\1{MASK}@"),
        (r"[\w.!#$%&'*+/=^`{|}~-]+@[\w-]+(?:\.[\w-]+)+", MASK),
        # A refused row, which PostgreSQL prints whole.
        (r"\b(detail|failing row contains)(:? )[^\r\n]+", rf"\1\2{MASK}"),
    )
]  # fmt: skip


def masked(text: str) -> str:
    """Return `text` without what no log may hold."""
    for pattern, replacement in MASKED:
        text = pattern.sub(replacement, text)
    return text


class TextFormatter(logging.Formatter):
    """Lines for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, message, and whose.

    `request_id` is the one the visitor was given; `exception` is a traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
            "request_id": request_id.get(),
            "actor": actor.get(),
            **{name: getattr(record, name, "") for name in SUBJECTS},
        }
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps({name: value for name, value in line.items() if value})
