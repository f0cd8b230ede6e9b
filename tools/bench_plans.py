"""Which statements a request executes, and how PostgreSQL plans them."""

import json
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tools.bench_requests import Requests

EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE")
# A number no order has: what stands in its statements is replaced in others'.
EXAMPLE = 9_999_999_999


def statements(send: Callable[[], Any]) -> list[str]:
    """Return what is executed meanwhile by this thread, values filled in."""
    with CaptureQueriesContext(connection) as captured:
        send()
    return [query["sql"] for query in captured.captured_queries]


def in_process(prepared: bytes, expected: int) -> None:
    """Let this process serve a request as gunicorn would."""
    head, _, body = prepared.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split()
    headers = dict(line.split(": ", 1) for line in lines)
    kind = headers.pop("Content-Type")
    answer = Client().generic(method, path, body, kind, headers=headers)
    assert answer.status_code == expected, answer.content


def of_each(requests: Requests) -> dict[str, list[str]]:
    """Return the statements of each kind of request."""
    [number] = requests.rows.pending(1)
    event = requests.settling(number)
    sent = {
        "settles": (event, 200),
        "repeated": (event, 200),
        "order": (next(requests.placing("/orders/")), 201),
        "page": (next(requests.reading("/")), 200),
        "poll": (
            next(requests.reading(f"/orders/{requests.rows.paid_token}/status/")),
            200,
        ),
    }
    return {
        name: statements(lambda one=one: in_process(*one)) for name, one in sent.items()
    }


def plans(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the plan of each statement, without its values, costs and row counts."""
    return {
        name: [plan(text) for text in texts if text.startswith(EXPLAINED)]
        for name, texts in found.items()
    }


def plan(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement.replace("%", "%%"), [])
        [(explained,)] = cursor.fetchall()
    if isinstance(explained, str):
        explained = json.loads(explained)
    return shape(explained[0]["Plan"])


def shape(node: dict[str, Any]) -> str:
    """Return a plan as `Node(table, index)[its parts]`."""
    names = (node.get(key) for key in ("Relation Name", "Index Name"))
    within = ", ".join(name for name in names if name)
    parts = "; ".join(shape(part) for part in node.get("Plans", []))
    return f"{node['Node Type']}({within})" + (f"[{parts}]" if parts else "")
