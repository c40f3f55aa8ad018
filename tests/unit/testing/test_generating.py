"""Tests that are made from a runbook: they reach all of it, by values that a person could have chosen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.document.cases_text import write_cases
from runbook_engine.engine.coverage import items
from runbook_engine.graph.compile import Compiler
from runbook_engine.library import shipped_directory
from runbook_engine.probe import Dimension, MetricType
from runbook_engine.probe.fake import FakeProbe
from runbook_engine.testing import check_file, coverage_of, run_file
from runbook_engine.testing.generating import Generated, generate
from runbook_engine.testing.mutating import mutate

SHIPPED = sorted(rb.Library((shipped_directory(),)).files())
METRICS = {
    "p95": MetricType(Dimension.DURATION, lower=0),
    "used": MetricType(Dimension.PERCENT, lower=0, upper=100, optional=True),
    "many": MetricType(Dimension.NUMBER, lower=0, integer=True),
    "state": MetricType(Dimension.TEXT, members=("up", "down")),
}
HEAD = "runbook: example\ntitle: An example\nstart: one\n"
TAIL = """
findings:
  bad: {level: warning, title: Bad, resolution: fix}
  worse: {level: critical, title: Worse, resolution: fix}
resolutions:
  fix: {title: Fix, steps: [Fix it]}
