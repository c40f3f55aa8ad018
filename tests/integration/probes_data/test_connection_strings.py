"""Connection strings that were written for other clients reach the real servers."""

from pathlib import Path
from typing import Any

import pytest

from runbook_engine.lab.redis import RedisServer
from runbook_probes.postgres import ping as postgres_ping
from runbook_probes.postgres import query
from runbook_probes.postgres_ready import ready
from runbook_probes.redis import ping as redis_ping

pytestmark = pytest.mark.anyio


async def test_the_url_of_an_orm_with_its_pool_reaches_the_database(postgres: Any, measure: Any, password: str) -> None:
    url = postgres.dsn("app", password).replace("postgresql:", "postgresql+psycopg:")
    written = f'"{url}?connection_limit=5&pool_timeout=10"\n'
    assert (await measure(postgres_ping, dsn=written)).latency > 0
    assert (await measure(ready, dsn=written)).accepting


async def test_statements_look_for_tables_in_the_schema_of_the_url(
    postgres: Any, admin: Any, measure: Any, password: str
) -> None:
    admin.execute('CREATE SCHEMA "Shop"')
    try:
        admin.execute('CREATE TABLE "Shop".orders AS SELECT 1 AS number')
        admin.execute('GRANT USAGE ON SCHEMA "Shop" TO app; GRANT SELECT ON "Shop".orders TO app')
        written = postgres.dsn("app", password) + "?schema=Shop"
        reading = await measure(query, dsn=written, sql="SELECT number FROM orders")
    finally:
        admin.execute('DROP SCHEMA "Shop" CASCADE')
    assert reading.document == [{"number": 1}]


async def test_a_valkey_url_with_time_outs_reaches_the_cache(redis_server: Any, measure: Any) -> None:
    written = redis_server.url.replace("redis:", "valkey:") + "?timeout=5&max_connections=10\n"
    assert (await measure(redis_ping, url=written)).latency > 0


async def test_a_cache_answers_on_its_socket(tmp_path: Path, measure: Any, password: str) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer(tmp_path, settings={"unixsocket": str(path)}, password=password) as server:
        assert server.port
        assert (await measure(redis_ping, url=f"unix://:{password}@{path}?db=1")).latency > 0


async def test_a_socket_on_which_nothing_listens_refuses(tmp_path: Path, fails: Any) -> None:
    error = await fails(redis_ping, url=f"unix://{tmp_path}/redis.sock")
    assert str(error) == f"refused: nothing listens on the socket {tmp_path}/redis.sock"
