"""Alerts in an incident."""

from msgspec.structs import replace

from runbook_engine.document.models import Severity
from runbook_engine.incidents import acting
from runbook_engine.incidents import events as e
from runbook_engine.incidents.alerts import holders, take_alerts
from runbook_engine.incidents.effectiveness import effectiveness
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.firing import Judged, take_firing
from runbook_engine.incidents.incident import Incident, State, fold
from runbook_engine.incidents.messages import outbox
from runbook_engine.incidents.policy import load_policy

FIRED = e.AlertTaken(at=10.0, by="alert", key="g.f:1.000:firing", name="Slow", status="firing", labels={"a": "b"})
OVER = replace(FIRED, at=20.0, key="g.f:2.000:resolved", status="resolved")


def incident(*events: e.IncidentEvent) -> Incident:
    return fold(1, [*acting.opening(load_policy(), "Slow", Severity.P2, 5.0, "ann"), *events])


def test_an_alert_is_kept_once_and_never_before_what_happened_last() -> None:
    now = incident(e.Noted(at=15.0, by="ann", text="x"))
    (taken,) = take_alerts([FIRED, FIRED])(now)
    assert taken == replace(FIRED, at=15.0)
    assert take_alerts([FIRED])(incident(taken)) == ()


def test_a_resolved_alert_resolves_nothing() -> None:
    after = incident(FIRED, *take_alerts([OVER])(incident(FIRED)))
    assert after.state is State.OPEN
    assert set(after.alerts) == {FIRED.key, OVER.key}


def test_an_alert_that_is_over_belongs_to_the_incident_that_has_it() -> None:
    has, other = incident(FIRED), incident(replace(FIRED, key="g.other:1.000:firing"))
    assert holders([other, has]).holding(OVER.key) is has
    assert holders([other, incident(OVER)]).holding(OVER.key) is None
    assert holders([incident(FIRED, e.Closed(at=30.0, by="ann"))]).holding(OVER.key) is None


def test_an_alert_of_the_same_group_or_fingerprint_belongs_to_the_same_incident() -> None:
    has = incident(FIRED)
    for key, found in (("g.x:9.000:firing", has), ("x.f:9.000:firing", has), ("x.y:9.000:firing", None)):
        assert holders([has]).related(key) is found


def test_an_incident_that_an_alert_opens_again_begins_anew_and_a_person_only_goes_on() -> None:
    policy = load_policy()
    calm = incident(e.Acknowledged(at=100.0, by="ann", until=1900.0), e.Resolved(at=200.0, by="ann"))
    refired = replace(FIRED, at=300.0, key="g.f:300.000:firing")
    anew = fold(1, (*calm.events, *take_firing([refired], 300.0, "alert")(calm)))
    assert (anew.state, [type(each).__name__ for each in anew.events[-2:]]) == (State.OPEN, ["Reopened", "AlertTaken"])
    now = engaged(anew, policy, 301.0)
    assert (now.elapsed, now.held_until) == (1.0, None)
    by_hand = fold(1, (*calm.events, *acting.reopen(300.0, "ann", "again")(calm)))
    assert engaged(by_hand, policy, 301.0).elapsed == 96.0
    found = effectiveness(fold(1, (*anew.events, e.Acknowledged(at=360.0, by="bob", until=400.0))), 1000.0)
    assert [(each.took, each.in_time, each.again) for each in found.answers] == [
        (95.0, True, False),
        (60.0, True, True),
    ]


def test_an_alert_that_an_incident_has_already_changes_nothing_while_it_goes_on() -> None:
    worse = Judged(Severity.P0, ("it is down",))
    has = incident(FIRED)
    assert take_firing([FIRED], 50.0, "alert", worse)(has) == ()
    assert [type(each).__name__ for each in take_firing([FIRED], 50.0, "alert", replace(worse, found=True))(has)] == [
        "PriorityChanged"
    ]
    better = Judged(Severity.P3, ("it is nothing",), found=True)
    assert take_firing([FIRED], 50.0, "alert", better)(has) == ()


def test_calls_from_before_an_alert_opened_it_again_are_not_made_up_for() -> None:
    policy = load_policy()
    slow = incident(e.Resolved(at=3000.0, by="ann"))
    again = fold(1, (*slow.events, *take_firing([replace(FIRED, at=4000.0)], 4000.0, "alert")(slow)))
    states = {each.message.key: str(each.state) for each in outbox(again, policy, 4000.0 + 16 * 60)}
    assert states["P2+15min/slack"] == "obsolete"
    assert states["P2+15min.2/slack"] == "waiting"
    assert [key for key, state in states.items() if state == "waiting"] == ["2/slack", "P2+15min.2/slack"]
