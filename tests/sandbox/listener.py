"""A webhook endpoint that writes down what it gets and answers as told."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.sandbox_server import wait_for


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sandbox that was killed leaves its connections open: no news."""


class Listener:
    def __init__(self) -> None:
        self.received: list[Received] = []
        self.statuses: list[int] = []  # of the next answers; then 200
        self.answer_after = 0.0
        self._tests = 0
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # the sandbox was killed in the middle
                    self.close_connection = True
                    return
                if self.path != urlsplit(listener.url).path:
                    self._answer(200)  # late, and of another test
                    return
                listener.received.append(
                    Received(self.path, dict(self.headers), body, time.monotonic())
                )
                time.sleep(listener.answer_after)
                self._answer(listener.statuses.pop(0) if listener.statuses else 200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where the events of this test go."""
        return f"http://127.0.0.1:{self._server.server_port}/hook/{self._tests}/"

    def begin(self) -> str:
        """Return the address of a new test; what is sent to older ones is ignored."""
        self._tests += 1
        self.clear()
        return self.url

    def clear(self) -> None:
        self.received.clear()
        self.statuses.clear()
        self.answer_after = 0.0

    def types(self) -> list[str]:
        return [received.event["type"] for received in self.received]

    def wait_for(self, *types: str, within: float = 10) -> list[Received]:
        """Wait until each of these types came at least once."""
        wait_for(lambda: set(types) <= set(self.types()), within=within)
        return [one for one in self.received if one.event["type"] in types]

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
