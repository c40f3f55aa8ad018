"""What a triage comes to: healthy, beyond a threshold, or not seen; and what its table says of each metric."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import runbook_engine as rb
from runbook_engine.errors import UsageError
from runbook_engine.graph.judged import judged_metrics
from runbook_engine.library import shipped_directory
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.report import build

Triage = Callable[..., rb.Trace]
POLICY = shipped_directory() / "policy" / "metrics.yaml"


def test_all_within_their_thresholds_is_healthy(measured: Triage) -> None:
    trace = measured()

    assert trace.outcome is rb.Outcome.HEALTHY
    assert {each.level for each in build(trace).metrics} == {"ok"}
    assert "all 7 were measured" in rb.render(trace, rb.ReportFormat.TEXT)


def test_the_table_says_what_was_measured_and_what_it_was_compared_with(measured: Triage) -> None:
    row = build(measured({"cpu": {"latest_percent": 93.0}})).metrics[2]

    assert (row.step, row.metric, row.title) == ("cpu", "latest_percent", "CPU utilization")
    assert (row.value, row.unit, row.shown) == (93.0, "%", "93 %")
    assert (row.level, row.threshold, row.action, row.runbook) == (
        "warning",
        "> 80 %",
        "Consider scaling",
        "high-latency",
    )
    assert (row.why, row.remedy) == ("latest_percent 93 % > cpu_high 80 %", "")


def test_one_beyond_a_threshold_counts_more_than_what_could_not_be_seen(measured: Triage) -> None:
    trace = measured(
        {
            "cpu": {"latest_percent": 93.0},
            "aws.rds_instance": ProbeError(ErrorKind.FORBIDDEN, "denied", remedy="grant it"),
        }
    )

    assert trace.outcome is rb.Outcome.WARNING
    assert "1 of 7 metrics is beyond a threshold; 1 could not be seen." in rb.render(trace, rb.ReportFormat.TEXT)


def test_nothing_beyond_and_something_not_seen_is_inconclusive(measured: Triage) -> None:
    denied = ProbeError(ErrorKind.FORBIDDEN, "denied", remedy="grant cloudwatch:GetMetricStatistics")

    trace = measured({"aws.rds_instance": denied})

    assert trace.outcome is rb.Outcome.INCONCLUSIVE
    row = build(trace).metrics[5]
    assert (row.level, row.value, row.shown, row.action) == ("unknown", None, "", "")
    assert (row.why, row.remedy) == ("forbidden: denied", "grant cloudwatch:GetMetricStatistics")
    assert "This does not mean that it is healthy." in rb.render(trace, rb.ReportFormat.TEXT, width=200)


def test_a_missing_value_is_unknown_and_never_ok(measured: Triage) -> None:
    row = build(measured({"aws.rds_instance": {"storage_utilization": None}})).metrics[5]

    assert row.level == "unknown"
    assert "storage_utilization is missing" in row.why


def test_a_metric_that_is_not_configured_is_not_asked_and_does_not_count(fakes: Callable[..., Any]) -> None:
    trace = rb.triage(POLICY, probes=fakes().registry, inputs={"api_url": "https://api.test"}, environ={})

    report = build(trace)
    assert {each.step for each in report.metrics if each.level == "not asked"} == {
        "cpu",
        "memory",
        "connections",
        "disk",
    }
    assert trace.outcome is rb.Outcome.HEALTHY
    told = rb.render(trace, rb.ReportFormat.TEXT, width=200)
    assert "No metric is beyond a threshold: all 3 were measured." in told
    assert "Database connections (database_url)" in told
    assert [each.remedy for each in report.not_asked if each.step == "connections"] == [
        "give -s database_url=VALUE or set DATABASE_URL"
    ]


@pytest.mark.parametrize("kind", [ErrorKind.REFUSED, ErrorKind.TIMEOUT, ErrorKind.DNS, ErrorKind.TLS])
def test_an_api_that_cannot_be_reached_fails_every_request_whose_time_nobody_knows(
    measured: Triage, kind: ErrorKind
) -> None:
    trace = measured({"http.latency": ProbeError(kind, "nobody there")})

    time, errors = build(trace).metrics[:2]
    assert (time.level, time.value) == ("unknown", None)
    assert (errors.level, errors.value, errors.action) == ("critical", None, "Incident response")
    assert errors.why == f"{kind}: nobody there"
    assert trace.outcome is rb.Outcome.CRITICAL


@pytest.mark.parametrize("kind", [ErrorKind.AUTH, ErrorKind.FORBIDDEN, ErrorKind.MISSING, ErrorKind.OTHER])
def test_an_error_that_says_nothing_of_the_api_leaves_its_error_rate_unknown(measured: Triage, kind: ErrorKind) -> None:
    trace = measured({"http.latency": ProbeError(kind, "not for you")})

    assert [each.level for each in build(trace).metrics[:2]] == ["unknown", "unknown"]
    assert trace.outcome is rb.Outcome.INCONCLUSIVE


def test_a_database_without_a_connection_left_is_beyond_the_threshold_of_connections(measured: Triage) -> None:
    trace = measured({"postgres.activity": ProbeError(ErrorKind.THROTTLED, "too many connections")})

    row = build(trace).metrics[4]
    assert (row.level, row.value, row.action) == ("warning", None, "Monitor closely")


def test_a_database_that_is_down_says_nothing_of_its_connections(measured: Triage) -> None:
    trace = measured({"postgres.activity": ProbeError(ErrorKind.REFUSED, "nobody listens")})

    assert build(trace).metrics[4].level == "unknown"


def test_what_to_run_next_is_named_once_the_worst_first(
    measured: Triage, healthy: dict[str, dict[str, object]]
) -> None:
    trace = measured(
        {
            "http.latency": {**healthy["http.latency"], "p95": 0.7},
            "cpu": {"latest_percent": 93.0},
            "memory": {"maximum_percent": 97.0},
        }
    )

    text = rb.render(trace, rb.ReportFormat.TEXT)
    following = text[text.index("What to run next") :].split("\n\n")[0].splitlines()[1:]
    assert following == [
        "  runbook run memory        Memory utilization",
        "  runbook run high-latency  Response time (P95), CPU utilization",
    ]


def test_a_recorded_triage_is_judged_again_without_its_probes(measured: Triage, tmp_path: Path) -> None:
    from runbook_engine.api import record

    trace = measured({"cpu": {"latest_percent": 93.0}, "tls.certificate": ProbeError(ErrorKind.TLS, "no handshake")})

    again = record(trace, tmp_path / "run.jsonl").replay()

    assert again.events == trace.events
    assert build(again) == build(trace)


def test_the_history_holds_all_that_the_table_needs(
    fakes: Callable[..., Any], system: Mapping[str, str], tmp_path: Path
) -> None:
    from runbook_engine.engine.trace import fold

    journal = rb.SqliteJournal(tmp_path / "history.sqlite")
    trace = rb.triage(
        POLICY,
        probes=fakes().registry,
        inputs={**system, "slow": "100ms"},
        environ={},
        journal=journal,
    )

    assert build(fold(journal.events(trace.run_id))).metrics == build(trace).metrics
    journal.close()


def test_another_runbook_has_no_table(measured: Triage) -> None:
    assert judged_metrics(rb.load("high-latency").runbook) == ()
    assert judged_metrics(measured().document.model_copy(update={"runbook": "another"})) == ()


def test_somebody_elses_runbook_called_triage_has_no_table(tmp_path: Path) -> None:
    file = tmp_path / "triage.yaml"
    file.write_text("runbook: triage\ntitle: Mine\nstart: a\nsteps:\n  a: {ask: 'Is it slow?', default: false}\n")

    trace = rb.run(file)

    assert build(trace).metrics == ()
    assert "Nothing was found" in rb.render(trace, rb.ReportFormat.TEXT)


def test_ones_own_policy_comes_before_the_shipped_one(
    tmp_path: Path, small_text: str, small_probes: rb.Registry
) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "metrics.yaml").write_text(small_text)
    library = rb.Library((tmp_path, shipped_directory()))

    trace = rb.triage(library=library, probes=small_probes, inputs={"token": "t0p-secret"})

    assert [each.step for each in build(trace).metrics] == ["response_time", "stock"]


def test_a_policy_that_is_nowhere_is_told_with_every_place_that_was_searched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no policy 'metrics'\n  searched .*policy/metrics\.yaml"):
        rb.triage(library=rb.Library((tmp_path,)))
    with pytest.raises(UsageError, match="there is no policy nowhere"):
        rb.triage("nowhere.yaml")


def test_a_policy_with_mistakes_is_refused_with_all_of_them(
    tmp_path: Path, small_text: str, small_probes: rb.Registry
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(small_text.replace("metric: p95", "metric: p59").replace("below: 10", "below: 10%"))

    with pytest.raises(rb.InvalidDocumentError) as caught:
        rb.triage(file, probes=small_probes)

    assert [each.code for each in caught.value.diagnostics] == ["RB501", "RB502"]


@pytest.mark.anyio
async def test_a_triage_runs_inside_an_event_loop_too(
    small_text: str, small_probes: rb.Registry, tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(small_text)
    options = {"token": "t0p-secret"}

    trace = await rb.atriage(file, probes=small_probes, inputs=options)

    assert trace.outcome is rb.Outcome.HEALTHY
    with pytest.raises(UsageError, match=r"triage\(\) was called inside a running event loop; use `await atriage"):
        rb.triage(file, probes=small_probes, inputs=options)


@pytest.mark.parametrize("title", ["{{ inputs.token }}", "{% if x %}", "{# x #}", "{{{{"])
def test_a_title_is_a_text_and_no_template(
    title: str, small_text: str, small_probes: rb.Registry, tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(small_text.replace("title: Stock", f"title: '{title}'").replace("below: 10", "below: 100"))

    trace = rb.triage(file, probes=small_probes, inputs={"token": "t0p-secret"})

    assert build(trace).metrics[1].title == title
    assert trace.findings[0].title.startswith(title[0])
