"""Alerts that belong to an incident, and what the runs that they started say of how bad it is. Nothing here reads a clock.

The key of an alert is ``group.fingerprint:startsAt:status``. What comes before the first colon is the same for as long as it
is about the same thing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
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


class Holders(Struct, frozen=True):
    """Which incident has which firing alerts: by what the alert is, and by its group and its fingerprint alone."""

    alerts: Mapping[str, Incident]
    parts: Mapping[str, Mapping[int, Incident]]

    def holding(self, key: str) -> Incident | None:
        """The incident that has the alert, firing, of which ``key`` says that it is over."""
        return self.alerts.get(_identity(key))

    def related(self, key: str) -> Incident | None:
        """The incident that has a firing alert of the same group or with the same fingerprint."""
        return next(iter(self.all_related(key)), None)

    def all_related(self, key: str) -> Sequence[Incident]:
        """All that have one. Those that go on come first."""
        found = {each.id: each for part in _identity(key).split(".") for each in self.parts.get(part, {}).values()}
        return sorted(found.values(), key=lambda each: each.is_over)


def holders(incidents: Iterable[Incident]) -> Holders:
    """Of the incidents that are not closed. Of two that have the same, the one that goes on, and else the first one."""
    alerts: dict[str, Incident] = {}
    parts: dict[str, dict[int, Incident]] = {}
    for incident in sorted(incidents, key=lambda each: each.is_over):
        for key, alert in incident.alerts.items() if incident.state is not State.CLOSED else ():
            if alert.status == FIRING:
                alerts.setdefault(_identity(key), incident)
                for part in _identity(key).split("."):
                    parts.setdefault(part, {}).setdefault(incident.id, incident)
    return Holders(alerts, parts)


def fingerprints(incident: Incident) -> Collection[str]:
    """Of the alerts that fired in an incident."""
    return {fingerprint(key) for key, alert in incident.alerts.items() if alert.status == FIRING}


def fingerprint(key: str) -> str:
    """What is the same for an alert, whatever group it comes in."""
    return _identity(key).rpartition(".")[2]


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


def _identity(key: str) -> str:
    return key.partition(":")[0]


def _after(incident: Incident, alert: e.AlertTaken) -> e.AlertTaken:
    """Events never go back in time, whatever a clock says."""
    return alert if alert.at >= incident.last_at else replace(alert, at=incident.last_at)
