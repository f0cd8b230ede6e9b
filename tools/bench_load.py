"""Send prepared requests over connections kept open, as cheaply as Python can.

The load must not take the processor from what it measures: one thread, one epoll, no
library, and answers are read no further than their length.
"""

import select
import socket
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Address = tuple[str, int]
NO_ANSWER_SECONDS = 30


class Measured(NamedTuple):
    """What one run saw: answers by status, and how long each took, ascending."""

    seconds: float
    statuses: Counter[int]
    latencies: list[float]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """Return the latency in milliseconds that so many answers kept to."""
        place = min(int(len(self.latencies) * percent / 100), len(self.latencies) - 1)
        return self.latencies[place] * 1000

    @property
    def refused(self) -> int:
        """How many answers were not 2xx."""
        return sum(n for status, n in self.statuses.items() if status // 100 != 2)


class Connection:
    """One connection and the request that is on its way."""

    def __init__(self, address: Address, poll: select.epoll) -> None:
        self.address = address
        self.poll = poll
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(self.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.poll.register(self.socket, select.EPOLLIN)

    def send(self, request: bytes, due: float) -> None:
        self.request, self.due, self.got = request, due, b""
        self.socket.sendall(request)

    def receive(self) -> int:
        """Read on; return the status when the answer is whole, else 0.

        A worker that is replaced closes what was idle: the request goes to another.
        """
        try:
            chunk = self.socket.recv(1 << 18)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            if self.got:
                raise ConnectionError("an answer was cut off")
            self.socket.close()
            self.open()
            self.socket.sendall(self.request)
            return 0
        self.got += chunk
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end:
            return 0
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return int(self.got[9:12]) if len(body) >= length else 0


def run(
    address: Address,
    requests: Iterable[bytes],
    *,
    connections: int,
    seconds: float,
    rate: float = 0,
) -> Measured:
    """Send `requests` for so long, each as soon as a connection is free.

    Or `rate` of them a second: then the time of an answer counts from when its request
    was due. Ends early when there are no more requests.
    """
    source: Iterator[bytes] = iter(requests)
    poll = select.epoll()
    opened = [Connection(address, poll) for _ in range(connections)]
    idle = deque(opened)
    busy: dict[int, Connection] = {}
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    began = time.perf_counter()
    sent = 0
    while True:
        now = time.perf_counter()
        is_over = now >= began + seconds
        while idle and not is_over:
            due = now if not rate else began + sent / rate
            if due > now or (request := next(source, None)) is None:
                break
            connection = idle.popleft()
            connection.send(request, due)
            busy[connection.socket.fileno()] = connection
            sent += 1
        if not busy and (is_over or not rate):
            break
        if now > began + seconds + NO_ANSWER_SECONDS:
            raise TimeoutError(f"{len(busy)} requests have no answer")
        for number, _ in poll.poll(0.2 if not rate else 0.001):
            connection = busy.pop(number, None)
            if connection is None:
                continue
            if status := connection.receive():
                latencies.append(time.perf_counter() - connection.due)
                statuses[status] += 1
                idle.append(connection)
            else:
                busy[connection.socket.fileno()] = connection
    # At a rate, the last answers come after the last second.
    elapsed = seconds if rate else time.perf_counter() - began
    for connection in opened:
        connection.socket.close()
    poll.close()
    return Measured(elapsed, statuses, sorted(latencies))
