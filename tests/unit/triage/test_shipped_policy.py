"""The shipped policy is the guide's metric table, row by row, and its thresholds hold exactly as written there."""

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import runbook_engine as rb
from runbook_engine.document.models import FindingKind
from runbook_engine.document.policy import Policy
from runbook_engine.document.policy_load import load_policy_file
from runbook_engine.ids import FindingId
from runbook_engine.library import shipped_directory
from runbook_engine.report import build

Triage = Callable[..., rb.Trace]

# title, side, threshold, level, action: the rows of the table, in its order
GUIDE = (
    ("response_time", "Response time (P95)", "above", "500ms", "warning", "Investigate performance"),
    ("response_time", "Response time (P95)", "above", "1s", "critical", "Immediate action"),
    ("error_rate", "Error rate", "above", "1%", "warning", "Check error patterns"),
    ("error_rate", "Error rate", "above", "5%", "critical", "Incident response"),
    ("cpu", "CPU utilization", "above", "80%", "warning", "Consider scaling"),
    ("memory", "Memory utilization", "above", "90%", "critical", "Scale immediately"),
    ("connections", "Database connections", "above", "80%", "warning", "Monitor closely"),
    ("disk", "Disk usage", "above", "85%", "warning", "Plan cleanup"),
    ("certificate", "SSL certificate", "below", "30d", "warning", "Renew certificate"),
)
RUNBOOKS = {
    "response_time": "high-latency",
    "error_rate": "high-error-rate",
    "cpu": "high-latency",
    "memory": "memory",
    "connections": "database-connections",
    "disk": "database-connections",
    "certificate": "tls-certificate",
}
INPUTS = {
    "slow": "500ms",
    "very_slow": "1s",
    "errors": "1%",
    "errors_high": "5%",
    "cpu_high": "80%",
    "memory_high": "90%",
    "connections_high": "80%",
    "disk_high": "85%",
    "certificate_days": "30d",
}
PROBES = {
    "response_time": ("http.latency", "p95"),
    "error_rate": ("http.latency", "error_rate"),
    "cpu": ("cpu", "latest_percent"),
    "memory": ("memory", "maximum_percent"),
    "connections": ("postgres.activity", "utilization"),
    "disk": ("aws.rds_instance", "storage_utilization"),
    "certificate": ("tls.certificate", "expires_in"),
}
DAY = 86400.0
# step, threshold in the base unit, which side is bad, level before, level beyond, the action beyond
BOUNDARIES = (
    ("response_time", 0.5, 1, "ok", "warning", "Investigate performance"),
    ("response_time", 1.0, 1, "warning", "critical", "Immediate action"),
    ("error_rate", 1.0, 1, "ok", "warning", "Check error patterns"),
    ("error_rate", 5.0, 1, "warning", "critical", "Incident response"),
    ("cpu", 80.0, 1, "ok", "warning", "Consider scaling"),
    ("memory", 90.0, 1, "ok", "critical", "Scale immediately"),
    ("connections", 80.0, 1, "ok", "warning", "Monitor closely"),
    ("disk", 85.0, 1, "ok", "warning", "Plan cleanup"),
    ("certificate", 30 * DAY, -1, "ok", "warning", "Renew certificate"),
)


@pytest.fixture(scope="module")
def policy() -> Policy:
    loaded = load_policy_file(shipped_directory() / "policy" / "metrics.yaml")
    assert loaded.diagnostics == ()
    assert loaded.policy is not None
    return loaded.policy


def test_it_has_the_nine_rows_of_the_guide_word_for_word(policy: Policy) -> None:
    def default(limit: object) -> object:
        return policy.inputs[str(limit).removeprefix("inputs.")].default

    assert (
        tuple(
            (name, metric.title, each.side, default(each.limit), each.level.value, each.action)
            for name, metric in policy.metrics.items()
            for each in metric.thresholds
        )
        == GUIDE
    )


def test_every_metric_names_the_runbook_that_finds_out_why(policy: Policy) -> None:
    assert {name: metric.runbook for name, metric in policy.metrics.items()} == RUNBOOKS


@pytest.mark.parametrize("name", INPUTS)
def test_every_threshold_is_an_input_with_the_guides_value(policy: Policy, name: str) -> None:
    assert policy.inputs[name].default == INPUTS[name]


def _with(healthy: Mapping[str, Mapping[str, object]], step: str, value: float | None) -> Mapping[str, object]:
    key, metric = PROBES[step]
    return {key: {**healthy[key], metric: value}}


