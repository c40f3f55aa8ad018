"""A runbook that is run again on the same system takes the same way to the same findings."""

import os

import pytest

import runbook_engine as rb
from runbook_engine.lab import FAULTS, open_lab

TIMES = 10
HURRIED = {"slow": "20s", "very_slow": "30s", "dependency_slow": "30s"}
"""A machine that is busy otherwise is slow by itself, now and then. None of these faults makes anything slow."""


def way(trace: rb.Trace) -> list[str]:
    """Every step's decision. Steps that run side by side are decided in any order, so that the order does not count."""
    return sorted(f"{each.scope}/{each.id} {each.status} {each.branch} {each.finding}" for each in trace.steps.values())


@pytest.mark.parametrize(
    "fault",
    [
        "cpu_high",
        "certificate_29_days",
        "client_abuse",
        "connections_79",
        "memory_91_and_out_of_memory_error",
        "target_unhealthy",
    ],
)
def test_ten_of_ten_runs_take_the_same_way(fault: str) -> None:
    plan = rb.load(FAULTS[fault].runbook)
    with open_lab(fault) as lab:
        inputs = {name: value for name, value in {**lab.inputs, **HURRIED}.items() if name in plan.runbook.inputs}
        environ = {**os.environ, **lab.environ}
        ways = [way(rb.run(plan, inputs=inputs, environ=environ)) for _ in range(TIMES)]
    assert ways == [ways[0]] * TIMES
