"""A healthy system, and parts of it that can be taken away."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

import runbook_engine as rb
from runbook_engine.lab import Lab, open_lab
from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.lab.postgres import PostgresServer

Diagnose = Callable[..., rb.Trace]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with open_lab("none") as found:
        yield found


@pytest.fixture
def diagnose(lab: Lab) -> Diagnose:
    """The runbook against the healthy lab, with some inputs replaced."""

    def run(environ: Mapping[str, str] | None = None, **inputs: str) -> rb.Trace:
        known = rb.load("high-latency").runbook.inputs
        given = {name: value for name, value in {**lab.inputs, **inputs}.items() if name in known}
        return rb.run("high-latency", inputs=given, environ={**lab.environ, **(environ or {})})

    return run


@pytest.fixture(scope="module")
def bare_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server with pg_stat_statements preloaded and not created, and a role without pg_monitor."""
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("create role plain login password 'plain-secret'")
            connection.execute("create role watcher login password 'watcher-secret' in role pg_monitor")
        yield server


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsEndpoint]:
    """An AWS account whose service has no datapoints."""
    with AwsEndpoint(cpu_percent=None, memory_percent=None) as endpoint:
        yield endpoint


@pytest.fixture
def black_hole() -> Iterator[int]:
    """The port of a server that accepts connections and never says a word."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def lab_inputs(lab: Lab) -> dict[str, str]:
    """Only what the API needs."""
    return {name: lab.inputs[name] for name in ("api_url", "ca_file", "aws_endpoint_url")}


@pytest.fixture
def lab_passwords(lab: Lab) -> tuple[str, ...]:
    """All that must stay unseen of the healthy lab."""
    urls = [urlsplit(lab.inputs[name]).password for name in ("database_url", "redis_url")]
    found = (*urls, lab.environ["AWS_SECRET_ACCESS_KEY"])
    return tuple(each for each in found if each)
