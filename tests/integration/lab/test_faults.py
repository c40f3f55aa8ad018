"""Each fault that makes the API slow is really there, and it alone."""

import threading
from typing import Protocol

import httpx
import psycopg
import pytest

from runbook_engine.lab import FAULTS, Lab


class Sight(Protocol):
    lab: Lab

    def get(self, path: str) -> httpx.Response: ...
    def health_ms(self, requests: int) -> list[float]: ...
    def rows(self, query: str) -> list[tuple[object, ...]]: ...
    def number(self, query: str) -> float: ...
    def cache(self, section: str) -> dict[str, float]: ...
    def cloudwatch(self, metric: str, statistic: str) -> float: ...
    def causes(self) -> set[str]: ...


SLOW = [name for name, fault in FAULTS.items() if fault.runbook == "high-latency"]
FELT = [
    name for name in SLOW if name not in ("none", "cpu_high", "database_down", "nightly_report", "api_of_another_shape")
]
API_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pixelated-api'"


def with_fault(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sight", names, indirect=True)


@with_fault(*SLOW)
def test_exactly_the_injected_causes_can_be_seen(sight: Sight) -> None:
    assert sight.causes() == set(sight.lab.fault.expects)


@with_fault(*FELT)
def test_whoever_asks_for_the_health_of_the_api_feels_the_fault(sight: Sight) -> None:
    assert min(sight.health_ms(3)) > 500


@with_fault("nightly_report")
def test_the_slowest_statement_ran_once_and_is_over(sight: Sight) -> None:
    ((calls, mean),) = sight.rows(
        "SELECT calls, mean_exec_time FROM pg_stat_statements ORDER BY mean_exec_time DESC LIMIT 1"
    )
    assert calls == 1
    assert isinstance(mean, float)
    assert mean > 2000


@with_fault("none", "cpu_high", "database_down", "nightly_report")
def test_the_api_answers_fast_where_nothing_makes_it_wait(sight: Sight) -> None:
    assert sorted(sight.health_ms(20))[10] < 250


@with_fault("none")
def test_the_api_is_well_and_says_so(sight: Sight) -> None:
    response = sight.get("/health/detailed")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert {each["status"] for each in response.json()["components"].values()} == {"ok"}


@with_fault("none")
def test_cpu_and_memory_of_the_service_are_as_usual(sight: Sight) -> None:
    assert sight.cloudwatch("CPUUtilization", "Average") == pytest.approx(35, abs=10)
    assert sight.cloudwatch("MemoryUtilization", "Maximum") == pytest.approx(60, abs=10)


@with_fault("none")
def test_only_what_the_api_did_is_counted(sight: Sight) -> None:
    strangers = "userid NOT IN ('pixelated_api'::regrole, 'runbook_reader'::regrole) AND calls > 0"
    slow = sight.number(f"SELECT count(*) FROM pg_stat_statements WHERE {strangers} AND mean_exec_time > 50")
    assert slow == 0
    assert sight.number("SELECT count(*) FROM pg_stat_statements WHERE query LIKE 'CREATE%'") == 0


@with_fault("none")
def test_the_big_table_has_its_rows_and_its_statistics_know_it(sight: Sight) -> None:
    rows = "SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'messages'"
    assert sight.number(rows) >= 50_000


@with_fault("none")
def test_neither_the_api_nor_the_reader_is_a_superuser(sight: Sight) -> None:
    found = sight.rows("SELECT rolname, rolsuper, pg_has_role(oid, 'pg_monitor', 'member') FROM pg_roles ORDER BY 1")
    assert [row for row in found if not str(row[0]).startswith("pg_") and row[0] != "postgres"] == [
        ("pixelated_api", False, False),
        ("runbook_reader", False, True),
    ]


@with_fault("none", "slow_queries")
def test_the_api_uses_few_connections_however_many_requests_come(sight: Sight) -> None:
    threads = [threading.Thread(target=sight.get, args=("/health",)) for _ in range(20)]
    for thread in threads:
        thread.start()
    seen = [sight.number(API_SESSIONS)]
    for thread in threads:
        thread.join()
        seen.append(sight.number(API_SESSIONS))
    assert 1 <= max(seen) <= 5


@with_fault("slow_queries", "two_faults")
def test_the_slow_statement_is_the_report_and_no_other(sight: Sight) -> None:
    found = sight.rows("SELECT query FROM pg_stat_statements WHERE mean_exec_time > 100")
    assert len(found) == 1
    assert "weekly_report" in str(found[0][0])


@with_fault("slow_queries", "two_faults")
def test_the_report_takes_most_of_a_second_and_nobody_waits_long(sight: Sight) -> None:
    mean = sight.number("SELECT max(mean_exec_time) FROM pg_stat_statements")
    assert 700 < mean < 1300
    oldest = "SELECT coalesce(max(extract(epoch FROM now() - query_start)), 0)::float FROM pg_stat_activity"
    assert sight.number(f"{oldest} WHERE state = 'active' AND backend_type = 'client backend'") < 5


@with_fault("missing_index")
def test_the_table_is_read_from_end_to_end_and_never_by_the_lost_index(sight: Sight) -> None:
    ((scans, rows_a_scan, index_scans),) = sight.rows(
        "SELECT seq_scan, seq_tup_read / seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'messages'"
    )
    assert isinstance(scans, int)
    assert scans > 10
    assert rows_a_scan == 80_000
    assert index_scans == 0
    assert (
        sight.number("SELECT count(*) FROM pg_indexes WHERE tablename = 'messages' AND indexdef LIKE '%session%'") == 0
    )


@with_fault("missing_index")
def test_the_statement_without_its_index_is_slow_by_itself(sight: Sight) -> None:
    ((mean, query),) = sight.rows("SELECT mean_exec_time, query FROM pg_stat_statements WHERE mean_exec_time > 100")
    assert isinstance(mean, float)
    assert "messages" in str(query)


@with_fault("connections_exhausted")
def test_the_reader_is_refused_as_the_api_is(sight: Sight) -> None:
    with pytest.raises(psycopg.OperationalError, match="reserved"):
        sight.rows("SELECT 1")
    response = sight.get("/health")
    assert response.status_code == 503
    assert "reserved" in response.json()["error"]


@with_fault("lock_contention")
def test_the_holder_is_idle_in_its_transaction_and_blocks_the_others(sight: Sight) -> None:
    blockers = sight.rows(
        "SELECT DISTINCT b.application_name, b.state FROM pg_stat_activity AS w"
        " JOIN pg_stat_activity AS b ON b.pid = ANY (pg_blocking_pids(w.pid))"
        " WHERE w.wait_event_type = 'Lock' AND b.state <> 'active'"
    )
    assert blockers == [("deploy-script", "idle in transaction")]


@with_fault("lock_contention")
def test_the_wait_is_long_enough_to_be_seen_at_once(sight: Sight) -> None:
    longest = (
        "SELECT max(extract(epoch FROM clock_timestamp() - query_start))::float FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock'"
    )
    assert sight.number(longest) > 0.5


@with_fault("lock_contention")
def test_the_api_is_slow_but_not_dead(sight: Sight) -> None:
    response = sight.get("/health/detailed")
    assert response.status_code == 200
    database = response.json()["components"]["database"]
    assert database["status"] == "degraded"
    assert "lock timeout" in database["error"]


@with_fault("cache_misses")
def test_the_cache_is_asked_and_knows_next_to_nothing(sight: Sight) -> None:
    stats = sight.cache("stats")
    assert stats["keyspace_misses"] > 30
    assert stats["keyspace_hits"] < stats["keyspace_misses"] / 4


@with_fault("cache_misses", "cache_down")
def test_the_database_does_the_work_of_the_cache_in_statements_that_are_fast(sight: Sight) -> None:
    ((calls, mean),) = sight.rows("SELECT calls, mean_exec_time FROM pg_stat_statements WHERE query LIKE '%summarise%'")
    assert isinstance(calls, int)
    assert isinstance(mean, float)
    assert calls >= 30
    assert mean < 50


@with_fault("cache_memory_full")
def test_memory_is_at_its_limit_and_keys_were_evicted(sight: Sight) -> None:
    memory = sight.cache("memory")
    assert memory["used_memory"] / memory["maxmemory"] == pytest.approx(1, abs=0.02)
    assert sight.cache("stats")["evicted_keys"] > 0


@with_fault("cache_memory_full")
def test_the_cache_refuses_writes_and_still_answers_reads(sight: Sight) -> None:
    response = sight.get("/health/detailed")
    cache = response.json()["components"]["cache"]
    assert "maxmemory" in cache["error"]
    assert cache["latency_ms"] > 500
    assert sight.cache("stats")["keyspace_misses"] == 0


@with_fault("cpu_high", "two_faults")
def test_cloudwatch_reports_high_cpu_and_the_api_really_computes(sight: Sight) -> None:
    assert sight.cloudwatch("CPUUtilization", "Average") == pytest.approx(93, abs=3)
    application = sight.get("/health/detailed").json()["components"]["application"]
    assert 5 < application["latency_ms"] < 500


@with_fault("slow_application_of_another_shape")
def test_an_api_of_another_shape_has_an_account_at_another_path_in_seconds_and_in_other_words(sight: Sight) -> None:
    assert sight.get("/health/detailed").status_code == 404
    deps = sight.get("/status").json()["deps"]
    assert {name: each["state"] for name, each in deps.items()} == {"pg": "UP", "redis": "UP", "app": "SLOW"}
    assert 0.7 < deps["app"]["latency_s"] < 100


@with_fault("slow_application")
def test_the_time_is_spent_in_the_application_alone(sight: Sight) -> None:
    components = sight.get("/health/detailed").json()["components"]
    assert components["application"]["latency_ms"] > 700
    assert components["application"]["status"] == "degraded"
    assert components["database"]["status"] == "ok"
    assert components["cache"]["status"] == "ok"


@with_fault("database_down")
def test_the_api_says_at_once_that_the_database_refuses(sight: Sight) -> None:
    response = sight.get("/health")
    assert response.status_code == 503
    assert "refused" in response.json()["error"].lower()


@with_fault("cache_down")
def test_the_api_goes_on_without_its_cache(sight: Sight) -> None:
    response = sight.get("/health/detailed")
    assert response.status_code == 200
    assert response.json()["components"]["cache"]["status"] == "down"
    assert response.json()["components"]["database"]["calls"] > 1


@with_fault(*SLOW)
def test_the_fault_lasts(sight: Sight) -> None:
    """What the tests above did to the lab has not repaired it."""
    assert sight.causes() == set(sight.lab.fault.expects)
