"""Another company's healthy system, without AWS: the lab's API, PostgreSQL and Redis, and nothing else configured."""

from collections.abc import Iterator, Mapping

import pytest

import runbook_engine as rb
from runbook_engine.lab import open_lab

NAMED = ("api_url", "database_url", "redis_url", "ca_file", "tls_host", "tls_port", "tls_name")
UNFELT = {"slow": "20s", "very_slow": "30s", "lock_wait": "30s", "query_slow": "10s", "statement_long": "30min"}
"""A machine that is busy otherwise is slow by itself, now and then."""


@pytest.fixture(scope="module")
def named() -> Iterator[Mapping[str, str]]:
    with open_lab("none") as lab:
        yield {name: lab.inputs[name] for name in NAMED}


@pytest.mark.parametrize(
    ("runbook", "not_asked"),
    [
        ("system-health", {"business_metrics"}),
        ("high-latency", {"components", "database/instance", "database/maintenance", "cpu", "memory"}),
        (
            "high-error-rate",
            {"deployment", "server_errors", "dependency", "database/instance", "database/maintenance", "tasks"},
        ),
        ("database-connections", {"instance", "maintenance"}),
        ("tls-certificate", {"acm"}),
        ("redis-cache", set()),
    ],
)
def test_a_healthy_system_without_aws_is_healthy(named: Mapping[str, str], runbook: str, not_asked: set[str]) -> None:
    plan = rb.load(runbook)
    known = plan.runbook.inputs
    inputs = {name: value for name, value in {**UNFELT, **named}.items() if name in known}

    trace = rb.run(plan, inputs=inputs, environ={})

    told = [f"{each.message}; {each.remedy}" for each in trace.blind_spots] + [each.title for each in trace.findings]
    assert (trace.outcome, told) == (rb.Outcome.HEALTHY, [])
    assert {f"{each.scope}/{each.id}".lstrip("/") for each in trace.not_asked} == not_asked
    assert rb.render(trace, rb.ReportFormat.TEXT).count("Not asked, because not configured") == (1 if not_asked else 0)