"""


def made(steps: str, head: str = HEAD, *, thresholds: bool = False) -> Generated:
    text = f"{head}steps:\n{steps}{TAIL}"
    registry = rb.Registry.of(FakeProbe("fake.value", metrics=METRICS).probe)
    compiled = Compiler(registry, rb.Library(())).loaded(load(text, "example.yaml"))
    assert compiled.plan is not None, [str(each) for each in compiled.diagnostics]
    return generate(compiled.plan, "./example.yaml", thresholds=thresholds)


def given(found: Generated) -> Mapping[str, Mapping[str, Any]]:
    return {name: case.steps for name, case in found.cases.cases.items()}


@pytest.mark.parametrize("name", SHIPPED)
def test_all_of_each_shipped_runbook_is_reached_by_itself(name: str, tmp_path: Path) -> None:
    plan = rb.load(name)
    found = generate(plan, str(shipped_directory() / f"{name}.yaml"), thresholds=False)
    assert found.missed == ()
    file = tmp_path / f"{name}.test.yaml"
    file.write_text(write_cases(found.cases))
    result = run_file(file)
    assert result.passed, result.told()
    (own,) = [each for each in coverage_of([result]) if each.tested]
    assert own.percent == 100.0
    assert len(found.cases.cases) <= len(items(plan))


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_runbook_has_tests_that_cover_all_of_it(name: str) -> None:
    result = run_file(shipped_directory() / f"{name}.test.yaml")
    assert result.passed, result.told()
    (own,) = [each for each in coverage_of([result]) if each.tested]
    assert own.missed == ()


def test_values_lie_on_both_sides_of_a_threshold() -> None:
    found = made(
        "  one:\n    probe: fake.value\n    branches:\n"
        "      - {when: p95 > 2s, finding: worse}\n      - {when: p95 > 1s, finding: bad}\n      - {else: end}\n"
    )
    assert found.missed == ()
    read = yaml.safe_load(write_cases(found.cases))["cases"]
    assert [each["expect"]["outcome"] for each in read.values()] == ["critical", "warning", "healthy"]
    assert len(read) == 3


def test_steps_side_by_side_are_covered_by_the_same_cases() -> None:
    steps = "".join(
        f"  {name}:\n    probe: fake.value\n    branches:\n"
        f"      - {{when: p95 > 1s, finding: {finding}}}\n      - {{else: end}}\n"
        for name, finding in (("one", "bad"), ("two", "worse"))
    )
    found = made(steps, HEAD.replace("start: one", "start: [one, two]"))
    assert found.missed == ()
    assert len(found.cases.cases) == 2


def test_a_branch_on_what_an_earlier_step_measured_is_reached_with_values_that_fit_each_other() -> None:
    found = made(
        "  one:\n    probe: fake.value\n    branches:\n      - {when: many > 3, goto: two}\n      - {else: end}\n"
        "  two:\n    probe: fake.value\n    with: {of: others}\n    branches:\n"
        "      - {when: many > 2 * one.many, finding: bad}\n      - {else: end}\n"
    )
    assert [str(each) for each in found.missed] == ["finding worse"]
    (case,) = [each for each in found.cases.cases.values() if "bad" in each.expect.findings]
    assert case.steps["two"]["many"] > 2 * case.steps["one"]["many"] > 6


def test_inputs_keep_their_defaults_unless_that_leads_nowhere() -> None:
    head = HEAD.replace(
        "start: one", "start: one\ninputs: {deep: {type: bool, default: false}, slow: {type: duration, default: 1s}}"
    )
    found = made(
        "  one:\n    probe: fake.value\n    branches:\n"
        "      - {when: inputs.deep and p95 > inputs.slow, finding: worse}\n"
        "      - {when: p95 > inputs.slow, finding: bad}\n      - {else: end}\n",
        head,
    )
    assert found.missed == ()
    changed = [each.inputs for each in found.cases.cases.values() if each.inputs]
    assert changed == [{"deep": True}]


def test_error_routes_are_taken_by_each_of_their_kinds_and_by_a_metric_that_is_missing() -> None:
    found = made(
        "  one:\n    probe: fake.value\n    branches:\n      - {when: used > 80%, finding: bad}\n      - {else: end}\n"
        "    on_error:\n      - {kind: [refused, timeout], finding: worse}\n      - {else: end}\n"
    )
    assert found.missed == ()
    errors = {str(each["one"]["error"]) for each in given(found).values() if "error" in each["one"]}
    assert {"refused", "timeout"} < errors


def test_what_no_reading_reaches_is_named() -> None:
    found = made(
        "  one:\n    probe: fake.value\n    branches:\n      - {when: p95 > 1s, goto: two}\n      - {else: end}\n"
        "  two:\n    probe: fake.value\n    branches:\n"
        "      - {when: one.p95 < 500ms, finding: bad}\n      - {else: end}\n"
    )
    assert [str(each) for each in found.missed] == [
        "step two: branch 1 (one.p95 < 500ms)",
        "finding bad",
        "finding worse",
    ]


def test_questions_are_answered() -> None:
    found = made(
        "  one:\n    ask: Which?\n    type: enum\n    values: [a, b]\n    branches:\n"
        "      - {when: 'answer == \"b\"', finding: bad}\n      - {else: end}\n"
    )
    assert [str(each) for each in found.missed] == ["finding worse"]
    assert {str(each["one"]) for each in given(found).values()} == {"{'answer': 'a'}", "{'answer': 'b'}"}


def test_values_lie_just_below_at_and_just_above_each_threshold() -> None:
    found = made(
        "  one:\n    probe: fake.value\n    branches:\n"
        "      - {when: p95 > inputs.slow, finding: worse}\n      - {when: many >= 3 and used < 80%, finding: bad}\n"
        "      - {else: end}\n",
        f"{HEAD}inputs:\n  slow: {{type: duration, default: 500ms}}\n",
        thresholds=True,
    )
    assert found.missed == ()
    read = [(case.steps["one"], str(case.expect.outcome)) for case in found.cases.cases.values()]
    beside = {(key, value): outcome for given_, outcome in read for key, value in given_.items()}
    assert {"499ms", "500ms", "501ms"} <= {value for key, value in beside if key == "p95"}
    assert {2, 3, 4} <= {value for key, value in beside if key == "many"}
    assert {"79.9%", "80%", "80.1%"} <= {value for key, value in beside if key == "used"}
    at = [outcome for given_, outcome in read if given_.get("p95") in ("499ms", "500ms")]
    assert beside["p95", "501ms"] == "critical"
    assert at
    assert "critical" not in at
    assert [beside["used", value] for value in ("79.9%", "80%", "80.1%")] == ["warning", "healthy", "healthy"]


@pytest.mark.parametrize("name", ["high-latency", "memory", "redis-cache", "tls-certificate"])
def test_generated_tests_notice_every_changed_threshold_and_operator(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.test.yaml"
    file.write_text(write_cases(generate(rb.load(name), str(shipped_directory() / f"{name}.yaml")).cases))
    (found,) = mutate([check_file(file)])
    assert found.tried > 0
    assert [each.told for each in found.survivors] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_the_tests_of_each_shipped_runbook_notice_its_thresholds(name: str) -> None:
    (found,) = mutate([check_file(shipped_directory() / f"{name}.test.yaml")])
    assert [each.told for each in found.survivors] == []
