"""postgres.query refuses statements that call what may change something, as superuser, against a real server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.probe import ErrorKind
from runbook_probes.postgres import query

pytestmark = pytest.mark.anyio

ALLOWED = frozenset({"sql-functions"})


@pytest.fixture
def things(admin: Any) -> Iterator[Any]:
    """Views, functions, an operator and a cast of a user's own, of which some have effects that cannot be seen at once."""
    admin.execute("DROP SCHEMA IF EXISTS mine CASCADE; CREATE SCHEMA mine; SET search_path = mine, public")
    for each in (
        "CREATE SEQUENCE counter",
        "CREATE TABLE orders AS SELECT 1 AS id",
        "CREATE FUNCTION forgetful(x int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN x; END'",
        "CREATE FUNCTION calm(x int) RETURNS int LANGUAGE sql STABLE AS 'SELECT x + 1'",
        "CREATE FUNCTION sly(x int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN pg_cancel_backend(x); END'",
        "CREATE FUNCTION sly_atomic(x int) RETURNS boolean STABLE BEGIN ATOMIC SELECT pg_cancel_backend(x); END",
        "CREATE FUNCTION deep(x int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT sly(x)'",
        "CREATE FUNCTION of_row(orders) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
        "CREATE OPERATOR === (FUNCTION = forgetful, RIGHTARG = int)",
        "CREATE TYPE pair AS (a int)",
        "CREATE FUNCTION to_pair(int) RETURNS pair LANGUAGE plpgsql AS 'BEGIN RETURN ROW($1)::pair; END'",
        "CREATE CAST (int AS pair) WITH FUNCTION to_pair(int)",
        "CREATE AGGREGATE odd (int) (SFUNC = noted, STYPE = int)",
        "CREATE VIEW plain AS SELECT id, now() AS seen FROM orders WHERE id > 0",
        "CREATE VIEW harmful AS SELECT pg_cancel_backend(id) AS gone FROM orders",
        "CREATE VIEW above AS SELECT * FROM harmful",
    ):
        if "odd" in each:
            admin.execute("CREATE FUNCTION noted(int, int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN $2; END'")
        admin.execute(each)
    yield admin
    admin.execute("DROP SCHEMA mine CASCADE")


@pytest.mark.parametrize(
    ("sql", "called"),
    [
        ("SELECT pg_terminate_backend(pid) AS x FROM pg_stat_activity", "pg_terminate_backend"),
        ("SELECT pg_cancel_backend(1) AS x", "pg_cancel_backend"),
        ("SELECT pg_read_file('/etc/passwd') AS x", "pg_read_file"),
        ("SELECT * FROM pg_ls_dir('/') AS x", "pg_ls_dir"),
        ("SELECT lo_export(1, '/tmp/x') AS x", "lo_export"),
        ("SELECT lo_import('/etc/passwd') AS x", "lo_import"),
        ("SELECT pg_create_physical_replication_slot('x') AS x", "pg_create_physical_replication_slot"),
        ("SELECT pg_switch_wal() AS x", "pg_switch_wal"),
        ("SELECT set_config('log_statement', 'none', false) AS x", "set_config"),
        ("SELECT nextval('mine.counter') AS x", "nextval"),
        ("SELECT pg_advisory_lock(1) AS x", "pg_advisory_lock"),
        ("SELECT pg_sleep(1) AS x", "pg_sleep"),
        ("SELECT pg_reload_conf() AS x", "pg_reload_conf"),
        ("SELECT pg_notify('a', 'b') AS x", "pg_notify"),
        ("SELECT pg_stat_reset() AS x", "pg_stat_reset"),
        ("SELECT pg_stat_statements_reset() AS x", "pg_stat_statements_reset"),
        ("SELECT query_to_xml('SELECT pg_switch_wal()', true, true, '') AS x", "query_to_xml"),
        ("SELECT pg_catalog.pg_switch_wal() AS x", "pg_switch_wal"),
        ('SELECT "pg_switch_wal" /* a /* b */ */ () AS x', "pg_switch_wal"),
        ("SELECT PG_SWITCH_WAL -- now\n () AS x", "pg_switch_wal"),
        (r"SELECT E'\'' || pg_switch_wal() || $a$'$a$ AS x", "pg_switch_wal"),
        (r"SELECT '\' || pg_switch_wal() || '' AS x", "pg_switch_wal"),
        ("SELECT 1 AS x LIMIT (SELECT 1 FROM pg_switch_wal())", "pg_switch_wal"),
        ("VALUES (1), (length(pg_switch_wal()::text))", "pg_switch_wal"),
        ("WITH a AS MATERIALIZED (SELECT pg_switch_wal() AS x) SELECT 1 AS x FROM a", "pg_switch_wal"),
        ("EXPLAIN ANALYZE SELECT pg_switch_wal()", "pg_switch_wal"),
        ("/* /* */ SHOW */ SELECT pg_switch_wal() AS x", "pg_switch_wal"),
        ("SELECT * FROM pg_file_settings", "pg_show_all_file_settings"),
        ("SELECT pg_current_xact_id() AS x", "pg_current_xact_id"),
        ("SELECT mine.forgetful(1) AS x", "forgetful"),
        ("SELECT mine.sly(1) AS x", "pg_cancel_backend"),
        ("SELECT mine.sly_atomic(1) AS x", "pg_cancel_backend"),
        ("SELECT mine.deep(1) AS x", "pg_cancel_backend"),
        ("SELECT o.of_row AS x FROM mine.orders AS o", "of_row"),
        ("SELECT OPERATOR(mine.===) 1 AS x", "forgetful"),
        ("SELECT 1::mine.pair AS x", "to_pair"),
        ("SELECT mine.odd(id) AS x FROM mine.orders", "noted"),
        ("SELECT * FROM mine.harmful", "pg_cancel_backend"),
        ("TABLE mine.above", "pg_cancel_backend"),
    ],
)
async def test_what_a_superuser_could_do_with_it_is_refused_before_it_runs(
    postgres: Any, things: Any, fails: Any, sql: str, called: str
) -> None:
    before = things.execute("SELECT pg_current_wal_insert_lsn(), (SELECT last_value FROM mine.counter)").fetchone()
    error = await fails(query, dsn=postgres.dsn(), sql=sql)
    assert error.kind is ErrorKind.FORBIDDEN
    assert error.message.startswith(f"probes only read, and this statement calls {called}(), which ")
    assert error.remedy.endswith("run with --allow sql-functions")
    assert things.execute(
        "SELECT pg_current_wal_insert_lsn() - %s < 16777216, last_value = %s FROM mine.counter", before
    ).fetchone() == (True, True)


