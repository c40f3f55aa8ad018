"""Deadlines hold against servers that never answer, and nothing stays open behind them."""

import re
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import anyio
import pytest

from runbook_engine.probe import ErrorKind, ProbeContext, ProbeError
from runbook_probes.http import get, latency
from runbook_probes.tcp import connect

pytestmark = pytest.mark.anyio

HEADERS = b"HTTP/1.1 200 OK\r\nX-Drip: "
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"


@pytest.fixture
def hostile(servers: Any) -> Any:
    """Servers by what they do, and what the probe says that it was waiting for."""

    async def start(what: str) -> tuple[Any, str]:
        match what:
            case "says nothing":
                return await servers.black_hole(), "accepted the connection, but sent no answer"
            case "drips headers":
                return await servers.dripper(HEADERS), "began to answer, but did not finish the headers of its answer"
            case "drips a body":
                return await servers.dripper(BODY), "did not finish sending its answer"
            case "drips a chunk's extension":
                return await servers.dripper(CHUNKS), "did not finish sending its answer"
            case "drips a body through TLS":
                return await servers.dripper(BODY, tls=servers.tls("127.0.0.1")), "did not finish sending its answer"
            case "never finishes the handshake":
                server = await servers.black_hole()
                server.scheme = "https"
                return server, "accepted the connection, but did not finish the TLS handshake"
            case "drips through the handshake":
                server = await servers.dripper(b"\x16\x03\x03\x40\x00")
                server.scheme = "https"
                return server, "accepted the connection, but did not finish the TLS handshake"
        raise AssertionError(what)

    return start


HOSTILE = [
    "says nothing",
    "drips headers",
    "drips a body",
    "drips a chunk's extension",
    "drips a body through TLS",
    "never finishes the handshake",
    "drips through the handshake",
]


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_server_that_holds_the_connection_cannot_hold_http_get(
    hostile: Any, servers: Any, measure: Any, what: str
) -> None:
    server, missed = await hostile(what)
    begun = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        await measure(get, timeout=0.5, url=server.url, ca_file=servers.ca_file)
    assert time.monotonic() - begun < 5.0
    waited = caught.value.message.removeprefix(f"127.0.0.1:{server.port} {missed} within ")
    assert re.fullmatch(r"[234]\d\d ms", waited)
    assert server.connections == 1
    await server.everybody_left()


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_server_that_holds_the_connection_cannot_hold_http_latency(
    hostile: Any, servers: Any, measure: Any, what: str
) -> None:
    server, missed = await hostile(what)
    begun = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        await measure(latency, timeout=1.0, url=server.url, ca_file=servers.ca_file, sample_timeout="150ms")
    assert time.monotonic() - begun < 5.0
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert caught.value.message.endswith(f"127.0.0.1:{server.port} {missed} within 150 ms")
    await server.everybody_left()


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_probe_that_is_cancelled_closes_its_connection_at_once(hostile: Any, servers: Any, what: str) -> None:
    server, _ = await hostile(what)
    params = get.params.model_validate({"url": server.url, "ca_file": servers.ca_file})
    async with anyio.create_task_group() as group:
        group.start_soon(_once, get, params)
        await server.somebody_came()
        group.cancel_scope.cancel()
    await server.everybody_left()


async def _once(probe: Any, params: Any) -> None:
    await probe(params, ProbeContext())


async def test_a_run_of_samples_that_is_cancelled_closes_all_its_connections(servers: Any) -> None:
    server = await servers.black_hole()
    params = latency.params.model_validate({"url": server.url, "concurrency": 8})
    async with anyio.create_task_group() as group:
        group.start_soon(_once, latency, params)
        await server.somebody_came()
        group.cancel_scope.cancel()
    await server.everybody_left()


@pytest.mark.parametrize("probe", [get, latency], ids=["get", "latency"])
async def test_a_port_that_answers_no_attempt_to_connect_is_a_timeout(servers: Any, measure: Any, probe: Any) -> None:
    port = servers.unanswering_port()
    with pytest.raises(ProbeError) as caught:
        await measure(probe, timeout=0.5, url=f"http://127.0.0.1:{port}/")
    assert caught.value.kind is ErrorKind.TIMEOUT


async def test_a_look_up_that_hangs_holds_neither_probe(monkeypatch: pytest.MonkeyPatch, measure: Any) -> None:
    # A stand-in: which name servers the system asks cannot be changed from here.
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: ended.wait(10))
    try:
        begun = time.monotonic()
        with pytest.raises(ProbeError, match=r"timeout: the name api\.example could not be looked up within "):
            await measure(get, timeout=0.5, url="http://api.example/")
        with pytest.raises(ProbeError, match=r"timeout: the name api\.example could not be looked up within "):
            await measure(connect, timeout=0.5, host="api.example", port=80)
        assert time.monotonic() - begun < 5.0
    finally:
        ended.set()


HANGING = """
import socket, time, anyio
from runbook_engine.probe import ProbeContext
from runbook_probes.tcp import connect
socket.getaddrinfo = lambda *_args, **_options: time.sleep(60)

async def main() -> None:
    with anyio.move_on_after(0.2):
        await connect(connect.params(host="api.example", port=80), ProbeContext())

anyio.run(main)
print("done")
"""


def test_a_look_up_that_hangs_does_not_hold_the_process_at_its_end() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=20, check=True)
    assert ended.stdout == "done\n"
