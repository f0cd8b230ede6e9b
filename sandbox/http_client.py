"""POST to a webhook endpoint on this machine, over connections that are kept."""

import asyncio
import ssl
from urllib.parse import urlsplit

import h11

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
TIMEOUT = 20
READ_AT_ONCE = 65536


class NotDelivered(Exception):
    """No answer: refused, reset, timed out, or not an address of this machine."""


class Connection:
    """One open connection, speaking HTTP/1.1."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)

    async def post(self, target: str, headers: dict[str, str], body: bytes) -> int:
        """Return the status of the answer, whose body is read and dropped."""
        head = h11.Request(method="POST", target=target, headers=list(headers.items()))
        parts = (head, h11.Data(data=body), h11.EndOfMessage())
        self._writer.write(b"".join(self._http.send(part) or b"" for part in parts))
        await self._writer.drain()
        status = 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(READ_AT_ONCE))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.EndOfMessage):
                return status
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise NotDelivered("the connection was closed")

    def may_be_kept(self) -> bool:
        if (
            self._http.our_state is not h11.DONE
            or self._http.their_state is not h11.DONE
        ):
            return False
        self._http.start_next_cycle()
        return not self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()


class Client:
    """Keeps idle connections for the next delivery to the same place."""

    def __init__(self) -> None:
        self._idle: dict[str, list[Connection]] = {}

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Return the status; raise NotDelivered when there was no answer."""
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._post(url, headers, body)
        except TimeoutError:
            raise NotDelivered(f"no answer within {TIMEOUT} s") from None
        except (OSError, ValueError, h11.ProtocolError) as error:
            raise NotDelivered(str(error) or type(error).__name__) from error

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        parts = urlsplit(url)
        if parts.hostname not in LOOPBACK:
            raise NotDelivered("the sandbox delivers to this machine only")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Host": parts.netloc,
            "Content-Length": str(len(body)),
        } | headers
        place = f"{parts.scheme}://{parts.netloc}"
        kept = self._idle.setdefault(place, [])
        while kept:
            connection = kept.pop()
            try:
                return await self._use(connection, place, target, headers, body)
            except (OSError, h11.ProtocolError, NotDelivered):
                continue  # closed while idle; a delivery may be repeated safely
        connection = await _connect(parts.scheme, str(parts.hostname), parts.port)
        return await self._use(connection, place, target, headers, body)

    async def _use(
        self,
        connection: Connection,
        place: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
    ) -> int:
        keep = False
        try:
            status = await connection.post(target, headers, body)
            keep = connection.may_be_kept()
            return status
        finally:
            if keep:
                self._idle[place].append(connection)
            else:
                connection.close()


async def _connect(scheme: str, host: str, port: int | None) -> Connection:
    secure = ssl.create_default_context() if scheme == "https" else None
    port = port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(host, port, ssl=secure)
    return Connection(reader, writer)
