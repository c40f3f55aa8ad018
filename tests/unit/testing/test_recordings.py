"""Recorded runs as tests: what they give leads to what they came to."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.engine.recorded import recorded
from runbook_engine.engine.rehearsal import rehearse
from runbook_engine.engine.replay import read_recording
from runbook_engine.engine.trace import fold
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import ProbeError
from runbook_engine.probe.fake import FakeProbe
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.testing import run_file

RECORDINGS = Path(__file__).resolve().parents[3] / "examples" / "recordings"


def decided(trace: rb.Trace) -> list[tuple[object, ...]]:
    ways = [(each.scope, each.id, each.status, each.branch, each.finding, each.goto) for each in trace.steps.values()]
    return sorted(ways, key=str)


def test_every_recorded_run_is_rehearsed_to_what_it_came_to() -> None:
    plans: dict[str, rb.Plan] = {}
    rehearsed = 0
    for file in sorted(RECORDINGS.rglob("*.jsonl")):
        events = read_recording(file)
        kept = fold(events)
        plan = plans.setdefault(kept.runbook, rb.load(kept.runbook)) if kept.runbook != "triage" else rb.load_triage()
        if plan.digest != kept.digest:
            continue  # of another version of the runbook; another test tells that
        walked = rehearse(plan, recorded(events, plan))
        assert walked.lacks == (), file.name
        assert decided(walked.trace) == decided(kept), file.name
        assert walked.trace.outcome is kept.outcome, file.name
        rehearsed += 1
    assert rehearsed > 50


RUNBOOK = """runbook: small
title: Small
start: look
inputs:
  slow: {{type: duration, default: {slow}}}
  most: {{type: int, default: 3}}
  token: {{type: secret, optional: true}}
steps:
  look:
    probe: fake.value
    with: {{token: "{{{{ inputs.token }}}}"}}
    retry: {{attempts: 2, wait: 1ms}}
    branches: [{{when: p95 > inputs.slow and p95 > 1ms, finding: slow, goto: ask}}, {{when: used > 3%, finding: slow}}, {{else: end}}]
  ask: {{ask: "Well?", branches: [{{when: answer, finding: slow}}, {{else: end}}]}}
findings:
  slow: {{level: warning, title: "{{{{ look.p95 }}}}"}}
"""
METRICS = {"p95": MetricType(Dimension.DURATION, lower=0), "used": MetricType(Dimension.PERCENT, lower=0)}
CASES = """tests: small
cases:
  as_it_was: {{recording: kept.jsonl, expect: {{outcome: {outcome}, findings: {findings}}}}}
"""


@pytest.fixture
def kept(tmp_path: Path) -> Callable[..., rb.Registry]:
    """A recorded run of the runbook; the probe that it asked."""

    def keep(answers: list[Mapping[str, object] | Exception], **inputs: object) -> rb.Registry:
        probe = FakeProbe("fake.value", *answers, metrics=METRICS)
        registry = rb.Registry.of(probe.probe)
        (tmp_path / "small.yaml").write_text(RUNBOOK.format(slow="1s"))
        given = {"token": "s3cret-word", **inputs}
        trace = rb.run(tmp_path / "small.yaml", probes=registry, inputs=given, environ={}, answers={"ask": True})
        rb.record(trace, tmp_path / "kept.jsonl")
        return registry

    return keep


def outcome(folder: Path, registry: rb.Registry, tests: str) -> tuple[bool, str]:
    file = folder / "small.test.yaml"
    file.write_text(tests)
    result = run_file(file, probes=registry, library=rb.Library((folder,)))
    return result.passed, result.told()


def test_a_recording_gives_readings_answers_and_inputs(kept: Callable[..., rb.Registry], tmp_path: Path) -> None:
    registry = kept([ProbeError(ErrorKind.TIMEOUT, "too late"), {"p95": 0.6, "used": 1.0}], slow="500ms")
    passed, told = outcome(tmp_path, registry, CASES.format(outcome="warning", findings="[slow]"))
    assert passed, told


def test_a_step_of_the_case_changes_the_recorded_reading(kept: Callable[..., rb.Registry], tmp_path: Path) -> None:
    registry = kept([{"p95": 1.5, "used": 2.0}])
    changed = CASES.format(outcome="healthy", findings="[]").replace(
        "kept.jsonl,", "kept.jsonl, steps: {look: {p95: 1s}},"
    )
    passed, told = outcome(tmp_path, registry, changed)
    assert passed, told
    changed = changed.replace("outcome: healthy", "outcome: warning, findings: [slow]").replace(
        "findings: []", "path: [look]"
    )
    passed, told = outcome(tmp_path, registry, changed.replace("p95: 1s", "p95: 1s, used: 4%"))
    assert passed, told


def test_a_recording_counts_above_what_all_cases_have(kept: Callable[..., rb.Registry], tmp_path: Path) -> None:
    registry = kept([{"p95": 1.5, "used": 1.0}], slow="1s")
    shared = "inputs: {slow: 9s}\nsteps: {look: {p95: 1ms, used: 1%}, ask: {answer: false}}\ncases:"
    tests = CASES.format(outcome="warning", findings="[slow], path: [look, ask]").replace("cases:", shared)
    passed, told = outcome(tmp_path, registry, tests)
    assert passed, told


def test_an_edited_default_counts_although_another_was_recorded(
    kept: Callable[..., rb.Registry], tmp_path: Path
) -> None:
    registry = kept([{"p95": 1.5, "used": 1.0}])
    (tmp_path / "small.yaml").write_text(RUNBOOK.format(slow="2s"))
    passed, told = outcome(tmp_path, registry, CASES.format(outcome="healthy", findings="[]"))
    assert passed, told


def test_an_input_that_was_given_stays_as_it_was(kept: Callable[..., rb.Registry], tmp_path: Path) -> None:
    registry = kept([{"p95": 1.5, "used": 1.0}], slow="1s")
    (tmp_path / "small.yaml").write_text(RUNBOOK.format(slow="2s"))
    passed, told = outcome(tmp_path, registry, CASES.format(outcome="warning", findings="[slow]"))
    assert passed, told


def test_what_the_runbook_no_longer_has_is_left_out(kept: Callable[..., rb.Registry], tmp_path: Path) -> None:
    kept([{"p95": 1.5, "used": 1.0}])
    edited = "runbook: small\ntitle: S\nstart: other\nsteps: {other: {ask: Well?}}\n"
    (tmp_path / "small.yaml").write_text(edited)
    tests = "tests: small\ncases: {one: {recording: kept.jsonl, steps: {other: {answer: true}}, expect: {outcome: healthy}}}\n"
    passed, told = outcome(tmp_path, rb.Registry.of(), tests)
    assert passed, told
