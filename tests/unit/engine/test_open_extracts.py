"""Paths and units that inputs give: what a run takes out of a document with them, and what it says where they do not fit."""

from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.engine.events import StepStatus
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import DocumentReading, Params, ProbeContext, probe

CALLED = """runbook: called
title: Reads an account
inputs:
  where: {type: jmespath, default: components.application.latency_ms}
  measure: {type: enum, values: [ms, s], default: ms}
start: look
steps:
  look:
    title: How long does it take?
    probe: fake.account
    extract: {took: {path: "{{ inputs.where }}", type: duration, unit: "{{ inputs.measure }}"}}
    branches: [{when: took > 500ms, finding: slow}, {else: end}]
findings:
  slow: {level: warning, title: "It takes {{ look.took }}"}
"""
CALLER = """runbook: caller
title: Calls it
inputs:
  where: INPUT
start: one
steps:
  one: {call: called}
"""
OURS = {"components": {"application": {"latency_ms": 780}}}
THEIRS = {"deps": {"app": {"state": "UP", "latency_s": 0.78}}}


class Nothing(Params):
    """It needs none."""


def account(document: object) -> rb.Registry:
    """A probe whose document that is."""

    @probe("fake.account", command=lambda params: "look")
    async def look(params: Nothing, ctx: ProbeContext) -> DocumentReading:
        """An account."""
        return DocumentReading.model_validate({"document": document})

    return rb.Registry.of(look)


def run(tmp_path: Path, document: object, runbook: str = CALLED, **inputs: object) -> rb.Trace:
    (tmp_path / "called.yaml").write_text(CALLED)
    file = tmp_path / f"{runbook.split()[1]}.yaml"
    file.write_text(runbook)
    return rb.run(file, library=rb.Library((tmp_path,)), probes=account(document), inputs=inputs)


def test_the_default_reads_the_usual_account(tmp_path: Path) -> None:
    trace = run(tmp_path, OURS)
    assert trace.step("look").metrics["took"] == pytest.approx(0.78)
    assert [each.title for each in trace.findings] == ["It takes 780 ms"]


def test_inputs_read_the_account_of_somebody_else(tmp_path: Path) -> None:
    trace = run(tmp_path, THEIRS, where="deps.app.latency_s", measure="s")
    assert trace.step("look").metrics["took"] == pytest.approx(0.78)
    assert [each.title for each in trace.findings] == ["It takes 780 ms"]


def test_a_path_that_leads_nowhere_is_a_blind_spot_that_says_what_is_there_instead(tmp_path: Path) -> None:
    (spot,) = run(tmp_path, THEIRS, where="deps.application.latency_s", measure="s").blind_spots
    assert spot.kind is ErrorKind.MISSING
    assert "deps.application.latency_s leads nowhere: deps is an object with app" in spot.message


def test_a_path_that_is_none_ends_the_run_before_it_begins_and_names_the_input(tmp_path: Path) -> None:
    with pytest.raises(rb.InputsError) as caught:
        run(tmp_path, OURS, where="components..latency", measure="days")
    path, unit = caught.value.problems
    assert path.startswith("input 'where': 'components..latency' is not a JMESPath: ")
    assert unit == "input 'measure': 'days' is not one of ms, s"


@pytest.mark.parametrize("path", ["lenght(components)", "length()", "length(a, b)"])
def test_a_function_that_no_document_can_be_asked_with_is_refused_as_well(tmp_path: Path, path: str) -> None:
    with pytest.raises(rb.InputsError, match="input 'where': "):
        run(tmp_path, OURS, where=path)


def test_a_path_that_nothing_gives_leaves_the_step_unasked(tmp_path: Path) -> None:
    optional = CALLED.replace("default: components.application.latency_ms", "optional: true").replace("called", "own")
    trace = run(tmp_path, OURS, optional)
    assert trace.step("look").status is StepStatus.NOT_ASKED
    assert trace.step("look").not_asked == ("where",)
    assert trace.blind_spots == []


def test_a_called_runbook_takes_its_path_from_its_caller(tmp_path: Path) -> None:
    caller = CALLER.replace("INPUT", "{type: jmespath, default: deps.app.latency_ms}")
    trace = run(tmp_path, {"deps": {"app": {"latency_ms": 900}}}, caller)
    assert trace.step("look", "one").metrics["took"] == pytest.approx(0.9)


def test_a_caller_that_means_something_else_by_the_name_is_told_in_place_of_a_reading(tmp_path: Path) -> None:
    trace = run(tmp_path, OURS, CALLER.replace("INPUT", "{type: string, default: 'far, far away'}"))
    (spot,) = trace.blind_spots
    assert spot.kind is ErrorKind.MALFORMED
    assert "what is taken out of the document: 'far, far away' is not a JMESPath" in spot.message


def test_a_replay_says_what_the_run_said(tmp_path: Path) -> None:
    trace = run(tmp_path, THEIRS, where="deps.app.latency_s", measure="s")
    rb.record(trace, tmp_path / "run.jsonl")
    again = rb.Recording(tmp_path / "run.jsonl").replay()
    assert [each.title for each in again.findings] == ["It takes 780 ms"]
    assert again.inputs["where"].value == "deps.app.latency_s"
