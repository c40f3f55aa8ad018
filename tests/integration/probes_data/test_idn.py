"""Databases and caches under names beyond ASCII are connected to under the name that browsers ask for."""

import socket
from typing import Any

import pytest

from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.lab.redis import RedisServer
from runbook_engine.probe import Secret
from runbook_probes.postgres import ping as postgres_ping
from runbook_probes.redis import ping as redis_ping

pytestmark = pytest.mark.anyio


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that this machine was asked for; in place of its resolver one that knows xn--fa-hia.test alone."""
    names: set[str] = set()
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(host, str) and host.endswith(".test"):
            names.add(host)
            if host != "xn--fa-hia.test":
                raise socket.gaierror(socket.EAI_NONAME, "not known")
            host = "127.0.0.1"
        return real(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


async def test_redis_is_connected_to_under_that_name(redis_server: RedisServer, measure: Any, asked: set[str]) -> None:
    await measure(redis_ping, url=Secret(redis_server.url.replace("127.0.0.1", "faß.test"), "$REDIS_URL"))
    assert asked == {"xn--fa-hia.test"}


async def test_postgres_is_connected_to_under_that_name(
    postgres: PostgresServer, measure: Any, asked: set[str]
) -> None:
    dsn = postgres.url.replace("127.0.0.1", "faß.test")
    assert "faß.test" in dsn
    await measure(postgres_ping, dsn=Secret(dsn, "$DATABASE_URL"))
    assert asked == {"xn--fa-hia.test"}
