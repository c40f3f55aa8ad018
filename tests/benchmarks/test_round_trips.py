"""How much a look at a healthy system asks of it, and how long the asking takes."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import runbook_engine as rb
from runbook_engine.lab import Lab, open_lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with open_lab("none") as found:
        yield found


@pytest.mark.parametrize("runbook", ["system-health", "high-latency", "high-error-rate", "memory"])
def test_requests_to_aws_and_steps_of_a_healthy_system(benchmark: BenchmarkFixture, lab: Lab, runbook: str) -> None:
    plan = rb.load(runbook)
    inputs, environ = lab.inputs_of(runbook), {**os.environ, **lab.environ}
    before = Counter(lab.requests())
    trace = benchmark.pedantic(lambda: rb.run(plan, inputs=inputs, environ=environ), rounds=1)
    asked = Counter(lab.requests()) - before
    ran = [each for each in trace.steps.values() if each.started_at is not None]
    benchmark.extra_info["requests to AWS"] = dict(asked)
    benchmark.extra_info["steps"] = len(ran)
    benchmark.extra_info["one after another, s"] = round(sum(each.duration or 0.0 for each in ran), 2)
    assert trace.outcome.value == "healthy"
    # Steps of one chain that ask the same are asked once, so that no operation is asked more often than steps ask for it.
    assert sum(asked.values()) <= sum(bool(each.probe and each.probe.startswith("aws.")) for each in ran) * 3
