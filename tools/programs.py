"""Child programs that start together, print together and stop together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
# How long a program may take to start, and to end once it is asked to.
START_SECONDS = 60
STOP_SECONDS = 5


class Programs:
    """A group of programs; leaving its `with` block stops every one of them.

    Ctrl-C, SIGTERM and a closed terminal leave the block by `SystemExit` at the next
    `pause`. The programs run in sessions of their own, so that Ctrl-C reaches this
    process alone and each of them is stopped once, by its process group.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        # Unbuffered, or lines would arrive long after what they tell.
        self.environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._running.values():
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()

    def start(
        self,
        name: str,
        command: list[str],
        ready: Callable[[], bool],
        **environment: str,
    ) -> None:
        """Start a program that is to stay, and wait until it is `ready`.

        What `environment` tells is told to it alone.
        """
        process = self._spawn(name, command, **environment)
        threading.Thread(target=_print_lines, args=(name, process), daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            self._leave_if_one_ended()
            if time.monotonic() > deadline:
                sys.exit(f"The {name} did not start within {START_SECONDS} seconds.")
            self.pause()

    def run(self, name: str, command: list[str]) -> str:
        """Run a program to its end and return what it printed; leave if it failed."""
        process = self._spawn(name, command)
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
        reader.start()
        while process.poll() is None:
            self.pause()
        reader.join()
        del self._running[name]
        output = "".join(lines)
        if process.returncode:
            sys.exit(f"{output}The step “{name}” failed.")
        return output

    def watch(self) -> None:
        """Stay until one of the programs ends, then leave and say which it was."""
        while True:
            self._leave_if_one_ended()
            self.pause()

    def pause(self) -> None:
        """Wait a moment; leave if this process was asked to stop."""
        if self._stop.wait(0.2):
            sys.exit(0)

    def _spawn(
        self, name: str, command: list[str], **environment: str
    ) -> subprocess.Popen[str]:
        self._running[name] = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        return self._running[name]

    def _leave_if_one_ended(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                sys.exit(
                    f"\nThe {name} ended ({_how(process.returncode)}), so everything "
                    "was stopped. Its last lines are above. Nothing is lost: start "
                    "again with `make run`."
                )

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()


def _how(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _print_lines(name: str, process: subprocess.Popen[str]) -> None:
    for line in process.stdout or ():
        if line.strip():
            print(f"{name:<10} | {line.rstrip()}", flush=True)


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
