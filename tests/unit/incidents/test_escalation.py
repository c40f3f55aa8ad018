"""Escalation, cell by cell of the operations guide's matrix, across daylight saving, business days and acknowledgements."""

from collections.abc import Mapping
from datetime import date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.document.models import Severity
from runbook_engine.incidents.business import Calendar
from runbook_engine.incidents.escalation import Call, Hold, Ladder, Phase, Rung, escalation, joined

P0, P1, P2, P3 = Severity
MINUTE = 60.0
WEEKDAYS = frozenset(range(5))
BERLIN = Calendar(ZoneInfo("Europe/Berlin"), WEEKDAYS, time(9), frozenset({date(2026, 12, 25)}))
ROWS = (0, 15, 30, 60, 120)
MATRIX = {
    P0: ("incident_commander", "technical_lead security_lead", "engineering_manager", "vp_engineering", "cto"),
    P1: ("technical_lead", "incident_commander", "engineering_manager", "vp_engineering", "cto"),
    P2: ("technical_lead", "technical_lead", "incident_commander", "engineering_manager", "vp_engineering"),
    P3: ("assigned_engineer", "team_lead", "engineering_manager", "vp_engineering", "cto"),
}
LADDERS: Mapping[str, Ladder] = {
    priority: Ladder(
        tuple(Rung(after * MINUTE, tuple(roles.split())) for after, roles in zip(ROWS, column, strict=True)),
        BERLIN if priority is P3 else None,
    )
    for priority, column in MATRIX.items()
}


