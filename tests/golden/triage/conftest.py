"""Triages of the shipped policy over the unit tests' fakes, at a time that stands still but for a tick at each look."""

import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from msgspec.structs import replace

import runbook_engine as rb
from runbook_engine.engine.events import RunStarted
from runbook_engine.engine.trace import fold
from runbook_engine.library import shipped_directory
from runbook_engine.probe import ErrorKind, ProbeError

_FILE = Path(__file__).parents[2] / "unit" / "triage" / "conftest.py"
POLICY = shipped_directory() / "policy" / "metrics.yaml"
START = 1756040400.25  # 2025-08-24 13:00:00.250 UTC


class Ticking:
    def __init__(self) -> None:
        self._now = START

    def now(self) -> float:
        self._now += 0.01
        return self._now

    async def sleep(self, _seconds: float) -> None:
        raise AssertionError

    def chance(self) -> float:
        return 0.5


def _module() -> ModuleType:
    name = "triage_fakes"
    if name not in sys.modules:
        spec = spec_from_file_location(name, _FILE)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def _triage(answers: Mapping[str, object], **inputs: str) -> rb.Trace:
    fakes = _module()
    registry = fakes.Fakes({**fakes.HEALTHY, **answers}).registry
    system = {name: value for name, value in fakes.SYSTEM.items() if name != "database_url"}
    trace = rb.triage(POLICY, probes=registry, inputs={**system, **inputs}, environ={}, clock=Ticking())
    start, *rest = trace.events
    assert isinstance(start, RunStarted)
    return fold([replace(start, run_id="68ab0b50-0a1b2c3d", engine="0.1.0"), *rest])


@pytest.fixture(scope="session")
def triages() -> Mapping[str, rb.Trace]:
    """By name: healthy, mixed, unreachable, unseen."""
    latency = {**_module().LATENCY, "p95": 1.24, "error_rate": 3.0}
    denied = ProbeError(
        ErrorKind.FORBIDDEN,
        "rds:DescribeDBInstances is denied to arn:aws:iam::123456789012:user/on-call",
        remedy="allow rds:DescribeDBInstances on this instance",
    )
    database = "postgresql://reader:s3cret@db.internal/app"
    return {
        "healthy": _triage({}, database_url=database),
        "mixed": _triage(
            {
                "http.latency": latency,
                "cpu": {"latest_percent": 93.0},
                "aws.rds_instance": denied,
                "tls.certificate": {**_module().CERTIFICATE, "expires_in": 29 * 86400.0},
            }
        ),
        "unreachable": _triage(
            {"http.latency": ProbeError(ErrorKind.REFUSED, "10.0.0.7:443 refuses connections: nothing listens there")},
            database_url=database,
        ),
        "unseen": _triage({"aws.rds_instance": denied}, database_url=database),
    }
