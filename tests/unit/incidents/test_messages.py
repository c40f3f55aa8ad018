"""Which messages an incident asks for, to whom, and which come too late: no service is asked here."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.incidents.conftest import OPENED

from runbook_engine.document.incident_policy import Audience, IncidentPolicy, MessageKind
from runbook_engine.document.models import Severity
from runbook_engine.errors import IncidentError, UsageError
from runbook_engine.incidents import acting, telling
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident, fold
from runbook_engine.incidents.messages import MessageState, outbox, wanted
from runbook_engine.incidents.policy import load_playbook_named
from runbook_engine.incidents.wording import Wording, worded
from runbook_engine.library import Library

MINUTE = 60.0
Lived = Callable[..., Incident]


def keys(incident: Incident, policy: IncidentPolicy, minutes: float) -> dict[str, str]:
    return {each.key: str(each.kind) for each in wanted(incident, policy, OPENED + minutes * MINUTE)}


def states(incident: Incident, policy: IncidentPolicy, minutes: float) -> dict[str, MessageState]:
    return {each.message.key: each.state for each in outbox(incident, policy, OPENED + minutes * MINUTE)}


def test_a_p0_pages_and_a_p2_does_not(policy: IncidentPolicy, lived: Lived) -> None:
    assert list(keys(lived("P0"), policy, 0)) == ["0/pagerduty", "0/sms", "0/slack"]
    assert list(keys(lived("P2"), policy, 0)) == ["0/slack"]


def test_each_row_of_the_matrix_that_time_reaches_is_told_once(policy: IncidentPolicy, lived: Lived) -> None:
    found = keys(lived("P0"), policy, 121)
    assert [each for each in found if each.endswith("/slack")] == [
        "0/slack",
        "P0+15min/slack",
        "P0+30min/slack",
        "P0+60min/slack",
        "P0+120min/slack",
    ]
    held = lived("P0", acting.acknowledge(OPENED + 60, "bob"))
    assert "P0+15min/slack" not in keys(held, policy, 16)
    assert "P0+15min/slack" in keys(held, policy, 46)


def test_a_raised_priority_is_an_escalation_with_rows_of_its_own(policy: IncidentPolicy, lived: Lived) -> None:
    raised = lived("P2", acting.reprioritise(OPENED + 600, "ann", Severity.P0, "nobody can buy"))
    found = keys(raised, policy, 26)
    assert found["1/pagerduty"] == "escalated"
    assert "P0+15min.2/pagerduty" in found
    lowered = lived("P0", acting.reprioritise(OPENED + 600, "ann", Severity.P2, "only the footer"))
    assert keys(lowered, policy, 11)["1/slack"] == "status_update"
    assert "1/pagerduty" not in keys(lowered, policy, 11)


def test_what_is_over_is_not_told_any_more(policy: IncidentPolicy, lived: Lived) -> None:
    found = states(
        lived("P0", telling.update(OPENED + 60, "ann", "One"), acting.resolve(OPENED + 1000, "ann")), policy, 20
    )
    assert found["0/slack"] is found["1/slack"] is found["P0+15min/sms"] is MessageState.OBSOLETE
    assert found["2/slack"] is MessageState.WAITING
    again = lived("P0", acting.resolve(OPENED + 60, "ann"), acting.reopen(OPENED + 90, "ann", "errors again"))
    found = states(again, policy, 2)
    assert (found["1/slack"], found["2/slack"]) == (MessageState.OBSOLETE, MessageState.WAITING)


def test_only_the_newest_update_is_told_and_what_somebody_asked_for_always(
    policy: IncidentPolicy, lived: Lived
) -> None:
    said = lived(
        "P0",
        telling.update(OPENED + 1, "ann", "One", [Audience.CUSTOMERS]),
        telling.update(OPENED + 2, "ann", "Two"),
        acting.resolve(OPENED + 3, "ann"),
    )
    found = states(said, policy, 1)
    assert found["1/slack"] is MessageState.OBSOLETE
    assert found["2/status_page"] is MessageState.WAITING


def test_nobody_outside_is_told_by_itself(policy: IncidentPolicy, lived: Lived) -> None:
    lived_through = lived(
        "P0", telling.update(OPENED + 1, "a", "x"), acting.mitigate(OPENED + 2, "a"), acting.resolve(OPENED + 3, "a")
    )
    assert {each.audience for each in wanted(lived_through, policy, OPENED + 9000)} == {Audience.INTERNAL}


def test_a_task_that_is_a_message_tells_it(policy: IncidentPolicy) -> None:
    book = load_playbook_named("p0-critical")
    events = tuple(acting.opening(policy, "Shop down", Severity.P0, OPENED, "ann", playbook=book))
    incident = fold(1, events)
    with pytest.raises(IncidentError, match="what shall they be told"):
        acting.finish_task(OPENED, "ann", "update_every_30_minutes")(incident)
    done = acting.finish_task(OPENED, "ann", "update_every_30_minutes", "We roll back")(incident)
    assert [type(each).__name__ for each in done] == ["StatusUpdated", "Told", "TaskDone"]
    update = telling.update(OPENED, "ann", "We roll back", [Audience.CUSTOMERS])(incident)
    assert [type(each).__name__ for each in update] == ["StatusUpdated", "Told", "TaskDone"]
    opened = acting.finish_task(OPENED, "ann", "update_status_page")(incident)
    assert isinstance(opened[0], e.Told)
    assert (opened[0].kind, opened[0].audience) == (MessageKind.OPENED, Audience.CUSTOMERS)


def test_a_task_of_the_security_playbook_goes_to_the_channels_that_it_names(policy: IncidentPolicy) -> None:
    book = load_playbook_named("security-incident")
    incident = fold(1, tuple(acting.opening(policy, "Breach", Severity.P0, OPENED, "ann", playbook=book)))
    done = acting.finish_task(OPENED, "ann", "notify_legal")(incident)
    told = fold(1, (*incident.events, *done))
    assert [each.destination.variable for each in wanted(told, policy, OPENED) if each.told] == [
        "RUNBOOK_LEGAL_EMAIL_URL"
    ]


@pytest.mark.parametrize(
    ("decide", "says"),
    [
        (telling.tell(OPENED, "a", Audience.CUSTOMERS, "", kind=MessageKind.RESOLVED), "is not resolved"),
        (telling.tell(OPENED, "a", Audience.CUSTOMERS, "", kind=MessageKind.MITIGATED), "is not mitigated"),
        (
            telling.tell(OPENED, "a", Audience.REGULATORS, "", kind=MessageKind.OPENED),
            "name the channels with --channel",
        ),
        (telling.tell(OPENED, "a", Audience.REGULATORS, "x", channels=["legal_male"]), "did you mean 'legal_mail'"),
        (telling.tell(OPENED, "a", Audience.EXECUTIVES, "", kind=MessageKind.POSTMORTEM), "has no time yet"),
    ],
)
def test_what_is_not_so_or_reaches_nobody_is_refused(lived: Lived, decide: acting.Decide, says: str) -> None:
    with pytest.raises(IncidentError) as refused:
        decide(lived("P0"))
    assert says in str(refused.value).replace('"', "'")


def words(incident: Incident, policy: IncidentPolicy, key: str, library: Library | None = None) -> Wording:
    message = next(each for each in wanted(incident, policy, OPENED + 9000) if each.key == key)
    return worded(message, incident, policy, library or Library.default())


def test_a_message_says_the_same_whenever_it_is_sent(policy: IncidentPolicy, lived: Lived) -> None:
    early = lived("P0")
    late = lived(
        "P0", acting.assign(OPENED + 5, "ann", "incident_commander", "carl"), acting.resolve(OPENED + 9, "ann")
    )
    assert words(early, policy, "0/slack") == words(late, policy, "0/slack")


def test_each_audience_has_its_words(policy: IncidentPolicy, lived: Lived) -> None:
    told = lived(
        "P0",
        acting.assign(OPENED + 1, "ann", "incident_commander", "carl"),
        telling.update(OPENED + 60, "ann", "We roll back", [Audience.CUSTOMERS, Audience.EXECUTIVES]),
    )
    internal, customers = words(told, policy, "2/slack"), words(told, policy, "3/status_page")
    executives = words(told, policy, "4/incidents_mail")
    assert internal.title == "[P0] Incident 1 update: Shop down"
    assert "Incident Commander: carl, +1-555-IC-LEAD" in internal.body
    assert customers.title.startswith("Update on the problem of 2026-11-18")
    assert "We roll back" in customers.body
    for inside in ("carl", "P0", "Incident 1", "Shop down", "+1-555", "runbook"):
        assert inside not in customers.title + customers.body
    assert "Impact: System down, data loss, security breach" in executives.body
    assert "Engaged: Incident Commander (carl)" in executives.body


@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("kind", [each for each in MessageKind if each is not MessageKind.SUMMARY])
def test_every_message_has_words_for_every_audience(
    policy: IncidentPolicy, lived: Lived, audience: Audience, kind: MessageKind
) -> None:
    event = e.Told(at=OPENED + 9, by="ann", kind=kind, audience=audience, text="Words", channels=("legal_mail",))
    meeting = e.MeetingScheduled(at=OPENED + 8, by="ann", begins=OPENED + 3600, minutes=60, attendees=("carl",))
    incident = fold(1, (*lived("P0", acting.resolve(OPENED + 5, "a")).events, meeting, event))
    found = words(incident, policy, "3/legal_mail")
    assert found.title.strip()
    assert "\n\n\n" not in found.body
    assert "Words" in found.body


def test_a_short_message_is_one_line(policy: IncidentPolicy, lived: Lived) -> None:
    short = words(lived("P0"), policy, "0/sms")
    assert (short.title, len(short.body) <= 160, "\n" in short.body) == ("", True, False)


def test_a_team_writes_its_own_words_and_is_told_of_its_mistakes(
    policy: IncidentPolicy, lived: Lived, tmp_path: Path
) -> None:
    (tmp_path / "messages").mkdir()
    own = tmp_path / "messages" / "internal.j2"
    own.write_text("{{ incident.priority }} {{ kind }}\nHello {{ incident.title }}\n")
    library = Library((tmp_path,))
    assert words(lived("P0"), policy, "0/slack", library) == Wording("P0 opened", "Hello Shop down\n")
    own.write_text("Title\n{{ incident.nothing }}\n")
    with pytest.raises(UsageError, match=r"internal\.j2:2: .*nothing"):
        words(lived("P0"), policy, "0/slack", library)
    own.write_text("{{ ''.__class__.__mro__ }}")
    with pytest.raises(UsageError, match=r"internal\.j2:1: "):
        words(lived("P0"), policy, "0/slack", library)
