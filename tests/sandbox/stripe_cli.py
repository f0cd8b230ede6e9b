"""The official Stripe CLI, the real binary, on this machine only.

`npm ci` installs it where there is one for the platform; see `package.json`.
"""

import os
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import TracebackType
from typing import Self

import pytest

from tests.sandbox_server import SandboxServer, wait_for

ROOT = Path(__file__).parents[2]
BINARY = next(ROOT.glob("node_modules/@stripe/cli-*/bin/stripe*"), None)
needs_stripe_cli = pytest.mark.skipif(
    BINARY is None, reason="the Stripe CLI is not installed (npm ci, on Linux)"
)
ENDS_WITHIN = 10


class StripeCli:
    """Its commands, as somebody without a login, who sends nothing elsewhere."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self._home = TemporaryDirectory()
        self.environment = {
            "PATH": os.environ["PATH"],
            "STRIPE_API_KEY": "sk_test_sandbox",
            "STRIPE_DEVICE_NAME": "tests",
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "DO_NOT_TRACK": "1",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HOME": self._home.name,
            "XDG_CONFIG_HOME": self._home.name,
        }

    def run(self, *arguments: str, succeeds: bool = True) -> str:
        """Return what a command prints on standard output."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done.stdout

    def listen(self, url: str, *arguments: str) -> "Listening":
        """Forward all events to `url` until stopped."""
        events = () if "--events" in arguments else ("--all-snapshot",)
        return Listening(self, "--forward-to", url, *events, *arguments)

    def command(self, *arguments: str) -> list[str]:
        return [str(BINARY), *arguments, "--api-base", self.server.url]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._home.cleanup()


class Listening:
    """`stripe listen`, as it runs."""

    def __init__(self, cli: StripeCli, *arguments: str) -> None:
        self._log = TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            cli.command("listen", "--skip-update", *arguments),
            env=cli.environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def stop(self) -> int:
        """End it as Ctrl-C does, and return its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(ENDS_WITHIN)

    def __enter__(self) -> Self:
        wait_for(lambda: "Ready!" in self.log() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        self._log.close()
