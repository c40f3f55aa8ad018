"""How well people answered, held against the policy."""

from collections.abc import Callable

import pytest
from tests.unit.incidents.stories import FORBIDDEN, LOCKED, MINUTE, SLOW, at, attached, sent, shop_down

from runbook_engine.document.incident_policy import Audience
from runbook_engine.document.models import Severity
from runbook_engine.engine.events import Outcome
from runbook_engine.incidents import acting, afterwards, telling
from runbook_engine.incidents import events as e
from runbook_engine.incidents.effectiveness import Effectiveness, Times, effectiveness, times_of
from runbook_engine.incidents.firing import together
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.moments import recorded
from runbook_engine.incidents.policy import load_playbook_named

Lived = Callable[..., Incident]


def minutes(times: Times) -> tuple[float | None, ...]:
    found = (times.acknowledge, times.diagnose, times.mitigate, times.resolve)
    return tuple(None if each is None else each / MINUTE for each in found)


def measured(incident: Incident, after: float) -> Effectiveness:
    return effectiveness(incident, at(after))


def test_what_nobody_recorded_is_unknown_and_never_zero(lived: Lived) -> None:
    assert minutes(times_of(lived("P0"))) == (None, None, None, None)
    assert recorded(None) == "not recorded"
    resolved = lived("P0", acting.resolve(at(60), "bob"))
    assert minutes(times_of(resolved)) == (None, None, 60, 60)
    assert minutes(times_of(lived("P0", acting.acknowledge(at(0), "bob")))) == (0, None, None, None)


def test_the_first_acknowledgement_counts_and_the_last_end(lived: Lived) -> None:
    incident = lived(
        "P0",
        acting.acknowledge(at(4), "bob"),
        acting.acknowledge(at(40), "bob"),
        acting.mitigate(at(50), "bob"),
        acting.resolve(at(60), "bob"),
        acting.reopen(at(70), "ann", "errors are back"),
    )
    assert minutes(times_of(incident)) == (4, None, None, None)
    assert measured(incident, 71).reopened == 1
    again = lived("P0", acting.resolve(at(60), "bob"), acting.reopen(at(70), "ann", "x"), acting.resolve(at(90), "bob"))
    assert minutes(times_of(again)) == (None, None, 90, 90)


def test_it_is_diagnosed_by_a_run_with_a_cause_or_by_somebody_while_it_lasted(lived: Lived) -> None:
    symptom = attached(10, "bob", "high-latency", Outcome.CRITICAL, findings=(SLOW,), blind_spots=(FORBIDDEN,))
    cause = attached(20, "bob", "database-connections", Outcome.CRITICAL, findings=(LOCKED,))
    said = afterwards.remark(at(15), "bob", e.Section.ROOT_CAUSE, "the migration")
    impact = afterwards.remark(at(5), "bob", e.Section.IMPACT, "nobody can pay")
    resolved = acting.resolve(at(60), "bob")
    assert minutes(times_of(lived("P0", impact, symptom)))[1] is None
    assert minutes(times_of(lived("P0", symptom, cause)))[1] == 20
    assert minutes(times_of(lived("P0", symptom, said, cause)))[1] == 15
    late = afterwards.remark(at(900), "bob", e.Section.ROOT_CAUSE, "the migration")
    assert minutes(times_of(lived("P0", resolved, late)))[1] is None


def test_a_run_that_found_it_before_the_opening_diagnosed_it_at_once(lived: Lived) -> None:
    before = attached(-30, "bob", "database-connections", Outcome.CRITICAL, findings=(LOCKED,))
    assert minutes(times_of(lived("P0", before)))[1] == 0


@pytest.mark.parametrize(("priority", "limit"), [("P0", 15), ("P1", 60), ("P2", 240), ("P3", 1440)])
def test_somebody_must_be_on_it_within_the_response_time_of_the_priority(
    priority: str, limit: int, lived: Lived
) -> None:
    for after, in_time in ((limit, True), (limit + 0.1, False)):
        (answer,) = measured(lived(priority, acting.acknowledge(at(after), "bob")), limit * 2).answers
        assert (answer.limit, answer.took, answer.in_time) == (limit * MINUTE, after * MINUTE, in_time)
    waiting = lived(priority)
    assert [measured(waiting, each).answers[0].in_time for each in (limit, limit + 1)] == [None, False]
    assert measured(waiting, limit + 1).answers[0].took is None
    over = lived(priority, acting.resolve(at(limit - 1), "bob"))
    assert measured(over, limit * 9).answers[0].in_time is None


