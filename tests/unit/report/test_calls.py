"""Runbooks that call others: a call is as well as what it called, stands before it, and the order of findings is static."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import anyio
import pytest
from msgspec.structs import replace

import runbook_engine as rb
from runbook_engine.engine.events import CallStarted, FindingRaised, RunFinished, StepStarted, StepStatus
from runbook_engine.engine.trace import Trace, fold
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Dimension, MetricType, ProbeError
from runbook_engine.probe.fake import FakeProbe
from runbook_engine.report import ReportFormat, build, render
from runbook_engine.report.view import View

PARENT = """runbook: parent
title: The parent
start: [left, right, own]
steps:
  left:  {title: Look left, call: left-side, branches: [{else: end}]}
  right: {title: Look right, call: right-side, branches: [{else: end}]}
  own:
    title: Look here
    probe: fake.own
    branches: [{when: used > 80%, finding: full}, {else: end}]
findings:
  full: {level: warning, title: It is full, resolution: empty_it}
resolutions: {empty_it: {title: Empty it, steps: [Empty it]}}
"""
CHILD = """runbook: SIDE-side
title: The SIDE side
start: [hurts, why]
steps:
  hurts:
    title: Does SIDE hurt?
    probe: fake.SIDE
    branches: [{when: used > 80%, finding: hurts}, {else: end}]
  why:
    title: What is wrong SIDE?
    probe: fake.SIDE
    branches: [{when: used > 80%, finding: broken}, {else: end}]
findings:
  hurts: {kind: symptom, level: critical, title: SIDE hurts, resolution: mend}
  broken: {level: warning, title: SIDE is broken, resolution: mend}