async def test_a_role_with_pg_monitor_alone_is_told_the_same(
    postgres: Any, things: Any, fails: Any, password: str
) -> None:
    things.execute("GRANT USAGE ON SCHEMA mine TO monitor; GRANT SELECT ON mine.above TO monitor")
    error = await fails(query, dsn=postgres.dsn("monitor", password), sql="SELECT * FROM mine.above")
    assert "calls pg_cancel_backend(), which may change something" in error.message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS x FROM pg_stat_activity WHERE clock_timestamp() - xact_start > interval '1 s'",
        "SELECT * FROM pg_locks LIMIT 1",
        "SELECT calls FROM pg_stat_statements LIMIT 1",
        "SELECT pg_size_pretty(pg_database_size(current_database())) AS x",
        "SELECT * FROM pg_stat_replication",
        "SELECT pg_is_in_recovery() AS x, pg_current_wal_lsn() AS y, random() AS z",
        "SELECT * FROM pg_stat_io LIMIT 1",
        "SELECT * FROM pg_replication_slots",
        "SELECT name, setting FROM pg_settings LIMIT 1",
        "SELECT * FROM information_schema.tables LIMIT 1",
        "SELECT sum(size) AS x FROM pg_ls_waldir()",
        "SELECT query FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%' /* pg_sleep(1) */ -- pg_sleep(1)",
        "SELECT 'pg_sleep' AS pg_sleep, $$pg_sleep(1)$$ AS text",
        "SELECT mine.calm(id) AS x FROM mine.plain",
        "SELECT string_agg(id::text, ',' ORDER BY id) AS x FROM mine.orders",
    ],
)
async def test_what_only_reads_is_read(postgres: Any, things: Any, measure: Any, sql: str) -> None:
    assert (await measure(query, dsn=postgres.dsn(), sql=sql)).rows >= 0


async def test_a_run_may_allow_functions(postgres: Any, things: Any, measure: Any) -> None:
    reading = await measure(query, dsn=postgres.dsn(), sql="SELECT mine.forgetful(7) AS x", grants=ALLOWED)
    assert reading.document == [{"x": 7}]


async def test_a_foreign_table_is_refused_also_below_a_view_and_as_a_partition(
    postgres: Any, things: Any, fails: Any
) -> None:
    things.execute("CREATE FOREIGN DATA WRAPPER elsewhere")
    for each in (
        "CREATE SERVER files FOREIGN DATA WRAPPER elsewhere",
        "CREATE TABLE parted (a text) PARTITION BY LIST (a)",
        "CREATE FOREIGN TABLE ran PARTITION OF parted FOR VALUES IN ('a') SERVER files",
        "CREATE VIEW over_ran AS SELECT * FROM ran",
    ):
        things.execute(each)
    try:
        for name in ("ran", "parted", "over_ran"):
            error = await fails(query, dsn=postgres.dsn(), sql=f"SELECT * FROM mine.{name}")
            assert error.kind is ErrorKind.FORBIDDEN
            assert "reads the foreign table ran, which asks another server or runs a program" in error.message
    finally:
        things.execute("DROP FOREIGN DATA WRAPPER elsewhere CASCADE")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (r'SELECT U&"pg\005fswitch\005fwal"() AS x', "writes a name or a string with U&"),
        ("SELECT 1 /* AS x", "a comment of the statement does not end"),
        ("SELECT 'x", "a string or a name of the statement does not end"),
        ("SELECT $a$x", "a string of the statement does not end"),
    ],
)
async def test_a_statement_whose_words_cannot_be_told_is_not_run(
    postgres: Any, fails: Any, sql: str, told: str
) -> None:
    error = await fails(query, dsn=postgres.dsn(), sql=sql)
    assert error.kind is ErrorKind.MALFORMED
    assert told in error.message


async def test_a_server_whose_strings_have_backslashes_is_read_as_the_standard_says(
    postgres: Any, admin: Any, fails: Any
) -> None:
    admin.execute("ALTER ROLE postgres SET standard_conforming_strings = off")
    try:
        error = await fails(query, dsn=postgres.dsn(), sql=r"SELECT '\' || pg_switch_wal() || '' AS x")
        assert "calls pg_switch_wal()" in error.message
    finally:
        admin.execute("ALTER ROLE postgres RESET standard_conforming_strings")


async def test_nothing_is_written_to_a_file(postgres: Any, fails: Any, tmp_path: Path) -> None:
    target = tmp_path / "written"
    await fails(query, dsn=postgres.dsn(), sql=f"SELECT lo_export(lo_from_bytea(0, 'x'), '{target}') AS x")
    assert not target.exists()
