"""tcp.connect tells the ways apart in which a port cannot be reached."""

import asyncio
import errno
import re
import socket
import time
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from pydantic import ValidationError

from runbook_engine.probe import ErrorKind, ProbeContext, ProbeError
from runbook_probes.network import NEXT_ADDRESS_AFTER, not_connected
from runbook_probes.tcp import connect

pytestmark = pytest.mark.anyio


async def test_an_open_port_is_connected_to_and_left_again(servers: Any, measure: Any) -> None:
    server = await servers.black_hole()
    reading = await measure(connect, host="localhost", port=server.port)
    assert 0 < reading.connect < 1
    assert 0 < reading.dns < 1
    assert reading.evidence["address"] == f"127.0.0.1:{server.port}"
    await server.everybody_left()


async def test_an_address_needs_no_look_up(servers: Any, measure: Any) -> None:
    server = await servers.black_hole()
    reading = await measure(connect, host="127.0.0.1", port=server.port)
    assert reading.dns is None
    assert reading.missing == {"dns": "127.0.0.1 is an address, nothing was looked up"}


async def test_a_closed_port_refuses(servers: Any, measure: Any) -> None:
    port = servers.refusing_port()
    with pytest.raises(ProbeError) as caught:
        await measure(connect, host="127.0.0.1", port=port)
    assert str(caught.value) == f"refused: 127.0.0.1:{port} refuses connections: nothing listens there"
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_a_port_that_answers_no_attempt_times_out_at_the_deadline(servers: Any, measure: Any) -> None:
    port = servers.unanswering_port()
    begun = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        await measure(connect, timeout=0.5, host="127.0.0.1", port=port)
    assert time.monotonic() - begun < 5.0
    told = re.escape(f"timeout: 127.0.0.1:{port} did not answer the attempt to connect within ")
    assert re.fullmatch(rf"{told}4\d\d ms", str(caught.value))


async def test_an_unknown_name_does_not_resolve(measure: Any) -> None:
    with pytest.raises(ProbeError) as caught:
        await measure(connect, host="db.invalid", port=5432)
    assert str(caught.value) == "dns: the name db.invalid does not resolve"
    assert isinstance(caught.value.__cause__, socket.gaierror)


async def test_an_address_that_stays_silent_does_not_hold_up_the_next_one(
    servers: Any, measure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stand-in for a name with two addresses, of which one is of a machine that is gone.
    server = await servers.start(_leave)
    silent = servers.unanswering_port(address="127.0.0.2", port=server.port)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    reading = await measure(connect, host="two.example", port=silent)
    assert NEXT_ADDRESS_AFTER <= reading.connect < 2
    assert reading.evidence["address"] == f"127.0.0.1:{server.port}"


async def test_a_connection_that_comes_just_when_the_probe_is_cancelled_is_closed(
    servers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await servers.black_hole()
    really = anyio.connect_tcp
    scope = anyio.CancelScope()

    async def too_late(address: str, port: int) -> SocketStream:
        stream = await really(address, port)
        scope.cancel()
        return stream

    monkeypatch.setattr(anyio, "connect_tcp", too_late)
    with scope:
        await connect(connect.params(host="127.0.0.1", port=server.port), ProbeContext())
    assert scope.cancelled_caught
    await server.somebody_came()
    await server.everybody_left()


async def _leave(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    pass


@pytest.mark.parametrize(
    ("errno_name", "kind"),
    [
        ("ENETUNREACH", ErrorKind.OTHER),
        ("EHOSTUNREACH", ErrorKind.OTHER),
        ("ETIMEDOUT", ErrorKind.TIMEOUT),
        ("EACCES", ErrorKind.OTHER),
    ],
)
def test_a_network_that_leads_nowhere_is_not_taken_for_a_service_that_is_down(errno_name: str, kind: ErrorKind) -> None:
    number = getattr(errno, errno_name)
    error = not_connected(OSError(number, "Network is unreachable"), "db.example", 5432)
    assert error.kind is kind
    assert error.message.startswith("db.example:5432 ")


def test_a_name_server_that_does_not_answer_is_told_from_a_name_that_does_not_exist() -> None:
    error = not_connected(socket.gaierror(socket.EAI_AGAIN, "again"), "db.example", 5432)
    assert str(error) == "dns: the name db.example could not be looked up: the name server does not answer"


@pytest.mark.parametrize(
    "host", ["https://db.example", "db.example:5432", "u:hunter2@db", "", "a..b", "a b", "x" * 64, "a/b"]
)
def test_what_is_not_a_host_is_refused_without_repeating_a_password(host: str) -> None:
    with pytest.raises(ValidationError, match=r"for example db\.example\.com") as caught:
        connect.params.model_validate({"host": host, "port": 5432})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "shown"), [("[::1]", "::1"), ("db.example.", "db.example."), ("10.0.0.1", "10.0.0.1")]
)
def test_the_command_is_one_to_paste(host: str, shown: str) -> None:
    params = connect.params.model_validate({"host": host, "port": 5432})
    assert connect.command(params) == f"nc -vz -w 5 {shown} 5432"
