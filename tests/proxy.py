"""A proxy that ends TLS, as nginx does in front of a deployed shop."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
    "-addext subjectAltName=IP:127.0.0.1,DNS:localhost "
    "-keyout key.pem -out certificate.pem"
)
OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding"}


class Proxy(ThreadingHTTPServer):
    """Passes each request on to a server and says that it came by HTTPS."""

    daemon_threads = True
    behind = ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser ends connections it does not need."""


class Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        headers = {**dict(self.headers), **forwarded}
        with closing(HTTPConnection(self.server.behind)) as server:
            server.request(self.command, self.path, body, headers)
            answer = server.getresponse()
            content = answer.read()
        # Where the server behind names itself, it is reached by way of here.
        content = content.replace(
            f"http://localhost:{self.server.behind.rpartition(':')[2]}".encode(),
            f"https://localhost:{self.server.server_port}".encode(),
        )
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OF_THE_CONNECTION | {"content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = pass_on

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def tls_in_front_of(address: str, folder: Path) -> Iterator[str]:
    """Yield the https:// address of a proxy before an http:// one."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine to make a certificate")
    subprocess.run(CERTIFICATE.split(), cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    server = Proxy(("127.0.0.1", 0), Handler)
    server.behind = address.removeprefix("http://")
    # Shaking hands is each connection's own business, not the listener's.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
