"""The shipped policy, and fakes in place of everything that it measures."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.document import Diagnostic
from runbook_engine.document.policy_load import load_policy
from runbook_engine.graph.triage_checks import CompiledPolicy, compile_policy
from runbook_engine.library import shipped_directory
from runbook_engine.quantity import Dimension, MetricType

Answers = Mapping[str, object]
Triage = Callable[..., rb.Trace]

LATENCY: Answers = {
    **dict.fromkeys(("p50", "p95", "p99", "max", "mean", "connect"), 0.2),
    "error_rate": 0.0,
    "samples": 20,
    "ok": 20,
    "client_errors": 0,
}
ACTIVITY: Answers = {
    **dict.fromkeys(("total", "used", "active", "idle", "idle_in_transaction", "waiting"), 10),
    "limit": 100,
    "limited_by": "max_connections",
    "utilization": 10.0,
    "prepared": 0,
    "longest_prepared_age": 0.0,
    "longest_query_age": 0.0,
    "longest_transaction_age": 0.0,
}
CERTIFICATE: Answers = {
    **dict.fromkeys(("expires_in", "chain_expires_in"), 90 * 86400.0),
    **dict.fromkeys(("expired", "not_yet_valid", "self_signed", "stapled", "old_protocol"), False),
    **dict.fromkeys(("name_matches", "trusted", "chain_complete"), True),
    "expires_first": "CN=api.example.com",
    "chain_length": 2,
    "protocol": "TLSv1.3",
    "time": 0.01,
}
HEALTHY: Mapping[str, Answers] = {
    "http.latency": LATENCY,
    "cpu": {"latest_percent": 35.0},
    "memory": {"maximum_percent": 60.0},
    "postgres.activity": ACTIVITY,
    "aws.rds_instance": {"storage_utilization": 40.0},
    "tls.certificate": CERTIFICATE,
}
_PERCENT = MetricType(Dimension.PERCENT, lower=0, optional=True)


SYSTEM: Mapping[str, str] = {
    "api_url": "https://api.test",
    "database_url": "postgresql://reader:pw@db/app",
    "aws_region": "eu-west-1",
    "ecs_cluster": "shop",
    "ecs_service": "api",
    "db_instance_id": "shop-db",
}
"""The inputs that say where everything is which the shipped policy measures."""


class Fakes:
    """A probe of its own for everything that the shipped policy measures; ``calls`` counts what was asked."""

    def __init__(self, answers: Mapping[str, Answers | Exception]) -> None:
        known = rb.Registry()
        self.latency = rb.FakeProbe("http.latency", answers["http.latency"], like=known.get("http.latency"))
        self.cloudwatch = rb.FakeProbe(
            "aws.cloudwatch",
            answers["cpu"],
            answers["memory"],
            metrics={"latest_percent": _PERCENT, "maximum_percent": _PERCENT},
        )
        self.activity = rb.FakeProbe(
            "postgres.activity", answers["postgres.activity"], like=known.get("postgres.activity")
        )
        self.rds = rb.FakeProbe(
            "aws.rds_instance", answers["aws.rds_instance"], metrics={"storage_utilization": _PERCENT}
        )
        self.tls = rb.FakeProbe("tls.certificate", answers["tls.certificate"], like=known.get("tls.certificate"))

    @property
    def registry(self) -> rb.Registry:
        each = (self.latency, self.cloudwatch, self.activity, self.rds, self.tls)
        return rb.Registry.of(*(fake.probe for fake in each))


@pytest.fixture
def healthy() -> Mapping[str, Answers]:
    return HEALTHY


@pytest.fixture
def system() -> Mapping[str, str]:
    return SYSTEM


@pytest.fixture
def fakes() -> Callable[..., Fakes]:
    """Healthy answers, some of them replaced: by probe, or ``cpu`` and ``memory`` for CloudWatch's two."""

    def make(answers: Mapping[str, Answers | Exception] | None = None) -> Fakes:
        return Fakes({**HEALTHY, **(answers or {})})

    return make


@pytest.fixture
def measured(fakes: Callable[..., Fakes]) -> Triage:
    """The shipped policy carried out with such answers; inputs are given by name."""

    def run(answers: Mapping[str, Answers | Exception] | None = None, **inputs: object) -> rb.Trace:
        return rb.triage(
            shipped_directory() / "policy" / "metrics.yaml",
            probes=fakes(answers).registry,
            inputs={**SYSTEM, **inputs},
            environ={},
        )

    return run


SMALL = """\
policy: metrics
title: Small
inputs:
  slow: {type: duration, default: 500ms}
  very_slow: {type: duration, default: 1s}
  name: {type: string, default: api}
  token: {type: secret, env: TOKEN}
metrics:
  response_time:
    title: Response time
    probe: small.latency
    with: {url: "https://api.example.com"}
    metric: p95
    thresholds:
      - {level: warning, above: inputs.slow, action: Look}
      - {level: critical, above: inputs.very_slow, action: Run}
    runbook: high-latency
  stock:
    title: Stock
    probe: small.stock
    with: {name: "{{ inputs.name }}", token: "{{ inputs.token }}"}
    metric: left
    thresholds:
      - {level: warning, below: 10, action: Order}
    runbook: high-latency
"""


@pytest.fixture
def small_text() -> str:
    return SMALL


@pytest.fixture
def small_probes() -> rb.Registry:
    latency = {
        "p95": MetricType(Dimension.DURATION, lower=0),
        "error_rate": MetricType(Dimension.PERCENT, lower=0, upper=100),
        "state": MetricType(Dimension.TEXT),
    }
    stock = {"left": MetricType(Dimension.NUMBER, lower=0)}
    return rb.Registry.of(
        rb.FakeProbe("small.latency", {"p95": 0.1}, metrics=latency).probe,
        rb.FakeProbe("small.stock", {"left": 12.0}, metrics=stock).probe,
    )


@pytest.fixture
def compiled(small_probes: rb.Registry) -> Callable[[str], CompiledPolicy]:
    def compile_text(text: str) -> CompiledPolicy:
        return compile_policy(
            load_policy(text, "p.yaml"), small_probes, rb.Library((shipped_directory(),)), Path("p.yaml")
        )

    return compile_text


@pytest.fixture
def told(compiled: Callable[[str], CompiledPolicy]) -> Callable[[str], list[str]]:
    """The diagnostics of a policy as ``line:column CODE message`` lines."""

    def tell(text: str) -> list[str]:
        def line(each: Diagnostic) -> str:
            return f"{each.span.line}:{each.span.column} {each.code} {each.message}"

        return [line(each) for each in compiled(text).diagnostics]

    return tell
