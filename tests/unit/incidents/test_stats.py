"""How incidents went over months."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from tests.unit.incidents.stories import FORBIDDEN, LOCKED, SLOW, attached

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import Severity
from runbook_engine.engine.events import Outcome
from runbook_engine.incidents import acting, stats_text
from runbook_engine.incidents import events as e
from runbook_engine.incidents.acting import Decide
from runbook_engine.incidents.incident import Incident, fold
from runbook_engine.incidents.stats import Group, Stats, as_csv, as_json, stats

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
MINUTE = 60.0
Made = Callable[..., Incident]


@pytest.fixture
def opened(policy: IncidentPolicy) -> Made:
    """An incident opened on a day, acknowledged and resolved after so many minutes."""

    def made(
        day: str, priority: str, ack: float | None, resolve: float | None, *more: Decide, ran: Sequence[Decide] = ()
    ) -> Incident:
        begin = datetime.fromisoformat(f"{day}T10:00:00+00:00").timestamp()
        events = tuple(acting.opening(policy, "Down", Severity(priority), begin, "ann"))
        decisions = list(more)
        decisions += [acting.acknowledge(begin + ack * MINUTE, "bob")] if ack is not None else []
        decisions += [acting.resolve(begin + resolve * MINUTE, "bob")] if resolve is not None else []
        for decide in [*decisions, *ran]:
            events = (*events, *decide(fold(1, events)))
        return fold(1, events)

    return made


def group(found: Stats, by: str, name: str) -> Group:
    (only,) = [each for each in found.groups if (each.by, each.name) == (by, name)]
    return only


def test_means_and_medians_are_of_what_was_recorded_and_say_of_how_many(opened: Made) -> None:
    found = stats(
        [
            opened("2026-11-02", "P0", 2, 30),
            opened("2026-11-20", "P0", 4, 60),
            opened("2026-10-20", "P1", 12, None),
            opened("2026-10-21", "P1", None, 120),
        ],
        NOW,
    )
    every = group(found, "all", "all")
    assert (every.incidents, every.acknowledge.n, every.acknowledge.mean_s, every.acknowledge.median_s) == (
        4, 3, 6 * MINUTE, 4 * MINUTE,
    )  # fmt: skip
    assert (every.resolve.n, every.resolve.mean_s, every.resolve.median_s) == (3, 70 * MINUTE, 60 * MINUTE)
    assert (every.diagnose.n, every.diagnose.mean_s, every.diagnose.median_s) == (0, None, None)
    assert [each.name for each in found.groups if each.by == "month"] == ["2026-10", "2026-11"]
    assert group(found, "priority", "P0").acknowledge.mean_s == 3 * MINUTE
    assert group(found, "month", "2026-10").resolve.n == 1


@pytest.mark.parametrize(
    ("now", "months", "counted"),
    [
        ("2026-11-24T12:00:00+00:00", 3, 2),
        ("2026-11-24T12:00:00+00:00", 1, 1),
        ("2026-11-24T12:00:00+00:00", 12, 3),
        ("2026-05-31T12:00:00+00:00", 3, 1),  # there is no February 31
    ],
)
def test_months_are_those_of_the_calendar(now: str, months: int, counted: int, opened: Made) -> None:
    days = ("2026-02-28", "2026-09-01", "2026-11-01")
    at = datetime.fromisoformat(now).timestamp()
    assert stats([opened(day, "P0", 1, 2) for day in days], at, months).incidents == counted


def test_an_incident_counts_by_the_highest_priority_that_it_had(opened: Made) -> None:
    begin = datetime(2026, 11, 2, 10, tzinfo=UTC).timestamp()
    lowered = acting.reprioritise(begin + 60, "bob", Severity.P3, "harmless")
    raised = acting.reprioritise(begin + 30, "bob", Severity.P0, "worse")
    found = stats([opened("2026-11-02", "P2", 5, 10, raised, lowered)], NOW)
    assert [each.name for each in found.groups if each.by == "priority"] == ["P0"]


WANTING = e.AttachedBlindness("queries", "forbidden", "permission denied", "grant pg_monitor")


@pytest.fixture
def runs(opened: Made) -> Stats:
    wrong = attached(1, "b", "high-latency", Outcome.CRITICAL, findings=(SLOW, LOCKED))
    slow = attached(2, "b", "high-latency", Outcome.CRITICAL, findings=(SLOW,), blind_spots=(FORBIDDEN,))
    blind = attached(3, "b", "high-latency", Outcome.INCONCLUSIVE, blind_spots=(FORBIDDEN, FORBIDDEN, WANTING))
    healthy = attached(4, "b", "memory", Outcome.HEALTHY)
    incidents = [
        opened("2026-11-02", "P0", 1, 60, ran=[wrong]),
        opened("2026-11-03", "P0", 1, 30, ran=[slow]),
        opened("2026-11-04", "P1", 1, 90, ran=[blind, healthy]),
    ]
    return stats(incidents, NOW)


def test_each_run_is_told_by_what_came_of_it(runs: Stats) -> None:
    latency, memory = runs.runbooks
    assert (latency.runbook, latency.runs) == ("high-latency", 3)
    assert (latency.found_cause, latency.found_symptom, latency.healthy, latency.inconclusive) == (1, 1, 0, 1)
    assert (memory.runs, memory.healthy, memory.blind_spots) == (1, 1, ())
    assert group(runs, "runbook", "high-latency").incidents == 3
    assert group(runs, "runbook", "memory").resolve.mean_s == 90 * MINUTE


def test_what_was_not_seen_is_counted_by_what_would_make_it_visible(runs: Stats) -> None:
    ecs, postgres = runs.runbooks[0].blind_spots
    assert (ecs.kind, ecs.runs, ecs.inconclusive, ecs.steps) == ("forbidden", 2, 1, ("container",))
    assert ecs.remedy.startswith("grant ecs:DescribeServices")
    assert (postgres.remedy, postgres.runs, postgres.inconclusive) == ("grant pg_monitor", 1, 1)


def test_people_and_programs_read_the_same(runs: Stats) -> None:
    text = stats_text.text(runs)
    assert "3 incidents opened from 2026-08-24 to 2026-11-24" in text
    assert "1 h / 1 h (n=3)" in text
    assert "forbidden in 2 runs, 1 of them inconclusive (container)\n    to see it: grant ecs:DescribeServices" in text
    assert json.loads(as_json(runs))["schema"] == "runbook.incident-stats/v1"
    rows = list(csv.DictReader(io.StringIO(as_csv(runs), newline="")))
    assert (rows[0]["by"], rows[0]["incidents"], rows[0]["resolve_mean_s"]) == ("all", "3", "3600.0")


def test_without_incidents_there_are_no_means(opened: Made) -> None:
    found = stats([], NOW)
    assert found.incidents == 0
    assert "– " in stats_text.text(stats([opened("2026-11-02", "P0", None, None)], NOW))
    assert next(csv.DictReader(io.StringIO(as_csv(found))))["acknowledge_mean_s"] == ""