resolutions: {mend: {title: Mend SIDE, steps: [Mend it]}}
"""
USED = {"used": MetricType(Dimension.PERCENT, lower=0, upper=100)}
FULL: Mapping[str, object] = {"used": 90.0}
FINE: Mapping[str, object] = {"used": 10.0}
Run = Callable[..., Trace]


def probe(name: str, answer: Mapping[str, object] | Exception) -> FakeProbe:
    return FakeProbe(name, answer, metrics=USED)


def one_after_the_other(first: FakeProbe, second: FakeProbe) -> None:
    """The second answers once the first has."""
    answered = anyio.Event()
    one, other = first.probe.measure, second.probe.measure

    async def opens(params: Any, ctx: Any) -> Any:
        try:
            return await one(params, ctx)
        finally:
            answered.set()

    async def waits(params: Any, ctx: Any) -> Any:
        await answered.wait()
        return await other(params, ctx)

    first.probe, second.probe = replace(first.probe, measure=opens), replace(second.probe, measure=waits)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "parent.yaml").write_text(PARENT)
    for side in ("left", "right"):
        (tmp_path / f"{side}-side.yaml").write_text(CHILD.replace("SIDE", side))

    def parent(
        left: Mapping[str, object] | Exception,
        right: Mapping[str, object] | Exception,
        own: Mapping[str, object] | Exception = FINE,
        *,
        first: str = "",
    ) -> Trace:
        probes = {"left": probe("fake.left", left), "right": probe("fake.right", right)}
        if first:
            one_after_the_other(probes[first], *(each for name, each in probes.items() if name != first))
        return rb.run(
            tmp_path / "parent.yaml",
            environ={},
            probes=rb.Registry.of(*(each.probe for each in (*probes.values(), probe("fake.own", own)))),
            library=rb.Library((tmp_path,)),
        )

    return parent


def status(trace: Trace) -> Mapping[str, StepStatus | None]:
    return {step: trace.step(step).status for step in ("left", "right")}


def test_a_call_is_as_well_as_the_runbook_that_it_called(run: Run) -> None:
    assert status(run(FINE, FULL)) == {"left": StepStatus.PASSED, "right": StepStatus.FLAGGED}
    refused = ProbeError(ErrorKind.REFUSED, "nobody listens")
    assert status(run(refused, FINE)) == {"left": StepStatus.BLIND, "right": StepStatus.PASSED}


def test_a_call_says_how_the_called_runbook_ended(run: Run) -> None:
    trace = run(ProbeError(ErrorKind.REFUSED, "nobody listens"), FULL)
    assert trace.step("left").why == "left-side is inconclusive: 2 blind spots"
    assert trace.step("right").why == "right-side is critical: 2 findings"
    assert run(FINE, FINE).step("left").why == "left-side is healthy"


def test_a_replay_gives_a_call_the_same_status(run: Run, tmp_path: Path) -> None:
    trace = run(FULL, ProbeError(ErrorKind.REFUSED, "nobody listens"))
    assert rb.record(trace, tmp_path / "run.jsonl").replay().steps == trace.steps


@pytest.mark.parametrize("first", ["left", "right"])
def test_the_order_of_findings_is_that_of_the_document_whichever_probe_answered_first(run: Run, first: str) -> None:
    trace = run(FULL, FULL, FULL, first=first)
    raised = [each.scope for each in trace.events if isinstance(each, FindingRaised) and each.scope]
    assert raised[0] == first, "the probes did answer in this order"
    assert [each.title for each in trace.findings] == [
        "left is broken",
        "right is broken",
        "It is full",
        "left hurts",
        "right hurts",
    ]


@pytest.mark.parametrize("first", ["left", "right"])
def test_the_order_of_steps_and_blind_spots_is_that_of_the_document_too(run: Run, first: str, tmp_path: Path) -> None:
    refused = ProbeError(ErrorKind.REFUSED, "nobody listens")
    trace = run(refused, refused, first=first)
    inner = ["hurts", "why"]
    assert [(each.scope, each.step) for each in trace.blind_spots] == [
        *(("left", each) for each in inner),
        *(("right", each) for each in inner),
    ]
    assert list(trace.steps) == [
        ("", "left"),
        *(("left", each) for each in inner),
        ("", "right"),
        *(("right", each) for each in inner),
        ("", "own"),
    ]
    again = rb.record(trace, tmp_path / "run.jsonl").replay()
    assert again.blind_spots == trace.blind_spots
    assert list(again.steps) == list(trace.steps)


def walked(trace: Trace) -> list[str]:
    return [each.path for each in View(build(trace)).walked]


@pytest.mark.parametrize("first", ["left", "right"])
def test_a_call_stands_right_before_the_steps_that_it_led_to(run: Run, first: str) -> None:
    paths = walked(run(FULL, FULL, first=first))
    for call in ("left", "right"):
        place = paths.index(call)
        assert sorted(paths[place + 1 : place + 3]) == [f"{call}/hurts", f"{call}/why"]


def test_every_format_shows_a_call_with_the_level_of_what_it_found(run: Run) -> None:
    trace = run(FULL, FINE)
    text = render(trace, ReportFormat.TEXT)
    assert re.search(r"■ +[\d.]+ \S+ +Look left +left-side is critical: 2 findings", text)
    assert re.search(r"✓ +[\d.]+ \S+ +Look right +right-side is healthy", text)
    markdown = render(trace, ReportFormat.MARKDOWN)
    assert re.search(r"\| 🔴 \| Look left \| [^|]+\| left-side is critical: 2 findings \|", markdown)
    page = render(trace, ReportFormat.HTML)
    assert re.search(r'id="step-left">.*?tone-critical.*?<b>Look left</b>', page, re.DOTALL)
    places = [page.index(f'id="step-{each}"') for each in ("left", "left.hurts", "right", "right.hurts")]
    assert places == sorted(places)


def test_a_call_fails_in_junit_as_what_it_called_does(run: Run) -> None:
    root = ET.fromstring(render(run(FULL, ProbeError(ErrorKind.REFUSED, "nobody listens")), ReportFormat.JUNIT))
    suites = [each.get("name") for each in root.iter("testsuite")]
    assert suites == ["parent", "parent/left", "parent/right"]
    cases = {each.get("name"): each for each in root.iterfind("testsuite[@name='parent']/testcase")}
    failure, error = cases["left"].find("failure"), cases["right"].find("error")
    assert failure is not None
    assert failure.attrib == {"type": "critical", "message": "left-side is critical: 2 findings"}
    assert error is not None
    assert error.attrib == {"type": "inconclusive", "message": "right-side is inconclusive: 2 blind spots"}


def test_a_call_that_the_end_of_the_run_cut_short_is_not_called_unreached(run: Run) -> None:
    whole = run(FULL, ProbeError(ErrorKind.REFUSED, "nobody listens"))
    settled = [
        each
        for each in whole.events
        if not isinstance(each, RunFinished) and getattr(each, "scope", "") + getattr(each, "step", "") not in _CALLS
    ]
    started = [each for each in whole.events if isinstance(each, StepStarted | CallStarted)]
    events = [each for each in whole.events if each in settled or each in started]
    report = build(fold(events))
    assert {each.id: each.status for each in report.steps if not each.scope and each.calls} == {
        "left": StepStatus.FLAGGED,
        "right": StepStatus.BLIND,
    }
    assert View(report).not_reached == ()
    assert "not finished" in render(fold(events), ReportFormat.TEXT)


_CALLS = {"left", "right"}


def test_a_symptom_that_was_not_seen_is_told_only_where_the_step_that_looked_found_nothing(tmp_path: Path) -> None:
    text = """runbook: slow
