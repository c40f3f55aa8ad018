"""Runbooks in a few lines, and clocks that do not wait."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.graph.compile import Compiler
from runbook_engine.probe import Dimension, MetricType
from runbook_engine.probe.fake import Answer, FakeProbe

METRICS = {
    "p95": MetricType(Dimension.DURATION, lower=0),
    "used": MetricType(Dimension.PERCENT, lower=0, upper=100),
    "state": MetricType(Dimension.TEXT),
}

HEAD = "runbook: example\ntitle: An example\n"


@pytest.fixture
def fake() -> Callable[..., FakeProbe]:
    def make(*answers: Answer, name: str = "fake.value", delay: float = 0.0) -> FakeProbe:
        return FakeProbe(name, *answers, metrics=METRICS, delay=delay)

    return make


Compile = Callable[..., rb.Plan]


@pytest.fixture
def plan() -> Compile:
    def compile_text(text: str, *probes: FakeProbe) -> rb.Plan:
        whole = text if text.startswith("runbook:") else HEAD + text
        found = Compiler(rb.Registry.of(*(each.probe for each in probes)), rb.Library(())).loaded(
            load(whole, "example.yaml")
        )
        assert found.plan is not None, [str(each) for each in found.diagnostics]
        return found.plan

    return compile_text


@dataclass
class TestClock:
    """Time moves only when somebody sleeps."""

    __test__ = False
    time: float = 1_700_000_000.0
    slept: list[float] = field(default_factory=list)
    luck: float = 0.5

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def chance(self) -> float:
        return self.luck


@pytest.fixture
def clock() -> TestClock:
    return TestClock()
