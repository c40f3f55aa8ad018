"""Scripts, and a server that speaks Prometheus' API."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from tests.integration.documents import assert_document_as_declared

from runbook_engine.probe import Probe, ProbeContext


@pytest.fixture
def measure() -> Callable[..., Awaitable[Any]]:
    """Measures once as the engine does: the deadline is told to the probe, and held from outside as well."""

    async def once(
        probe: Probe[Any, Any],
        timeout: float = 5.0,
        grants: tuple[str, ...] = (),
        environ: Mapping[str, str] | None = None,
        **params: object,
    ) -> Any:
        with anyio.fail_after(timeout) as scope:
            context = ProbeContext(scope.deadline, environ or {"PATH": "/usr/bin:/bin"}, frozenset(grants))
            reading = await probe(probe.params.model_validate(params), context)
            assert_document_as_declared(probe, reading)
            return reading

    return once


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Writes a script that can be executed, and gives its path."""

    def write(text: str, name: str = "look.sh", mode: int = 0o755) -> str:
        file = tmp_path / name
        file.write_text(text)
        file.chmod(mode)
        return str(file)

    return write


@dataclass
class Prometheus:
    """Answers every query with ``answer``; ``asked`` has path, parameters and headers of each."""

    port: int = 0
    status: int = 200
    answer: bytes = b""
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def gives(self, kind: str, result: object, **more: object) -> None:
        self.status = 200
        self.answer = json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()

    def refuses(self, status: int, kind: str, message: str) -> None:
        self.status = status
        self.answer = json.dumps({"status": "error", "errorType": kind, "error": message}).encode()

    def says(self, status: int, body: bytes) -> None:
        self.status, self.answer = status, body

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
            path = urlsplit(head[0].split(" ")[1])
            given = {name: each[0] for name, each in parse_qs(path.query).items()}
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            self.asked.append((path.path, given, headers))
            writer.write(f"HTTP/1.1 {self.status} Whatever\r\nContent-Length: {len(self.answer)}\r\n\r\n".encode())
            writer.write(self.answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def prometheus() -> AsyncIterator[Prometheus]:
    server = Prometheus()
    listening = await asyncio.start_server(server.attend, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()
