"""An incident from its opening to its end, on a virtual clock."""

from collections.abc import Callable

import pytest

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import Severity
from runbook_engine.document.playbook import Playbook
from runbook_engine.errors import IncidentError
from runbook_engine.incidents import acting, telling
from runbook_engine.incidents import events as e
from runbook_engine.incidents.due import DueKind, channel_name, due
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.firing import together
from runbook_engine.incidents.incident import Incident, State, TaskState, fold
from runbook_engine.incidents.policy import load_playbook_named
from runbook_engine.incidents.tasks import placed_tasks

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
    written = telling.update(at(25), "ann", "We look at the database")
    assert asked(lived("P0", written), policy, 26)[DueKind.UPDATE] == 30
    told = together(written, lambda _: (e.MessageSent(at=at(26), by="ann", key="1/slack"),))
    assert asked(lived("P0", told), policy, 26)[DueKind.UPDATE] == 56
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
        ([acting.resolve(at(1), "ann"), acting.resolve(at(2), "ann")], "reopen --incident 1 --because"),
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


def test_the_tasks_of_a_playbook_are_due_phase_by_phase_from_when_it_is_followed(
    lived: Lived, policy: IncidentPolicy
) -> None:
    follow = acting.start_playbook(at(10), "ann", load_playbook_named("p0-critical"))
    incident = lived("P0", follow, follow)

    def tasks(minutes: float) -> dict[str, float]:
        found = due(incident, policy, at(minutes))
        return {each.what: (each.at - at(10)) / MINUTE for each in found if each.kind is DueKind.TASK}

    assert len(placed_tasks(incident)) == 24
    assert len(tasks(11)) == 9
    assert tasks(11)["Confirm incident severity"] == 5
    assert len(tasks(25)) == 18
    assert len(tasks(70)) == 24
    incident = lived("P0", follow, acting.finish_task(at(12), "ann", "confirm_severity", "all fail"))
    assert "Confirm incident severity" not in tasks(25)


def test_what_is_done_again_is_due_again_until_it_is_resolved(lived: Lived, policy: IncidentPolicy) -> None:
    follow = acting.start_playbook(at(0), "ann", load_playbook_named("p0-critical"))
    again = "Update status page every 30 minutes"

    def when(incident: Incident, minutes: float) -> list[float]:
        return [(each.at - OPENED) / MINUTE for each in due(incident, policy, at(minutes)) if each.what == again]

    assert when(lived("P0", follow), 20) == [30]
    done = acting.finish_task(at(31), "ann", "update_every_30_minutes", "Still down")
    assert when(lived("P0", follow, done), 32) == [61]
    twice = acting.finish_task(at(60), "bob", "update_every_30_minutes", "Still down")
    incident = lived("P0", follow, done, twice)
    assert when(incident, 61) == [90]
    assert incident.tasks["p0-critical/update_every_30_minutes"].times == 2
    assert when(lived("P0", follow, acting.resolve(at(40), "ann")), 41) == []


@pytest.mark.parametrize(
    ("decisions", "says"),
    [
        ([acting.skip_task(at(1), "ann", "confirm_severity", "x")], "may not be skipped"),
        ([acting.skip_task(at(1), "ann", "create_channel")], "say it with --because"),
        ([acting.finish_task(at(1), "ann", "create_chanel")], "did you mean 'create_channel'"),
        ([acting.finish_task(at(1), "ann", "create_channel")] * 2, "was done by ann already"),
        ([acting.finish_task(at(1), "ann", "preserve_evidence")], "evidence FILE --task preserve_evidence"),
    ],
)
def test_a_task_that_cannot_be_ended_so_is_refused_with_the_next_step(
    decisions: list[acting.Decide], says: str, lived: Lived
) -> None:
    playbooks = [
        acting.start_playbook(at(0), "ann", load_playbook_named(name)) for name in ("p0-critical", "security-incident")
    ]
    with pytest.raises(IncidentError) as refused:
        lived("P0", *playbooks, *decisions)
    assert says in str(refused.value).replace('"', "'")


def test_evidence_lets_its_task_be_done_and_free_tasks_are_skipped_without_a_reason(lived: Lived) -> None:
    playbooks = [
        acting.start_playbook(at(0), "ann", load_playbook_named(name)) for name in ("p0-critical", "security-incident")
    ]
    kept = acting.attach_evidence(at(1), "ann", "run.recording", "ab" * 32, 10, task="preserve_evidence")
    incident = lived(
        "P0",
        *playbooks,
        kept,
        acting.finish_task(at(2), "ann", "preserve_evidence"),
        acting.skip_task(at(3), "ann", "scale_resources"),
    )
    assert [each.sha256 for each in incident.evidence] == ["ab" * 32]
    assert incident.tasks["security-incident/preserve_evidence"].state is TaskState.DONE
    assert incident.tasks["p0-critical/scale_resources"].state is TaskState.SKIPPED


def test_a_playbook_that_is_edited_changes_no_incident_that_follows_it(lived: Lived) -> None:
    playbook = load_playbook_named("p0-critical")
    incident = lived("P0", acting.start_playbook(at(0), "ann", playbook))
    assert Playbook.model_validate(incident.playbooks[0].playbook) == playbook
    with pytest.raises(IncidentError, match="follows no playbook"):
        lived("P1", acting.finish_task(at(1), "ann", "confirm_severity"))


def test_a_channel_is_named_after_when_it_was_opened() -> None:
    assert channel_name(OPENED) == "#incident-2026-11-18-11-06"
