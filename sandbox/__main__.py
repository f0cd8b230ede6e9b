"""`python -m sandbox`: reads the arguments and serves on 127.0.0.1."""

import argparse
import asyncio
import logging
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from sandbox import app
from sandbox.connections import Protocol
from sandbox.program import Options, Sandbox


class Server(uvicorn.Server):
    """Says when it is ready, and ends at once when told to."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._greeting, flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Nothing is lost: what is in flight is delivered again at the next start.
        self.should_exit = self.force_exit = True


def main() -> None:
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    listening = _listen(arguments.port)
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
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
    )
    server = Server(config, _greeting(sandbox, arguments, port))
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
        "--webhook-secret", metavar="S", help="signs what is sent there"
    )
    parser.add_argument("--control-token", metavar="T", help="opens /_sandbox/")
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
