"""postgres.slow_queries against a real server."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.probe import ErrorKind, Secret
from runbook_probes.postgres import query, slow_queries

pytestmark = pytest.mark.anyio

OF_STATEMENTS = ("queries", "slowest_mean", "slowest_calls", "slowest_share", "heaviest_share")


@pytest.fixture
def fresh(admin: Any) -> Any:
    """The superuser's session; nothing is recorded yet."""
    admin.execute("SELECT pg_stat_statements_reset()")
    return admin


def statements(reading: Any) -> list[str]:
    return [each["statement"] for each in reading.evidence["statements"]]


async def test_the_slowest_statement_comes_first(postgres: Any, fresh: Any, measure: Any) -> None:
    fresh.execute("SELECT pg_sleep(0.12) /* once */")
    for _ in range(4):
        fresh.execute("SELECT count(*), pg_sleep(0.04), 'Mrs Jones' FROM generate_series(1, 10)")
    reading = await measure(slow_queries, dsn=postgres.dsn())
    assert reading.queries == 3, "the reset of the statistics is a statement, too"
    assert 0.12 <= reading.slowest_mean < 0.4
    assert reading.slowest_calls == 1
    assert 30 < reading.slowest_share < 50
    assert 50 < reading.heaviest_share < 70
    assert reading.missing == {}
    first, second = statements(reading)[:2]
    assert first == "SELECT pg_sleep($1) /* once */"
    assert second == "SELECT count(*), pg_sleep($1), $2 FROM generate_series($3, $4)"
    assert reading.evidence["statements"][0]["database"] == "postgres"
    assert reading.evidence["statements"][0]["role"] == "postgres"
    assert reading.evidence["statements"][0]["calls"] == 1


async def test_rare_statements_can_be_left_out(postgres: Any, fresh: Any, measure: Any) -> None:
    fresh.execute("SELECT pg_sleep(0.05)")
    for _ in range(3):
        fresh.execute("SELECT pg_sleep(0.01), 2")
    reading = await measure(slow_queries, dsn=postgres.dsn(), min_calls=2)
    assert reading.queries == 1
    assert reading.slowest_calls == 3
    assert reading.slowest_share == pytest.approx(100)


async def test_no_more_statements_are_shown_than_asked_for(postgres: Any, fresh: Any, measure: Any) -> None:
    for columns in range(1, 6):
        fresh.execute(f"SELECT {', '.join('1' * columns)}".encode())
    reading = await measure(slow_queries, dsn=postgres.dsn(), limit=2)
    assert len(statements(reading)) == 2
    assert reading.queries == 6


async def test_a_long_statement_is_handed_over_whole_to_be_masked_before_it_is_cut(
    postgres: Any, fresh: Any, measure: Any
) -> None:
    fresh.execute(f"SELECT pg_sleep(0.05), {', '.join(['now()'] * 500)}".encode())
    reading = await measure(slow_queries, dsn=postgres.dsn())
    assert statements(reading)[0].count("now()") == 500


async def test_maintenance_and_the_probes_own_statements_do_not_count(postgres: Any, fresh: Any, measure: Any) -> None:
    fresh.execute("CREATE TABLE IF NOT EXISTS made (id int)")
    for aside in ("BEGIN", "SAVEPOINT s", "SET LOCAL work_mem = '1MB'", "COMMIT", "VACUUM made", "ANALYZE made"):
        fresh.execute(aside)
    for aside in (
        "CREATE INDEX ON made (id)",
        "REINDEX TABLE made",
        "/* x */ ALTER TABLE made ADD COLUMN IF NOT EXISTS n int",
    ):
        fresh.execute(aside)
    fresh.execute("/* by the ORM */ SELECT 'application'")
    fresh.execute("(SELECT 1 UNION SELECT 2)")
    await measure(query, dsn=postgres.dsn(), sql="SELECT pg_sleep(0.05) AS x;", grants=frozenset({"sql-functions"}))
    await measure(slow_queries, dsn=postgres.dsn())
    reading = await measure(slow_queries, dsn=postgres.dsn())
    assert sorted(each[:12] for each in statements(reading)) == [
        "(SELECT $1 U",
        "CREATE TABLE",
        "SELECT $1",
        "SELECT pg_st",
    ]
    assert "SELECT pg_stat_statements_reset()" in statements(reading)
    assert reading.slowest_mean < 0.05


