"""Every line the shop logs in these tests is searched for what no line may hold."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models.signals import post_save

from checkout.models import Order
from config.logs import JsonFormatter

FORBIDDEN = re.compile(
    r"""
      _secret_\w                                # of a PaymentIntent
    | \b[sr]k_(?:live|test)_\w | \bwhsec_\w     # of the account
    | \bv1=[0-9a-f]{8}                          # a signature
    | (?i:authorization|cookie)['"]?\s*[:=]\W*\w    # headers
    | (?:sessionid|csrftoken|visitor)=[\w-]{16}   # not a line of code
    | [\w.+-]+@[\w-]+\.\w                       # an e-mail address
    | /\S*\?[\w%]                               # a query string
    | \b\w{6}-[0-9a-f]{32}\b                    # a link to reset a password
    | :[\w-]{6}:[\w-]{27,}                      # signed by Django
    """,
    re.VERBOSE,
)
# Of every order of the run.
TOKENS: set[str] = set()
TOKEN = re.compile(r"[-\w]{16,43}")


class Search(logging.Handler):
    """Looks at each line as the shop would print it; its own, unmasked as well."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.searched = 0
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.searched += 1
        lines = [self.format(record)]
        if record.name.startswith(("checkout", "config")):
            lines.append(record.getMessage())
        self.found += [line for line in lines if tells(line)]


def tells(line: str) -> bool:
    """Whether `line` holds what no line may hold."""
    return bool(FORBIDDEN.search(line)) or not TOKENS.isdisjoint(TOKEN.findall(line))


SEARCH = Search()


def pytest_sessionstart() -> None:
    logging.getLogger().addHandler(SEARCH)
    post_save.connect(remember_tokens, sender=Order)


def remember_tokens(instance: Order, **sent: object) -> None:
    TOKENS.update((instance.token, instance.visitor))


@pytest.fixture(autouse=True)
def _no_line_tells() -> Iterator[None]:
    """Fail the test in which a line told something."""
    yield
    found, SEARCH.found = SEARCH.found, []
    assert not found, "\n".join(found)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what another process of this run has searched."""
    SEARCH.searched += getattr(node, "workeroutput", {}).get("log_lines", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"{SEARCH.searched} log lines searched")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run for a line that came after the last test."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["log_lines"] = SEARCH.searched
    if SEARCH.found:
        print("\n".join(SEARCH.found))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
