"""What every format makes of a triage: the table, nothing empty, and no harm from what others wrote."""

import json
import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from msgspec.structs import replace

import runbook_engine as rb
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.report import ReportFormat, render, report_schema
from runbook_engine.report.building import build
from runbook_engine.report.view import View

Triage = Callable[..., rb.Trace]
HOSTILE = "\x1b[31m</td><script>alert(1)</script> | `x` [a](javascript:b) \u202e\n# heading"
RUNBOOK_ONLY = ("What is wrong", "Symptoms", "How it was found", "What was looked at", "symptom", "Path")


@pytest.mark.parametrize("format_", [ReportFormat.TEXT, ReportFormat.MARKDOWN, ReportFormat.HTML])
def test_nothing_of_a_runbooks_report_that_does_not_fit_is_there(measured: Triage, format_: ReportFormat) -> None:
    beyond = render(measured({"cpu": {"latest_percent": 93.0}}), format_)
    body = re.sub(r"(?s)<(style|script).*?</\1>", "", beyond)

    assert not [each for each in RUNBOOK_ONLY if each in body]
    assert '<svg class="graph' not in body


@pytest.mark.parametrize("format_", [ReportFormat.TEXT, ReportFormat.MARKDOWN, ReportFormat.HTML])
def test_a_healthy_triage_has_no_heading_above_nothing(measured: Triage, format_: ReportFormat) -> None:
    report = render(measured(), format_)

    assert not [each for each in ("What to run next", "Not checked", "Blind spots <b>") if each in report]
    assert format_ is ReportFormat.HTML or "See it yourself" not in report  # there it opens below each step


@pytest.mark.parametrize("format_", list(ReportFormat))
def test_every_format_has_every_metric_with_its_value(measured: Triage, format_: ReportFormat) -> None:
    report = render(measured({"cpu": {"latest_percent": 93.0}}), format_)

    for shown in (
        "Response time (P95)",
        "200 ms",
        "CPU utilization",
        "93 %",
        "Consider scaling",
        "high-latency",
    ):
        assert shown in report.replace("&gt;", ">").replace("\\>", ">"), shown


@pytest.mark.parametrize("format_", [each for each in ReportFormat if each is not ReportFormat.JSON])
def test_a_row_beyond_its_threshold_is_told_in_a_sentence(
    measured: Triage, healthy: Mapping[str, Mapping[str, object]], format_: ReportFormat
) -> None:
    reading = {**healthy["tls.certificate"], "expires_in": 12 * 86_400.0, "chain_expires_in": 12 * 86_400.0}

    report = render(measured({"tls.certificate": reading}), format_)

    assert "The certificate expires in 12 days (threshold 30 days)" in report.replace("\\(", "(").replace("\\)", ")")
    if format_ is not ReportFormat.JUNIT:
        assert re.search(r"12 days\W.*below 30 days", report, re.DOTALL)


def test_what_was_not_measured_and_counts_as_bad_says_so_and_why(measured: Triage) -> None:
    text = render(measured({"http.latency": ProbeError(ErrorKind.REFUSED, "nobody listens there")}), ReportFormat.TEXT)

    assert (
        "Error rate counts as above 5 %, because nothing can be measured (refused)\n    refused: nobody listens" in text
    )


def test_the_json_has_the_table_and_fits_its_schema(measured: Triage) -> None:
    trace = measured({"cpu": {"latest_percent": 93.0}, "tls.certificate": ProbeError(ErrorKind.AUTH, "no handshake")})

    found = json.loads(render(trace, ReportFormat.JSON))

    jsonschema.validate(found, dict(report_schema()))
    assert [(each["step"], each["level"]) for each in found["metrics"]] == [
        ("response_time", "ok"),
        ("error_rate", "ok"),
        ("cpu", "warning"),
        ("memory", "ok"),
        ("connections", "ok"),
        ("disk", "ok"),
        ("certificate", "unknown"),
    ]
    assert found["metrics"][2] == {
        "metric": "latest_percent",
        "title": "CPU utilization",
        "value": 93.0,
        "unit": "%",
        "shown": "93 %",
        "level": "warning",
        "threshold": "> 80 %",
        "sentence": "The service uses 93 % of its CPU (threshold 80 %)",
        "action": "Consider scaling",
        "runbook": "high-latency",
        "step": "cpu",
        "why": "latest_percent 93 % > cpu_high 80 %",
        "remedy": "",
    }
    assert found["symptom"] is None


