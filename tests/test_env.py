"""The environment: typed, with a default that runs or a failure that names it."""

import json
import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands, load_command_class

from config import env
from tests.factories import make_product

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(("text", "value"), [("1", True), ("on", True), ("", False)])
def test_boolean(monkeypatch, text, value):
    monkeypatch.setenv("X_FLAG", text)
    assert env.boolean("X_FLAG", default=not value) is value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda: env.boolean("X", default=False), "maybe-s3cret"),
        (lambda: env.integer("X", default=0), "-1s3cret"),
        (lambda: env.integer("X", default=0), "٣"),
        (lambda: env.choice("X", "a", {"a", "b"}), "s3cret"),
        (lambda: env.database("X", ""), "mysql://user:s3cret@host/name"),
        (lambda: env.database("X", ""), "s3cret"),
        (lambda: env.email("X", ""), "ftp://user:s3cret@host"),
    ],
)
def test_unusable_value_is_named_but_not_printed(monkeypatch, read, text):
    monkeypatch.setenv("X", text)
    with pytest.raises(ImproperlyConfigured, match=r"^X ") as failure:
        read()
    assert "s3cret" not in str(failure.value)


def test_cloud_postgresql_keeps_its_options(monkeypatch):
    monkeypatch.setenv("X", "postgresql://u:p@db.example:6432/shop?sslmode=require")

    database = env.database("X", "")

    assert database["OPTIONS"]["sslmode"] == "require"
    assert database["OPTIONS"]["pool"]
    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert (database["HOST"], database["PORT"]) == ("db.example", 6432)


def test_database_that_is_back_is_looked_for_while_a_request_waits(monkeypatch):
    monkeypatch.setenv("X", "postgresql://u:p@db.example/shop")

    pool = env.database("X", "")["OPTIONS"]["pool"]

    # Longer, and a request may wait in vain for a pool that has not asked again yet.
    assert pool["reconnect_timeout"] < pool["timeout"]


def test_sqlite_takes_its_lock_at_once(monkeypatch):
    monkeypatch.setenv("X", "sqlite:////srv/shop.sqlite3")

    options = env.database("X", "")["OPTIONS"]

    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]
    assert "synchronous=FULL" in options["init_command"]


def test_mail_over_tls(monkeypatch):
    monkeypatch.setenv("X", "smtp+tls://me%40x.de:p%2Fw@mail.example?from=shop@x.de")

    mail = env.email("X", "console:")

    assert mail["EMAIL_USE_TLS"] is True
    assert mail["EMAIL_PORT"] == 587
    assert mail["EMAIL_HOST_USER"] == "me@x.de"
    assert mail["EMAIL_HOST_PASSWORD"] == "p/w"
    assert mail["DEFAULT_FROM_EMAIL"] == "shop@x.de"


def names_read_by_settings() -> set[str]:
    code = (ROOT / "config" / "settings.py").read_text()
    return set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", code))


def test_example_names_every_variable():
    example = (ROOT / ".env.example").read_text()
    listed = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    assert listed == names_read_by_settings()


