"""A Stripe that answers every PaymentIntent in a fixed time, and does nothing else.

`python tools/bench_stripe.py PORT FILE`, with an intent's JSON in FILE. A request to
`/wait/0.3` sets the time.
"""

import asyncio
import itertools
import json
import sys
from pathlib import Path
from urllib.parse import parse_qs

numbers = itertools.count(1)
wait = 0.0


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it is closed."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = head.lower().partition("content-length: ")[2].split("\r\n")[0]
            body = await reader.readexactly(int(length or 0))
            writer.write(await answer(head.split()[1], body.decode()))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def answer(path: str, body: str) -> bytes:
    global wait
    if path.startswith("/wait/"):
        wait = float(path.rpartition("/")[2])
    if not body:
        return response({})
    asked = {name: values[0] for name, values in parse_qs(body).items()}
    if wait:
        await asyncio.sleep(wait)
    name = f"pi_stand_in_{next(numbers)}"
    return response(
        template
        | {
            "id": name,
            "client_secret": f"{name}_secret_stand_in",
            "amount": int(asked["amount"]),
            "metadata": {
                "shop": asked["metadata[shop]"],
                "order": asked["metadata[order]"],
            },
        }
    )


def response(content: object) -> bytes:
    body = json.dumps(content, indent=2).encode()
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nRequest-Id: req_stand_in\r\n\r\n"
    ).encode() + body


async def main() -> None:
    server = await asyncio.start_server(converse, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    template = json.loads(Path(sys.argv[2]).read_text())
    asyncio.run(main())
