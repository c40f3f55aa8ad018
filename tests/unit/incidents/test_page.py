"""The page of an incident, as it stands at a time."""

from collections.abc import Callable

from tests.unit.incidents.stories import at

from runbook_engine.incidents import acting, afterwards, telling
from runbook_engine.incidents.html import incident_html
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.page_view import IncidentView
from runbook_engine.incidents.policy import load_playbook_named

Lived = Callable[..., Incident]


def test_it_tells_who_should_be_there_and_who_is_on_it(lived: Lived) -> None:
    incident = lived("P0", acting.assign(at(1), "ann", "incident_commander", "kim"), acting.acknowledge(at(16), "bob"))
    found = IncidentView(incident, at(20))
    assert [(each.role, each.person, each.contact) for each in found.people] == [
        ("Incident Commander", "kim", "+1-555-IC-LEAD"),
        ("Technical Lead", "", "+1-555-TECH-LEAD"),
        ("Security Lead", "", "+1-555-SEC-LEAD"),
    ]
    assert found.held == "bob is on it; the escalation is held for 26 min more"
    assert found.lasts == "open for 20 min"
    assert "not assigned" in incident_html(incident, at(20))


def test_when_it_is_over_nobody_is_asked_for(lived: Lived) -> None:
    found = IncidentView(lived("P0", acting.resolve(at(20), "bob")), at(30))
    assert (found.people, found.held, found.lasts) == ((), "", "resolved after 20 min")


def test_it_tells_what_is_due_and_what_is_overdue(lived: Lived) -> None:
    found = IncidentView(lived("P0"), at(31))
    assert [(each.what.split(":")[0], each.left, each.overdue) for each in found.due] == [
        ("Acknowledge it", "overdue 16 min", True),
        ("Tell those who wait how it stands", "overdue 1 min", True),
        ("VP Engineering will be called", "in 29 min", False),
    ]
    assert found.overdue == 2


def test_tasks_stand_in_their_phases_with_how_they_are(lived: Lived) -> None:
    incident = lived(
        "P0",
        acting.start_playbook(at(0), "ann", load_playbook_named("p0-critical")),
        acting.finish_task(at(4), "ann", "confirm_severity", "all fail"),
        acting.skip_task(at(5), "bob", "scale_resources", "no load"),
    )
    first, second, third = IncidentView(incident, at(12)).phases
    assert (first.title, first.done, len(first.tasks)) == ("Immediate Actions (p0-critical)", 1, 9)
    told = {each.name: (each.state, each.told) for phase in (first, second, third) for each in phase.tasks}
    assert told["confirm_severity"] == ("done", "done by ann: all fail")
    assert told["assign_incident_commander"] == ("overdue", "overdue 7 min")
    assert told["update_status_page"] == ("due", "due in 3 min")
    assert told["scale_resources"] == ("skipped", "skipped by bob: no load")
    assert told["verify_recovery"][0] == "later"
    over = lived(
        "P0", acting.start_playbook(at(0), "ann", load_playbook_named("p0-critical")), acting.resolve(at(1), "b")
    )
    assert {each.told for phase in IncidentView(over, at(99)).phases for each in phase.tasks} == {
        "nothing was said of it"
    }


def test_what_happened_stands_newest_first_and_without_what_is_about_the_page(lived: Lived) -> None:
    incident = lived(
        "P0", acting.acknowledge(at(1), "bob"), afterwards.pin(at(2), "ann", 0), telling.update(at(3), "bob", "x")
    )
    assert [(each.seq, each.text) for each in IncidentView(incident, at(9)).happened] == [
        (3, "bob wrote an update, not sent yet: x"),
        (1, "bob acknowledged it"),
        (0, "ann opened it as P0"),
    ]