def test_junit_has_a_case_for_each_metric(measured: Triage) -> None:
    trace = measured({"cpu": {"latest_percent": 93.0}, "tls.certificate": ProbeError(ErrorKind.AUTH, "no handshake")})

    suite = ET.fromstring(render(trace, ReportFormat.JUNIT))

    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "1", "1")
    failed = [each.get("name") for each in suite.iter("testcase") if each.find("failure") is not None]
    assert failed == ["cpu"]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_no_line_of_the_table_is_wider_than_the_terminal(measured: Triage, width: int) -> None:
    trace = measured({"cpu": {"latest_percent": 93.0}, "tls.certificate": ProbeError(ErrorKind.TLS, "no handshake")})

    text = render(trace, ReportFormat.TEXT, width=width)

    wide = [line.strip() for line in text.splitlines() if len(line) > width]
    assert [line for line in wide if " " in line and not line.startswith("$")] == []


def test_a_long_fault_stands_below_its_row_and_pushes_no_column_away(
    measured: Triage, healthy: Mapping[str, Mapping[str, object]]
) -> None:
    reading = {**healthy["tls.certificate"], "chain_expires_in": 9 * 86400.0}

    lines = render(measured({"tls.certificate": reading}), ReportFormat.TEXT, width=100).splitlines()

    row = next(index for index, line in enumerate(lines) if line.startswith("▲ SSL certificate"))
    assert lines[row + 1] == "    has a chain that does not last (expires in 9 days)"
    head = next(line for line in lines if line.startswith("  Metric"))
    assert lines[row].index("warning") == head.index("Level")


def test_columns_stand_below_each_other(measured: Triage) -> None:
    lines = render(measured({"cpu": {"latest_percent": 93.0}}), ReportFormat.TEXT).splitlines()

    head = next(line for line in lines if line.startswith("  Metric"))
    rows = [line for line in lines if line[:2] in ("✓ ", "▲ ") and "  " in line[2:]][1:]
    assert len(rows) == 7
    assert {line.index("ok" if " ok" in line else "warning") for line in rows} == {head.index("Level")}


def test_colours_change_no_text(measured: Triage) -> None:
    trace = measured({"cpu": {"latest_percent": 93.0}, "tls.certificate": ProbeError(ErrorKind.TLS, "no handshake")})

    plain = render(trace, ReportFormat.TEXT)
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", render(trace, ReportFormat.TEXT, color=True))

    assert [line.rstrip() for line in coloured.splitlines()] == plain.splitlines()


@pytest.mark.parametrize("format_", list(ReportFormat))
def test_what_others_wrote_does_no_harm(measured: Triage, format_: ReportFormat) -> None:
    trace = measured(
        {
            "aws.rds_instance": ProbeError(ErrorKind.OTHER, HOSTILE, remedy=HOSTILE),
            "http.latency": ProbeError(ErrorKind.REFUSED, HOSTILE),
        }
    )

    report = render(trace, format_)

    assert "\x1b" not in report
    assert "\u202e" not in report
    if format_ is ReportFormat.HTML:
        assert "<script>alert" not in report
    if format_ is ReportFormat.MARKDOWN:
        assert "\n# heading" not in report
        row = next(line for line in report.splitlines() if "Disk usage" in line and "alert" in line)
        assert len(re.findall(r"(?<!\\)\|", row)) == 4


def test_a_secret_is_in_no_format(measured: Triage) -> None:
    trace = measured(database_url="postgresql://reader:sw0rdf1sh@db/app")

    assert not [each for each in ReportFormat if "sw0rdf1sh" in render(trace, each)]


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("environment staging", "runbook run high-latency -e staging"),
        ("environment variable API_URL", "runbook run high-latency"),
        ("command line", "runbook run high-latency"),
    ],
)
def test_what_to_run_next_is_in_the_same_environment(measured: Triage, source: str, command: str) -> None:
    report = build(measured({"cpu": {"latest_percent": 93.0}}))
    given = {"api_url": replace(report.inputs["api_url"], source=source)}
    (following,) = View(replace(report, inputs=given)).following
    assert following.command == command
