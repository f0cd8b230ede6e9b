"""Typed reading of the environment; the only module that touches `os.environ`.

`.env` beside `manage.py` is loaded first and never overrides what is already set.
A value that cannot be used raises `ImproperlyConfigured`, which names the variable
and never prints the value.
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

BASE_DIR = Path(__file__).resolve().parent.parent

load_dotenv(BASE_DIR / ".env")

TRUE = {"1", "true", "yes", "on"}
FALSE = {"", "0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """Return the variable without surrounding space, or `default` when unset."""
    return os.environ.get(name, default).strip()


def choice(name: str, default: str, choices: set[str]) -> str:
    """Return the variable in the case of `choices`, one of which it must be."""
    value = text(name, default)
    for candidate in choices:
        if value.lower() == candidate.lower():
            return candidate
    raise ImproperlyConfigured(f"{name} must be one of {', '.join(sorted(choices))}.")


def boolean(name: str, *, default: bool) -> bool:
    """Return true for 1, true, yes, on; false for 0, false, no, off or empty."""
    value = text(name, str(default)).lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false.")


def integer(name: str, *, default: int, minimum: int = 0) -> int:
    """Return the variable as a whole number of at least `minimum`."""
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or int(value) < minimum:
        raise ImproperlyConfigured(
            f"{name} must be a whole number of at least {minimum}."
        )
    return int(value)


def texts(name: str, default: str = "") -> list[str]:
    """Return the comma-separated, non-empty parts of the variable."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def required(name: str, why: str) -> str:
    """Return the variable; raise, naming it and saying `why`, when it is empty."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why}")
    return value


def development_text(name: str, *, debug: bool) -> str:
    """Return the variable; raise if it is set where only development may set it."""
    value = text(name)
    if value and not debug:
        raise ImproperlyConfigured(f"{name} is for DEBUG only: remove it.")
    return value


def chosen_by_make_run() -> dict[str, str]:
    """Return what `make run` chose: `shop`, `sandbox`, `signing_secret`; or nothing.

    For commands typed beside it. Ask only in DEBUG and without keys of Stripe's.
    """
    path = BASE_DIR / ".sandbox" / "run.json"
    if boolean("PYTHON_DOTENV_DISABLED", default=False) or not path.exists():
        return {}
    chosen: dict[str, str] = json.loads(path.read_text())
    return chosen


def database(name: str, default: str, *, connections: int = 20) -> dict[str, Any]:
    """Return Django's connection settings for a sqlite:// or postgresql:// URL.

    A process keeps up to `connections` to PostgreSQL open, as many as it once needed.
    """
    url = text(name) or default
    try:
        config: dict[str, Any] = {**dj_database_url.parse(url)}
        is_whole = not _is_torn(url)
    except (ValueError, KeyError):
        is_whole = False
    if not is_whole:
        # Not `from` what failed: that quotes a piece of the password.
        raise ImproperlyConfigured(
            f"{name} is not a database URL: in its password, percent-encode all but "
            "letters and digits (# is %23, / is %2F, @ is %40); its port is a number."
        ) from None
    if config["ENGINE"] not in DATABASE_OPTIONS:
        raise ImproperlyConfigured(f"{name} must be a sqlite or postgresql URL.")
    if not (config["NAME"] or "service" in config.get("OPTIONS", {})):
        raise ImproperlyConfigured(f"{name} names no database.")
    own = DATABASE_OPTIONS[config["ENGINE"]]
    options = {**own["OPTIONS"], **config.get("OPTIONS", {})}
    if "pool" in options:
        options["pool"] = {**options["pool"], "max_size": connections}
    return {**config, **own, "OPTIONS": options}


def _is_torn(url: str) -> bool:
    """Whether a character of the password ended the address before its host."""
    parts = urlsplit(url)
    return bool(parts.fragment) or "@" in parts.path + parts.query


# IMMEDIATE takes SQLite's write lock when a transaction begins: without it, a read
# followed by a write fails at once with "database is locked" under concurrency.
# A transaction pooler hands every transaction another connection, so nothing may
# live longer than one: no server-side cursors, no prepared statements (Django's
# default).
DATABASE_OPTIONS: dict[str, dict[str, Any]] = {
    "django.db.backends.sqlite3": {
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    },
    "django.db.backends.postgresql": {
        "CONN_MAX_AGE": 0,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # The pool tries to connect again at ever longer intervals, for this long;
            # then the next request tries. Left at five minutes, a database that was
            # away for a minute could stay unfound for another.
            "pool": {"min_size": 1, "timeout": 10, "reconnect_timeout": 5},
        },
    },
}


def email(name: str, default: str) -> dict[str, Any]:
    """Return Django's e-mail settings for a URL.

    `console:` prints mail; `smtp://user:password@host:port` sends it in the clear,
    `smtp+tls://` with STARTTLS, `smtp+ssl://` over TLS from the first byte;
    `?from=shop@example.com` is the sender.
    """
    ports = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
    try:
        url = urlsplit(text(name) or default)
        port = url.port or ports.get(url.scheme)
    except ValueError:
        url, port = urlsplit(""), None
    query = parse_qs(url.query, keep_blank_values=True)
    sender = query.get("from", ["shop@localhost"])[0]
    if url.scheme == "console":
        backend = "config.console.EmailBackend"
        return {"EMAIL_BACKEND": backend, "DEFAULT_FROM_EMAIL": sender}
    is_torn = url.fragment or url.path.strip("/") or query.keys() - {"from"}
    if url.scheme not in ports or not url.hostname or is_torn:
        # Without what failed: that quotes a piece of the password.
        raise ImproperlyConfigured(
            f"{name} must be console: or smtp[+tls|+ssl]://user:password@host:port, "
            "with all but letters and digits of the password percent-encoded."
        )
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_TLS": url.scheme == "smtp+tls",
        "EMAIL_USE_SSL": url.scheme == "smtp+ssl",
        "DEFAULT_FROM_EMAIL": sender,
    }