title: Slow
start: [look, why]
steps:
  look:
    title: Is it slow?
    probe: fake.look
    branches: [{when: used > 80%, finding: slow}, {else: end}]
    on_error: [{kind: refused, finding: down}, {else: end}]
  why:
    title: Is it full?
    probe: fake.why
    branches: [{when: used > 80%, finding: full}, {else: end}]
findings:
  slow: {kind: symptom, level: warning, title: It is slow, resolution: mend}
  down: {level: critical, title: It is down, resolution: mend}
  full: {level: warning, title: It is full, resolution: mend}
resolutions: {mend: {title: Mend it, steps: [Mend it]}}
"""

    file = tmp_path / "slow.yaml"
    file.write_text(text)

    def verdict(look: Mapping[str, object] | Exception, why: Mapping[str, object]) -> str:
        probes = probe("fake.look", look), probe("fake.why", why)
        registry = rb.Registry.of(*(each.probe for each in probes))
        return View(build(rb.run(file, environ={}, probes=registry))).verdict

    away = "The symptom itself was not seen at this moment; it may come and go."
    assert verdict(FINE, FULL) == f"1 cause found. {away}"
    assert verdict(ProbeError(ErrorKind.REFUSED, "nobody listens"), FINE) == "1 cause found."
    assert verdict(FINE, FINE) == "Nothing was found: every step that ran is fine."


def test_that_a_step_could_measure_says_nothing_of_a_symptom_that_only_an_error_confirms(tmp_path: Path) -> None:
    file = tmp_path / "certificate.yaml"
    file.write_text("""runbook: certificate
title: Certificate
start: look
steps:
  look:
    title: Is it full?
    probe: fake.look
    branches: [{when: used > 80%, finding: full}, {else: end}]
    on_error: [{kind: refused, finding: down}, {else: end}]
findings:
  down: {kind: symptom, level: critical, title: It is down, resolution: mend}
  full: {level: warning, title: It is full, resolution: mend}
resolutions: {mend: {title: Mend it, steps: [Mend it]}}
""")

    report = build(rb.run(file, environ={}, probes=rb.Registry.of(probe("fake.look", FULL).probe)))

    assert report.symptom is None
    assert View(report).verdict == "1 cause found."


def test_a_called_runbook_that_found_nothing_has_nothing_to_prevent(tmp_path: Path) -> None:
    called = """runbook: {name}
title: {name}
start: look
steps:
  look: {{title: Is it full?, probe: fake.{name}, branches: [{{when: used > 80%, finding: full}}, {{else: end}}]}}
findings: {{full: {{level: warning, title: It is full, resolution: mend}}}}
resolutions: {{mend: {{title: Mend it, steps: [Mend it]}}}}
prevention: [Watch {name}, Watch all]
"""
    for name in ("disk", "cache"):
        (tmp_path / f"{name}.yaml").write_text(called.format(name=name))
    file = tmp_path / "both.yaml"
    file.write_text("""runbook: both
title: Both
start: [disk, cache]
steps:
  disk: {title: Disk, call: disk}
  cache: {title: Cache, call: cache}
prevention: [Watch all]
""")
    probes = rb.Registry.of(probe("fake.disk", FULL).probe, probe("fake.cache", FINE).probe)

    trace = rb.run(rb.load(file, library=rb.Library((tmp_path,)), probes=probes), environ={}, probes=probes)

    assert build(trace).prevention == ("Watch all", "Watch disk")
