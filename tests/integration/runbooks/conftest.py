"""The shipped runbooks over fakes: a healthy system, of which a test says what is different."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

import runbook_engine as rb
from runbook_engine.kinds import ErrorKind
from runbook_engine.library import shipped_directory
from runbook_engine.probe import Params, ProbeContext, ProbeError, Reading
from runbook_engine.probe.registry import AnyProbe

Answer = Mapping[str, object]
Given = Mapping[str, Answer]

HOUR = 3600.0
DAY = 86400.0
STATUSES: Answer = {
    "rows": 2,
    "matched": 1000,
    "scanned": 1000,
    "document": {"rows": [{"status_code": "200", "requests": "998"}, {"status_code": "404", "requests": "2"}]},
}
HEALTHY: Given = {
    "http.get /health": {"status": 200, "ok": True, "total": 0.02, "first_byte": 0.02, "body_size": 2, "redirects": 0},
    "http.get /health/detailed": {
        "status": 200, "ok": True, "total": 0.02, "first_byte": 0.02, "body_size": 99, "redirects": 0,
        "document": {"components": {"application": {"latency_ms": 4.0}}},
    },
    "http.get /dependency": {"status": 200, "ok": True, "total": 0.1, "first_byte": 0.1, "body_size": 2, "redirects": 0},
    "http.latency": {
        "p50": 0.02, "p95": 0.05, "p99": 0.06, "max": 0.06, "mean": 0.02, "connect": 0.01,
        "error_rate": 0.0, "samples": 20, "ok": 20, "client_errors": 0,
    },
    "dns.resolve": {"records": 2, "source": "name_servers", "ttl": 60.0, "time": 0.01, "agree": True, "failed": 0},
    "tls.certificate": {
        "expires_in": 90 * DAY, "expired": False, "not_yet_valid": False, "name_matches": True, "trusted": True,
        "self_signed": False, "chain_complete": True, "stapled": False, "old_protocol": False, "chain_length": 2,
        "protocol": "TLSv1.3", "time": 0.01, "chain_expires_in": 90 * DAY, "expires_first": "CN=api.example.com",
    },
    "postgres.ready": {
        "state": "accepting", "accepting": True, "answers": "db.test:5432 accepts connections", "time": 0.01,
    },
    "postgres.ping": {"latency": 0.001, "connect": 0.01, "server_version": "16.4", "standby": False},
    "postgres.activity": {
        "total": 20, "used": 20, "active": 4, "idle": 16, "idle_in_transaction": 0, "waiting": 0, "limit": 100,
        "limited_by": "max_connections", "utilization": 20.0, "longest_query_age": 0.0, "longest_transaction_age": 0.0,
        "longest_active_transaction_age": 0.0, "longest_active_statement": "", "prepared": 0, "longest_prepared_age": 0.0,
    },
    "postgres.query": {"rows": 1, "time": 0.01, "document": [{"sessions": 0, "oldest": None}]},
    "postgres.slow_queries": {
        "queries": 40, "slowest_mean": 0.02, "slowest_calls": 100, "slowest_share": 5.0, "heaviest_share": 5.0,
        "missing_index_suspects": 0,
    },
    "redis.ping": {"latency": 0.001, "connect": 0.001},
    "redis.info": {
        "used_memory": 4_000_000, "maxmemory": 16_000_000, "memory_utilization": 25.0, "hit_rate": 97.0, "hits": 970,
        "misses": 30, "evicted_keys": 0, "expired_keys": 0, "blocked_clients": 0, "connected_clients": 5,
        "fragmentation": 1.1, "fragmentation_bytes": 400_000, "ops_per_second": 50.0, "uptime": DAY,
        "rejected_connections": 0, "role": "master", "master_link_status": "none", "master_link_down_for": 0.0,
        "master_syncing": False, "cluster_state": "off", "writes_refused": False, "write_error": "none",
    },
    "aws.target_health": {
        "targets": 3, "healthy": 3, "unhealthy": 0, "draining": 0, "initial": 0, "healthy_share": 100.0
    },
    "aws.ecs_service": {
        "status": "ACTIVE", "desired": 3, "running": 3, "pending": 0, "deployments": 1, "rollout": "completed",
        "deployment_age": 3 * DAY, "failed_tasks": 0, "stopped_tasks": 0, "out_of_memory_tasks": 0, "failing_tasks": 0,
    },
    "aws.autoscaling": {"targets": 1, "minimum": 2, "maximum": 10, "suspended": False},
    "aws.rds_instance": {
        "status": "available", "available": True, "multi_az": True, "pending_changes": 0,
        "allocated_storage": 100 * 2**30, "storage_utilization": 40.0,
    },
    "aws.rds_maintenance": {"pending": 0, "overdue": 0, "next_in": None},
    "aws.acm_certificate": {
        "certificates": 1, "status": "issued", "issued": True, "in_use": True, "expires_in": 200 * DAY,
        "renewal": "none", "renewal_eligible": True,
    },
    "aws.logs_insights hour": STATUSES,
    "aws.logs_insights since": STATUSES,
    "aws.logs_filter ERROR": {"matches": 0, "streams": 0, "truncated": False, "latest_age": None},
    "aws.logs_filter OutOfMemoryError": {"matches": 0, "streams": 0, "truncated": False, "latest_age": None},
    "aws.call": {"time": 0.1, "pages": 1, "complete": True, "document": {"events": []}},
    **{
        f"aws.cloudwatch {name}": {
            "latest": value, "average": value, "maximum": value, "minimum": value, "latest_percent": value,
            "average_percent": value, "maximum_percent": value, "minimum_percent": value, "rise_percent": 0.0,
            "rising_share": 0.0, "datapoints": 12, "age": 60.0,
        }
        for name, value in (("CPUUtilization", 35.0), ("MemoryUtilization", 60.0), ("SessionsStarted", 40.0))
    },
}  # fmt: skip
INPUTS: Mapping[str, str] = {
    "api_url": "https://api.test",
    "detailed_health": "/health/detailed",
    "database_url": "postgresql://reader:pw@db.test/app",
    "redis_url": "redis://cache.test/0",
    "external_api_url": "https://external.test/dependency",
    "target_group_arn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/api/0123456789abcdef",
    "aws_region": "us-east-1",
    "ecs_cluster": "shop",
    "ecs_service": "api",
    "log_group": "/ecs/api",
    "db_instance_id": "shop-db",
    "business_namespace": "Shop",
    "business_metric": "SessionsStarted",
    "tls_host": "api.test",
}


def what(probe: str, params: Params) -> str:
    """The name under which an answer is given: the probe's, with what tells its questions apart."""
    match probe:
        case "http.get":
            return f"{probe} {urlsplit(str(params.url)).path}"  # type: ignore[attr-defined] # those of http.get
        case "aws.cloudwatch":
            return f"{probe} {params.metric}"  # type: ignore[attr-defined] # those of aws.cloudwatch
        case "aws.logs_filter":
            return f"{probe} {params.pattern}"  # type: ignore[attr-defined] # those of aws.logs_filter
        case "aws.logs_insights":
            whole = params.window == HOUR  # type: ignore[attr-defined] # those of aws.logs_insights
            return f"{probe} {'hour' if whole else 'since'}"
    return probe