def wall(text: str) -> float:
    """The moment at which the clocks of Berlin show a time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


def roles(priority: Severity, elapsed: float, opened: float = 0.0, *holds: Hold) -> set[str]:
    found = escalation(LADDERS, [Phase(priority, opened, opened, holds)], [], opened + elapsed)
    return {each.role for each in found.engaged}


@pytest.mark.parametrize("row", range(len(ROWS)))
@pytest.mark.parametrize("priority", [P0, P1, P2])
def test_each_cell_is_engaged_from_its_row_on_and_not_a_moment_before(priority: Severity, row: int) -> None:
    until = set(" ".join(MATRIX[priority][: row + 1]).split())
    before = set(" ".join(MATRIX[priority][:row]).split())
    assert roles(priority, ROWS[row] * MINUTE) == until
    if row:
        assert roles(priority, ROWS[row] * MINUTE - 0.001) == before


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_the_matrix_of_p3_is_climbed_from_the_next_business_day_on(row: int) -> None:
    opened = wall("2026-11-23 22:00")
    begins = wall("2026-11-24 09:00") - opened
    at = 0.0 if row == 0 else begins + ROWS[row] * MINUTE
    assert roles(P3, at, opened) == set(MATRIX[P3][: row + 1])
    assert roles(P3, begins, opened) == {"assigned_engineer"}


@pytest.mark.parametrize(
    ("opened", "begins"),
    [
        ("2026-11-23 08:00", "2026-11-24 09:00"),
        ("2026-11-27 12:00", "2026-11-30 09:00"),
        ("2026-11-28 12:00", "2026-11-30 09:00"),
        ("2026-12-24 12:00", "2026-12-28 09:00"),
        ("2026-03-27 18:00", "2026-03-30 09:00"),
        ("2026-10-23 18:00", "2026-10-26 09:00"),
        ("2026-12-31 23:59", "2027-01-01 09:00"),
    ],
    ids=["same-day", "friday", "saturday", "holiday-and-weekend", "clocks-forward", "clocks-back", "new-year"],
)
def test_the_next_business_day_begins_by_the_clocks_of_the_policys_time_zone(opened: str, begins: str) -> None:
    assert BERLIN.next_day(wall(opened)) == wall(begins)


def test_a_business_day_that_begins_in_the_hour_that_is_left_out_begins_as_the_clock_would_have_shown() -> None:
    calendar = Calendar(ZoneInfo("Europe/Berlin"), frozenset(range(7)), time(2, 30))
    assert calendar.next_day(wall("2026-03-28 12:00")) == wall("2026-03-29 03:30")


def test_a_week_without_business_days_is_refused() -> None:
    with pytest.raises(ValueError, match="no day of the week"):
        Calendar(ZoneInfo("UTC"), frozenset(), time(9)).next_day(0)


@pytest.mark.parametrize("opened", ["2026-03-29 01:50", "2026-10-25 02:50"], ids=["forward", "back"])
@pytest.mark.parametrize("priority", [P0, P1, P2])
def test_clocks_that_are_put_forward_or_back_move_no_row(priority: Severity, opened: str) -> None:
    at = wall(opened)
    for row, minutes in enumerate(ROWS):
        assert roles(priority, minutes * MINUTE, at) == set(" ".join(MATRIX[priority][: row + 1]).split())


def test_an_acknowledgement_holds_the_clock_and_one_that_ran_out_lets_it_go_on() -> None:
    held = Hold(10 * MINUTE, 40 * MINUTE)
    during = escalation(LADDERS, [Phase(P0, 0, 0, (held,))], [], 39 * MINUTE)
    assert [each.role for each in during.engaged] == ["incident_commander"]
    assert during.held_until == 40 * MINUTE
    assert during.elapsed == 10 * MINUTE
    assert during.next is not None
    assert during.next.at == 45 * MINUTE
    after = escalation(LADDERS, [Phase(P0, 0, 0, (held,))], [], 45 * MINUTE)
    assert {each.role for each in after.engaged} == {"incident_commander", "technical_lead", "security_lead"}
    assert after.held_until is None


def test_while_it_does_not_hurt_nothing_is_reached_and_nothing_comes() -> None:
    found = escalation(LADDERS, [Phase(P0, 0, 0, (Hold(10 * MINUTE, None),))], [], 500 * MINUTE)
    assert [each.role for each in found.engaged] == ["incident_commander"]
    assert found.next is None
    assert found.elapsed == 10 * MINUTE


def test_a_raised_priority_begins_a_clock_of_its_own_and_keeps_who_is_engaged() -> None:
    phases = [Phase(P2, 0, 0, (Hold(MINUTE, 200 * MINUTE),)), Phase(P0, 90 * MINUTE, 90 * MINUTE)]
    at_once = escalation(LADDERS, phases, [], 90 * MINUTE)
    assert [each.role for each in at_once.engaged] == ["technical_lead", "incident_commander"]
    assert at_once.next is not None
    assert at_once.next.at == 105 * MINUTE
    assert at_once.held_until is None


def test_a_lowered_priority_keeps_the_clock_and_releases_who_is_not_needed() -> None:
    phases = [Phase(P0, 0, 0), Phase(P2, 40 * MINUTE, 0)]
    before = escalation(LADDERS, phases, [], 39 * MINUTE)
    assert "engineering_manager" in {each.role for each in before.engaged}
    after = escalation(LADDERS, phases, [], 40 * MINUTE)
    assert {each.role for each in after.engaged} == {"technical_lead", "incident_commander"}
    assert all(each.carried for each in after.reached if each.priority is P2)
    assert after.next is not None
    assert (after.next.at, after.next.roles) == (60 * MINUTE, ("engineering_manager",))


def test_whom_somebody_calls_is_engaged_from_then_on_whatever_the_matrix_says() -> None:
    call = Call(5 * MINUTE, ("cto",), "ann")
    phases = [Phase(P0, 0, 0), Phase(P3, 10 * MINUTE, 0)]
    assert "cto" not in {each.role for each in escalation(LADDERS, phases, [call], 4 * MINUTE).engaged}
    (found,) = [each for each in escalation(LADDERS, phases, [call], 11 * MINUTE).engaged if each.role == "cto"]
    assert (found.since, found.after, found.by) == (5 * MINUTE, None, "ann")
    late = escalation(LADDERS, phases[:1], [call], 500 * MINUTE)
    assert [each.since for each in late.engaged if each.role == "cto"] == [5 * MINUTE]


def test_a_row_whose_moment_is_that_of_an_acknowledgement_is_reached() -> None:
    phases = [Phase(P0, 0, 0, (Hold(15 * MINUTE, 40 * MINUTE),))]
    assert [each.after for each in escalation(LADDERS, phases, [], 15 * MINUTE).reached] == [0, 15 * MINUTE]


def test_an_acknowledgement_holds_from_its_moment_on_and_no_longer_at_its_end() -> None:
    phases = [Phase(P0, 0, 0, (Hold(10 * MINUTE, 40 * MINUTE),))]
    held = [escalation(LADDERS, phases, [], at * MINUTE).held_until for at in (9, 10, 39, 40)]
    assert held == [None, 40 * MINUTE, 40 * MINUTE, None]


def test_what_the_clock_shows_is_counted_from_when_it_was_opened() -> None:
    assert escalation(LADDERS, [Phase(P0, 1000.0, 1000.0)], [], 1090.0).elapsed == 90.0
    assert escalation(LADDERS, [Phase(P0, 1000.0, 1000.0)], [], 1000.0).elapsed == 0.0


def test_an_acknowledgement_before_the_business_day_is_over_when_the_clock_begins_and_the_next_one_holds_it() -> None:
    opened = wall("2026-11-23 22:00")
    begins = wall("2026-11-24 09:00")
    holds = (Hold(opened, opened + MINUTE), Hold(begins + 5 * MINUTE, begins + 25 * MINUTE))
    found = escalation(LADDERS, [Phase(P3, opened, opened, holds)], [], begins)
    assert found.next is not None
    assert found.next.at == begins + 35 * MINUTE


def test_rows_from_the_moment_on_at_which_the_priority_changes_are_those_of_the_new_one() -> None:
    phases = [Phase(P2, 0, 0), Phase(P1, 60 * MINUTE, 60 * MINUTE), Phase(P0, 80 * MINUTE, 80 * MINUTE)]
    found = escalation(LADDERS, phases, [], 125 * MINUTE)
    assert [(each.priority, each.at / MINUTE) for each in found.reached] == [
        *[(P2, 0), (P2, 15), (P2, 30)],
        *[(P1, 60), (P1, 75)],
        *[(P0, 80), (P0, 95), (P0, 110)],
    ]


def test_before_a_priority_changes_all_is_by_the_one_before() -> None:
    phases = [Phase(P0, 0, 0), Phase(P2, 40 * MINUTE, 10 * MINUTE)]
    found = escalation(LADDERS, phases, [], 20 * MINUTE)
    assert found.next is not None
    assert (found.next.priority, found.next.at, found.elapsed) == (P0, 30 * MINUTE, 20 * MINUTE)


def test_no_row_that_is_reached_in_its_own_time_is_carried_over() -> None:
    found = escalation(LADDERS, [Phase(P0, 0, 0)], [], 15 * MINUTE)
    assert [each.carried for each in found.reached] == [False, False]


def test_a_call_counts_from_its_moment_on_and_ends_with_what_an_alert_opens_again() -> None:
    first, again = Call(5 * MINUTE, ("cto",), "ann"), Call(50 * MINUTE, ("vp_engineering",), "bob")
    phases = [Phase(P0, 0, 0), Phase(P0, 50 * MINUTE, 50 * MINUTE, anew=True)]

    def called(at: float) -> list[str]:
        found = escalation(LADDERS, phases, [first, again], at * MINUTE)
        return [each.role for each in found.engaged if each.by]

    assert [called(4.9), called(5), called(49.9), called(50), called(51)] == [
        *([], ["cto"], ["cto"]),
        *(["vp_engineering"], ["vp_engineering"]),
    ]


def test_whom_the_matrix_calls_at_the_same_moment_is_called_by_the_matrix() -> None:
    call = Call(15 * MINUTE, ("technical_lead",), "ann")
    found = escalation(LADDERS, [Phase(P0, 0, 0)], [call], 15 * MINUTE)
    assert [(each.after, each.by) for each in found.engaged if each.role == "technical_lead"] == [(15 * MINUTE, "")]


_moments = st.integers(0, 200)
_holds = st.lists(st.tuples(_moments, st.integers(1, 60)), max_size=4).map(
    lambda pairs: joined([Hold(float(since), float(since + length)) for since, length in pairs])
)


@given(_holds, st.sampled_from([P0, P1, P2]), st.integers(0, 400))
def test_a_clock_with_holds_agrees_with_one_that_is_counted_tick_by_tick(
    holds: tuple[Hold, ...], priority: Severity, now: int
) -> None:
    counted = sum(not any(each.since <= tick < (each.until or 0) for each in holds) for tick in range(now))
    found = escalation(LADDERS_IN_TICKS, [Phase(priority, 0, 0, holds)], [], float(now))
    assert found.elapsed == counted
    assert {each.after for each in found.reached} == {row for row in ROWS if row <= counted}
    if found.next is not None:
        at_next = escalation(LADDERS_IN_TICKS, [Phase(priority, 0, 0, holds)], [], found.next.at)
        assert found.next in at_next.reached
        just_before = escalation(LADDERS_IN_TICKS, [Phase(priority, 0, 0, holds)], [], found.next.at - 0.5)
        assert found.next not in just_before.reached


LADDERS_IN_TICKS = {
    priority: Ladder(tuple(Rung(each.after / MINUTE, each.roles) for each in ladder.rungs))
    for priority, ladder in LADDERS.items()
}


@given(st.lists(st.tuples(_moments, st.none() | st.integers(0, 60)), max_size=6))
def test_joined_holds_cover_the_same_moments_and_are_apart(pairs: list[tuple[int, int | None]]) -> None:
    holds = [Hold(float(since), None if length is None else float(since + length)) for since, length in pairs]

    def covered(which: list[Hold] | tuple[Hold, ...], at: float) -> bool:
        return any(each.since <= at and (each.until is None or at < each.until) for each in which)

    found = joined(holds)
    assert all(covered(found, at) == covered(holds, at) for at in range(300))
    assert all(one.until is not None and one.until < two.since for one, two in pairwise(found))
