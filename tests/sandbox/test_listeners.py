"""The protocol of `stripe listen`, spoken by hand: what the CLI alone cannot show."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.sandbox.conftest import stripe_client
from tests.sandbox_server import SandboxServer, wait_for

SUBPROTOCOL = Subprotocol("stripecli-devproxy-v1")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """One that delivers to nobody but those who listen."""
    with SandboxServer() as running:
        yield running


def open_session(server: SandboxServer, *features: str) -> requests.Response:
    return requests.post(
        f"{server.url}/v1/stripecli/sessions",
        data={"device_name": "tests", "websocket_features[]": list(features)},
        auth=(server.secret_key, ""),
        timeout=10,
    )


def dial(session: dict[str, Any], **headers: str) -> ClientConnection:
    return connect(
        f"{session['websocket_url']}?websocket_feature=webhook-payloads",
        subprotocols=[SUBPROTOCOL],
        additional_headers={"Websocket-Id": session["websocket_id"], **headers},
        compression=None,
        proxy=None,
    )


def create(server: SandboxServer) -> str:
    params: Any = {"amount": 1000, "currency": "usd"}
    return str(stripe_client(server).v1.payment_intents.create(params).id)


def receive(connection: ClientConnection) -> tuple[dict[str, Any], str]:
    """Return the next message, and the PaymentIntent that its event is about."""
    message = json.loads(connection.recv(timeout=10))
    payload = json.loads(message["event_payload"])
    return message, payload["data"]["object"]["id"]


def acknowledgement(message: dict[str, Any]) -> str:
    event_id = json.loads(message["event_payload"])["id"]
    ids = {key: message[key] for key in ("webhook_id", "webhook_conversation_id")}
    return json.dumps({"type": "event_ack", "event_id": event_id, **ids})


def acknowledge(connection: ClientConnection, events: int = 1) -> set[str]:
    """Take events, each in two versions, and return their PaymentIntents."""
    told = set()
    for _ in range(2 * events):
        message, intent = receive(connection)
        connection.send(acknowledgement(message))
        told.add(intent)
    return told


def answers(server: SandboxServer, session: dict[str, Any]) -> list[str | None]:
    """What is known of the deliveries to this listener."""
    return [
        delivery["last_answer"]
        for delivery in server.deliveries()
        if delivery["endpoint"] == session["websocket_id"]
    ]


def test_what_was_not_acknowledged_comes_again_after_a_redial(
    sandbox: SandboxServer,
) -> None:
    session = open_session(sandbox, "webhooks").json()
    with dial(session) as connection:
        first = create(sandbox)
        assert receive(connection)[1] == first
    second = create(sandbox)

    with dial(session) as connection:
        assert acknowledge(connection, events=2) == {first, second}
        third = create(sandbox)
        assert acknowledge(connection) == {third}


def test_a_second_connection_takes_over_from_the_first(sandbox: SandboxServer) -> None:
    session = open_session(sandbox, "webhooks").json()
    with dial(session) as first:
        intent = create(sandbox)
        assert receive(first)[1] == intent

        with dial(session) as second:
            assert acknowledge(second) == {intent}
            wait_for(lambda: answers(sandbox, session) == ["acknowledged"])


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    with SandboxServer(state=tmp_path / "state.db") as server:
        session = open_session(server, "webhooks").json()
        with dial(session):
            intent = create(server)
            server.kill()
        server.start()

        with dial(session) as connection:
            assert acknowledge(connection) == {intent}


def test_pings_fragments_and_nonsense(sandbox: SandboxServer) -> None:
    session = open_session(sandbox, "webhooks", "v2_events").json()
    with dial(session) as connection:
        assert connection.subprotocol == SUBPROTOCOL
        assert connection.ping().wait(timeout=10)
        for nonsense in ("{", "[]", '{"type": "event_ack"}', '{"type": "other"}'):
            connection.send(nonsense)
        intent = create(sandbox)

        for _ in range(2):
            message, told = receive(connection)
            assert told == intent
            whole = acknowledgement(message)
            connection.send([whole[:9], whole[9:40], whole[40:]])

        wait_for(lambda: answers(sandbox, session) == ["acknowledged"])


def test_only_a_program_with_a_known_id_may_listen(sandbox: SandboxServer) -> None:
    session = open_session(sandbox, "webhooks").json()

    for other in (session | {"websocket_id": "cliws_unknown"}, session):
        origin = {"Origin": sandbox.url} if other is session else {}
        with pytest.raises(InvalidStatus) as refused:
            dial(other, **origin)
        body = json.loads(refused.value.response.body or b"")
        assert body == {"error": {"message": "Unknown WebSocket ID."}}


def test_only_snapshot_events_are_told(sandbox: SandboxServer) -> None:
    for feature in ("v2_events", "request_logs"):
        assert open_session(sandbox, feature).status_code == 400


def test_who_only_asks_for_the_secret_is_told_nothing(sandbox: SandboxServer) -> None:
    session = open_session(sandbox, "webhooks").json()

    create(sandbox)

    assert session["secret"] == sandbox.webhook_secret
    assert answers(sandbox, session) == []


def test_live_events_are_told_to_live_listeners_only(sandbox: SandboxServer) -> None:
    session = open_session(sandbox, "webhooks").json()
    with dial(session) as connection:
        params: Any = {"amount": 1000, "currency": "usd"}
        live = stripe_client(sandbox, "sk_live_sandbox").v1.payment_intents
        live.create(params)
        intent = create(sandbox)

        assert acknowledge(connection) == {intent}