SLOW_IN_OTHER_WORDS = [
    ("COPY (SELECT pg_sleep(0.06)) TO STDOUT", "COPY"),
    ("DO $$ BEGIN PERFORM pg_sleep(0.06); END $$", "DO"),
    ("REFRESH MATERIALIZED VIEW sleeper", "REFRESH"),
    ("CALL sleep_a_while()", "CALL"),
    ("CREATE TEMP TABLE asleep AS SELECT pg_sleep(0.06)::text", "CREATE TEMP TABLE"),
    ("EXECUTE sleeping", "EXECUTE"),
    ("FETCH 10 FROM sleepy", "FETCH"),
]


@pytest.mark.parametrize(("statement", "word"), SLOW_IN_OTHER_WORDS)
async def test_statements_count_whatever_their_first_word(
    postgres: Any, fresh: Any, measure: Any, statement: str, word: str
) -> None:
    fresh.execute("CREATE MATERIALIZED VIEW IF NOT EXISTS sleeper AS SELECT pg_sleep(0.06)::text WITH NO DATA")
    fresh.execute("CREATE OR REPLACE PROCEDURE sleep_a_while() LANGUAGE sql AS 'SELECT pg_sleep(0.06)'")
    fresh.execute("PREPARE sleeping AS SELECT pg_sleep(0.06)")
    fresh.execute("SELECT pg_stat_statements_reset()")
    fresh.execute("BEGIN")
    fresh.execute("DECLARE sleepy CURSOR FOR SELECT pg_sleep(0.06)")
    if word == "COPY":
        with fresh.cursor().copy(statement) as copied:
            assert b"".join(copied)
    else:
        fresh.execute(statement)
    fresh.execute("COMMIT")
    fresh.execute("DROP TABLE IF EXISTS asleep")
    fresh.execute("DEALLOCATE ALL")
    reading = await measure(slow_queries, dsn=postgres.dsn())
    assert 0.06 <= reading.slowest_mean < 1
    first = statements(reading)[0]
    # PostgreSQL records what EXECUTE executes.
    assert first.startswith("PREPARE" if word == "EXECUTE" else word)


@contextmanager
def serving(postgres: Any, statement: str, pause: float) -> Iterator[None]:
    """An application that says the same statement again and again."""
    ended = threading.Event()

    def serve() -> None:
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            while not ended.wait(pause):
                connection.execute(statement.encode())

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def test_a_report_of_the_night_is_not_what_is_slow_now(
    postgres: Any, fresh: Any, measure: Any, until: Any
) -> None:
    for _ in range(3):
        fresh.execute("SELECT pg_sleep(0.3) /* nightly report */")
    with serving(postgres, "SELECT 'a request'", 0.02):
        asked = "SELECT sum(calls) > 3 FROM pg_stat_statements WHERE query = 'SELECT $1' AND calls > 3"
        until(lambda: fresh.execute(asked).fetchone() == (True,))
        whole = await measure(slow_queries, dsn=postgres.dsn())
        now = await measure(slow_queries, dsn=postgres.dsn(), sample="1s", min_calls=2)
    assert whole.slowest_mean > 0.3
    assert now.slowest_mean < 0.3
    assert statements(now) == ["SELECT $1"]
    assert now.queries == 1
    assert now.slowest_calls > 1


async def test_a_single_call_within_the_sample_does_not_count_and_hides_nothing(
    postgres: Any, fresh: Any, measure: Any, until: Any
) -> None:
    """A report that ends within the sample brings all of its time with it, though it began long before."""
    with serving(postgres, "SELECT pg_sleep(0.05), 'a request'", 0.01), serving(postgres, "SELECT pg_sleep(0.7)", 9):
        asked = "SELECT count(*) = 1 FROM pg_stat_statements WHERE query LIKE '%%, $2' AND calls > 3"
        until(lambda: fresh.execute(asked.encode()).fetchone() == (True,))
        reading = await measure(slow_queries, dsn=postgres.dsn(), sample="1.2s", min_calls=2, min_share="5%")
    assert 0.05 <= reading.slowest_mean < 0.5
    assert reading.slowest_share > 90
    assert statements(reading)[0] == "SELECT pg_sleep($1), $2"


