"""What the misbehaving DNS, Redis and PostgreSQL servers of the soak say."""

import asyncio
import struct
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from tests.soak.place import Begin, Handler, Place, silent, until_it_leaves

Answer = Callable[[dns.message.Message], bytes | None]


def name_server(answer: Answer, over_tcp: Handler | None = None) -> Begin:
    """A name server over UDP and, where ``over_tcp`` is given, one over TCP on the same port."""

    async def begin(place: Place) -> int:
        port = await place.listen(over_tcp) if over_tcp else 0
        return await place.datagrams(lambda data: answer(dns.message.from_wire(data)), port)

    return begin


def records(*lines: str) -> Answer:
    """Answers whatever is asked with these records, each as ``api.test. 60 IN A 10.0.0.1``."""

    def answer(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        for line in lines:
            name, ttl, kind, data_type, data = line.split(maxsplit=4)
            response.answer.append(dns.rrset.from_text(name, int(ttl), kind, data_type, data))
        return response.to_wire()

    return answer


def cut(answer: Answer, left: int) -> Answer:
    """All but the last ``left`` bytes of what is answered."""
    return lambda query: (answer(query) or b"")[:-left]


def to_somebody_else(query: dns.message.Message) -> bytes:
    """A good answer to a question that nobody asked: of another number."""
    query.id ^= 0x5555
    return records("api.test. 60 IN A 10.0.0.1")(query) or b""


def too_long(query: dns.message.Message) -> bytes:
    """Says that the whole is to be had over TCP."""
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    return response.to_wire()


def no_answer(_query: dns.message.Message) -> None:
    return None


def failing(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response.to_wire()


# https://www.postgresql.org/docs/current/protocol-message-formats.html
LOGGED_IN = b"R\x00\x00\x00\x08\x00\x00\x00\x00"
SETTINGS = {
    b"server_version": b"16.4",
    b"server_encoding": b"UTF8",
    b"client_encoding": b"UTF8",
    b"DateStyle": b"ISO, MDY",
    b"integer_datetimes": b"on",
    b"standard_conforming_strings": b"on",
    b"TimeZone": b"UTC",
}


def message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", len(content) + 4) + content


READY = message(b"Z", b"I")
GREETING = (
    LOGGED_IN
    + b"".join(message(b"S", name + b"\0" + value + b"\0") for name, value in SETTINGS.items())
    + message(b"K", struct.pack("!ii", 7, 7))
    + READY
)
NOTICE = message(b"N", b"SNOTICE\0VNOTICE\0C00000\0M" + b"so it is " * 100 + b"\0\0")
COLUMN = message(b"T", struct.pack("!h", 1) + b"answer\0" + struct.pack("!ihihih", 0, 0, 23, 4, -1, 0))
ROW = message(b"D", struct.pack("!hi", 1, 1) + b"1")


def postgres(spoken: Handler, greeting: bytes = GREETING) -> Handler:
    """Lets everybody in, and goes on as ``spoken`` with whatever comes then."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        await reader.readexactly(size - 4)
        writer.write(greeting)
        await writer.drain()
        await spoken(reader, writer)

    return handler


def statements(answer: bytes, *, close: bool) -> Handler:
    """Ends BEGIN, SET and their like as it should, and gives ``answer`` to anything else."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            kind = await reader.readexactly(1)
            (size,) = struct.unpack("!i", await reader.readexactly(4))
            content = await reader.readexactly(size - 4)
            if kind == b"Q" and content.split(None, 1)[0].upper().rstrip(b";\0") in (b"BEGIN", b"SET"):
                writer.write(message(b"C", b"BEGIN\0") + message(b"Z", b"T"))
            elif kind in b"QS":
                writer.write(answer)
                await writer.drain()
                if not close:
                    await until_it_leaves(reader)
                return
            await writer.drain()

    return handler


async def half_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says that no more will come, and goes on to listen."""
    if writer.can_write_eof():
        writer.write_eof()
    await silent(reader, writer)
