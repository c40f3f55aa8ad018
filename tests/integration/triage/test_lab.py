"""The shipped policy over the lab's real servers. What the lab has no real server for answers what it is told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

import runbook_engine as rb
from runbook_engine.lab import open_lab
from runbook_engine.library import shipped_directory
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.report import build

POLICY = shipped_directory() / "policy" / "metrics.yaml"


def _registry() -> rb.Registry:
    share = MetricType(Dimension.PERCENT, lower=0, upper=100, optional=True)
    disk = rb.FakeProbe("aws.rds_instance", {"storage_utilization": 40.0}, metrics={"storage_utilization": share})
    until = MetricType(Dimension.DURATION)
    certificate = rb.FakeProbe("tls.certificate", {"expires_in": 90 * 86400.0}, metrics={"expires_in": until})
    return rb.Registry().with_probes(disk.probe, certificate.probe)


@contextmanager
def triaged(fault: str) -> Iterator[tuple[rb.Trace, Mapping[str, str]]]:
    plan = rb.load_triage(POLICY, probes=_registry())
    with open_lab(fault) as lab:
        inputs = {name: value for name, value in lab.inputs.items() if name in plan.runbook.inputs}
        trace = rb.run(plan, inputs=inputs, environ=lab.environ)
        yield trace, {each.step: each.level for each in build(trace).metrics}


@pytest.mark.parametrize(
    ("fault", "beyond", "outcome"),
    [
        ("none", {}, "healthy"),
        ("cpu_high", {"cpu": "warning"}, "warning"),
        ("slow_queries", {"response_time": "critical"}, "critical"),
        (
            "connections_exhausted",
            {"response_time": "critical", "error_rate": "critical", "connections": "warning"},
            "critical",
        ),
        ("database_down", {"error_rate": "critical", "connections": "unknown"}, "critical"),
    ],
)
def test_a_fault_shows_in_its_metrics_and_in_no_other(fault: str, beyond: Mapping[str, str], outcome: str) -> None:
    with triaged(fault) as (trace, levels):
        assert {step: level for step, level in levels.items() if level != "ok"} == beyond
        assert len(levels) == 7
        assert trace.outcome == outcome
