"""How much of a Redis server's answers is read, and how. Importing this module loads redis-py.

redis-py reads whatever a server announces: ``$90000000000`` and bytes without end fill the memory, and an array of so many
small numbers holds the event loop, because what has arrived already is read without a pause.
"""

import re
from asyncio import StreamReader
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import InvalidResponse

MOST_BYTES = 1024 * 1024
"""Over one connection. An answer to INFO has some 7 kB."""
MOST_LINES = 200
"""Over one connection, without those inside of a text: an answer has a few."""
_BEGINS = re.compile(rb"[+-].*|:-?\d{1,20}|[$*](-1|\d{1,12})", re.DOTALL)
"""Of the first lines of what is read: https://redis.io/docs/latest/develop/reference/protocol-spec/"""


def bounded(connection: type[AbstractConnection]) -> type[AbstractConnection]:
    """Connections of this type that raise InvalidResponse for what is no answer of Redis, or too much of one."""

    class Bounded(connection):  # type: ignore[misc, valid-type] # a type that is known when it is used
        async def _connect(self) -> None:
            await super()._connect()
            self._reader: Any = _Reader(self._reader)

    return Bounded


class _Reader:
    """A stream that is read up to a bound."""

    def __init__(self, stream: StreamReader) -> None:
        self._stream = stream
        self._bytes = 0
        self._lines = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def readline(self) -> bytes:
        try:
            line = await self._stream.readline()
        except ValueError as error:
            raise InvalidResponse("Protocol Error: a line that does not end") from error
        self._lines += 1
        self._bytes += len(line)
        if self._lines > MOST_LINES:
            raise InvalidResponse(f"Protocol Error: more than {MOST_LINES} lines")
        if line.endswith(b"\n") and not (line.endswith(b"\r\n") and _BEGINS.fullmatch(line[:-2])):
            raise InvalidResponse(f"Protocol Error: {line!r}")
        return line

    async def readexactly(self, size: int) -> bytes:
        self._bound(size)
        return await self._stream.readexactly(size)

    async def read(self, size: int = -1) -> bytes:
        piece = await self._stream.read(size)
        self._bound(len(piece))
        return piece

    def _bound(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_BYTES:
            raise InvalidResponse(f"Protocol Error: more than {MOST_BYTES} bytes")