def test_a_raised_priority_asks_anew_and_a_lowered_one_does_not(lived: Lived) -> None:
    incident = lived(
        "P2",
        acting.acknowledge(at(5), "bob"),
        acting.reprioritise(at(10), "bob", Severity.P0, "worse"),
        acting.acknowledge(at(40), "bob"),
        acting.reprioritise(at(50), "bob", Severity.P1, "better"),
    )
    assert [(each.priority, each.took, each.in_time) for each in measured(incident, 60).answers] == [
        (Severity.P2, 5 * MINUTE, True),
        (Severity.P0, 30 * MINUTE, False),
    ]
    unanswered = lived(
        "P2", acting.reprioritise(at(10), "bob", Severity.P0, "worse"), acting.acknowledge(at(11), "bob")
    )
    assert [(each.took, each.in_time) for each in measured(unanswered, 60).answers] == [(None, None), (60.0, True)]


def told(after: float) -> acting.Decide:
    """An update that was delivered at once."""
    return together(telling.update(at(after), "ann", f"we look {after}"), sent(after))


@pytest.mark.parametrize(
    ("updates", "end", "counts"),
    [
        ([], 29, (0, 0, 0, 29)),
        ([], 30, (0, 0, 0, 30)),
        ([], 31, (0, 0, 1, 31)),
        ([], 95, (0, 0, 3, 95)),
        ([30, 60], 80, (2, 0, 0, 30)),
        ([30, 91], 95, (1, 1, 2, 61)),
        ([20], 85, (1, 0, 2, 65)),
    ],
)
def test_updates_are_kept_late_or_missed(
    updates: list[float], end: float, counts: tuple[int, int, int, float], lived: Lived
) -> None:
    for incident in (
        lived("P0", *map(told, updates)),
        lived("P0", *map(told, updates), acting.resolve(at(end), "bob")),
    ):
        found = measured(incident, end).updates
        assert found is not None
        assert (found.kept, found.late, found.missed, found.longest / MINUTE) == counts
        assert found.every == 30 * MINUTE


def test_an_update_counts_from_when_it_was_delivered_and_not_at_all_before(lived: Lived) -> None:
    written = telling.update(at(25), "ann", "we look", [Audience.CUSTOMERS])
    unsent = measured(lived("P0", written), 40).updates
    late = measured(lived("P0", written, sent(35, "status_page"), sent(50, "slack", 3)), 60).updates
    assert unsent is not None
    assert late is not None
    assert (unsent.kept, unsent.missed, unsent.longest) == (0, 1, 40 * MINUTE)
    # Told to two audiences, it is one update: of when the first of them heard it.
    assert (late.kept, late.late, late.missed, late.longest) == (0, 1, 1, 35 * MINUTE)


def test_updates_are_wanted_only_of_some_priorities_and_only_while_it_lasts(lived: Lived) -> None:
    assert measured(lived("P1"), 600).updates is None
    raised = lived("P1", acting.reprioritise(at(100), "bob", Severity.P0, "worse"), acting.resolve(at(120), "bob"))
    found = measured(raised, 900).updates
    assert found is not None
    assert (found.missed, found.longest) == (0, 20 * MINUTE)
    again = lived(
        "P0", acting.resolve(at(20), "bob"), acting.reopen(at(500), "ann", "x"), acting.resolve(at(540), "bob")
    )
    found = measured(again, 900).updates
    assert found is not None
    assert (found.missed, found.longest) == (1, 40 * MINUTE)
    lowered = lived("P0", acting.reprioritise(at(20), "bob", Severity.P1, "better"))
    found = measured(lowered, 900).updates
    assert found is not None
    assert (found.every, found.missed) == (None, 0)


def test_rows_of_the_matrix_are_reached_until_it_is_resolved(lived: Lived) -> None:
    resolved = lived("P0", acting.resolve(at(20), "bob"))
    assert [each.after / MINUTE for each in measured(resolved, 900).reached] == [0, 15]


def test_tasks_are_done_in_time_late_skipped_or_left(lived: Lived) -> None:
    assert measured(lived("P0"), 9).tasks is None
    start = acting.start_playbook(at(0), "ann", load_playbook_named("p0-critical"))
    incident = lived(
        "P0",
        start,
        acting.finish_task(at(5), "ann", "confirm_severity"),
        acting.finish_task(at(6), "ann", "assign_incident_commander"),
        acting.finish_task(at(20), "eve", "update_every_30_minutes", "we look"),
        acting.finish_task(at(400), "eve", "update_every_30_minutes", "we look"),
        acting.skip_task(at(50), "bob", "scale_resources"),
    )
    found = measured(incident, 60).tasks
    assert found is not None
    assert (found.in_time, found.skipped, found.left) == (2, 1, 20)
    assert [(each.title, each.by) for each in found.late] == [("Assign Incident Commander", MINUTE)]


def test_a_whole_incident_is_measured() -> None:
    found = measured(shop_down(), 60 * 24 * 30)
    assert minutes(found.times) == (4, 31, 38, 95)
    assert [(str(each.priority), each.in_time) for each in found.answers] == [("P1", True), ("P0", True)]
