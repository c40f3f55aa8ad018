"""Alerts and their runs in incidents: in one that is named, in the one that has them, or in a new one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_engine.cli.incident_shared import now
from runbook_engine.cli.streams import note as tell
from runbook_engine.errors import UsageError

if TYPE_CHECKING:
    from runbook_engine.alerting.alerts import Alert
    from runbook_engine.cli.alert_runs import Ran
    from runbook_engine.document.models import Severity
    from runbook_engine.incidents.events import AlertTaken
    from runbook_engine.incidents.incident import Incident
    from runbook_engine.incidents.store import IncidentStore

MOST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Filing:
    """What a person asked for: an incident by its ``number``, or ``opens`` one where there is none."""

    number: int | None
    opens: bool
    priority: "Severity | None"
    policy_file: Path | None
    by: str
    sends: bool

    def check(self) -> None:
        """Before anything is run. Raises IncidentError where there is no such incident that takes anything."""
        if self.number is None:
            return
        from runbook_engine.errors import IncidentError
        from runbook_engine.incidents.incident import State

        with _store() as store:
            if store.load(self.number).state is State.CLOSED:
                raise IncidentError(f"incident {self.number} is closed; open it again: runbook incident reopen")

    def file(self, alerts: "Sequence[Alert]", ran: "Sequence[Ran]") -> Mapping[str, int]:
        """The number of the incident that got each alert, by its key. Raises UsageError where nobody says how bad it is."""
        from runbook_engine.alerting.alerts import Status

        firing = [each for each in alerts if each.status is Status.FIRING]
        resolved = [each for each in alerts if each.status is Status.RESOLVED]
        if not (resolved or (firing and (self.opens or self.number is not None))):
            return {}
        from runbook_engine.alerting.log import one_at_a_time
        from runbook_engine.engine.sqlite import default_file

        with _store() as store, one_at_a_time(default_file()):
            filed = self._resolved(store, resolved)
            if self.number is not None:
                filed |= self._add(store, self.number, firing, ran)
            elif self.opens and firing:
                filed |= self._open(store, firing, ran)
        return filed

    def tell_people(self, numbers: "Iterable[int]") -> None:
        """Send the messages that the incidents ask for now, or say how many wait. What fails is only told."""
        from runbook_engine.cli.incident_sending import deliver

        for number in sorted(numbers):
            with _store() as store:
                deliver(store, number, self.by, send=self.sends)

    def _resolved(self, store: "IncidentStore", alerts: "Sequence[Alert]") -> dict[str, int]:
        """An alert that is over is added to the incident that has it, which goes on until somebody ends it."""
        from runbook_engine.incidents.alerts import holders, take_alerts

        held = holders(_open_incidents(store) if alerts else ())
        of_incident: dict[int, list[Alert]] = {}
        for alert in alerts:
            incident = held.holding(alert.key)
            if incident is not None:
                of_incident.setdefault(incident.id, []).append(alert)
        for number, over in of_incident.items():
            store.act(number, take_alerts([self._event(alert) for alert in over]))
            several = f"{len(over)} alerts are" if len(over) > 1 else "an alert is"
            hint = f"runbook incident resolve -i {number}"
            tell(f"{several} over in incident {number}, which stays open until you say: {hint}")
        return {alert.key: number for number, over in of_incident.items() for alert in over}

    def _open(self, store: "IncidentStore", alerts: "Sequence[Alert]", ran: "Sequence[Ran]") -> dict[str, int]:
        from runbook_engine.incidents.alerts import holders

        held = holders(_open_incidents(store))
        of_incident: dict[int, list[Alert]] = {}
        new: list[Alert] = []
        for alert in alerts:
            incident = held.related(alert.key)
            (new if incident is None else of_incident.setdefault(incident.id, [])).append(alert)
        filed: dict[str, int] = {}
        for number, belonging in of_incident.items():
            filed |= self._add(store, number, belonging, ran)
        return filed | (self._opened(store, new, ran) if new else {})

    def _opened(self, store: "IncidentStore", alerts: "Sequence[Alert]", ran: "Sequence[Ran]") -> dict[str, int]:
        from runbook_engine.incidents import acting
        from runbook_engine.incidents.alerts import known_from
        from runbook_engine.incidents.classify import classify
        from runbook_engine.incidents.events import Source
        from runbook_engine.incidents.policy import load_policy, playbook_of

        policy = load_policy(self.policy_file)
        because: tuple[str, ...]
        if self.priority is not None:
            priority, because = self.priority, ("chosen with --priority",)
        else:
            known = known_from(policy, [each.trace for each in _of(ran, alerts) if each.trace is not None])
            if not known:
                raise UsageError(
                    "how bad is it? no run says anything of what the policy asks for, so that no incident was opened; "
                    "send it again with --priority"
                )
            found = classify(policy, known)
            priority, because = found.priority, found.sentences
        opening = acting.opening(
            policy,
            _title(alerts),
            priority,
            now(),
            self.by,
            because=because,
            description=alerts[0].description,
            source=Source.ALERT,
            playbook=playbook_of(policy, priority),
        )
        at = opening[-1].at
        incident = store.open([*opening, *(self._event(alert, at) for alert in alerts)])
        tell(f"opened incident {incident.id}, {priority}: {incident.title}")
        return self._add(store, incident.id, alerts, ran)

    def _add(
        self, store: "IncidentStore", number: int, alerts: "Sequence[Alert]", ran: "Sequence[Ran]"
    ) -> dict[str, int]:
        """What is there already is not added again."""
        from runbook_engine.incidents import acting
        from runbook_engine.incidents.alerts import take_alerts

        store.act(number, take_alerts([self._event(alert) for alert in alerts]))
        traces = [each.trace for each in _of(ran, alerts) if each.trace is not None]
        for trace in traces:
            store.act(number, acting.attach_run(now(), self.by, trace))
        runs = f" and {len(traces)} run{'' if len(traces) == 1 else 's'}" if traces else ""
        tell(f"{len(alerts)} alert{'' if len(alerts) == 1 else 's'}{runs} in incident {number}")
        return {alert.key: number for alert in alerts}

    def _event(self, alert: "Alert", at: float | None = None) -> "AlertTaken":
        from runbook_engine.incidents.events import AlertTaken

        return AlertTaken(
            at=now() if at is None else at,
            by=self.by,
            key=alert.key,
            name=alert.name,
            status=str(alert.status),
            summary=alert.summary,
            labels=alert.labels,
        )


def _store() -> "IncidentStore":
    from runbook_engine.engine.sqlite import default_file
    from runbook_engine.incidents.store import IncidentStore

    return IncidentStore(default_file())


def _open_incidents(store: "IncidentStore") -> "Sequence[Incident]":
    return [store.load(number) for number in store.numbers(still_open=True)]


def _of(ran: "Sequence[Ran]", alerts: "Sequence[Alert]") -> "Sequence[Ran]":
    """The runs for some of the alerts."""
    keys = {each.key for each in alerts}
    return [each for each in ran if not keys.isdisjoint(each.job.keys)]


def _title(alerts: "Sequence[Alert]") -> str:
    first = alerts[0]
    title = f"{first.shown}: {first.summary}" if first.summary else first.shown
    if len(alerts) > 1:
        title = f"{len(alerts)} alerts, first {title}"
    return title if len(title) <= MOST_TITLE else f"{title[: MOST_TITLE - 1]}…"
