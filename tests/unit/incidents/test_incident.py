"""An incident from its opening to its end, on a virtual clock."""

from collections.abc import Callable

import pytest

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import Severity
from runbook_engine.errors import IncidentError
from runbook_engine.incidents import acting
from runbook_engine.incidents.due import DueKind, channel_name, due, engaged
from runbook_engine.incidents.incident import Incident, State, fold

OPENED = 1_795_000_000.0
MINUTE = 60.0
Lived = Callable[..., Incident]


def at(minutes: float) -> float:
    return OPENED + minutes * MINUTE


def titles(incident: Incident, policy: IncidentPolicy, minutes: float) -> list[str]:
    return [policy.roles[each.role].title for each in engaged(incident, policy, at(minutes)).engaged]


def asked(incident: Incident, policy: IncidentPolicy, minutes: float) -> dict[DueKind, float]:
    return {each.kind: (each.at - OPENED) / MINUTE for each in due(incident, policy, at(minutes))}


def test_a_p0_calls_its_roles_at_0_15_30_60_and_120_minutes(lived: Lived, policy: IncidentPolicy) -> None:
    incident = lived("P0")
    assert [titles(incident, policy, each) for each in (0, 15, 30, 60, 120)] == [
        ["Incident Commander"],
        ["Incident Commander", "Technical Lead", "Security Lead"],
        ["Incident Commander", "Technical Lead", "Security Lead", "Engineering Manager"],
        ["Incident Commander", "Technical Lead", "Security Lead", "Engineering Manager", "VP Engineering"],
        ["Incident Commander", "Technical Lead", "Security Lead", "Engineering Manager", "VP Engineering", "CTO"],
    ]


def test_updates_are_due_every_30_minutes_until_it_is_resolved(lived: Lived, policy: IncidentPolicy) -> None:
    assert asked(lived("P0"), policy, 0)[DueKind.UPDATE] == 30
    told = acting.update(at(25), "ann", "We look at the database")
    assert asked(lived("P0", told), policy, 26)[DueKind.UPDATE] == 55
    over = lived("P0", told, acting.resolve(at(40), "ann"))
    assert DueKind.UPDATE not in asked(over, policy, 41)
    assert DueKind.UPDATE not in asked(lived("P1"), policy, 0)


def test_it_must_be_acknowledged_within_its_response_time(lived: Lived, policy: IncidentPolicy) -> None:
    assert [asked(lived(each), policy, 0)[DueKind.RESPONSE] for each in ("P0", "P1", "P2", "P3")] == [15, 60, 240, 1440]
    assert DueKind.RESPONSE not in asked(lived("P0", acting.acknowledge(at(5), "bob")), policy, 6)
    raised = lived("P2", acting.acknowledge(at(5), "bob"), acting.reprioritise(at(10), "bob", Severity.P0, "worse"))
    assert asked(raised, policy, 11)[DueKind.RESPONSE] == 25


def test_an_acknowledgement_holds_the_escalation_for_30_minutes(lived: Lived, policy: IncidentPolicy) -> None:
    incident = lived("P0", acting.acknowledge(at(10), "bob"))
    assert titles(incident, policy, 39) == ["Incident Commander"]
    assert asked(incident, policy, 11)[DueKind.ESCALATION] == 45
    assert titles(incident, policy, 45)[1:] == ["Technical Lead", "Security Lead"]
    with pytest.raises(IncidentError, match="30 minutes at most"):
        lived("P0", acting.acknowledge(at(10), "bob", 3600))


def test_what_is_mitigated_calls_nobody_and_goes_on_where_it_stood_when_it_hurts_again(
    lived: Lived, policy: IncidentPolicy
) -> None:
    mitigated = lived("P0", acting.mitigate(at(20), "bob", "Traffic moved"))
    assert mitigated.state is State.MITIGATED
    assert len(titles(mitigated, policy, 300)) == 3
    again = lived("P0", acting.mitigate(at(20), "bob"), acting.reopen(at(100), "ann", "It is back"))
    assert (again.state, again.mitigated_at) == (State.OPEN, None)
    assert asked(again, policy, 100)[DueKind.ESCALATION] == 110


def test_after_it_is_resolved_people_meet_within_24_hours(lived: Lived, policy: IncidentPolicy) -> None:
    incident = lived("P0", acting.resolve(at(50), "ann", "Rolled back"))
    assert asked(incident, policy, 51) == {DueKind.POSTMORTEM: 50 + 24 * 60}
    assert incident.mitigated_at == incident.resolved_at == at(50)
    assert asked(lived("P0", acting.resolve(at(50), "ann"), acting.close(at(60), "ann")), policy, 61) == {}


@pytest.mark.parametrize(
    ("decisions", "says"),
    [
        ([acting.close(at(1), "ann")], "resolve it first"),
        ([acting.resolve(at(1), "ann"), acting.resolve(at(2), "ann")], "reopen 1 --because"),
        ([acting.resolve(at(1), "ann"), acting.acknowledge(at(2), "ann")], "cannot be acknowledged"),
        ([acting.mitigate(at(1), "ann"), acting.mitigate(at(2), "ann")], "mitigated already"),
        ([acting.reopen(at(1), "ann", "x")], "is open"),
        ([acting.reprioritise(at(1), "ann", Severity.P0, "x")], "a P0 already"),
        ([acting.assign(at(1), "ann", "technical_laed", "bob")], "did you mean 'technical_lead'"),
        ([acting.escalate(at(1), "ann", ["boss"])], "there is no role 'boss'"),
    ],
)
def test_what_cannot_be_done_now_is_refused_with_the_next_step(
    decisions: list[acting.Decide], says: str, lived: Lived
) -> None:
    with pytest.raises(IncidentError) as refused:
        lived("P0", *decisions)
    assert says in str(refused.value).replace('"', "'")


def test_somebody_may_call_whom_the_matrix_calls_next_until_everybody_is_there(
    lived: Lived, policy: IncidentPolicy
) -> None:
    calls = [acting.escalate(at(minute), "ann") for minute in range(1, 5)]
    incident = lived("P0", *calls)
    assert titles(incident, policy, 5)[-1] == "CTO"
    with pytest.raises(IncidentError, match="is called already"):
        lived("P0", *calls, acting.escalate(at(5), "ann"))


def test_a_clock_that_goes_back_loses_nothing_and_turns_nothing_around(lived: Lived) -> None:
    incident = lived("P0", acting.note(at(10), "ann", "later"), acting.acknowledge(at(3), "bob"))
    assert [each.at for each in incident.events] == [at(0), at(10), at(10)]
    assert incident.acknowledged[0].until == at(40)


def test_the_same_events_are_the_same_incident_whenever_they_are_read(lived: Lived) -> None:
    incident = lived("P1", acting.acknowledge(at(1), "bob"), acting.assign(at(2), "ann", "technical_lead", "bob"))
    assert fold(1, incident.events) == incident
    assert incident.people == {"technical_lead": "bob"}
    freed = lived("P1", acting.assign(at(2), "ann", "cto", "bob"), acting.assign(at(3), "ann", "cto", ""))
    assert freed.people == {}


def test_a_channel_is_named_after_when_it_was_opened() -> None:
    assert channel_name(OPENED) == "#incident-2026-11-18-11-06"
