"""Alerts in an incident."""

from msgspec.structs import replace

from runbook_engine.document.models import Severity
from runbook_engine.incidents import acting
from runbook_engine.incidents import events as e
from runbook_engine.incidents.alerts import holders, take_alerts
from runbook_engine.incidents.incident import Incident, State, fold
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