@pytest.mark.parametrize(("step", "threshold", "side", "before", "beyond", "action"), BOUNDARIES)
@pytest.mark.parametrize("place", ["just before", "exactly", "just beyond"])
def test_a_threshold_is_passed_just_beyond_its_value_and_not_at_it(
    measured: Triage,
    healthy: Mapping[str, Mapping[str, object]],
    step: str,
    threshold: float,
    side: int,
    before: str,
    beyond: str,
    action: str,
    place: str,
) -> None:
    ulp = {
        "just before": math.nextafter(threshold, -side * math.inf),
        "exactly": threshold,
        "just beyond": math.nextafter(threshold, side * math.inf),
    }
    value = ulp[place]

    trace = measured(_with(healthy, step, value))

    rows = {each.step: each for each in build(trace).metrics}
    level = beyond if place == "just beyond" else before
    assert rows[step].level == level
    assert rows[step].value == value
    assert (rows[step].action == action) is (place == "just beyond")
    assert {each.level for name, each in rows.items() if name != step} == {"ok"}
    assert trace.outcome == {"ok": "healthy"}.get(level, level)


@pytest.mark.parametrize(
    ("step", "name", "value", "shown"),
    [
        ("response_time", "slow", "100ms", "> 100 ms"),
        ("error_rate", "errors", "0.1%", "> 0.1 %"),
        ("cpu", "cpu_high", "30%", "> 30 %"),
        ("memory", "memory_high", "50%", "> 50 %"),
        ("connections", "connections_high", "5%", "> 5 %"),
        ("disk", "disk_high", "20%", "> 20 %"),
        ("certificate", "certificate_days", "100d", "< 100 days"),
    ],
)
def test_an_input_overrides_each_threshold(
    measured: Triage, healthy: Mapping[str, Mapping[str, object]], step: str, name: str, value: str, shown: str
) -> None:
    trace = measured(_with(healthy, "error_rate", 0.5) if step == "error_rate" else None, **{name: value})

    row = next(each for each in build(trace).metrics if each.step == step)
    assert (row.level in ("warning", "critical"), row.threshold) == (True, shown)


def test_an_expired_certificate_is_beyond_its_threshold(
    measured: Triage, healthy: Mapping[str, Mapping[str, object]]
) -> None:
    trace = measured(_with(healthy, "certificate", -3 * DAY))

    assert [each.finding for each in trace.findings] == ["certificate_warning"]
    assert trace.findings[0].title == "The certificate expired 3 days ago (threshold 30 days)"


def test_every_finding_is_a_symptom_with_the_action_and_the_runbook_to_run(measured: Triage) -> None:
    document = measured().document

    assert {each.kind for each in document.findings.values()} == {FindingKind.SYMPTOM}
    for step, _, _, _, level, action in GUIDE:
        resolution = document.findings[FindingId(f"{step}_{level}")].resolution
        assert resolution is not None
        assert document.resolutions[resolution].steps == (action, f"runbook run {RUNBOOKS[step]}")


def test_a_disk_of_this_machine_takes_the_place_of_the_databases_as_the_comment_says(
    fakes: Callable[..., Any], system: Mapping[str, str], tmp_path: Path
) -> None:
    text = (shipped_directory() / "policy" / "metrics.yaml").read_text("utf-8")
    instead = "\n".join(f"    {line}" for line in re.findall(r"(?m)^  #   (\S.*)$", text))
    text = re.sub(r"(?ms)^    probe: aws.rds_instance$.*?metric: storage_utilization", instead, text)
    text = re.sub(r"(?m)^  db_instance_id:.*\n", "", text)
    file = tmp_path / "metrics.yaml"
    file.write_text(text)
    disk = rb.FakeProbe(
        "host.disk",
        {"total": 100, "used": 86, "free": 14, "utilization": 86.0, "inode_utilization": None},
        like=rb.Registry().get("host.disk"),
    )

    given = {name: value for name, value in system.items() if name != "db_instance_id"}
    trace = rb.triage(file, probes=fakes().registry.with_probes(disk.probe), inputs=given, environ={})

    row = build(trace).metrics[5]
    assert (row.title, row.shown, row.level) == ("Disk usage", "86 %", "warning")
    assert rb.load_triage(file, probes=fakes().registry.with_probes(disk.probe)).runbook.steps.keys() == RUNBOOKS.keys()
