"""What the misbehaving HTTP servers of the soak say."""

import asyncio
import itertools
import json
import random
import zlib
from collections.abc import Iterator, Mapping
from functools import cache

from tests.soak.place import Begin, Handler, Place, over_tls, plain, says

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
UP = b'{"up": true, "value": 1, "state": "up"}'
"""What a runbook calls healthy."""


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """One whole answer. Headers by name, with ``_`` for ``-``."""
    named = {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def answers(body: bytes, status: str = "200 OK", **headers: str) -> Begin:
    return plain(says(answer(body, status, **headers)))


def noise(size: int) -> bytes:
    """The same bytes each time."""
    return random.Random(1).randbytes(size)


def headers(count: int) -> bytes:
    return b"".join(b"X-%d: %s\r\n" % (number, b"x" * 100) for number in range(count))


@cache
def bomb(blocks: int = 64) -> bytes:
    """Gzip of 16 MiB of JSON for each block, of which the first 16 kB say that all is well."""
    folding = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    begin = folding.compress(b'{"up": true, "more": "') + folding.flush(zlib.Z_FULL_FLUSH)
    block = folding.compress(b"a" * (16 << 20)) + folding.flush(zlib.Z_FULL_FLUSH)
    return begin + block * blocks


@cache
def folded_numbers(count: int = 4_000_000) -> bytes:
    """Some 15 kB of gzip that unfold to a list of so many numbers, beside ``up: false``."""
    return zlib.compress(b'{"up": false, "more": [' + b"7, " * count + b"7]}", 9, wbits=zlib.MAX_WBITS | 16)


@cache
def many_values(count: int = 300_000) -> bytes:
    return json.dumps({"up": False, "more": [{"at": number} for number in range(count)]}).encode()


@cache
def partial_series(count: int = 100_000) -> bytes:
    """An answer of Prometheus of some 6 MB."""
    series = [{"metric": {"instance": f"10.0.0.{number}:9100"}, "value": [1.0, "9"]} for number in range(count)]
    return prometheus(series)


def prometheus(result: object, kind: str = "vector", **more: object) -> bytes:
    document = {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    return json.dumps(document).encode()


def one_of(period: int, well: bytes) -> Begin:
    """Answers every ``period``-th request, and closes the other connections without a word."""

    async def begin(place: Place) -> int:
        turns = itertools.cycle(range(period))
        return await place.listen(_in_turn(turns, well))

    return begin


def _in_turn(turns: Iterator[int], well: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if next(turns) == 0:
            writer.write(well)
            await writer.drain()

    return handler


NEIGHBOUR_S = 0.05
"""What the healthy neighbour takes for an answer, as a service does that has something to do."""


async def _neighbour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(NEIGHBOUR_S)
        writer.write(answer(UP))
        await writer.drain()


NEIGHBOUR: Mapping[str, Begin] = {"neighbour": over_tls(_neighbour)}
