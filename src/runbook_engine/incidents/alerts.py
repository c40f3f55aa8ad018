"""Alerts that belong to an incident, and what the runs that they started say of how bad it is. Nothing here reads a clock.

The key of an alert is ``group.fingerprint:startsAt:status``. What comes before the first colon is the same for as long as it
is about the same thing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.engine.trace import Trace
from runbook_engine.incidents import events as e
from runbook_engine.incidents.acting import Decide
from runbook_engine.incidents.classify import Known, from_trace
from runbook_engine.incidents.incident import Incident, State

FIRING = "firing"


def take_alerts(alerts: Sequence[e.AlertTaken]) -> Decide:
    """Keep alerts with an incident, each once. One that is resolved resolves no incident: that is for somebody to say."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        new = {each.key: each for each in alerts if each.key not in incident.alerts}
        return tuple(_after(incident, each) for each in new.values())

    return decide


def holding(incidents: Iterable[Incident], key: str) -> Incident | None:
    """The incident that is not closed and has the alert, firing, of which ``key`` says that it is over."""
    return _first(incidents, lambda held: _identity(held) == _identity(key))


def related(incidents: Iterable[Incident], key: str) -> Incident | None:
    """The incident that is not closed and has a firing alert of the same group or with the same fingerprint."""
    parts = set(_identity(key).split("."))
    return _first(incidents, lambda held: not parts.isdisjoint(_identity(held).split(".")))


def known_from(policy: IncidentPolicy, traces: Iterable[Trace]) -> Mapping[str, Known]:
    """What several runs say of the facts of a policy. A yes counts before an unsure, and of values the highest."""
    known: dict[str, Known] = {}
    for trace in traces:
        for name, fact in from_trace(policy, trace).items():
            if name not in known or _weight(fact) > _weight(known[name]):
                known[name] = fact
    return known


def _weight(fact: Known) -> float:
    """An unsure lies between no and yes: one run may have seen what another one could not."""
    return 0.5 if fact.value is None or isinstance(fact.value, str) else float(fact.value)


def _first(incidents: Iterable[Incident], fits: Callable[[str], bool]) -> Incident | None:
    """The first one with a firing alert that fits."""
    for incident in incidents:
        held = (key for key, alert in incident.alerts.items() if alert.status == FIRING)
        if incident.state is not State.CLOSED and any(map(fits, held)):
            return incident
    return None


def _identity(key: str) -> str:
    return key.partition(":")[0]


def _after(incident: Incident, alert: e.AlertTaken) -> e.AlertTaken:
    """Events never go back in time, whatever a clock says."""
    return alert if alert.at >= incident.last_at else replace(alert, at=incident.last_at)