async def test_what_takes_a_small_share_of_the_time_is_not_the_slowest(postgres: Any, fresh: Any, measure: Any) -> None:
    for _ in range(2):
        fresh.execute("SELECT pg_sleep(0.03), 'seldom'")
    for _ in range(40):
        fresh.execute("SELECT pg_sleep(0.02)")
    whole = await measure(slow_queries, dsn=postgres.dsn(), min_calls=2)
    weighed = await measure(slow_queries, dsn=postgres.dsn(), min_calls=2, min_share="20%")
    assert whole.slowest_calls == 2
    assert whole.slowest_share < 20
    assert weighed.slowest_calls == 40
    assert weighed.slowest_share > 80
    assert weighed.queries == whole.queries == 2


async def test_a_sample_in_which_nobody_asks_is_told_as_that(postgres: Any, fresh: Any, measure: Any) -> None:
    fresh.execute("SELECT pg_sleep(0.05)")
    reading = await measure(slow_queries, dsn=postgres.dsn(), sample="0.2s")
    assert reading.queries == 0
    assert reading.missing["slowest_mean"] == "no statement ran 1 times or more within 200 ms"


async def test_a_sample_that_does_not_fit_is_refused_before_it_begins(postgres: Any, fails: Any) -> None:
    error = await fails(slow_queries, dsn=postgres.dsn(), sample="5s", deadline=2.0)
    assert error.kind is ErrorKind.MALFORMED
    assert "a sample of 5 s does not fit" in error.message


async def test_with_nothing_recorded_the_mean_is_missing_and_not_zero(postgres: Any, fresh: Any, measure: Any) -> None:
    reading = await measure(slow_queries, dsn=postgres.dsn(), min_calls=1000)
    assert reading.queries == 0
    assert reading.slowest_mean is None
    assert set(reading.missing) == set(OF_STATEMENTS) - {"queries"}
    assert reading.missing["slowest_mean"] == "no statement ran 1000 times or more since the statistics were reset"


async def test_without_pg_monitor_statements_are_missing_and_tables_are_not(
    postgres: Any, password: str, fresh: Any, measure: Any
) -> None:
    fresh.execute("SELECT pg_sleep(0.05)")
    reading = await measure(slow_queries, dsn=postgres.dsn("app", password))
    assert [getattr(reading, name) for name in OF_STATEMENTS] == [None] * len(OF_STATEMENTS)
    assert set(reading.missing) == set(OF_STATEMENTS)
    assert reading.missing["slowest_mean"].endswith(" is hidden from app; GRANT pg_monitor TO app;")
    assert isinstance(reading.missing_index_suspects, int)


@pytest.mark.parametrize("role", ["monitor", "stats"])
async def test_a_role_that_may_read_all_statistics_sees_all_statements(
    postgres: Any, password: str, fresh: Any, measure: Any, role: str
) -> None:
    fresh.execute("SELECT pg_sleep(0.05)")
    reading = await measure(slow_queries, dsn=postgres.dsn(role, password))
    assert reading.slowest_mean >= 0.05
    assert reading.missing == {}


@pytest.mark.parametrize(("version", "column"), [("1.7", "mean_time"), ("1.8", "mean_exec_time")])
async def test_old_and_new_names_of_the_columns_are_known(
    postgres: Any, fresh: Any, database: str, connect: Any, measure: Any, version: str, column: str
) -> None:
    session = connect("postgres", database)
    session.execute('CREATE SCHEMA "Extra things"')
    session.execute(f"CREATE EXTENSION pg_stat_statements SCHEMA \"Extra things\" VERSION '{version}'".encode())
    found = session.execute("SELECT attname FROM pg_attribute WHERE attname IN ('mean_time', 'mean_exec_time')")
    assert found.fetchall() == [(column,)]
    session.execute("SELECT pg_sleep(0.05)")
    reading = await measure(slow_queries, dsn=postgres.dsn(database=database))
    assert reading.slowest_mean >= 0.05
    assert reading.evidence["statements"][0]["database"] == database