class World:
    """Every probe, with the answers of a healthy system but for ``given``. ``asked`` has each question, in order.

    The probes in ``real`` measure what there is.
    """

    def __init__(self, given: Given, real: tuple[str, ...] = ()) -> None:
        unknown = set(given) - set(HEALTHY)
        assert not unknown, f"nothing is asked under the name {unknown}"
        self._given = given
        self.asked: list[str] = []
        installed = rb.Registry()
        names = {each.partition(" ")[0] for each in HEALTHY}
        self.registry = rb.Registry.of(
            *(installed.get(name) if name in real else self._fake(installed.get(name)) for name in names)
        )

    def _fake(self, real: AnyProbe) -> AnyProbe:
        def measure(params: Params, _ctx: ProbeContext) -> Awaitable[Reading]:
            return self._answer(real, params)

        return replace(real, measure=measure)

    async def _answer(self, real: AnyProbe, params: Params) -> Reading:
        name = what(real.name, params)
        self.asked.append(name)
        given = self._given.get(name, {})
        if "error" in given:
            raise ProbeError(ErrorKind(str(given["error"])), f"{name} failed", remedy=f"how to see {name}")
        reading: Reading = real.reading.model_validate({**HEALTHY[name], **given})
        return reading


Walked = tuple[rb.Trace, list[str]]


@pytest.fixture
def walk() -> Callable[..., Walked]:
    """A shipped runbook over a healthy system but for ``given``: the trace, and what was asked."""

    def run(
        runbook: str,
        given: Given,
        inputs: Mapping[str, object],
        without: tuple[str, ...] = (),
        real: tuple[str, ...] = (),
    ) -> Walked:
        world = World(given, real)
        plan = rb.load(shipped_directory() / f"{runbook}.yaml", probes=world.registry)
        known = plan.runbook.inputs
        told = {name: value for name, value in {**INPUTS, **inputs}.items() if name in known and name not in without}
        return rb.run(plan, inputs=told, environ={}, answers={}), world.asked

    return run
