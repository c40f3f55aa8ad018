import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.engine.trace import Trace
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.report import ReportFormat, render
from runbook_engine.report.evidence import Table
from runbook_engine.report.terminal import columns

NAMES = ["healthy", "warning", "critical", "called", "inconclusive", "interrupted"]
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def text(trace: Trace, *, color: bool = False, width: int = 100) -> str:
    return render(trace, ReportFormat.TEXT, color=color, width=width)


def headings(report: str) -> list[str]:
    return [line for line in report.splitlines() if line and not line.startswith(" ")][1:-1]


def test_what_matters_first_comes_first(traces: Mapping[str, Trace]) -> None:
    assert headings(text(traces["critical"])) == [
        "What is wrong",
        "Symptoms",
        "What to do",
        "Not checked",
        "How it was found",
        "Prevention",
    ]


def test_the_first_lines_say_how_it_ended_and_whom_to_call(traces: Mapping[str, Trace]) -> None:
    first, second, third = text(traces["critical"]).splitlines()[:3]
    assert first == "■ CRITICAL  High response times (>500 ms)"
    assert second == "  2 causes found for 1 symptom; 2 things could not be seen."
    assert third == "  6 of 7 steps ran in 9.41 s. Owner: operations (P2)."


def test_a_finding_shows_what_was_measured_against_what(traces: Mapping[str, Trace]) -> None:
    lines = text(traces["critical"]).splitlines()
    place = lines.index("  ▲ 93 of 100 database connections are in use")
    assert lines[place + 1] == "    utilization 93 % > 80 %"


def test_resolutions_are_numbered_and_told_once(traces: Mapping[str, Trace]) -> None:
    report = text(traces["critical"])
    assert report.count("Database optimization") == 1
    assert "    1. Identify and optimize slow queries\n    2. Check for missing indexes" in report


def test_a_blind_spot_says_why_and_what_would_help(traces: Mapping[str, Trace]) -> None:
    report = text(traces["critical"])
    assert "  ⊘ Check CPU of the service: forbidden\n    AccessDenied: role oncall" in report
    assert "    To see it: allow cloudwatch:GetMetricStatistics for the role oncall" in report


def test_blind_spots_with_one_reason_are_told_once(traces: Mapping[str, Trace]) -> None:
    assert text(traces["interrupted"]).count("not measured: the run was interrupted") == 1


def test_the_command_under_a_finding_can_be_pasted_as_it_is(traces: Mapping[str, Trace]) -> None:
    command = traces["critical"].step("response_time").command
    assert f"    $ {command}\n" in text(traces["critical"], width=40)


def test_an_inconclusive_run_says_that_it_is_no_bill_of_health(traces: Mapping[str, Trace]) -> None:
    assert "This does not mean that it is healthy." in text(traces["inconclusive"])


def test_an_interrupted_run_says_so_first(traces: Mapping[str, Trace]) -> None:
    assert text(traces["interrupted"]).splitlines()[1].startswith("  The run was interrupted with 1 step not reached.")


def test_symptoms_without_a_cause_say_that_no_cause_was_found(traces: Mapping[str, Trace]) -> None:
    assert "Symptoms (no cause was found)" in text(traces["interrupted"])


def test_a_healthy_run_is_short(traces: Mapping[str, Trace]) -> None:
    report = text(traces["healthy"])
    assert headings(report) == ["What was looked at"]
    assert len(report.splitlines()) < 16


def test_the_steps_of_a_called_runbook_are_indented(traces: Mapping[str, Trace]) -> None:
    assert re.search(r"^  ■   160 ms    Are targets healthy\?  ", text(traces["called"]), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [40, 72, 100, 160])
def test_nothing_but_a_command_or_a_long_word_is_wider_than_asked_for(
    name: str, width: int, traces: Mapping[str, Trace]
) -> None:
    trace = traces[name]
    commands = {line.strip() for step in trace.steps.values() for line in f"$ {step.command}".split("\n")}
    wide = [line for line in text(trace, width=width).splitlines() if len(line) > width]
    assert [line for line in wide if line.strip() not in commands and " " in line.strip()] == []


@pytest.mark.parametrize("name", NAMES)
def test_colour_changes_nothing_but_colour(name: str, traces: Mapping[str, Trace]) -> None:
    coloured = text(traces[name], color=True)
    assert ESCAPE.search(coloured)
    assert ESCAPE.sub("", coloured) == text(traces[name])


def test_without_colour_there_is_no_escape(traces: Mapping[str, Trace]) -> None:
    assert "\x1b" not in text(traces["critical"])


def test_a_number_stays_with_its_unit(traces: Mapping[str, Trace]) -> None:
    for width in range(40, 120):
        assert not re.search(r"\d\n\s+(%|ms|s)\b", text(traces["warning"], width=width))


def test_evidence_stands_in_columns(traces: Mapping[str, Trace]) -> None:
    lines = text(traces["critical"]).splitlines()
    head = next(line for line in lines if line.split() == ["state", "count"])
    row = lines[lines.index(head) + 1]
    assert head.index("count") + len("count") == len(row)


def test_where_there_is_no_room_for_all_columns_the_last_ones_go_and_it_says_so() -> None:
    table = Table(
        "rows",
        ("query", "calls", "mean", "database"),
        (("SELECT " * 9, "12", "0.4", "production"),),
        3,
        (False, True, True, False),
    )
    lines = list(columns(table, 46))
    assert lines[0].split() == ["query", "calls", "mean"]
    assert lines[-1] == "… and 3 more rows, 1 more column (truncated)"
    assert max(map(len, lines)) <= 46


def test_columns_that_fit_are_all_there() -> None:
    table = Table("rows", ("a", "b"), (("x", "1"), ("yy", "22")), 0, (False, True))
    assert list(columns(table, 60)) == ["a    b", "x    1", "yy  22"]


def test_a_command_that_would_show_several_unseen_things_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "cache.yaml"
    file.write_text("""runbook: cache
title: Cache
start: [memory, hits]
steps:
  memory: {title: Memory, probe: cache.info, branches: [{else: end}]}
  hits: {title: Hits, probe: cache.info, branches: [{else: end}]}
""")
    info = rb.FakeProbe("cache.info", ProbeError(ErrorKind.MISSING, "it does not know the command"))

    report = text(rb.run(file, environ={}, probes=rb.Registry.of(info.probe)))

    assert "⊘ Memory, Hits: missing" in report
    assert report.count("$ fake cache.info") == 1
