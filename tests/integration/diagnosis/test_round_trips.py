"""A look at a healthy system asks no more of it than its steps need."""

import os
from collections import Counter

import runbook_engine as rb
from runbook_engine.lab import open_lab


def test_a_healthy_system_is_asked_for_its_business_metric_alone() -> None:
    with open_lab("none") as lab:
        before = Counter(lab.requests())
        trace = rb.run("system-health", inputs=lab.inputs_of("system-health"), environ={**os.environ, **lab.environ})
        assert Counter(lab.requests()) - before == Counter({"monitoring:GetMetricStatistics": 1})
    assert trace.outcome is rb.Outcome.HEALTHY
