"""The open client connections, so that one can be cut on purpose."""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)

_open: dict[tuple[str, int], asyncio.Transport] = {}


class Protocol(H11Protocol):
    """uvicorn's own, remembering which transport belongs to which client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        _open[_client(transport)] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _open.pop(_client(self.transport), None)
        super().connection_lost(exc)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Takes over a connection that `Protocol` has accepted."""

    def connection_lost(self, exc: Exception | None) -> None:
        _open.pop(_client(self.transport), None)
        super().connection_lost(exc)


def reset(client: tuple[str, int]) -> None:
    """Send the client a TCP reset in place of an answer."""
    transport = _open.get(client)
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        at_once = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.abort()


def reset_all_but(client: tuple[str, int]) -> None:
    """Cut every connection except this one."""
    for other in list(_open):
        if other != client:
            reset(other)


def _client(transport: Any) -> tuple[str, int]:
    host, port = transport.get_extra_info("peername")[:2]
    return host, port
