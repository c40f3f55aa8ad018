"""When each step ran, on one axis: steps run side by side, and the picture says so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from runbook_engine.engine.events import StepStatus
from runbook_engine.report.model import Report, StepPart
from runbook_engine.report.view import duration, nested

_TICKS = 6
_LEAST = 0.6
"""The narrowest bar, in percent: what took no time is still seen."""


@dataclass(frozen=True, slots=True)
class Tick:
    """``at`` is in percent of the axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A step and its bar, in percent of the axis; ``width`` is 0 for one that did not run. ``waits`` are retries."""

    step: StepPart
    left: float
    width: float
    waits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Waterfall:
    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]


def waterfall(report: Report) -> Waterfall:
    """Lines in order of start; what never ran comes last, not asked and skipped before not reached. Below a call, so ordered,
    stand the steps that it led to.
    """
    begin = _milliseconds(report.started_at)
    ran = [each for each in report.steps if each.started_at]
    ends = (_milliseconds(each.started_at or "") - begin + (each.duration_ms or 0.0) for each in ran)
    span = max(report.duration_ms, *ends, 0.001) if ran else max(report.duration_ms, 0.001)
    lines = (
        _line(each, begin, span) if each.started_at else Line(each, 0.0, 0.0, ())
        for each in nested(sorted(report.steps, key=_place))
    )
    return Waterfall(tuple(lines), tuple(_ticks(span)))


def _place(step: StepPart) -> tuple[bool, str, bool]:
    return not step.started_at, step.started_at or "", step.status not in (StepStatus.NOT_ASKED, StepStatus.SKIPPED)


def _line(step: StepPart, begin: float, span: float) -> Line:
    start = max(0.0, _milliseconds(step.started_at or "") - begin)
    width = max(_LEAST, 100 * (step.duration_ms or 0.0) / span)
    left = min(100 - min(width, 100.0), 100 * start / span)
    return Line(step, round(left, 2), round(min(width, 100.0 - left), 2), _waits(step, start, span))


def _waits(step: StepPart, start: float, span: float) -> tuple[float, ...]:
    """Where an attempt had failed; the wait after the last one ends at the latest when the step does."""
    waits: Sequence[float] = [each.wait_ms for each in step.retries]
    total = step.duration_ms or 0.0
    if not waits or total <= 0:
        return ()
    trying = max(0.0, total - sum(waits)) / (len(waits) + 1)
    at = start
    found = []
    for wait in waits:
        at += trying
        found.append(round(min(100.0, 100 * at / span), 2))
        at += wait
    return tuple(found)


def _ticks(span: float) -> Iterator[Tick]:
    step = _round_step(span / _TICKS)
    count = int(span / step)
    for index in range(count + 1):
        yield Tick(round(100 * index * step / span, 2), duration(index * step) if index else "0")


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at least ``rough``; whole minutes from one minute on."""
    for unit in (3_600_000.0, 60_000.0):
        if unit <= rough:
            rough_units = rough / unit
            return unit * next((each for each in (1, 2, 5, 10, 15, 30, 60) if each >= rough_units), 120)
    scale = 1e-3
    while scale * 10 <= rough:
        scale *= 10
    return next(each * scale for each in (1, 2, 5, 10) if each * scale >= rough)


def _milliseconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp() * 1000 if at else 0.0
