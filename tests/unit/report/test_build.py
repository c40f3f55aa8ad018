import json
import re
from collections.abc import Callable, Mapping

import jsonschema
import msgspec
import pytest

from runbook_engine.engine.trace import Trace, fold
from runbook_engine.report import Report, ReportFormat, build, render, report_schema
from runbook_engine.report.model import as_json, plain

NAMES = ["healthy", "warning", "critical", "called", "inconclusive", "interrupted"]


def step(report: Report, path: str) -> Mapping[str, object]:
    return plain(next(each for each in report.steps if each.path == path))


@pytest.mark.parametrize("name", NAMES)
def test_json_keeps_to_the_published_schema(name: str, traces: Mapping[str, Trace]) -> None:
    document = json.loads(render(traces[name], ReportFormat.JSON))
    jsonschema.Draft202012Validator(report_schema()).validate(document)
    assert document["schema"] == "runbook.report/v1"


@pytest.mark.parametrize("name", NAMES)
def test_json_gives_the_same_report_back(name: str, traces: Mapping[str, Trace]) -> None:
    report = build(traces[name])
    assert msgspec.json.decode(render(traces[name], ReportFormat.JSON), type=Report) == report


@pytest.mark.parametrize("name", NAMES)
def test_the_same_events_give_the_same_report(name: str, traces: Mapping[str, Trace]) -> None:
    again = fold(traces[name].events)
    assert [render(again, each) for each in ReportFormat] == [render(traces[name], each) for each in ReportFormat]


def test_causes_lead_worst_first_and_symptoms_follow(traces: Mapping[str, Trace]) -> None:
    found = [(each.kind, each.level, each.id) for each in build(traces["critical"]).findings]
    assert found == [
        ("cause", "critical", "slow_queries"),
        ("cause", "warning", "connections_high"),
        ("symptom", "critical", "api_very_slow"),
    ]


def test_times_are_utc_with_milliseconds_and_durations_are_milliseconds(traces: Mapping[str, Trace]) -> None:
    report = build(traces["critical"])
    assert (report.started_at, report.finished_at) == ("2025-08-24T13:00:00.250Z", "2025-08-24T13:00:09.660Z")
    assert report.duration_ms == 9410.0
    assert step(report, "response_time")["duration_ms"] == pytest.approx(1230.0)


def test_a_step_tells_its_reading_branch_command_and_attempts(traces: Mapping[str, Trace]) -> None:
    report = build(traces["critical"])
    told = step(report, "database")
    assert told["status"] == "flagged"
    assert told["branch"] == {
        "when": "utilization > 80%",
        "finding": "connections_high",
        "goto": ["slow_queries"],
        "why": "utilization 93 % > 80 %",
    }
    assert str(told["command"]).startswith('psql "$DATABASE_URL"')
    cache = next(each for each in report.steps if each.id == "cache")
    assert cache.attempts == 2
    assert [(each.error.kind, each.wait_ms) for each in cache.retries] == [("timeout", 430.0)]
    assert plain(cache.reading["used_memory"]) == {
        "value": 183_500_800,
        "unit": "B",
        "shown": "175 MiB",
        "missing": "",
        "sample": None,
    }
    assert cache.reading["memory_utilization"].missing == "maxmemory is 0: there is no limit"


def test_evidence_has_value_unit_and_condition(traces: Mapping[str, Trace]) -> None:
    finding = build(traces["critical"]).findings[0]
    assert plain(finding.evidence[0]) == {
        "metric": "slowest_mean",
        "value": 0.412,
        "unit": "s",
        "shown": "412 ms",
        "condition": "slowest_mean 412 ms > 100 ms",
    }
    assert finding.resolution is not None
    assert finding.resolution.steps[0] == "Identify and optimize slow queries"


def test_blind_spots_name_the_remedy(traces: Mapping[str, Trace]) -> None:
    spots = {each.step: (each.kind, each.remedy) for each in build(traces["critical"]).blind_spots}
    assert spots["compute"] == ("forbidden", "allow cloudwatch:GetMetricStatistics for the role oncall")


def test_what_a_called_runbook_found_comes_along_with_its_resolution(traces: Mapping[str, Trace]) -> None:
    report = build(traces["called"])
    finding = report.findings[0]
    assert (finding.scope, finding.step) == ("health_check", "targets")
    assert finding.resolution is not None
    assert finding.resolution.title == "Bring tasks back"
    assert report.path == ("response_time", "health_check/name", "health_check/targets", "health_check")
    assert "Alarm on healthy target count" in report.prevention


def test_a_step_that_was_cut_short_is_blind_and_one_never_reached_has_no_status(traces: Mapping[str, Trace]) -> None:
    statuses = {each.id: each.status for each in build(traces["interrupted"]).steps}
    assert statuses == {
        "response_time": "flagged",
        "health_check": "skipped",
        "database": "passed",
        "slow_queries": "blind",
        "cache": "blind",
        "compute": "blind",
        "deployed": None,
    }


def test_an_answer_is_a_reading_and_tells_who_gave_it(traces: Mapping[str, Trace]) -> None:
    told = next(each for each in build(traces["critical"]).steps if each.id == "deployed")
    assert (told.status, told.answered_by, told.reading["answer"].shown) == ("answered", "person", "no")
    assert told.question == "Was a new version deployed in the last hour?"


def test_long_texts_are_bounded_with_a_mark(hostile: Callable[[str], Trace]) -> None:
    report = build(hostile("x" * 19_000))
    assert report.findings[0].title.endswith("… (truncated, 19000 characters)")
    assert max(len(text) for text in re.findall(r'"([^"]*)"', as_json(report))) < 4_300
