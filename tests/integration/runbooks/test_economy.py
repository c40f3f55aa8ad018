"""Runbooks ask no more than their steps need, what is independent side by side, and hand their inputs down."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import runbook_engine as rb
from runbook_engine.document.models import ProbeStep
from runbook_engine.library import shipped_directory

CALLING = ("high-latency", "high-error-rate", "memory", "system-health")


@pytest.mark.parametrize(
    ("runbook", "asked"),
    [
        ("system-health", ("http.get /health", "http.latency", "dns.resolve", "aws.cloudwatch SessionsStarted")),
        ("ecs-service", ("aws.ecs_service", "aws.autoscaling")),
        ("redis-cache", ("redis.ping", "redis.info")),
        ("tls-certificate", ("tls.certificate", "aws.acm_certificate")),
        (
            "database-connections",
            (
                *("postgres.ready", "postgres.ping", "postgres.activity"),
                *("aws.rds_instance", "aws.rds_maintenance"),
            ),
        ),
        (
            "memory",
            (
                *("aws.cloudwatch MemoryUtilization", "aws.logs_filter OutOfMemoryError"),
                *("aws.ecs_service", "aws.autoscaling"),
            ),
        ),
    ],
)
def test_of_a_healthy_system_each_thing_is_asked_once(
    walk: Callable[..., Any], runbook: str, asked: tuple[str, ...]
) -> None:
    trace, found = walk(runbook, {}, {})

    assert trace.outcome is rb.Outcome.HEALTHY
    assert Counter(found) == Counter(asked)


@pytest.mark.parametrize(
    ("runbook", "side_by_side"),
    [
        ("high-error-rate", {"requests", "deployment", "dependency", "database", "cache", "tasks"}),
        ("database-connections", {"ready", "instance", "maintenance"}),
        ("memory", {"usage", "log_errors", "tasks"}),
        ("tls-certificate", {"dates", "acm"}),
    ],
)
def test_what_does_not_depend_on_each_other_begins_side_by_side(runbook: str, side_by_side: set[str]) -> None:
    assert set(_plan(runbook).runbook.start) == side_by_side


def _plan(runbook: str) -> rb.Plan:
    return rb.load(shipped_directory() / f"{runbook}.yaml")


def _called(plan: rb.Plan) -> Iterator[rb.Plan]:
    for step in plan.steps.values():
        if step.child is not None:
            yield step.child


@pytest.mark.parametrize("runbook", CALLING)
def test_every_input_of_a_called_runbook_can_be_given_to_the_one_that_calls_it(runbook: str) -> None:
    plan = _plan(runbook)
    for child in _called(plan):
        for name, spec in child.runbook.inputs.items():
            own = plan.runbook.inputs[name]
            assert (name, own.type, own.env) == (name, spec.type, spec.env)
            # What the called runbook is about, its caller may do without; else both say the same.
            assert own.optional or (own.default, own.optional) == (spec.default, spec.optional)


def test_steps_are_shared_by_calling_and_not_by_copying() -> None:
    """No two of the runbooks ask the same with the same parameters, unless they ask for something else in the answer."""
    asked: Counter[tuple[str, str]] = Counter()
    for runbook in (*CALLING, "database-connections", "ecs-service", "redis-cache", "tls-certificate"):
        own = {
            (step.model.probe, str(step.model.params))
            for step in _plan(runbook).steps.values()
            if isinstance(step.model, ProbeStep)
        }
        asked.update(own)

    twice = {probe for (probe, _), times in asked.items() if times > 1}
    assert twice <= {"http.latency", "postgres.activity", "aws.ecs_service"}


def test_a_threshold_given_to_the_system_check_reaches_the_runbooks_that_it_calls(walk: Callable[..., Any]) -> None:
    slow = {"http.latency": {"p95": 1.5}, "postgres.activity": {"utilization": 85.0, "used": 85}}

    strict, _ = walk("system-health", slow, {})
    lenient, _ = walk("system-health", slow, {"connections_high": "90%"})

    assert [each.finding for each in strict.causes] == ["connections_high"]
    assert [each.finding for each in lenient.causes] == []


def test_scopes_tell_where_a_finding_was_made(walk: Callable[..., Any]) -> None:
    trace, _ = walk("system-health", {"http.latency": {"p95": 1.5}, "aws.ecs_service": {"failing_tasks": 1}}, {})

    assert {each.finding: each.scope for each in trace.causes} == {"tasks_failing": "database_performance/memory/tasks"}
