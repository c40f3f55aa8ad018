"""The shipped policy over the lab's real servers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

import runbook_engine as rb
from runbook_engine.lab import open_lab
from runbook_engine.report import build

UNFELT = {"slow": "20s", "very_slow": "30s"}
"""A machine that is busy otherwise is slow by itself, now and then: the limits where the fault is not felt in the API."""


@contextmanager
def triaged(fault: str, limits: Mapping[str, str]) -> Iterator[tuple[rb.Trace, Mapping[str, str]]]:
    """The trace, and the level of each metric. The certificate is the one that the lab's API shows."""
    plan = rb.load_triage()
    with open_lab(fault) as lab:
        api = urlsplit(lab.inputs["api_url"])
        certificate = {"tls_host": str(api.hostname), "tls_port": str(api.port), "tls_name": "localhost"}
        inputs = {
            name: each for name, each in {**certificate, **lab.inputs, **limits}.items() if name in plan.runbook.inputs
        }
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
            {"response_time": "unknown", "error_rate": "critical", "connections": "warning"},
            "critical",
        ),
        (
            "certificate_wrong_name",
            {"response_time": "unknown", "error_rate": "critical", "certificate": "critical"},
            "critical",
        ),
        ("intermediate_expiring", {"certificate": "warning"}, "warning"),
        (
            "database_down",
            {"response_time": "unknown", "error_rate": "critical", "connections": "unknown"},
            "critical",
        ),
    ],
)
def test_a_fault_shows_in_its_metrics_and_in_no_other(fault: str, beyond: Mapping[str, str], outcome: str) -> None:
    with triaged(fault, {} if "response_time" in beyond else UNFELT) as (trace, levels):
        assert {step: level for step, level in levels.items() if level != "ok"} == beyond
        assert len(levels) == 7
        assert trace.outcome == outcome
