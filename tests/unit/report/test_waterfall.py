from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.engine.trace import Trace
from runbook_engine.report import Report, build
from runbook_engine.report.waterfall import waterfall


def bars(trace: Trace) -> dict[str, tuple[float, float]]:
    return {line.step.id: (line.left, line.width) for line in waterfall(build(trace)).lines}


def test_bars_stand_where_and_as_long_as_steps_ran(traces: Mapping[str, Trace]) -> None:
    found = bars(traces["critical"])
    assert found["response_time"] == pytest.approx((0.11, 13.07), abs=0.01)
    assert found["deployed"] == pytest.approx((14.56, 85.33), abs=0.01)


def test_steps_that_ran_side_by_side_begin_at_the_same_place(traces: Mapping[str, Trace]) -> None:
    found = bars(traces["healthy"])
    assert found["database"][0] == found["cache"][0] == found["compute"][0]


def test_what_did_not_run_comes_last_without_a_bar(traces: Mapping[str, Trace]) -> None:
    lines = waterfall(build(traces["interrupted"])).lines
    assert [(line.step.id, line.width) for line in lines[-2:]] == [("health_check", 0.0), ("deployed", 0.0)]


def test_a_retry_leaves_a_mark_inside_its_bar(traces: Mapping[str, Trace]) -> None:
    (line,) = [each for each in waterfall(build(traces["critical"])).lines if each.step.id == "cache"]
    assert len(line.waits) == 1
    assert line.left < line.waits[0] < line.left + line.width


@given(st.floats(0.01, 1e8))
def test_the_axis_has_a_few_round_ticks(span: float) -> None:
    report = _lasting(span)
    ticks = waterfall(report).ticks
    assert 2 <= len(ticks) <= 8
    assert ticks[0].label == "0"
    assert all(0 <= tick.at <= 100 for tick in ticks)


def _lasting(milliseconds: float) -> Report:
    return msgspec.convert(
        {
            "run_id": "1",
            "runbook": {"name": "x", "version": "1", "digest": "", "title": "x"},
            "outcome": "healthy",
            "ending": "completed",
            "started_at": "2025-08-24T13:00:00.000Z",
            "finished_at": "2025-08-24T13:00:00.000Z",
            "duration_ms": milliseconds,
            "inputs": {},
            "findings": (),
            "steps": (),
            "path": (),
            "blind_spots": (),
        },
        Report,
    )


def test_every_bar_lies_on_the_axis_and_can_be_seen(traces: Mapping[str, Trace]) -> None:
    for trace in traces.values():
        for line in waterfall(build(trace)).lines:
            if line.step.started_at:
                assert line.width >= 0.5
                assert line.left + line.width <= 100.01
