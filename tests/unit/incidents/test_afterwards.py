"""What people do after an incident, on a virtual clock."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from tests.unit.incidents.stories import at, attached

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.engine.events import Outcome
from runbook_engine.errors import IncidentError
from runbook_engine.incidents import acting, afterwards
from runbook_engine.incidents import events as e
from runbook_engine.incidents.due import DueKind, due
from runbook_engine.incidents.incident import Incident, State

Lived = Callable[..., Incident]
DAY = 24 * 60
RESOLVED = acting.resolve(at(60), "bob")
TODAY = date(2026, 11, 18)


def refused(incident: Incident, decide: Any) -> str:
    with pytest.raises(IncidentError) as caught:
        decide(incident)
    return str(caught.value)


def add(minutes: float, title: str = "Alert on lag", owner: str = "ann", **more: Any) -> Any:
    return afterwards.add_action(at(minutes), "ann", title, owner, **more)


def test_remarks_are_kept_by_section_also_when_it_is_closed_and_never_go_back_in_time(lived: Lived) -> None:
    closed = lived(
        "P0", RESOLVED, acting.close(at(70), "ann"), afterwards.remark(at(10), "ann", e.Section.LESSON, "Learn")
    )
    assert closed.state is State.CLOSED
    (remark,) = closed.remarks
    assert (remark.section, remark.text, remark.at) == (e.Section.LESSON, "Learn", at(70))
    assert "the remark says nothing" in refused(closed, afterwards.remark(at(80), "ann", e.Section.IMPACT, " "))


def test_an_event_is_pinned_by_its_number_once(lived: Lived) -> None:
    incident = lived("P0", afterwards.pin(at(1), "ann", 0, pinned=False))
    assert incident.pins == {0: False}
    assert afterwards.pin(at(2), "ann", 0, pinned=False)(incident) == ()
    assert afterwards.pin(at(2), "ann", 0)(incident)[0] == e.Pinned(at=at(2), by="ann", seq=0)
    assert "has no event 9; they are numbered 0 to 1" in refused(incident, afterwards.pin(at(2), "ann", 9))
    assert "is about the timeline itself" in refused(incident, afterwards.pin(at(2), "ann", 1))


@pytest.mark.parametrize(
    ("horizon", "first", "last"),
    [(e.Horizon.IMMEDIATE, 0, 7), (e.Horizon.SHORT_TERM, 7, 28), (e.Horizon.LONG_TERM, 30, 90)],
)
def test_an_action_is_due_within_the_guides_horizons_after_the_resolution(
    horizon: e.Horizon, first: int, last: int, lived: Lived
) -> None:
    resolved = lived("P0", RESOLVED)

    def due_on(days: int) -> Any:
        return add(90, horizon=horizon, due=TODAY + timedelta(days=days))

    (made,) = add(90, horizon=horizon)(resolved)
    assert made.due == str(TODAY + timedelta(days=last))
    for days in (first, last):
        assert due_on(days)(resolved)[0].due == str(TODAY + timedelta(days=days))
    bounds = f"from {TODAY + timedelta(days=first)} to {TODAY + timedelta(days=last)}"
    assert bounds in refused(resolved, due_on(last + 1))
    assert (bounds if first else "lies in the past") in refused(resolved, due_on(first - 1))


def test_horizons_count_from_the_resolution_but_never_end_before_today(lived: Lived) -> None:
    resolved = lived("P0", RESOLVED)
    assert add(5 * DAY)(resolved)[0].due == "2026-12-16"
    assert add(5 * DAY)(lived("P0"))[0].due == "2026-12-21"
    assert add(40 * DAY)(resolved)[0].due == "2027-01-25"


def test_an_action_has_an_owner_and_a_title_and_stands_there_once(lived: Lived) -> None:
    incident = lived("P0", add(1))
    assert "say who with --owner" in refused(incident, add(2, "Other", " "))
    assert "the action says nothing" in refused(incident, add(2, ""))
    assert "action 1 says that already (ann, due 2026-12-16)" in refused(incident, add(2, " alert  on LAG", "bob"))
    done = lived("P0", add(1), afterwards.finish_action(at(2), "bob", 1, "there"))
    assert add(3)(done)[0].action == 2


def test_an_action_is_done_once_also_in_a_closed_incident(lived: Lived) -> None:
    closed = lived("P0", RESOLVED, add(61), acting.close(at(70), "ann"), add(71, "Another one"))
    done = lived(
        "P0", RESOLVED, add(61), acting.close(at(70), "ann"), afterwards.finish_action(at(80), "bob", 1, "there")
    )
    assert (done.actions[1].done_by, done.actions[1].note) == ("bob", "there")
    assert "was done by bob already" in refused(done, afterwards.finish_action(at(90), "bob", 1))
    assert "has no action 5, it has 1, 2" in refused(closed, afterwards.finish_action(at(90), "bob", 5))


def test_an_action_that_is_not_done_in_time_is_asked_for(lived: Lived, policy: IncidentPolicy) -> None:
    incident = lived("P0", RESOLVED, add(61, horizon=e.Horizon.IMMEDIATE))
    (asked,) = [each for each in due(incident, policy, at(8 * DAY)) if each.kind is DueKind.ACTION]
    assert asked.at < at(8 * DAY)


def links(incident: Incident) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in incident.actions.values():
        found.setdefault(each.title, []).append(each.link)
    return found


def test_documentation_is_asked_for_once_with_the_runbooks_that_ran(lived: Lived) -> None:
    ran = (attached(5, "bob", "memory", Outcome.HEALTHY), attached(6, "bob", "high-latency", Outcome.HEALTHY))
    document = afterwards.document(at(61), "ann", "ann")
    incident = lived("P0", *ran, attached(7, "bob", "memory", Outcome.HEALTHY), document)
    titles = (
        "Update troubleshooting guides", "Revise monitoring thresholds", "Improve alerting rules",
        "Enhance automation scripts",
    )  # fmt: skip
    assert links(incident) == {title: ["memory, high-latency"] for title in titles}
    assert [each.id for each in incident.actions.values()] == [1, 2, 3, 4]
    assert document(incident) == []
    later = lived("P0", *ran, document, attached(70, "bob", "tls-certificate", Outcome.HEALTHY), document)
    assert links(later) == {title: ["memory, high-latency", "tls-certificate"] for title in titles}
    assert links(lived("P0", document, document)) == {title: [""] for title in titles}
