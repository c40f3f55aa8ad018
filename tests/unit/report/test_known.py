"""What reports say of error messages that are known."""

from collections.abc import Mapping
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from runbook_engine.engine.trace import Trace, fold
from runbook_engine.report import ReportFormat, render
from runbook_engine.report.building import MOST_KNOWN, build
from runbook_engine.report.view import View


def test_an_entry_is_told_once_at_the_first_step_that_saw_it(traces: Mapping[str, Trace]) -> None:
    report = build(traces["critical"])
    assert [(each.id, each.step, each.also) for each in report.knowledge] == [
        ("statement-timeout", "slow_queries", ()),
        ("aws-access-denied", "slow_queries", ("compute",)),
    ]


@pytest.mark.parametrize("format_", [ReportFormat.TEXT, ReportFormat.MARKDOWN, ReportFormat.HTML, ReportFormat.JUNIT])
def test_cause_solution_and_source_stand_beside_the_evidence(
    traces: Mapping[str, Trace], format_: ReportFormat
) -> None:
    shown = " ".join(render(traces["critical"], format_).split())
    for text in (
        "canceling statement due to statement timeout",
        "The statement ran for longer than",
        "Look at its plan",
        "Troubleshooting guide",
    ):
        assert text in shown


def test_in_text_it_stands_below_the_finding_of_its_step_and_before_the_next_section(
    traces: Mapping[str, Trace],
) -> None:
    shown = render(traces["critical"], ReportFormat.TEXT)
    assert shown.index("What is wrong") < shown.index("Known error: canceling") < shown.index("Symptoms")


def test_a_step_without_a_finding_has_a_section_of_its_own(traces: Mapping[str, Trace]) -> None:
    healthy = traces["healthy"]
    some = next(each for each in traces["critical"].events if type(each).__name__ == "MessagesRecognised")
    last = healthy.events[-1]
    trace = fold([*healthy.events[:-1], replace(some, step="cache"), last])
    assert [each.step for each in View(build(trace)).known_besides] == ["cache"]
    assert "\n\n\n" not in render(trace, ReportFormat.MARKDOWN)
    for format_ in (ReportFormat.TEXT, ReportFormat.MARKDOWN, ReportFormat.HTML):
        assert "Known error messages that were seen" in render(trace, format_)
        assert "Known error messages" not in render(healthy, format_)


def test_what_is_known_of_a_blind_spot_stands_with_it(traces: Mapping[str, Trace]) -> None:
    recorded = traces["inconclusive"]
    blind = recorded.blind_spots[0]
    some = next(each for each in traces["critical"].events if type(each).__name__ == "MessagesRecognised")
    seen = replace(some, scope=blind.scope, step=blind.step)
    trace = fold([*recorded.events[:-1], seen, recorded.events[-1]])
    markdown = render(trace, ReportFormat.MARKDOWN)
    assert "\n\n\n" not in markdown
    assert markdown.index("Not checked") < markdown.index("Known error:") < markdown.index("How it was found")
    assert View(build(trace)).known_besides == ()


def test_only_so_many_are_told_and_the_rest_is_left_out(traces: Mapping[str, Trace]) -> None:
    healthy = traces["healthy"]
    some = next(each for each in traces["critical"].events if type(each).__name__ == "MessagesRecognised")
    (message,) = some.messages  # type: ignore[union-attr]  # it is one that was recognised
    many = tuple(replace(message, entry=f"entry-{number}") for number in range(40))
    trace = fold([*healthy.events[:-1], replace(some, step="cache", messages=many), healthy.events[-1]])
    assert len(build(trace).knowledge) == MOST_KNOWN


def test_junit_says_it_in_the_output_of_the_step(traces: Mapping[str, Trace]) -> None:
    root = ET.fromstring(render(traces["critical"], ReportFormat.JUNIT))
    out = root.find(".//testcase[@name='slow_queries']/system-out")
    assert out is not None
    assert "known error: canceling statement due to statement timeout; cause: The statement ran" in (out.text or "")
