"""The shipped procedure for high response times is whole: every symptom, step, threshold, resolution and prevention item."""

import pytest

import runbook_engine as rb
from runbook_engine.document.models import FindingKind, ProbeStep, Severity

SYMPTOMS = (
    "API response times consistently above 500 ms",
    "User complaints about slow performance",
    "CloudWatch alarms triggered",
)
DIAGNOSTICS = {
    "response_time": ("http.latency", "/health"),
    "components": ("http.get", "/health/detailed"),
    "database": ("postgres.activity", "Check active connections"),
    "slow_queries": ("postgres.slow_queries", "Check slow queries"),
    "cache_hits": ("redis.info", "Check cache hit rates"),
    "cache": ("redis.info", "Check cache memory usage"),
    "cpu": ("aws.cloudwatch", "CPUUtilization"),
    "memory": ("aws.cloudwatch", "MemoryUtilization"),
}
THRESHOLDS = {
    "slow": "500ms",
    "very_slow": "1s",
    "error_rate_high": "5%",
    "connections_high": "80%",
    "cpu_high": "80%",
    "memory_high": "90%",
}
RESOLUTIONS = {
    "Database optimization": (
        "Identify and optimize slow queries",
        "Check for missing indexes",
        "Consider read replica routing",
        "Scale database instance if needed",
    ),
    "Cache optimization": (
        "Check cache hit rates",
        "Implement additional caching layers",
        "Optimize cache expiration policies",
    ),
    "Application scaling": (
        "Scale ECS service horizontally",
        "Check for memory leaks",
        "Optimize application code",
    ),
}
PREVENTION = (
    "Set up proactive monitoring for response times",
    "Regular database maintenance and optimization",
    "Implement circuit breakers for external services",
)


@pytest.fixture(scope="module")
def plan() -> rb.Plan:
    return rb.load("high-latency")


def test_it_has_no_mistakes_and_no_warnings() -> None:
    assert rb.check("high-latency").diagnostics == ()


def test_symptoms_prevention_and_severity_are_the_guides(plan: rb.Plan) -> None:
    assert plan.runbook.symptoms == SYMPTOMS
    assert plan.runbook.prevention == PREVENTION
    assert plan.runbook.severity is Severity.P2


@pytest.mark.parametrize("step", DIAGNOSTICS)
def test_every_diagnostic_step_is_a_probe(plan: rb.Plan, step: str) -> None:
    probe, mentions = DIAGNOSTICS[step]
    model = plan.runbook.steps[plan.order[plan.order.index(step)]]
    assert isinstance(model, ProbeStep)
    assert model.probe == probe
    assert mentions in f"{model.title} {model.params}"


@pytest.mark.parametrize("name", THRESHOLDS)
def test_every_threshold_is_an_input_with_the_guides_value(plan: rb.Plan, name: str) -> None:
    assert plan.runbook.inputs[name].default == THRESHOLDS[name]
    conditions = [way.text for step in plan.steps.values() for way in step.ways]
    assert any(f"inputs.{name}" in each for each in conditions)


@pytest.mark.parametrize("title", RESOLUTIONS)
def test_every_resolution_item_is_there(plan: rb.Plan, title: str) -> None:
    (found,) = [each for each in plan.runbook.resolutions.values() if each.title == title]
    assert found.steps == RESOLUTIONS[title]


def test_every_finding_is_raised_somewhere_and_says_what_to_do(plan: rb.Plan) -> None:
    raised = {way.finding for step in plan.steps.values() for way in (*step.ways, *step.routes)}
    assert set(plan.runbook.findings) == raised - {None}
    assert all(each.resolution for each in plan.runbook.findings.values())


def test_causes_are_looked_for_whatever_the_symptom_shows(plan: rb.Plan) -> None:
    first = plan.steps[plan.order[0]]
    assert first.id == "response_time"
    assert {"database", "cache", "cpu", "memory"} <= set.intersection(*(set(way.targets) for way in first.ways))
    assert any(each.kind is FindingKind.SYMPTOM for each in plan.runbook.findings.values())
