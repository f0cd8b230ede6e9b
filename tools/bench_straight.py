"""The statements of a request straight through psycopg: what PostgreSQL costs."""

import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain
from multiprocessing import get_context
from typing import NamedTuple

import psycopg

# As many as gunicorn's workers, and together as many connections as the load's.
PROCESSES, THREADS = 2, 8


class Work(NamedTuple):
    """Statements about order `example`, to be done for other orders instead."""

    server: str
    statements: list[str]
    example: int
    numbers: list[int]
    seconds: float


def latencies(work: Work) -> list[float]:
    """Do the work in several processes; return how long each order took, ascending."""
    parts = [
        work._replace(numbers=work.numbers[part::PROCESSES])
        for part in range(PROCESSES)
    ]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
        return sorted(chain.from_iterable(processes.map(in_threads, parts)))


def in_threads(work: Work) -> list[float]:
    parts = [
        work._replace(numbers=work.numbers[part::THREADS]) for part in range(THREADS)
    ]
    with ThreadPoolExecutor(THREADS) as threads:
        return list(chain.from_iterable(threads.map(in_turn, parts)))


def in_turn(work: Work) -> list[float]:
    found = []
    with psycopg.connect(work.server, autocommit=True) as connection:
        end = time.perf_counter() + work.seconds
        for number in work.numbers:
            texts = [
                text.replace(str(work.example), str(number)) for text in work.statements
            ]
            began = time.perf_counter()
            if began > end:
                break
            for text in texts:
                connection.execute(text)
            found.append(time.perf_counter() - began)
    return found
