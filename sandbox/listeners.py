"""`stripe listen`: its sessions, and the websockets on which it gets events.

A listener is a place that deliveries go to, beside the webhook endpoints. Its rows stay
pending until it acknowledges them, over a redial and over a restart of the sandbox.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox import events, webhook_endpoints
from sandbox.accounts import DEFAULT_VERSION, ENDIVE, Account
from sandbox.errors import invalid, missing
from sandbox.ids import new_id, random_text
from sandbox.parameters import Params, fields, list_of, text
from sandbox.store import Object, Store

OPEN = fields(
    {
        "device_name": text,
        "websocket_features": list_of(text),
        "forward_to_url": text,
        "forward_connect_to_url": text,
        "forward_thin_to_url": text,
        "forward_thin_connect_to_url": text,
        "filters": text,
    }
)
PATH = "/stripecli/subscribe"
SUBPROTOCOL = "stripecli-devproxy-v1"
RECONNECT_DELAY = 60
# Real seconds without a connection after which it is gone; it redials every ten.
GONE_AFTER = 30


def open_session(account: Account, params: Params) -> Object:
    """What `stripe listen` asks first: where to connect, and the signing secret."""
    if "websocket_features" not in params:
        raise missing("websocket_features")
    if "webhooks" not in params["websocket_features"]:
        raise invalid(
            "The sandbox tells listeners of snapshot events only: no thin events,"
            " no request logs.",
            param="websocket_features",
        )
    listener = new_id(events.LISTENER)
    account.store.db.execute(
        "INSERT INTO listeners (id, livemode, connected) VALUES (?, ?, 0)",
        (listener, account.livemode),
    )
    address = account.origin.replace("http://localhost", "ws://127.0.0.1")
    return {
        "object": "stripecli_session",
        "websocket_url": f"{address}{PATH}",
        "websocket_id": listener,
        "websocket_authorized_feature": "webhook-payloads",
        "reconnect_delay": RECONNECT_DELAY,
        "secret": account.store.setting("webhook_secret"),
        "default_version": DEFAULT_VERSION,
        "latest_version": ENDIVE,
        "display_connect_filter_warning": False,
    }


@dataclass
class Connection:
    """A listener while it is connected."""

    socket: WebSocket
    unanswered: dict[str, asyncio.Event] = field(default_factory=dict)
    is_lost: bool = False

    async def tell(self, message: Object) -> bool:
        """Send one event; return whether it was acknowledged on this connection."""
        if self.is_lost:
            return False
        conversation = f"wc_{random_text(24)}"
        answered = self.unanswered[conversation] = asyncio.Event()
        sent = json.dumps(message | {"webhook_conversation_id": conversation})
        try:
            await self.socket.send_text(sent)
            await answered.wait()
        except (WebSocketDisconnect, RuntimeError):
            return False  # it hung up before it could be sent
        finally:
            del self.unanswered[conversation]
        return not self.is_lost

    def acknowledged(self, conversation: Any) -> None:
        if conversation in self.unanswered:
            self.unanswered[conversation].set()

    def hang_up(self) -> None:
        self.is_lost = True
        for waiting in self.unanswered.values():
            waiting.set()


class Listeners:
    """Everybody who listens, connected or about to redial."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.connected: dict[str, Connection] = {}
        store.db.execute("DELETE FROM listeners WHERE NOT connected")
        rows = store.db.execute("SELECT id FROM listeners")
        self._away = {row["id"]: time.monotonic() for row in rows}

    def knows(self, listener: str) -> bool:
        return self._row(listener) is not None

    def arrive(self, listener: str, socket: WebSocket) -> Connection:
        """Take a connection; one that it still had is over."""
        if listener in self.connected:
            self.connected[listener].hang_up()
        self._away.pop(listener, None)
        self._store.db.execute(
            "UPDATE listeners SET connected = 1 WHERE id = ?", (listener,)
        )
        self.connected[listener] = Connection(socket)
        return self.connected[listener]

    def leave(self, listener: str, connection: Connection) -> None:
        connection.hang_up()
        if self.connected.get(listener) is connection:
            del self.connected[listener]
            self._away[listener] = time.monotonic()

    def forget_the_gone(self) -> None:
        """Give up on who has not redialled in time."""
        long_ago = time.monotonic() - GONE_AFTER
        for listener in [one for one, left in self._away.items() if left < long_ago]:
            del self._away[listener]
            self._store.db.execute("DELETE FROM listeners WHERE id = ?", (listener,))
            self._store.db.execute(
                "UPDATE deliveries SET status = 'given up',"
                " last_answer = 'the listener is gone'"
                " WHERE status = 'pending' AND endpoint = ?",
                (listener,),
            )

    async def deliver(
        self, account: Account, event: Object, listener: str, seq: int
    ) -> bool:
        """Hand over an event, in each version a listener may want.

        With `--latest` the CLI takes only what names a version, else only what names
        none; it acknowledges both.
        """
        connection = self.connected.get(listener)
        if connection is None:
            return False
        told = [
            await connection.tell(_message(account, event, version, seq))
            for version in (None, ENDIVE)
        ]
        return all(told)

    def answered(self, listener: str, message: Object) -> None:
        """The place it forwards to has answered: keep what it said."""
        status = message.get("status")
        if not isinstance(status, int):
            return
        self._store.db.execute(
            "UPDATE deliveries SET status = ?, last_answer = ?, tries = max(tries, 1)"
            " WHERE endpoint = ? AND event = ? AND seq = ?",
            (
                "succeeded" if 200 <= status < 300 else "failed",
                str(status),
                listener,
                str(message.get("notification_id")),
                str(message.get("webhook_id")).removeprefix("wh_"),
            ),
        )

    def _row(self, listener: str) -> Any:
        return self._store.db.execute(
            "SELECT * FROM listeners WHERE id = ?", (listener,)
        ).fetchone()


def route(listeners: Listeners, wake: Callable[[], None]) -> WebSocketRoute:
    async def subscribe(socket: WebSocket) -> None:
        """One connection of `stripe listen`, from its first to its last message."""
        listener = socket.headers.get("Websocket-Id", "")
        # A web page cannot set that header, but it always says where it comes from.
        if "Origin" in socket.headers or not listeners.knows(listener):
            error = {"error": {"message": "Unknown WebSocket ID."}}
            await socket.send_denial_response(JSONResponse(error, 401))
            return
        await socket.accept(SUBPROTOCOL)
        connection = listeners.arrive(listener, socket)
        wake()
        try:
            async for message in socket.iter_text():
                _read(listeners, listener, connection, message)
        finally:
            listeners.leave(listener, connection)

    return WebSocketRoute(PATH, subscribe)


def _read(
    listeners: Listeners, listener: str, connection: Connection, message: str
) -> None:
    try:
        said = json.loads(message)
    except json.JSONDecodeError:
        return
    if not isinstance(said, dict):
        return
    if said.get("type") == "event_ack":
        connection.acknowledged(said.get("webhook_conversation_id"))
    elif said.get("type") == "webhook_response":
        listeners.answered(listener, said)


def _message(account: Account, event: Object, version: str | None, seq: int) -> Object:
    payload = events.payload(account, event, version)
    secret = account.store.setting("webhook_secret") or ""
    return {
        "type": "webhook_event",
        "webhook_id": f"wh_{seq}",
        "endpoint": {"api_version": version},
        "event_payload": payload.decode(),
        "http_headers": webhook_endpoints.headers([secret], payload),
    }
