"""Labs, and what can be seen of them with nothing but the clients that a person would use."""

import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
import redis
from botocore.config import Config

from runbook_engine.lab import Lab, open_lab

SLOW_MS = 500.0
SLOW_STATEMENT_MS = 100.0


@dataclass(frozen=True)
class Sight:
    """What is to be seen of one lab."""

    lab: Lab

    def get(self, path: str) -> httpx.Response:
        with self.client() as client:
            return client.get(path)

    def client(self) -> httpx.Client:
        trust = ssl.create_default_context(cafile=self.lab.inputs["ca_file"])
        return httpx.Client(base_url=self.lab.inputs["api_url"], verify=trust, timeout=20)

    def health_ms(self, requests: int) -> list[float]:
        """The times of requests to /health over one connection, which is made before."""
        taken = []
        with self.client() as client:
            client.get("/api/sessions/1")
            for _ in range(requests):
                begun = time.perf_counter()
                client.get("/health")
                taken.append((time.perf_counter() - begun) * 1000)
        return taken

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the role of database_url is answered."""
        with psycopg.connect(self.lab.inputs["database_url"], autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def number(self, query: str) -> float:
        ((value,),) = self.rows(query)
        assert isinstance(value, int | float | Decimal)
        return float(value)

    def cache(self, section: str) -> dict[str, float]:
        with redis.Redis.from_url(self.lab.inputs["redis_url"]) as client:
            found = client.info(section)
        assert isinstance(found, dict)
        return found

    def cloudwatch(self, metric: str, statistic: str) -> float:
        inputs, environ = self.lab.inputs, self.lab.environ
        client = boto3.client(
            "cloudwatch",
            endpoint_url=inputs["aws_endpoint_url"],
            region_name=inputs["aws_region"],
            aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        )
        try:
            found = client.get_metric_statistics(
                Namespace="AWS/ECS",
                MetricName=metric,
                Dimensions=[
                    {"Name": "ClusterName", "Value": inputs["ecs_cluster"]},
                    {"Name": "ServiceName", "Value": inputs["ecs_service"]},
                ],
                StartTime=datetime.now(UTC) - timedelta(hours=1),
                EndTime=datetime.now(UTC) + timedelta(minutes=1),
                Period=300,
                Statistics=[statistic],
            )
        finally:
            client.close()
        latest = max(found["Datapoints"], key=lambda point: point["Timestamp"])
        return float(latest[statistic])

    def causes(self) -> set[str]:
        """The names of all faults whose marks show, by the thresholds of the runbook."""
        with suppress(httpx.HTTPError):
            self.health_ms(2)  # what a single call took says nothing
        return self._database_causes() | self._cache_causes() | self._other_causes()

    def _database_causes(self) -> set[str]:
        try:
            used = self.number(
                "SELECT 100.0 * count(*) / current_setting('max_connections')::int FROM pg_stat_activity"
                " WHERE backend_type = 'client backend'"
            )
        except psycopg.OperationalError as error:
            words = str(error)
            return {"connections_exhausted"} if "reserved" in words or "too many" in words else {"database_down"}
        found = {"connections_high"} if used > 80 else set()
        if self.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") > 0:
            found.add("lock_contention")
        if self.number("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") > 0:
            found.add("lock_contention")
        full_scans = self.number(
            "SELECT count(*) FROM pg_stat_user_tables WHERE n_live_tup > 10000 AND seq_scan > coalesce(idx_scan, 0)"
        )
        slowest = self.number("SELECT max(mean_exec_time) FROM pg_stat_statements WHERE calls > 1")
        if full_scans:
            found.add("missing_index")
        if slowest > SLOW_STATEMENT_MS and not full_scans:
            found.add("slow_queries")
        return found

    def _cache_causes(self) -> set[str]:
        try:
            stats, memory = self.cache("stats"), self.cache("memory")
        except redis.ConnectionError:
            return {"cache_down"}
        found = set()
        if memory["used_memory"] > 0.9 * memory["maxmemory"] or stats["evicted_keys"] > 0:
            found.add("cache_memory_full")
        if stats["keyspace_hits"] < 0.95 * (stats["keyspace_hits"] + stats["keyspace_misses"]):
            found.add("cache_misses")
        return found

    def _other_causes(self) -> set[str]:
        found = set()
        if self.cloudwatch("CPUUtilization", "Average") > 80:
            found.add("cpu_high")
        if self.cloudwatch("MemoryUtilization", "Maximum") > 90:
            found.add("memory_high")
        told = self.get(self.lab.inputs.get("detailed_health", "/health/detailed"))
        account = told.json() if told.status_code == 200 else {}
        application = account.get("components", {}).get("application", {}).get("latency_ms", 0.0)
        if max(application, 1000 * account.get("deps", {}).get("app", {}).get("latency_s", 0.0)) > SLOW_MS:
            found.add("slow_application")
        return found


@pytest.fixture(scope="module")
def sight(request: pytest.FixtureRequest) -> Iterator[Sight]:
    """A lab with the fault that is the parameter, healthy without one; one for all tests of a module that ask for the same."""
    with open_lab(getattr(request, "param", "none")) as lab:
        yield Sight(lab)


@pytest.fixture
def client() -> Iterator[Callable[[Mapping[str, str], str], Any]]:
    """Clients of AWS as anybody has them: of an environment that names an endpoint, and a service."""
    with ExitStack() as opened:

        def make(environ: Mapping[str, str], service: str) -> Any:
            made = boto3.client(
                service,
                endpoint_url=environ["AWS_ENDPOINT_URL"],
                region_name=environ["AWS_DEFAULT_REGION"],
                aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
                config=Config(retries={"total_max_attempts": 1}),
            )
            opened.callback(made.close)
            return made

        yield make


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    arguments: str


def listed_processes() -> list[Process]:
    """As anybody on this machine sees them. Small Linux images have no ``ps``, other systems no ``/proc``."""
    if not Path("/proc/self/stat").exists():
        table = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True
        )
        rows = [line.split(None, 2) for line in table.stdout.splitlines()]
        return [Process(int(pid), int(parent), arguments) for pid, parent, arguments in rows]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            arguments = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found.append(Process(int(folder.name), parent, arguments))
    return found


@pytest.fixture
def processes() -> Callable[[], list[Process]]:
    return listed_processes


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], bool]:
    """Looks until the condition holds, for at most 20 s."""

    def look(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 20
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    return look
