"""What cannot be seen is said, with what would make it visible; it never reads as healthy."""

from collections.abc import Callable

import psycopg
import pytest

import runbook_engine as rb
from runbook_engine.engine.events import Outcome
from runbook_engine.kinds import ErrorKind
from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.lab.postgres import PostgresServer

Diagnose = Callable[..., rb.Trace]


def spots(trace: rb.Trace) -> dict[str, tuple[ErrorKind, str]]:
    """By step, with the steps that called its runbook before it."""
    return {f"{each.scope}/{each.step}".lstrip("/"): (each.kind, each.remedy) for each in trace.blind_spots}


def test_a_healthy_system_seen_whole_is_healthy(diagnose: Diagnose) -> None:
    trace = diagnose()
    assert trace.outcome is Outcome.HEALTHY
    assert trace.blind_spots == []


def test_a_path_of_another_api_is_blind_and_says_what_is_there_instead(diagnose: Diagnose) -> None:
    trace = diagnose(application_latency="deps.app.latency_s")
    assert trace.outcome is Outcome.INCONCLUSIVE
    (spot,) = trace.blind_spots
    assert (spot.step, spot.kind) == ("components", ErrorKind.MISSING)
    assert "deps.app.latency_s leads nowhere: the document is an object with " in spot.message
    assert "components" in spot.message


def test_a_role_without_pg_monitor_is_blind_and_the_grant_is_named(
    diagnose: Diagnose, bare_postgres: PostgresServer
) -> None:
    with psycopg.connect(bare_postgres.dsn()):  # somebody whose session the role may not look at
        trace = diagnose(database_url=bare_postgres.dsn("plain", "plain-secret"))
    assert trace.outcome is Outcome.INCONCLUSIVE
    kind, remedy = spots(trace)["locks"]
    assert kind is ErrorKind.MISSING
    assert "GRANT pg_monitor TO" in remedy


def test_a_missing_extension_is_blind_and_the_statement_is_named(
    diagnose: Diagnose, bare_postgres: PostgresServer
) -> None:
    trace = diagnose(database_url=bare_postgres.dsn("watcher", "watcher-secret"))
    assert trace.outcome is Outcome.INCONCLUSIVE
    kind, remedy = spots(trace)["slow_queries"]
    assert kind is ErrorKind.MISSING
    assert "CREATE EXTENSION" in remedy


def test_a_wrong_password_is_blind_and_appears_nowhere(diagnose: Diagnose, bare_postgres: PostgresServer) -> None:
    trace = diagnose(database_url=bare_postgres.dsn("watcher", "not-the-password"))
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert spots(trace)["database/login"][0] is ErrorKind.AUTH
    assert "not-the-password" not in repr(trace.events)


def test_a_database_that_refuses_is_a_finding(diagnose: Diagnose, closed_port: int) -> None:
    trace = diagnose(database_url=f"postgresql://app:pw-of-app@127.0.0.1:{closed_port}/app")
    assert [each.finding for each in trace.causes] == ["database_down"]


def test_a_cache_that_refuses_is_a_finding(diagnose: Diagnose, closed_port: int) -> None:
    trace = diagnose(redis_url=f"redis://127.0.0.1:{closed_port}/0")
    assert [each.finding for each in trace.causes] == ["cache_down"]


def test_a_database_that_never_answers_is_a_finding_within_its_deadline(diagnose: Diagnose, black_hole: int) -> None:
    trace = diagnose(database_url=f"postgresql://app:pw-of-app@127.0.0.1:{black_hole}/app")
    assert [each.finding for each in trace.causes] == ["database_timeouts"]
    assert trace.outcome is Outcome.CRITICAL
    assert trace.duration < 20


def test_a_cache_that_never_answers_is_a_finding_as_a_database_is(diagnose: Diagnose, black_hole: int) -> None:
    trace = diagnose(redis_url=f"redis://127.0.0.1:{black_hole}/0")
    assert [each.finding for each in trace.causes] == ["cache_timeouts"]
    assert trace.outcome is Outcome.CRITICAL
    assert "cache/ping" not in spots(trace)


def test_an_api_that_never_answers_is_a_finding(diagnose: Diagnose, black_hole: int) -> None:
    trace = diagnose(api_url=f"http://127.0.0.1:{black_hole}")
    assert [each.finding for each in trace.symptoms] == ["api_down"]
    assert trace.outcome is Outcome.CRITICAL


def test_an_iam_denial_is_blind_and_the_action_is_named(diagnose: Diagnose, aws: AwsEndpoint) -> None:
    aws.disturb(Disturbance("denied", service="monitoring"))
    try:
        trace = diagnose(environ=aws.environ, aws_endpoint_url=aws.url)
    finally:
        aws.recover()
    assert trace.outcome is Outcome.INCONCLUSIVE
    for step in ("cpu", "memory/usage"):
        kind, remedy = spots(trace)[step]
        assert kind is ErrorKind.FORBIDDEN
        assert "cloudwatch:GetMetricStatistics" in remedy


def test_a_metric_without_datapoints_is_blind_and_never_zero(diagnose: Diagnose, aws: AwsEndpoint) -> None:
    trace = diagnose(environ=aws.environ, aws_endpoint_url=aws.url)
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert spots(trace)["cpu"][0] is ErrorKind.MISSING
    assert spots(trace)["memory/usage"][0] is ErrorKind.MISSING


def test_what_is_not_given_is_not_asked_and_every_report_says_how_to_give_it(lab_inputs: dict[str, str]) -> None:
    trace = rb.run("high-latency", inputs=lab_inputs, environ={})
    assert {"database", "cache"} & spots(trace).keys() == set()
    text = rb.render(trace, rb.ReportFormat.TEXT)
    assert text.count("Not asked") == 1
    for given in ("database_url", "redis_url"):
        assert given in text.partition("Not asked")[2]


def test_no_password_reaches_a_log(
    diagnose: Diagnose, lab_passwords: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        diagnose()
    assert caplog.records
    assert [each for each in lab_passwords if each in caplog.text] == []
