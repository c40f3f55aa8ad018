"""Who should be engaged in an incident, by its policy and the time."""

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.incidents.escalation import Escalation, escalation
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.policy import ladders


def engaged(incident: Incident, policy: IncidentPolicy, now: float) -> Escalation:
    """Who should be engaged at a time, and who comes next."""
    return escalation(ladders(policy), incident.phases, incident.calls, now)
