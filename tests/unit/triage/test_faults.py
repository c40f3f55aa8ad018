"""What is wrong with a metric whatever its value is: the worst counts first, and the row says it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.report import ReportFormat, build, render

Triage = Callable[..., rb.Trace]

POLICY = """\
policy: metrics
title: One
metrics:
  response_time:
    title: Response time
    probe: small.latency
    metric: p95
    thresholds:
      - {level: warning, above: 500ms, action: Look}
      - {level: critical, above: 1s, action: Run}
    faults:
      - {when: error_rate > 50%, level: warning, says: "fails for {{ error_rate }} of requests", action: Look twice}
      - {when: state == "down", level: critical, says: is down, action: Start it}
    runbook: high-latency
"""
DAY = 86400.0


@pytest.mark.parametrize(
    ("p95", "error_rate", "state", "level", "says", "action"),
    [
        (0.1, 0.0, "up", "ok", "> 500 ms", ""),
        (0.1, 60.0, "up", "warning", "fails for 60 % of requests", "Look twice"),
        (0.6, 60.0, "up", "warning", "fails for 60 % of requests", "Look twice"),
        (1.1, 60.0, "up", "critical", "> 1 s", "Run"),
        (1.1, 60.0, "down", "critical", "is down", "Start it"),
        (0.1, 0.0, "down", "critical", "is down", "Start it"),
        (0.6, 0.0, "up", "warning", "> 500 ms", "Look"),
    ],
)
def test_the_worst_that_is_wrong_is_the_row(
    tmp_path: Path,
    small_probes: rb.Registry,
    p95: float,
    error_rate: float,
    state: str,
    level: str,
    says: str,
    action: str,
) -> None:
    policy = tmp_path / "one.yaml"
    policy.write_text(POLICY, "utf-8")
    like = small_probes.get("small.latency")
    fake = rb.FakeProbe("small.latency", {"p95": p95, "error_rate": error_rate, "state": state}, like=like)

    trace = rb.triage(policy, probes=rb.Registry.of(fake.probe), environ={})

    (row,) = build(trace).metrics
    assert (row.level, row.threshold, row.action, row.value) == (level, says, action, p95)
    assert trace.outcome == ("healthy" if level == "ok" else level)


@pytest.mark.parametrize(
    ("wrong", "level", "says"),
    [
        ({}, "ok", "< 30 days"),
        ({"expires_in": 29 * DAY, "chain_expires_in": 29 * DAY}, "warning", "< 30 days"),
        ({"expired": True, "expires_in": -3 * DAY, "chain_expires_in": -3 * DAY}, "critical", "has expired"),
        ({"not_yet_valid": True}, "critical", "is not valid yet"),
        ({"name_matches": False}, "critical", "is for another name"),
        ({"self_signed": True, "trusted": False}, "critical", "is self-signed"),
        ({"self_signed": True}, "ok", "< 30 days"),
        ({"chain_complete": False, "trusted": False}, "critical", "lacks its chain"),
        ({"chain_expires_in": -1.0, "trusted": False}, "critical", "has an expired chain"),
        ({"trusted": False}, "critical", "is not trusted"),
        ({"chain_expires_in": 9 * DAY}, "warning", "has a chain that does not last (expires in 9 days)"),
        ({"chain_expires_in": 30 * DAY}, "ok", "< 30 days"),
    ],
)
def test_the_row_of_the_certificate_is_as_bad_as_what_its_runbook_finds(
    measured: Triage, healthy: Mapping[str, Mapping[str, object]], wrong: Mapping[str, object], level: str, says: str
) -> None:
    reading = {**healthy["tls.certificate"], **wrong}

    trace = measured({"tls.certificate": reading})

    row = next(each for each in build(trace).metrics if each.step == "certificate")
    assert (row.level, row.threshold) == (level, says)
    assert _found(reading) == ("healthy" if level == "ok" else level)


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_a_certificate_that_no_client_gets_is_as_bad_as_its_runbook_finds_it(measured: Triage, kind: ErrorKind) -> None:
    error = ProbeError(kind, "it went wrong")

    trace = measured({"tls.certificate": error})

    row = next(each for each in build(trace).metrics if each.step == "certificate")
    seen = kind in (ErrorKind.REFUSED, ErrorKind.TIMEOUT, ErrorKind.DNS, ErrorKind.TLS)
    assert (row.level, row.action) == (("critical", "Bring HTTPS back") if seen else ("unknown", ""))
    assert row.threshold == ("reaches no client" if seen else "< 30 days")
    assert _found(error) == ("critical" if seen else "inconclusive")
    text = render(trace, ReportFormat.TEXT)
    assert ("SSL certificate reaches no client\n    " + f"{kind}: it went wrong" in text) is seen


def test_every_format_says_what_is_wrong(measured: Triage, healthy: Mapping[str, Mapping[str, object]]) -> None:
    trace = measured({"tls.certificate": {**healthy["tls.certificate"], "name_matches": False}})

    for format_ in ReportFormat:
        assert "is for another name" in render(trace, format_), format_


def _found(reading: Mapping[str, object] | ProbeError) -> str:
    """The outcome of ``runbook run tls-certificate`` over this reading, with nothing to be said of ACM."""
    known = rb.Registry()
    tls = rb.FakeProbe("tls.certificate", reading, like=known.get("tls.certificate"))
    acm = rb.FakeProbe(
        "aws.acm_certificate",
        {
            "certificates": 1,
            "status": "issued",
            **dict.fromkeys(("issued", "in_use", "renewal_eligible"), True),
            "renewal": "none",
            "expires_in": 90 * DAY,
        },
        like=known.get("aws.acm_certificate"),
    )
    given = {"tls_host": "api.test", "aws_region": "eu-west-1"}
    return str(rb.run("tls-certificate", inputs=given, probes=rb.Registry.of(tls.probe, acm.probe), environ={}).outcome)