async def test_a_missing_extension_names_the_statement_that_creates_it(
    postgres: Any, database: str, fails: Any
) -> None:
    error = await fails(slow_queries, dsn=postgres.dsn(database=database))
    assert error.kind is ErrorKind.MISSING
    assert error.message.startswith(f"the database {database} on 127.0.0.1:")
    assert error.message.endswith("does not have the extension pg_stat_statements")
    assert error.remedy == "CREATE EXTENSION pg_stat_statements;"


async def test_an_extension_whose_library_is_not_loaded_is_unavailable(
    tmp_path: Any, password: str, fails: Any
) -> None:
    with PostgresServer(tmp_path, preload_statements=False) as server:
        absent = await fails(slow_queries, dsn=server.dsn())
        assert absent.kind is ErrorKind.MISSING
        assert "shared_preload_libraries" in absent.remedy
        assert absent.remedy.endswith("CREATE EXTENSION pg_stat_statements;")
        with psycopg.connect(server.dsn(), autocommit=True) as session:
            session.execute("CREATE EXTENSION pg_stat_statements")
        error = await fails(slow_queries, dsn=server.dsn())
    assert error.kind is ErrorKind.UNAVAILABLE
    assert "has not loaded its library" in error.message
    assert error.remedy == "add pg_stat_statements to shared_preload_libraries and restart the server"
    assert isinstance(error.__cause__, psycopg.errors.ObjectNotInPrerequisiteState)


async def test_an_extension_that_the_role_may_not_read_is_forbidden(
    postgres: Any, password: str, database: str, connect: Any, fails: Any
) -> None:
    session = connect("postgres", database)
    session.execute("CREATE SCHEMA closed")
    session.execute("CREATE EXTENSION pg_stat_statements SCHEMA closed")
    error = await fails(slow_queries, dsn=postgres.dsn("app", password, database))
    assert error.kind is ErrorKind.FORBIDDEN
    assert "app may not read pg_stat_statements in the schema closed" in error.message
    assert "GRANT USAGE ON SCHEMA closed TO app;" in error.remedy


async def test_big_tables_that_are_read_from_end_to_end_are_suspects(
    postgres: Any, database: str, connect: Any, measure: Any, until: Any
) -> None:
    session = connect("postgres", database)
    for table, rows in (("big", 20_000), ("indexed", 20_000), ("glimpsed", 20_000), ("small", 7_000)):
        session.execute(f"CREATE TABLE {table} AS SELECT n AS id FROM generate_series(1, {rows}) AS n".encode())
    session.execute("CREATE INDEX ON indexed (id)")
    # A session hands in its statistics when it is idle for a while, or ends.
    session.close()
    session = connect("postgres", database)
    made = "SELECT count(*) FROM pg_stat_user_tables WHERE n_tup_ins > 0"
    until(lambda: session.execute(made).fetchone() == (4,))
    session.execute("ANALYZE")
    for table in ("big", "small"):
        for _ in range(3):
            session.execute(f"SELECT count(*) FROM {table} WHERE id = 7".encode())
    for _ in range(5):
        session.execute("SELECT id FROM indexed WHERE id = 7")
        session.execute("SELECT id FROM glimpsed LIMIT 1")
    session.close()
    extension = connect("postgres", database)
    extension.execute("CREATE EXTENSION pg_stat_statements")
    counted = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'big'"
    until(lambda: extension.execute(counted).fetchone() == (3,))
    reading = await measure(slow_queries, dsn=postgres.dsn(database=database))
    assert reading.missing_index_suspects == 1
    assert reading.evidence["seq_scan_tables"] == [
        {
            "schema": "public",
            "table": "big",
            "rows": 20_000,
            "sequential_scans": 3,
            "rows_a_scan": 20_000,
            "index_scans": 0,
        }
    ]


def test_the_command_runs_when_it_is_pasted(postgres: Any, admin: Any) -> None:
    dsn = Secret(postgres.dsn(), "$DATABASE_URL")
    shown = slow_queries.command(slow_queries.params(dsn=dsn, limit=3, min_calls=2))
    assert shown.startswith('psql "$DATABASE_URL" -c ')
    words = subprocess.run(
        ["sh", "-c", f"DATABASE_URL=there; printf '%s|' {shown}"], capture_output=True, text=True, check=True
    ).stdout.split("|")
    assert words[:3] == ["psql", "there", "-c"]
    admin.execute(words[3].encode())