def start(
    *, program: list[str] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check`, or `program`, with only this environment."""
    return subprocess.run(
        [sys.executable, *(program or ["manage.py", "check"])],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHON_DOTENV_DISABLED": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


# Long enough to be believed; no account has them.
FAKE = "0fAKEkEYoFnOaCCOUNT9"
LIVE = {
    "DJANGO_SECRET_KEY": "fake: Zb5xKw2-qLr8_Tn4vHc7Ym3Js9Pd6Gf1Xu0Ae-Ro_Wi5Ck2",
    "STRIPE_SECRET_KEY": f"sk_live_{FAKE}",
    "STRIPE_PUBLISHABLE_KEY": f"pk_live_{FAKE}",
    "STRIPE_WEBHOOK_SECRET": f"whsec_{FAKE}",
    "ALLOWED_HOSTS": "shop.example",
    "CSRF_TRUSTED_ORIGINS": "https://shop.example",
    "SECURITY_CONTACT": "mailto:security@shop.example",
    "EMAIL_URL": "smtp+tls://mail.example?from=shop@shop.example",
}


def test_production_starts_with_what_it_needs():
    started = start(**LIVE)

    assert started.returncode == 0
    assert started.stderr == ""


def test_production_has_nothing_to_answer_for_in_a_deployment_check():
    deploy = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]

    checked = start(program=deploy, **LIVE)

    assert checked.returncode == 0, checked.stderr


def test_keys_of_a_restricted_kind_and_a_second_signing_secret_are_accepted():
    rotating = f"whsec_{FAKE},whsec_{FAKE[::-1]}"
    restricted = {"STRIPE_SECRET_KEY": f"rk_live_{FAKE}"}

    started = start(**{**LIVE, **restricted, "STRIPE_WEBHOOK_SECRET": rotating})

    assert started.returncode == 0


SANDBOX = "http://127.0.0.1:12111"
TEST_PAIR = {
    "STRIPE_SECRET_KEY": f"sk_test_{FAKE}",
    "STRIPE_PUBLISHABLE_KEY": f"pk_test_{FAKE}",
}


@pytest.mark.parametrize(
    ("named", "change"),
    [
        # Not there, or half of it.
        ("DJANGO_SECRET_KEY", {"DJANGO_SECRET_KEY": ""}),
        ("STRIPE_WEBHOOK_SECRET", {"STRIPE_WEBHOOK_SECRET": ""}),
        ("STRIPE_WEBHOOK_SECRET", {"STRIPE_WEBHOOK_SECRET": " , "}),
        ("STRIPE_SECRET_KEY", {"STRIPE_SECRET_KEY": ""}),
        ("STRIPE_PUBLISHABLE_KEY", {"STRIPE_PUBLISHABLE_KEY": ""}),
        ("STRIPE_SECRET_KEY", {**TEST_PAIR, "STRIPE_SECRET_KEY": ""}),
        ("STRIPE_PUBLISHABLE_KEY", {**TEST_PAIR, "STRIPE_PUBLISHABLE_KEY": ""}),
        # Of another kind or mode.
        ("STRIPE_PUBLISHABLE_KEY", {"STRIPE_PUBLISHABLE_KEY": f"pk_test_{FAKE}"}),
        ("STRIPE_SECRET_KEY", {"STRIPE_SECRET_KEY": f"sk_test_{FAKE}"}),
        ("STRIPE_SECRET_KEY", {"STRIPE_SECRET_KEY": f"pk_live_{FAKE}"}),
        ("STRIPE_PUBLISHABLE_KEY", {"STRIPE_PUBLISHABLE_KEY": f"sk_live_{FAKE}"}),
        ("STRIPE_WEBHOOK_SECRET", {"STRIPE_WEBHOOK_SECRET": f"we_{FAKE}"}),
        ("STRIPE_WEBHOOK_SECRET", {"STRIPE_WEBHOOK_SECRET": f"whsec_{FAKE},{FAKE}"}),
        # From an example, or cut off.
        ("STRIPE_SECRET_KEY", {"STRIPE_SECRET_KEY": f"sk_live_{FAKE[:12]}"}),
        ("STRIPE_SECRET_KEY", {"STRIPE_SECRET_KEY": "sk_live_your-secret-key-here"}),
        ("STRIPE_PUBLISHABLE_KEY", {"STRIPE_PUBLISHABLE_KEY": "pk_live_..."}),
        ("STRIPE_SECRET_KEY", {**TEST_PAIR, "STRIPE_SECRET_KEY": "sk_test_changeme"}),
        ("STRIPE_WEBHOOK_SECRET", {"STRIPE_WEBHOOK_SECRET": "whsec_..."}),
        ("STRIPE_WEBHOOK_SECRET", {"STRIPE_WEBHOOK_SECRET": "whsec_" + "x" * 32}),
        ("STRIPE_WEBHOOK_SECRET", {"STRIPE_WEBHOOK_SECRET": "whsec_" + "ab" * 16}),
        ("STRIPE_WEBHOOK_SECRET", {"STRIPE_WEBHOOK_SECRET": "changeme"}),
        ("DJANGO_SECRET_KEY", {"DJANGO_SECRET_KEY": "changeme"}),
        ("DJANGO_SECRET_KEY", {"DJANGO_SECRET_KEY": f"django-insecure-{FAKE * 3}"}),
        ("DJANGO_SECRET_KEY", {"DJANGO_SECRET_KEY": FAKE + FAKE[::-1]}),
        ("DJANGO_SECRET_KEY", {"DJANGO_SECRET_KEY": "x" * 60}),
        ("DJANGO_SECRET_KEY", {"DJANGO_SECRET_KEY": "0123456789abcdef" * 4}),
        # Development's.
        ("STRIPE_API_BASE", {"STRIPE_API_BASE": SANDBOX}),
        ("STRIPE_JS_URL", {"STRIPE_JS_URL": f"{SANDBOX}/endive/stripe.js"}),
        ("STRIPE_API_BASE", {"STRIPE_API_BASE": SANDBOX, **TEST_PAIR}),
        ("STRIPE_JS_URL", {"STRIPE_JS_URL": f"{SANDBOX}/stripe.js", **TEST_PAIR}),
        ("DEBUG", {"DEBUG": "true"}),
        ("STRIPE_API_BASE", {"DEBUG": "true", "STRIPE_API_BASE": SANDBOX}),
        ("STRIPE_JS_URL", {"DEBUG": "true", "STRIPE_JS_URL": f"{SANDBOX}/stripe.js"}),
        # Wide open.
        ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": ""}),
        ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": "*"}),
        ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": "shop.example,.shop.example"}),
        ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": "https://shop.example"}),
        ("CSRF_TRUSTED_ORIGINS", {"CSRF_TRUSTED_ORIGINS": "http://shop.example"}),
        ("CSRF_TRUSTED_ORIGINS", {"CSRF_TRUSTED_ORIGINS": "https://*.example"}),
        ("CURRENCY", {"CURRENCY": "xyz"}),
        ("SECURITY_CONTACT", {"SECURITY_CONTACT": "security@shop.example"}),
        ("SECURITY_CONTACT", {"SECURITY_CONTACT": "tel:1\nExpires: never"}),
    ],
)
def test_wrong_settings_refuse_to_start(named, change):
    refused = start(**{**LIVE, **change})

    assert refused.returncode != 0
    # By the shop, with what to do.
    told = rf"(checkout\.E\d+\) |Refused to start: ){named}|{named} are of different"
    assert re.search(told, refused.stderr)
    for value in (FAKE, LIVE["DJANGO_SECRET_KEY"], *change.values()):
        if len(value) > 4:
            assert value not in refused.stderr + refused.stdout


@pytest.mark.parametrize("address", ["", SANDBOX])
def test_development_may_use_another_address_and_short_names_for_keys(address):
    started = start(
        DJANGO_SECRET_KEY="short",
        DEBUG="true",
        STRIPE_SECRET_KEY="sk_test_mine",
        STRIPE_PUBLISHABLE_KEY="pk_test_mine",
        STRIPE_WEBHOOK_SECRET="whsec_mine",
        STRIPE_API_BASE=address,
        CSRF_TRUSTED_ORIGINS="http://127.0.0.1:8000",
    )

    assert started.returncode == 0


def test_development_keeps_its_cookies_over_plain_http():
    names = "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE)"
    code = f"from django.conf import settings as s; {names}"
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "true"}

    started = start(program=["-c", code], DJANGO_SECRET_KEY="x", **environment)

    assert started.stdout == "sessionid csrftoken False\n"


def test_mail_that_would_be_printed_is_warned_of():
    started = start(**{**LIVE, "EMAIL_URL": "console:"})

    assert started.returncode == 0
    assert "EMAIL_URL" in started.stderr


def test_products_in_another_currency_are_named(db, settings):
    make_product(slug="krona", currency="sek")
    settings.CURRENCY = "eur"

    messages = run_checks(tags=["database"], databases=["default"])

    assert any("krona" in message.msg for message in messages)


def test_two_commands_alone_start_unchecked():
    own = [name for name, app in get_commands().items() if app == "checkout"]

    unchecked = {
        name
        for name in own
        if not load_command_class("checkout", name).requires_system_checks
    }

    assert unchecked == {"doctor", "webhook_endpoint"}


def test_a_server_refuses_like_a_command():
    environment = {**LIVE, "STRIPE_WEBHOOK_SECRET": ""}

    refused = start(program=["-c", "import config.wsgi"], **environment)

    # The code at which gunicorn ends, instead of starting the same worker again.
    assert refused.returncode == 3
    # Warnings of others may come before it.
    told = json.loads(refused.stderr.splitlines()[-1])
    assert told["message"].startswith("Refused to start")
    assert "STRIPE_WEBHOOK_SECRET" in told["message"]


@pytest.mark.parametrize("mail", [LIVE["EMAIL_URL"], "console:"])
def test_a_server_says_in_json_what_its_check_found(mail, tmp_path):
    database = f"sqlite:///{tmp_path}/shop.sqlite3"
    environment = {**LIVE, "EMAIL_URL": mail, "DATABASE_URL": database}

    # Python's own warning, of static files that nobody collected, is no line of ours.
    program = ["-W", "ignore", "-c", "import config.wsgi"]
    started = start(program=program, **environment)

    assert started.returncode == 0
    [told] = [json.loads(line) for line in started.stderr.splitlines()]
    assert (told["level"], told["logger"]) in (
        ("INFO", "config.wsgi"),
        ("WARNING", "config.wsgi"),
    )
    assert ("EMAIL_URL" in told["message"]) == (mail == "console:")
    assert started.stdout == ""


def test_development_starts_with_a_secret_key_alone():
    started = start(DJANGO_SECRET_KEY="x", DEBUG="true")

    assert started.returncode == 0
    assert "STRIPE_WEBHOOK_SECRET" in started.stderr


TORN = [
    "postgresql://shop:{}#{}@db.example:5432/shop",
    "postgresql://shop:{}/{}@db.example/shop",
    "postgresql://shop:{}?{}@db.example/shop",
    "postgresql://shop:{}[{}@db.example/shop",
    "postgresql://shop:{}{}@db.example:number/shop",
    "postgresql://shop:{}{}@db.example:99999/shop",
    "postgresql://shop:{}{}@db.example",
    # What comes before looks like a port.
    "postgresql://shop:41#{}{}@db.example/shop",
    "postgresql://shop:41/{}{}@db.example/shop",
    "postgresql://shop:41?{}{}@db.example/shop",
]


@pytest.mark.parametrize("url", TORN)
def test_password_that_tears_an_address_is_not_printed(monkeypatch, url):
    monkeypatch.setenv("X", url.format("s3c", "r3t"))

    with pytest.raises(ImproperlyConfigured, match=r"^X ") as failure:
        env.database("X", "")

    told = "".join(traceback.format_exception(failure.value))
    assert "s3c" not in told
    assert "r3t" not in told


@pytest.mark.parametrize("url", [url for url in TORN if url.endswith("/shop")])
def test_password_that_tears_the_mail_servers_address_is_not_printed(monkeypatch, url):
    typed = url.format("s3c", "r3t").replace("postgresql", "smtp")
    monkeypatch.setenv("X", typed.removesuffix("/shop") + "?from=shop@x.de")

    with pytest.raises(ImproperlyConfigured, match=r"^X ") as failure:
        env.email("X", "")

    told = "".join(traceback.format_exception(failure.value))
    assert "s3c" not in told
    assert "r3t" not in told


@pytest.mark.parametrize("url", TORN[:2])
@pytest.mark.parametrize(
    "program",
    [
        ["manage.py", "migrate"],
        ["manage.py", "doctor"],
        ["-m", "gunicorn", "--config", "config/gunicorn.conf.py", "config.wsgi"],
        ["-c", "import config.wsgi"],
    ],
)
def test_address_that_cannot_be_read_ends_every_program_with_one_sentence(program, url):
    environment = {**LIVE, "DATABASE_URL": url.format("s3c", "r3t")}

    refused = start(program=program, **environment)

    assert refused.returncode != 0
    told = refused.stdout + refused.stderr
    assert told.startswith("Refused to start: DATABASE_URL is not a database URL")
    assert told.count("\n") == 1
    assert "s3c" not in told
    assert "r3t" not in told


def test_password_percent_encoded_is_read_as_it_is(monkeypatch):
    monkeypatch.setenv("X", "postgresql://shop:%23a%2Fb%40%3F@db.example/shop")

    database = env.database("X", "")

    assert (database["PASSWORD"], database["HOST"]) == ("#a/b@?", "db.example")


NOWHERE = "sqlite:////no/such/folder/s3cret.sqlite3"


def test_database_that_cannot_be_opened_is_named_in_one_sentence():
    environment = {**LIVE, "DATABASE_URL": NOWHERE}

    refused = start(program=["manage.py", "migrate"], **environment)

    assert refused.returncode == 1
    assert refused.stderr.startswith("DATABASE_URL: ")
    assert refused.stderr.count("\n") == 1
    assert "s3cret" not in refused.stderr


def test_reconciling_without_a_database_fails_once_and_goes_on_when_watching():
    environment = {**LIVE, "DATABASE_URL": NOWHERE}
    once = ["manage.py", "reconcile"]

    failed = start(program=once, **environment)

    assert failed.returncode == 1
    assert "DATABASE_URL: the database does not answer" in failed.stderr
    assert "s3cret" not in failed.stderr
    assert "Traceback" not in failed.stderr
    with subprocess.Popen(
        [sys.executable, *once, "--watch", "0.01"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHON_DOTENV_DISABLED": "1", **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stderr
        lines = [watching.stderr.readline() for _ in range(3)]
        watching.kill()
    assert all("does not answer" in line for line in lines)


def test_another_error_of_the_database_is_not_taken_for_that(tmp_path):
    empty = {**LIVE, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}

    failed = start(program=["manage.py", "seed_products"], **empty)

    assert "no such table" in failed.stderr
    assert "DATABASE_URL" not in failed.stderr


def test_a_server_starts_before_its_database_and_says_so():
    environment = {**LIVE, "DATABASE_URL": NOWHERE}

    started = start(program=["-c", "import config.wsgi"], **environment)

    assert started.returncode == 0
    assert "DATABASE_URL: the database cannot be opened" in started.stderr
    assert "Traceback" not in started.stderr
