"""Where a condition divides by zero, although nothing is missing."""

from collections.abc import Mapping

import pytest

import runbook_engine as rb
from runbook_engine.conditions import Name, parse
from runbook_engine.document import Diagnostic, load
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.divisions import without_result
from runbook_engine.probe import Dimension, DocumentReading, MetricType
from runbook_engine.probe.contract import Probe, ProbeContext
from runbook_engine.probe.fake import AnyParams, FakeProbe

TYPES: Mapping[str, MetricType] = {
    "failed": MetricType(Dimension.NUMBER, lower=0, integer=True),
    "asked": MetricType(Dimension.NUMBER, lower=0, integer=True),
    "stars": MetricType(Dimension.NUMBER, lower=1, upper=3, integer=True),
    "heat": MetricType(Dimension.NUMBER, lower=-40, upper=125),
    "inputs.limit": MetricType(Dimension.DURATION, lower=0),
    "p95": MetricType(Dimension.DURATION, lower=0),
}


def told(*branches: str) -> tuple[int, str] | None:
    def types(name: Name) -> MetricType | None:
        return TYPES.get(str(name))

    found = without_result([parse(each) for each in branches], types)
    return (found[0], found[1].shown(types)) if found else None


@pytest.mark.parametrize(
    ("branches", "expected"),
    [
        (["failed / asked > 0.5"], (0, "asked = 0")),
        (["failed / heat > 0.5"], (0, "heat = 0")),
        (["failed / (asked - 3) > 1"], (0, "asked = 3")),
        (["p95 / inputs.limit > 2"], (0, "inputs.limit = 0 s")),
        (["asked > 3", "failed / (asked - 3) > 1"], (1, "asked = 3")),
        (["1 / asked in [1, 2]"], (0, "asked = 0")),
        (["not (failed / asked > 0.5)"], (0, "asked = 0")),
        (["asked >= 0 and failed / asked > 0.5"], (0, "asked = 0")),
        (["asked > 0 or failed / asked > 0.5"], (0, "asked = 0")),
    ],
)
def test_a_divisor_that_may_be_zero_is_shown_with_its_branch(branches: list[str], expected: tuple[int, str]) -> None:
    assert told(*branches) == expected


@pytest.mark.parametrize(
    "branches",
    [
        ["asked == 0", "failed / asked > 0.5"],
        ["asked > 0 and failed / asked > 0.5"],
        ["asked == 0 or failed / asked > 0.5"],
        ["not (asked == 0 or failed / asked > 0.5)"],
        ["failed / stars > 0.5"],
        ["failed / (asked + 1) > 2"],
        ["p95 / 2 > 3s", "failed > 3"],
    ],
)
def test_a_division_that_zero_never_reaches_is_left_alone(branches: list[str]) -> None:
    assert told(*branches) is None


def checked(step: str, probe: Probe[AnyParams, DocumentReading] | None = None) -> list[Diagnostic]:
    fake = FakeProbe("fake.value", metrics=TYPES).probe
    text = f"runbook: example\ntitle: An example\nstart: one\nsteps:\n  one: {step}\n"
    compiler = Compiler(rb.Registry.of(probe or fake), rb.Library(()), thorough=True)
    return [each for each in compiler.loaded(load(text, "example.yaml")).diagnostics if each.code == "RB310"]


def test_the_check_warns_of_a_metric_that_a_probe_may_measure_as_zero() -> None:
    (found,) = checked("{probe: fake.value, branches: [{when: failed / asked > 0.5}, {else: end}]}")
    assert found.level == "warning"
    assert found.message == '"failed / asked > 0.5" divides by zero at asked = 0: step "one" is not decided there'


def test_what_a_runbook_extracts_itself_may_well_leave_zero_out_so_that_this_is_a_note() -> None:
    async def never(params: AnyParams, ctx: ProbeContext) -> DocumentReading:
        raise AssertionError

    probe = Probe("fake.any", AnyParams, DocumentReading, never, lambda params: "", frozenset(), "A fake.")
    (found,) = checked(
        "{probe: fake.any, extract: {asked: {path: a, type: count}}, branches: [{when: 1 / asked > 0.5}, {else: end}]}",
        probe,
    )
    assert found.level == "note"


def test_a_run_that_divides_by_zero_says_by_what() -> None:
    fake = FakeProbe("fake.value", {"failed": 1, "asked": 0}, metrics=TYPES).probe
    text = (
        "runbook: example\ntitle: An example\nstart: one\nsteps:\n"
        "  one: {probe: fake.value, branches: [{when: failed / asked > 0.5}, {else: end}]}\n"
    )
    plan = Compiler(rb.Registry.of(fake), rb.Library(())).loaded(load(text, "example.yaml")).plan
    assert plan is not None
    trace = rb.run(plan, environ={})
    assert trace.blind_spots[0].message == '"failed / asked > 0.5" cannot be decided: asked is 0'
