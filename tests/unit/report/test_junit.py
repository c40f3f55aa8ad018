from collections.abc import Mapping
from xml.etree import ElementTree as ET

from runbook_engine.engine.trace import Trace
from runbook_engine.report import ReportFormat, render


def cases(trace: Trace) -> dict[str, ET.Element]:
    root = ET.fromstring(render(trace, ReportFormat.JUNIT))
    return {f"{each.get('classname')}.{each.get('name')}": each for each in root.iter("testcase")}


def verdict(case: ET.Element) -> str:
    found = [each.tag for each in case if each.tag in ("failure", "error", "skipped")]
    return found[0] if found else "passed"


def test_flagged_is_a_failure_blind_an_error_and_skipped_skipped(traces: Mapping[str, Trace]) -> None:
    assert {name.removeprefix("high-latency."): verdict(case) for name, case in cases(traces["critical"]).items()} == {
        "response_time": "failure",
        "health_check": "skipped",
        "database": "failure",
        "slow_queries": "failure",
        "cache": "error",
        "compute": "error",
        "deployed": "passed",
    }


def test_a_step_never_reached_is_skipped_and_says_why(traces: Mapping[str, Trace]) -> None:
    skipped = cases(traces["interrupted"])["high-latency.deployed"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "not reached: the run was interrupted"


def test_a_failure_tells_evidence_cause_and_resolution(traces: Mapping[str, Trace]) -> None:
    failure = cases(traces["critical"])["high-latency.database"].find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("warning", "93 of 100 database connections are in use")
    assert "Evidence: utilization 93 % > 80 %" in (failure.text or "")
    assert "1. Identify and optimize slow queries" in (failure.text or "")


def test_an_error_tells_what_would_make_it_visible(traces: Mapping[str, Trace]) -> None:
    error = cases(traces["critical"])["high-latency.compute"].find("error")
    assert error is not None
    assert error.get("type") == "forbidden"
    assert "To see it: allow cloudwatch:GetMetricStatistics" in (error.text or "")


def test_counts_are_those_of_the_cases(traces: Mapping[str, Trace]) -> None:
    root = ET.fromstring(render(traces["called"], ReportFormat.JUNIT))
    counted = {
        "tests": len(list(root.iter("testcase"))),
        "failures": len(list(root.iter("failure"))),
        "errors": len(list(root.iter("error"))),
        "skipped": len(list(root.iter("skipped"))),
    }
    assert {name: int(root.get(name, "-1")) for name in counted} == counted
    assert counted == {"tests": 9, "failures": 3, "errors": 0, "skipped": 5}


def test_a_called_runbook_is_a_suite_of_its_own(traces: Mapping[str, Trace]) -> None:
    root = ET.fromstring(render(traces["called"], ReportFormat.JUNIT))
    assert [each.get("name") for each in root.iter("testsuite")] == ["high-latency", "high-latency/health_check"]
    assert "high-latency.health_check.targets" in cases(traces["called"])
