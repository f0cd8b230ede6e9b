"""Run the shop on a developer's machine: shop, reconciler and, without keys, sandbox.

`PORT` and `SANDBOX_PORT` choose the ports. Everything else the shop is told comes from
`.env`, which is written from `.env.example` the first time.
"""

import json
import os
import secrets
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from programs import Programs

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py"]
SANDBOX_FOLDER = ROOT / ".sandbox"
SANDBOX_PORT = 12111
# Asked of the shop itself, so that nothing here is a second reading of its settings.
FACTS = """
import django, json, sys
from django.core.exceptions import ImproperlyConfigured
try:
    django.setup()
except ImproperlyConfigured as error:
    sys.exit(str(error))
from django.conf import settings
from checkout.inbox import EVENT_TYPES
print(json.dumps({
    "debug": settings.DEBUG,
    "sandbox": settings.STRIPE_SECRET_KEY == "sk_test_sandbox",
    "address": settings.STRIPE_API_BASE,
    "signing_secret": bool(settings.STRIPE_WEBHOOK_SECRETS),
    "event_types": list(EVENT_TYPES),
}))
"""
SHOP_TEXT = """
  The shop       {shop}/
  Its operators  {shop}/admin/ (make one: .venv/bin/python manage.py createsuperuser)
"""
SANDBOX_TEXT = """\
  No Stripe keys in .env: the sandbox at {sandbox} stands in, no money moves.
"""
STRIPE_TEXT = """\
  Payments go to {address}. To have its events delivered:
    stripe listen --events {events} --forward-to localhost:{port}/stripe/webhook/
"""
NO_SECRET_TEXT = """\
  WARNING: STRIPE_WEBHOOK_SECRET is empty, so every event is turned away. Put the
  whsec_… that `stripe listen` prints into .env and start again.
"""
CARDS_TEXT = """\
  Test cards, with any future date and any CVC:
    4242 4242 4242 4242  pays
    4000 0000 0000 0002  is declined
    4000 0027 6000 3184  asks for 3-D Secure
    4000 0000 0000 9995  is declined for insufficient funds
  Ctrl-C stops all.
"""


def main() -> None:
    """Start everything, say where it is, and stay until Ctrl-C."""
    port = chosen_port("PORT", 8000)
    shop = f"http://127.0.0.1:{port}"
    write_env()
    environment = {
        **os.environ,
        "DJANGO_RUNSERVER_HIDE_WARNING": "true",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    with Programs(environment) as programs:
        facts = json.loads(programs.run("settings", [sys.executable, "-c", FACTS]))
        if not facts["debug"]:
            sys.exit("DEBUG is off in .env; `make run` is for development.")
        if facts["sandbox"]:
            sandbox = start_sandbox(programs, shop=shop)
            text = SANDBOX_TEXT.format(sandbox=sandbox)
        else:
            text = stripe_text(facts, port)
        programs.run("migrate", [*MANAGE, "migrate", "--verbosity", "0"])
        programs.run("seed_products", [*MANAGE, "seed_products"])
        # `config.wsgi` checks the settings, once for every server.
        serve = [*MANAGE, "runserver", "--skip-checks", f"127.0.0.1:{port}"]
        programs.start("shop", serve, ready=lambda: answers(f"{shop}/healthz"))
        watch = [*MANAGE, "reconcile", "--watch", "30"]
        programs.start("reconciler", watch, ready=lambda: True)
        print(SHOP_TEXT.format(shop=shop) + text + CARDS_TEXT, flush=True)
        programs.watch()


def start_sandbox(programs: Programs, *, shop: str) -> str:
    """Start the sandbox, point the shop at it and return its address.

    The settings read the file too, for commands that are typed beside this one.
    """
    port = sandbox_port()
    address = f"http://127.0.0.1:{port}"
    signing_secret, control_token = sandbox_secrets()
    command = [sys.executable, "-m", "sandbox", "--port", str(port)]
    command += ["--forward-to", f"{shop}/stripe/webhook/"]
    command += ["--state", str(SANDBOX_FOLDER / "state.db")]
    # By the environment: everybody on the machine can read a command line.
    programs.start(
        "sandbox",
        command,
        ready=lambda: listens(port),
        SANDBOX_WEBHOOK_SECRET=signing_secret,
        SANDBOX_CONTROL_TOKEN=control_token,
    )
    chosen = {"shop": shop, "sandbox": address, "signing_secret": signing_secret}
    (SANDBOX_FOLDER / "run.json").unlink(missing_ok=True)
    write_private(SANDBOX_FOLDER / "run.json", json.dumps(chosen, indent=2) + "\n")
    programs.environment |= {
        "STRIPE_API_BASE": address,
        "STRIPE_JS_URL": f"{address}/endive/stripe.js",
        "STRIPE_WEBHOOK_SECRET": signing_secret,
    }
    return address


def stripe_text(facts: dict[str, Any], port: int) -> str:
    """Return what to say when there are keys: how Stripe's events get here."""
    text = STRIPE_TEXT.format(
        address=facts["address"],
        events=",".join(facts["event_types"]),
        port=port,
    )
    return text if facts["signing_secret"] else text + NO_SECRET_TEXT


def write_env() -> None:
    """Write `.env` from `.env.example` with a fresh secret key, if there is none."""
    if (ROOT / ".env").exists():
        return
    key = f"DJANGO_SECRET_KEY={secrets.token_urlsafe(50)}"
    example = (ROOT / ".env.example").read_text()
    write_private(ROOT / ".env", example.replace("DJANGO_SECRET_KEY=", key, 1))
    print("Wrote .env from .env.example, with a fresh secret key.", flush=True)


def sandbox_secrets() -> tuple[str, str]:
    """Return signing secret and control token of the sandbox, made the first time."""
    path = SANDBOX_FOLDER / "secrets.json"
    if not path.exists():
        SANDBOX_FOLDER.mkdir(mode=0o700, exist_ok=True)
        fresh = {
            "webhook_secret": f"whsec_{secrets.token_urlsafe(32)}",
            "control_token": secrets.token_urlsafe(32),
        }
        write_private(path, json.dumps(fresh, indent=2) + "\n")
    stored = json.loads(path.read_text())
    return stored["webhook_secret"], stored["control_token"]


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(text)


def sandbox_port() -> int:
    """Return the port of `SANDBOX_PORT`, else the usual one, else any free one."""
    if "SANDBOX_PORT" in os.environ or not listens(SANDBOX_PORT):
        return chosen_port("SANDBOX_PORT", SANDBOX_PORT)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def chosen_port(name: str, default: int) -> int:
    """Return the port that variable `name` chooses; leave if it is not to be had."""
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        sys.exit(f"{name} must be a port number, such as {default}.")
    if listens(int(text)):
        sys.exit(f"Port {text} is taken; choose another: make run {name}={default + 1}")
    return int(text)


def listens(port: int) -> bool:
    """Return whether a program on this machine accepts connections at `port`."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(address: str) -> bool:
    """Return whether `address` can be fetched."""
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


if __name__ == "__main__":
    main()
