"""A probe that measures nothing and answers what it was told: for the tests of runbooks, probes' users and the engine.

::

    database = FakeProbe("postgres.activity", {"utilization": 93.0}, like=activity)
    trace = rb.run(runbook, probes=Registry.of(database.probe))
    assert database.calls[0].dsn == ...
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import anyio
from pydantic import ConfigDict, create_model

from runbook_engine.probe.contract import Metric, Params, Probe, ProbeContext, Reading
from runbook_engine.probe.failure import ProbeError
from runbook_engine.quantity import Dimension, MetricType


class AnyParams(Params):
    """Takes whatever a step gives."""

    model_config = ConfigDict(frozen=True, extra="allow", arbitrary_types_allowed=True)


Answer = Mapping[str, object] | Reading | Exception


@dataclass
class FakeProbe:
    """``answers`` are given in order, the last one again and again: a mapping of metrics, a Reading, or an exception.

    ``like`` is the probe that it stands for: same parameters, same metrics. Without it the parameters are whatever comes,
    and ``metrics`` declares the metrics. ``delay`` (seconds) is waited, cancellably, before each answer.
    """

    name: str
    answers: tuple[Answer, ...]
    calls: list[Params]
    probe: Probe[Any, Any]

    def __init__(
        self,
        name: str,
        *answers: Answer,
        like: Probe[Any, Any] | None = None,
        metrics: Mapping[str, MetricType] | None = None,
        delay: float = 0.0,
    ) -> None:
        self.name = name
        self.answers = answers
        self.calls = []
        reading = like.reading if like else reading_type(metrics or {})
        params: type[Params] = like.params if like else AnyParams
        command: Callable[[Any], str] = like.command if like else lambda _params: f"fake {name}"
        measure = self._measure(reading, delay)
        self.probe = Probe(
            name, params, reading, measure, command, frozenset(), "A fake.", like is None or like.reads_only
        )

    def _measure(self, reading: type[Reading], delay: float) -> Callable[[Params, ProbeContext], Awaitable[Reading]]:
        async def measure(params: Params, _ctx: ProbeContext) -> Reading:
            answer = self.answers[min(len(self.calls), len(self.answers) - 1)]
            self.calls.append(params)
            if delay:
                await anyio.sleep(delay)
            if isinstance(answer, Exception):
                raise answer.with_traceback(None)
            return answer if isinstance(answer, Reading) else reading.model_validate(answer)

        return measure


def reading_type(metrics: Mapping[str, MetricType]) -> type[Reading]:
    """A Reading with these metrics, each of which may be None."""
    fields: dict[str, Any] = {name: (_hint(each), None) for name, each in metrics.items()}
    return create_model("FakeReading", __base__=Reading, **fields)


def _hint(metric: MetricType) -> Any:
    match metric.dimension:
        case Dimension.TEXT:
            return Literal[metric.members] | None if metric.members else str | None
        case Dimension.BOOL:
            return bool | None
    note = Metric(metric.dimension, metric.lower, metric.upper)
    return Annotated[int, note] | None if metric.integer else Annotated[float, note] | None


__all__ = ["AnyParams", "FakeProbe", "ProbeError", "reading_type"]
