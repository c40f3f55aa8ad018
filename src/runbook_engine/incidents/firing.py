"""Alerts that fire, and the incident that each of them leads to: how bad it is, and when people are called anew.

Nothing here reads a clock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.playbook import Playbook
from runbook_engine.engine.trace import Trace
from runbook_engine.incidents import acting
from runbook_engine.incidents import events as e
from runbook_engine.incidents.acting import Decide
from runbook_engine.incidents.alerts import fingerprint, fingerprints, holders, known_from, take_alerts
from runbook_engine.incidents.classify import classify
from runbook_engine.incidents.incident import Incident, State, fold
from runbook_engine.incidents.policy import of_document


class Heard(Struct, frozen=True):
    """What is known of an alert that fires: its labels, what ran for it, and what its runbooks say of themselves.

    ``severities`` are pairs of a runbook and how bad an incident is to which it applies.
    """

    name: str
    labels: Mapping[str, str]
    traces: tuple[Trace, ...] = ()
    severities: tuple[tuple[str, str], ...] = ()


class Judged(Struct, frozen=True):
    """How bad it is and why. ``found``: a run says so, and nobody has to guess."""

    priority: str
    because: tuple[str, ...]
    found: bool = False


def judge(policy: IncidentPolicy, alerts: Iterable[Heard]) -> Judged:
    """How bad the worst of some alerts is.

    What the runs of an alert found decides; else one of its labels, by the policy's map; else the severity of its runbooks;
    else what a run could not rule out; else the policy's ``otherwise``.
    """
    return min((_judge(policy, each) for each in alerts), key=lambda each: policy.rank(each.priority))


def _judge(policy: IncidentPolicy, alert: Heard) -> Judged:
    known = known_from(policy, alert.traces)
    found = classify(policy, {name: each for name, each in known.items() if each.value is not None})
    if found.rule is not None:
        return Judged(found.priority, found.sentences, found=True)
    labels = [(name, alert.labels[name]) for name in policy.firing.labels if alert.labels.get(name, "").strip()]
    odd = tuple(f'nobody says how bad {name} "{value}" is: firing.priorities of the policy' for name, value in labels)
    for name, value in labels:
        meant = policy.of_label(value)
        if meant is not None:
            return Judged(meant, (f'the alert {alert.name} has {name} "{value}"',))
    severities = [(runbook, each) for runbook, said in alert.severities if (each := policy.of_label(said)) is not None]
    unknown = dict.fromkeys(said for _, said in alert.severities if policy.of_label(said) is None)
    odd += tuple(f'a runbook is for a "{said}", which is no priority of the policy' for said in unknown)
    if severities:
        runbook, severity = min(severities, key=lambda each: policy.rank(each[1]))
        return Judged(severity, (f"the runbook {runbook} is for a {severity}", *odd))
    doubt = classify(policy, known)
    if doubt.rule is not None:
        return Judged(doubt.priority, (*doubt.sentences, *odd))
    because = f"neither a run nor a label of {alert.name} says how bad it is, so that the policy's otherwise counts"
    return Judged(policy.otherwise, (because, *odd))


class Homes:
    """Which incident an alert that fires at ``at`` belongs to.

    One that goes on takes whatever has its group or its fingerprint. One that is resolved takes, for as long as its policy
    says, only the same thing: an alert with the same fingerprint or of the same name.
    """

    def __init__(self, incidents: Iterable[Incident], at: float) -> None:
        self._held = holders(incidents)
        self._at = at
        self._known: dict[int, Collection[str]] = {}

    def home(self, key: str, name: str) -> Incident | None:
        """The incident that takes the alert, opened again where it is resolved; None where it needs one of its own."""
        related = self._held.all_related(key)
        return next((each for each in related if not each.is_over or self._takes_again(each, key, name)), None)

    def related(self, key: str) -> Sequence[Incident]:
        """All that have an alert of its group or with its fingerprint."""
        return self._held.all_related(key)

    def _takes_again(self, incident: Incident, key: str, name: str) -> bool:
        if incident.id not in self._known:
            within = of_document(incident.policy_document).firing.reopen_within
            late = incident.resolved_at is None or not 0 < within >= self._at - incident.resolved_at
            names = {each.name for each in incident.alerts.values() if each.name}
            self._known[incident.id] = () if late else {*names, *fingerprints(incident)}
        known = self._known[incident.id]
        return name in known or fingerprint(key) in known


def take_firing(  # what is taken has its own words
    alerts: Sequence[e.AlertTaken],
    at: float,
    by: str,
    judged: Judged | None = None,
    playbook: Playbook | None = None,
) -> Decide:
    """Keep alerts that fire with an incident. One that is over, or that no longer hurt, is opened again by them.

    It gets the priority of ``judged`` where that is worse, and follows ``playbook`` then. An alert that the incident has
    already changes nothing while the incident goes on: people have been called for it.
    """

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        fresh = [each for each in alerts if each.key not in incident.alerts]
        steps: list[Decide] = []
        if incident.is_over or (incident.state is State.MITIGATED and fresh):
            steps.append(acting.reopen(at, by, _again(fresh, alerts), anew=True))
        steps.append(take_alerts(alerts))
        if judged is not None and (fresh or judged.found):
            policy = of_document(incident.policy_document)
            worse = judged.priority in policy.priorities and policy.rank(judged.priority) < policy.rank(
                incident.priority
            )
            if worse:
                steps.append(acting.reprioritise(at, by, judged.priority, "; ".join(judged.because), playbook))
        return together(*steps)(incident)

    return decide


def together(*decisions: Decide) -> Decide:
    """One decision after the other, each from what the incident is after those before it."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        found: tuple[e.IncidentEvent, ...] = ()
        for each in decisions:
            now = fold(incident.id, (*incident.events, *found)) if found else incident
            found = (*found, *each(now))
        return found

    return decide


def _again(fresh: Sequence[e.AlertTaken], alerts: Sequence[e.AlertTaken]) -> str:
    """``ShopDown fires again``."""
    names = list(dict.fromkeys(each.name or "an alert without a name" for each in fresh or alerts))
    told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    verb = "fires" if len(names) == 1 else "fire"
    return f"{told} {verb} again" if fresh else f"{told} still {verb}"
