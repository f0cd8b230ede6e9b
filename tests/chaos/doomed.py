"""`python -m tests.chaos.doomed`: a process of the shop that dies where it is told to.

It loads the shop once and forks for each act, so that a death costs milliseconds. Each
line of its input is an act in JSON, each line of its output what became of it:
`{"killed": true, "place": "before INSERT …"}`.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent.parent


class Doomed:
    """That process, as a test holds it."""

    def __init__(
        self, *, database: str, stripe: str, mails: Path, static: Path
    ) -> None:
        self.mails = mails
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.doomed"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        paths = {"mails": str(mails), "static": str(static)}
        self._say({"database": database, "stripe": stripe, **paths})

    def run(self, act: str, *, dies_at: int, **arguments: Any) -> dict[str, Any]:
        """Do something, in a process of its own that dies at that place."""
        return self._say({"act": act, "dies_at": dies_at, "arguments": arguments})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.communicate(timeout=30)

    def _say(self, words: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    settle_in(json.loads(sys.stdin.readline()))
    print("{}", flush=True)
    for line in sys.stdin:
        print(json.dumps(fork(json.loads(line))), flush=True)


def settle_in(words: dict[str, Any]) -> None:
    """Use the test's database, sandbox and mailbox; load what every act needs."""
    from django.conf import settings
    from django.db import connection

    from tests.chaos.world import new_browser

    connection.settings_dict["NAME"] = words["database"]
    settings.STRIPE_API_BASE = words["stripe"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = words["mails"]
    settings.STATIC_ROOT = words["static"]
    settings.ALLOWED_HOSTS = ["testserver"]
    new_browser().handler.load_middleware()


def fork(words: dict[str, Any]) -> dict[str, Any]:
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        act(words, tell)
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as lines:
        answer = json.loads(lines.read() or "{}")
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {"killed": killed, "exit": status, **answer}


def act(words: dict[str, Any], tell: int) -> None:
    """Do the act, tell what came of it; or tell the place and die there."""
    from checkout import emails
    from tests.chaos.probe import Probe

    def die(place: str) -> None:
        os.write(tell, json.dumps({"place": place}).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    probe = Probe(die)
    with probe.installed(), probe.deadly(words["dies_at"], every_thread=True):
        answer = ACTS[words["act"]](**words["arguments"])
        emails._mailroom.submit(int).result()
    os.write(tell, json.dumps({"answer": answer}).encode())


def request(
    method: str, path: str, body: str, headers: dict[str, str], cookies: dict[str, str]
) -> int:
    """A request to the shop; returns the status of the answer."""
    from tests.chaos.world import new_browser

    client = new_browser()
    for name, value in cookies.items():
        client.cookies[name] = value
    answer = client.generic(
        method, path, body, content_type="application/json", headers=headers
    )
    return answer.status_code


def ask_refund(order: int, amount: int) -> str:
    from checkout import refunds
    from checkout.models import Order

    found = Order.objects.get(pk=order)
    return refunds.ask(found, amount, reason="", by="operator").status


def close(order: int) -> str:
    from checkout import payments
    from checkout.models import Order

    found = Order.objects.get(pk=order)
    reason = Order.ClosedReason.OPERATOR
    payments.close(found, reason=reason, source="operator")
    return found.status


def heal() -> list[str]:
    from checkout import reconcile

    return list(reconcile.run())


ACTS = {"request": request, "ask_refund": ask_refund, "close": close, "heal": heal}


if __name__ == "__main__":
    main()
