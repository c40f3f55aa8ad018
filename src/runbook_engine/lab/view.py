"""What can be seen of a lab from outside its API: the counters of PostgreSQL and Redis."""

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import psycopg
import redis

from runbook_engine.lab.database import API_ROLE, DATABASE


class View:
    """Connections that look, opened when first used. ``admin_dsn`` is a superuser's, who gets in where others are refused."""

    def __init__(self, admin_dsn: str, redis_url: str) -> None:
        self._admin_dsn = admin_dsn
        self._redis_url = redis_url
        self._opened = ExitStack()
        self._database: psycopg.Connection | None = None
        self._cache: redis.Redis | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def scans(self) -> int:
        """Index and sequential scans of the lab's tables that the statistics know of."""
        return int(self._number("SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_user_tables"))

    def full_scans(self) -> int:
        """Sequential scans of the big table."""
        return int(self._number("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'messages'"))

    def slowest_mean_ms(self) -> float:
        """The mean time of the API's slowest statement."""
        return self._number(f"SELECT max(mean_exec_time) FROM pg_stat_statements WHERE userid = '{API_ROLE}'::regrole")

    def longest_wait_s(self) -> float:
        """For how long the statement runs that waits longest for a lock; 0.0 where none does."""
        return self._number(
            "SELECT extract(epoch FROM max(clock_timestamp() - query_start)) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock'"
        )

    def oldest_idle_transaction_s(self) -> float:
        """Since when the oldest transaction waits for its client; 0.0 where none does."""
        return self._number(
            "SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) FROM pg_stat_activity"
            " WHERE state LIKE 'idle in transaction%'"
        )

    def oldest_active_transaction_s(self) -> float:
        """Since when the oldest transaction goes on that executes a statement; 0.0 where none does."""
        return self._number(
            "SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) FROM pg_stat_activity"
            " WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    def lookups(self) -> int:
        """Keys that the cache was asked for."""
        stats = self._info("stats")
        return int(stats["keyspace_hits"]) + int(stats["keyspace_misses"])

    def hit_rate(self) -> float:
        return int(self._info("stats")["keyspace_hits"]) / max(1, self.lookups())

    def memory_use(self) -> float:
        """Memory in use, as a part of the limit."""
        memory = self._info("memory")
        return int(memory["used_memory"]) / int(memory["maxmemory"])

    def fragmentation(self) -> float:
        """Memory from the system over memory in use."""
        memory = self._info("memory")
        return int(memory["used_memory_rss"]) / int(memory["used_memory"])

    def _number(self, query: str) -> float:
        if self._database is None:
            self._database = self._opened.enter_context(
                psycopg.connect(self._admin_dsn, dbname=DATABASE, autocommit=True)
            )
        row = self._database.execute(query.encode()).fetchone()
        return float(row[0] or 0) if row is not None else 0.0

    def _info(self, section: str) -> Mapping[str, str]:
        if self._cache is None:
            self._cache = self._opened.enter_context(redis.Redis.from_url(self._redis_url))
        return self._cache.info(section)
