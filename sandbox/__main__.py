"""`python -m sandbox`: reads the arguments and serves on 127.0.0.1."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from sandbox import app
from sandbox.connections import Protocol, WebSocketProtocol
from sandbox.program import Options, Sandbox


class Server(uvicorn.Server):
    """Says when it is ready, and ends at once when told to."""

    def __init__(self, config: uvicorn.Config, *, port: int, greeting: str) -> None:
        super().__init__(config)
        self._port = port
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._greeting, flush=True)

    def refuse(self, seconds: float) -> None:
        """Stop listening for a while."""
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: loop.create_task(self._listen_again()))

    async def _listen_again(self) -> None:
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(self._protocol, sock=_listen(self._port))
        ]

    def _protocol(self) -> asyncio.Protocol:
        return Protocol(
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn's own raises the signal once more at the end: a traceback on Ctrl-C.
        self.should_exit = True


def main() -> None:
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        listening = _listen(arguments.port)
    except OSError as error:
        sys.exit(f"Cannot listen on port {arguments.port}: {error.strerror}")
    port = listening.getsockname()[1]
    sandbox = Sandbox(
        Options(
            port=port,
            forward_to=arguments.forward_to,
            webhook_secret=arguments.webhook_secret,
            control_token=arguments.control_token,
            state=arguments.state,
        )
    )
    config = uvicorn.Config(
        app.build(sandbox),
        http=Protocol,
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        # Nothing is lost: what is in flight is delivered again at the next start.
        timeout_graceful_shutdown=1,
    )
    server = Server(config, port=port, greeting=_greeting(sandbox, arguments, port))
    sandbox.refuse = server.refuse
    asyncio.run(server.serve(sockets=[listening]))


def _listen(port: int) -> socket.socket:
    # Named TCP, or asyncio leaves Nagle's algorithm on: 40 ms for each answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(512)
    return listening


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Stripe's API on this machine."
    )
    parser.add_argument("--port", type=int, default=12111, help="0 picks a free one")
    parser.add_argument("--forward-to", metavar="URL", help="the shop's webhook")
    parser.add_argument(
        "--webhook-secret",
        metavar="S",
        default=os.environ.get("SANDBOX_WEBHOOK_SECRET"),
        help="signs what is sent there (or SANDBOX_WEBHOOK_SECRET)",
    )
    parser.add_argument(
        "--control-token",
        metavar="T",
        default=os.environ.get("SANDBOX_CONTROL_TOKEN"),
        help="opens /_sandbox/ (or SANDBOX_CONTROL_TOKEN)",
    )
    parser.add_argument("--state", metavar="FILE", type=Path, help="else in memory")
    return parser


def _greeting(sandbox: Sandbox, arguments: argparse.Namespace, port: int) -> str:
    lines = [f"Sandbox ready on http://127.0.0.1:{port}"]
    if arguments.webhook_secret is None:
        lines.append(f"Webhook signing secret: {sandbox.webhook_secret}")
    if arguments.control_token is None:
        lines.append(f"Control token: {sandbox.control_token}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
