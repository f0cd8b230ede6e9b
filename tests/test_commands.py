"""`make run`, started in a copy of the project as a developer would start it."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from checkout.inbox import EVENT_TYPES

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 15
SHOW_SETTINGS = """
from django.conf import settings
for name in dir(settings):
    print(name, getattr(settings, name))
"""
NOT_COPIED = [
    ".*",
    "__pycache__",
    "build",
    "db.sqlite3*",
    "node_modules",
    "staticfiles",
]


class Run:
    """`tools/run.py` on ports of its own, and what it has printed so far."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port, sandbox_port = free_ports()
        self.process = subprocess.Popen(
            [sys.executable, "tools/run.py"],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PORT": str(self.port),
                "SANDBOX_PORT": str(sandbox_port),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""

    def read_until(self, text: str) -> None:
        """Read lines until one contains `text`."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line
            if text in line:
                return
        raise AssertionError(f"ended without {text!r}:\n{self.output}")

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        self.output += self.process.communicate(timeout=STOP_SECONDS)[0]
        return self.process.returncode

    def programs(self) -> list[psutil.Process]:
        """Return every program it started, and those they started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Run]:
    run = Run(folder, **environment)
    try:
        run.read_until("Ctrl-C stops all")
        yield run
    finally:
        if run.process.poll() is None:
            run.process.terminate()
            run.end()


def manage(
    folder: Path, *words: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Type a command beside `make run`; one text is split into its words."""
    arguments = words if len(words) > 1 else words[0].split()
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for listener in (one, other):
            listener.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def still_running(programs: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that have not ended a moment later."""
    _, left = psutil.wait_procs(programs, timeout=1)
    return [program for program in left if program.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without what was made in it; `.env.example` comes along."""
    copy = tmp_path_factory.mktemp("copy") / "shop"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    shutil.copy(ROOT / ".env.example", copy)
    return copy


def test_ctrl_c_stops_the_shop_and_all_that_came_with_it(folder: Path) -> None:
    with running(folder) as run:
        address = f"http://127.0.0.1:{run.port}/"
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert answer.status == 200
        programs = run.programs()
        run.process.send_signal(signal.SIGINT)

        assert run.end() == 0
        assert len(programs) >= 3
        assert still_running(programs) == []
    assert address in run.output
    assert "4242 4242 4242 4242" in run.output
    assert "createsuperuser" in run.output
    assert "Traceback" not in run.output


def test_a_program_that_ends_takes_the_others_with_it(folder: Path) -> None:
    with running(folder) as run:
        programs = run.programs()
        (sandbox,) = [one for one in programs if "sandbox" in one.cmdline()]
        sandbox.kill()

        assert run.end() == 1
        assert still_running(programs) == []
    assert "The sandbox ended (killed by SIGKILL)" in run.output
    assert "start again with `make run`" in run.output
    assert "Traceback" not in run.output


def test_commands_typed_beside_it_need_nothing_said(folder: Path) -> None:
    with running(folder):
        for command, said in (
            ("doctor", "All is well."),
            ("verify_payments", "Every order agrees with Stripe."),
            ("reconcile", ""),
            ("createsuperuser --noinput --email olga@example.com", "Superuser created"),
        ):
            done = manage(folder, command, DJANGO_SUPERUSER_PASSWORD="a-quiet-lamp")
            assert (done.returncode, done.stderr) == (0, ""), command
            assert said in done.stdout


def test_what_it_chose_is_for_the_sandbox_in_debug_alone(folder: Path) -> None:
    with running(folder) as run:
        pass
    chosen = json.loads((folder / ".sandbox/run.json").read_text())
    show = ["shell", "-v0", "-c", SHOW_SETTINGS]

    beside = manage(folder, *show).stdout
    assert f"http://127.0.0.1:{run.port}" in beside
    for value in chosen.values():
        assert value in beside
    for environment in (
        {"STRIPE_SECRET_KEY": "sk_test_1"},
        {"STRIPE_PUBLISHABLE_KEY": "pk_test_1"},
        {"DEBUG": "false"},
        {"PYTHON_DOTENV_DISABLED": "true", "DJANGO_SECRET_KEY": "x", "DEBUG": "true"},
    ):
        other = manage(folder, *show, **environment).stdout
        assert "DEVELOPMENT_ADDRESS http://127.0.0.1:8000" in other
        for value in chosen.values():
            assert value not in other


def test_no_secret_is_on_a_command_line(folder: Path) -> None:
    with running(folder) as run:
        commands = [" ".join(program.cmdline()) for program in run.programs()]

    secrets = json.loads((folder / ".sandbox/secrets.json").read_text())
    assert any("-m sandbox" in command for command in commands)
    for secret in secrets.values():
        assert not any(secret in command for command in commands)
        assert secret not in run.output


def test_every_line_comes_once(folder: Path) -> None:
    with running(folder) as run:
        body = urllib.parse.urlencode({"email": "ada@example.com"}).encode()
        sign_up = f"http://127.0.0.1:{run.port}/accounts/signup/"
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(sign_up, timeout=10) as page:
            [token] = re.findall(
                r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode()
            )
        form = body + b"&csrfmiddlewaretoken=" + token.encode()
        with browser.open(sign_up, form, timeout=10):
            run.read_until("Mail to ada@example.com")
        run.read_until("Lamplight")
    lines = [line for line in run.output.splitlines() if "System check" in line]
    assert len(lines) == 1
    assert run.output.count("Watching for file changes") == 1
    assert "Content-Type" not in run.output
    assert "<html" not in run.output


def test_with_keys_there_is_no_sandbox_but_a_line_for_stripe_listen(
    folder: Path,
) -> None:
    keys = {
        "STRIPE_SECRET_KEY": "sk_test_of_no_account",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_of_no_account",
        "STRIPE_API_BASE": "http://127.0.0.1:1",  # instead of Stripe itself
    }
    with running(folder, **keys) as run:
        commands = [" ".join(program.cmdline()) for program in run.programs()]

    assert not any("-m sandbox" in command for command in commands)
    assert f"--events {','.join(EVENT_TYPES)} " in run.output
    assert f"--forward-to localhost:{run.port}/stripe/webhook/" in run.output
    assert "WARNING: STRIPE_WEBHOOK_SECRET is empty" in run.output


def test_secrets_are_made_once_and_are_the_owners_alone(folder: Path) -> None:
    files = [folder / ".env", folder / ".sandbox/secrets.json"]
    with running(folder):
        first = [file.read_text() for file in files]
    with running(folder):
        second = [file.read_text() for file in files]

    assert first == second
    assert "DJANGO_SECRET_KEY=\n" not in first[0]
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_taken_port_is_named_and_nothing_is_started(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "tools/run.py"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=STOP_SECONDS,
        )

    assert done.returncode == 1
    assert done.stderr == f"Port {port} is taken; choose another: make run PORT=8001\n"
