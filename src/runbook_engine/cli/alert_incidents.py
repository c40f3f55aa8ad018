"""Alerts and their runs in incidents: in one that is named, in the one that has them, or in a new one.

With ``--open`` each alert that fires leads to an incident, whatever its runbooks say and whether they could run or not.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_engine.cli.alert_filed import Filed
from runbook_engine.cli.incident_shared import now, own_policy
from runbook_engine.cli.streams import note as tell
from runbook_engine.errors import InvalidDocumentError, JournalError, RunbookError

if TYPE_CHECKING:
    from runbook_engine.alerting.alerts import Alert
    from runbook_engine.cli.alert_runs import Ran
    from runbook_engine.cli.alert_view import Seen
    from runbook_engine.document.incident_policy import IncidentPolicy
    from runbook_engine.document.playbook import Playbook
    from runbook_engine.engine.trace import Trace
    from runbook_engine.incidents.events import AlertTaken, IncidentEvent
    from runbook_engine.incidents.firing import Judged
    from runbook_engine.incidents.incident import Incident
    from runbook_engine.incidents.store import IncidentStore

MOST_TITLE = 200


@dataclass(slots=True)
class Filing:
    """What a person asked for: an incident by its ``number``, or ``opens`` one where there is none.

    ``of`` says which incident got each alert, by its key; ``filed`` what came of each incident; ``codes`` are exit codes.
    """

    number: int | None
    opens: bool
    priority: "str | None"
    policy_file: Path | None
    by: str
    sends: bool
    of: dict[str, int] = field(default_factory=dict)
    filed: dict[int, Filed] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    _policy: "IncidentPolicy | None" = None
    _ran: "dict[str, list[Trace]]" = field(default_factory=dict)
    _not_run: dict[str, list[str]] = field(default_factory=dict)

    def check(self) -> None:
        """Before anything is run. Raises IncidentError where there is no such incident that takes anything."""
        if self.number is not None:
            from runbook_engine.errors import IncidentError
            from runbook_engine.incidents.incident import State

            with _store() as store:
                if store.load(self.number).state is State.CLOSED:
                    hint = f"runbook incident reopen -i {self.number} --because …"
                    raise IncidentError(f"incident {self.number} is closed; open it again: {hint}")
        elif self.opens:
            self._given(self._own_policy())

    def file(self, seen: "Sequence[Seen]", ran: "Sequence[Ran]") -> None:
        """Find each alert its incident, and send the messages that follow, or say how many wait.

        What fails is told, and keeps nobody from being called: where the journal cannot be written, from memory.
        """
        from runbook_engine.alerting.alerts import Status
        from runbook_engine.alerting.log import Standing

        for each in ran:
            for key in each.job.keys:
                if each.trace is not None:
                    self._ran.setdefault(key, []).append(each.trace)
                elif each.problem:
                    self._not_run.setdefault(key, []).append(f"{each.job.match.runbook} was not run: {each.problem}")
        firing = [each for each in seen if each.alert.status is Status.FIRING and each.standing is not Standing.RUNNING]
        firing = firing if self.opens or self.number is not None else []
        over = [each for each in seen if each.alert.status is Status.RESOLVED and each.is_mine]
        if not (firing or over or self.sends):
            return
        try:
            with _alone(), _store() as store:
                self._resolved(store, [each.alert for each in over])
                self._fire(store, firing)
                self._left(store, {each.alert.key for each in seen})
        except JournalError as error:
            self.codes.append(error.exit_code)
            if self.filed or not (firing and self.opens):
                tell(f"error: {error}")
            else:
                tell(f"warning: {error}; people are called all the same, and the incident is found nowhere afterwards")
                self._from_memory(firing)
                return
        self._deliver()

    def _left(self, store: "IncidentStore", keys: "AbstractSet[str]") -> None:
        """What others were to send and did not is sent now: who was killed, or stands still, calls nobody.

        So it is in the incidents that have alerts of these ``keys``, whoever works on them, and in all that alerts opened.
        """
        from runbook_engine.cli.incident_sending import messages_of
        from runbook_engine.incidents.events import Source
        from runbook_engine.incidents.messages import MessageState

        for number in store.numbers(still_open=True) if self.sends else ():
            incident = store.load(number)
            has_them = number == self.number or not keys.isdisjoint(incident.alerts)
            if number in self.filed or not (has_them or (self.opens and incident.opened.source is Source.ALERT)):
                continue
            if has_them or any(
                each.is_due or each.state is MessageState.SENDING for each in messages_of(store, number)
            ):
                self.filed[number] = Filed(number, "unchanged", str(incident.priority))

    def _from_memory(self, firing: "Sequence[Seen]") -> None:
        from runbook_engine.incidents.store import IncidentStore

        with IncidentStore(None) as store:
            self._fire(store, firing)
            self._deliver(store)
        self.of.clear()
        self.filed = {number: each.from_memory for number, each in self.filed.items()}

    def _deliver(self, store: "IncidentStore | None" = None) -> None:
        from msgspec.structs import replace

        from runbook_engine.cli.incident_sending import deliver, messages_of

        for number, each in sorted(self.filed.items()):
            try:
                with ExitStack() as stack:
                    found = store or stack.enter_context(_store())
                    self.codes.append(deliver(found, number, self.by, send=self.sends))
                    self.filed[number] = replace(each, messages=tuple(messages_of(found, number)))
            except RunbookError as error:
                tell(f"error: the messages of incident {number} were not sent: {error}")
                self.codes.append(error.exit_code)
        self.codes += [each.code for each in self.filed.values()]

    def _resolved(self, store: "IncidentStore", alerts: "Sequence[Alert]") -> None:
        """An alert that is over is added to the incident that has it, which goes on until somebody ends it."""
        from runbook_engine.incidents.alerts import holders, take_alerts

        held = holders(_open_incidents(store) if alerts else ())
        of_incident: dict[int, list[Alert]] = {}
        for alert in alerts:
            incident = held.holding(alert.key)
            if incident is not None:
                of_incident.setdefault(incident.id, []).append(alert)
        for number, over in of_incident.items():
            incident = store.act(number, take_alerts([self._event(alert) for alert in over]))
            several = f"{len(over)} alerts are" if len(over) > 1 else "an alert is"
            hint = f"runbook incident resolve -i {number}"
            if not incident.is_over:
                tell(f"{several} over in incident {number}, which stays open until you say: {hint}")
            self._keep(Filed(number, "over", str(incident.priority)), [each.key for each in over])

    def _fire(self, store: "IncidentStore", firing: "Sequence[Seen]") -> None:
        if self.number is not None:
            if firing:
                self._join(store, store.load(self.number), firing)
            return
        from runbook_engine.incidents.firing import Homes

        homes = Homes(_open_incidents(store), now())
        found = {each.alert.key: homes.home(each.alert.key, _named(each.alert)) for each in firing}
        chosen = {each.id: each for each in found.values() if each is not None}
        groups: dict[int, list[Seen]] = {}
        new: list[Seen] = []
        after: dict[int, Incident] = {}
        for each in firing:
            # What comes in one group goes to one incident.
            related = homes.related(each.alert.key)
            home = found[each.alert.key] or next((one for one in related if one.id in chosen), None)
            if home is None:
                new.append(each)
                after |= {one.id: one for one in related}
            else:
                groups.setdefault(home.id, []).append(each)
        for number, group in groups.items():
            self._join(store, chosen[number], group)
        if new:
            self._open(store, new, list(after.values()))

    def _open(self, store: "IncidentStore", firing: "Sequence[Seen]", after: "Sequence[Incident]") -> None:
        from runbook_engine.incidents import acting
        from runbook_engine.incidents.events import Source

        policy, alerts = self._own_policy(), [each.alert for each in firing]
        judged = self._judged(policy, firing)
        because = (*judged.because, *(f"incident {each.id} had it before, and is {each.state}" for each in after))
        opening = acting.opening(
            policy,
            _title(alerts),
            judged.priority,
            now(),
            self.by,
            because=because,
            description=alerts[0].description,
            source=Source.ALERT,
            playbook=self._playbook(policy, judged.priority),
        )
        at = opening[-1].at
        incident = store.open([*opening, *(self._event(alert, at) for alert in alerts)])
        tell(f"opened incident {incident.id}, {judged.priority}: {incident.title}")
        self._keep(Filed(incident.id, "opened", str(judged.priority), because), [each.key for each in alerts])
        self._attach(store, incident.id, firing, len(alerts))

    def _join(self, store: "IncidentStore", incident: "Incident", firing: "Sequence[Seen]") -> None:
        """What is there already is not added again."""
        from runbook_engine.incidents import events as e
        from runbook_engine.incidents.firing import take_firing
        from runbook_engine.incidents.policy import of_document

        policy, alerts = of_document(incident.policy_document), [each.alert for each in firing]
        fresh = {each.key for each in alerts if each.key not in incident.alerts}
        # Whoever names an incident says how bad it is.
        said = [] if self.number is not None else [each for each in firing if each.is_mine or each.alert.key in fresh]
        judged = self._judged(policy, said) if said else None
        worse = judged is not None and policy.rank(judged.priority) < policy.rank(incident.priority)
        playbook = self._playbook(policy, judged.priority) if judged is not None and worse else None
        happened: list[IncidentEvent] = []
        decide = take_firing([self._event(each) for each in alerts], now(), self.by, judged, playbook)

        def kept(found: "Incident") -> "Sequence[IncidentEvent]":
            happened[:] = decide(found)
            return happened

        before, after = incident.priority, store.act(incident.id, kept)
        again = next((each.because for each in happened if isinstance(each, e.Reopened)), None)
        raised = after.priority != before
        what = "reopened" if again is not None else "raised" if raised else "joined" if happened else "unchanged"
        because = () if judged is None else judged.because
        if again is not None:
            tell(f"opened incident {incident.id} again, to call people anew: {again}")
            because = (again, *because)
        if raised:
            tell(f"incident {incident.id} is a {after.priority} now, and was a {before}: {'; '.join(because)}")
        self._keep(Filed(incident.id, what, str(after.priority), because), [each.key for each in alerts])
        self._attach(store, incident.id, firing, len(fresh))

    def _attach(self, store: "IncidentStore", number: int, firing: "Sequence[Seen]", added: int) -> None:
        from runbook_engine.incidents import acting
        from runbook_engine.incidents.events import Noted

        incident = store.load(number)
        known = {each.run_id for each in incident.runs}
        found = {trace.run_id: trace for each in firing for trace in self._traces(each)}
        traces = [trace for run_id, trace in found.items() if run_id not in known]
        for trace in traces:
            store.act(number, acting.attach_run(now(), self.by, trace))
        noted = {each.text for each in incident.events if isinstance(each, Noted)}
        problems = dict.fromkeys(text for each in firing for text in self._not_run.get(each.alert.key, ()))
        for text in (each for each in problems if each not in noted):
            store.act(number, acting.note(now(), self.by, text))
        runs = f"{len(traces)} run{'' if len(traces) == 1 else 's'}" if traces else ""
        alerts = f"{added} alert{'' if added == 1 else 's'}" if added else ""
        if runs or alerts:
            tell(f"{' and '.join(each for each in (alerts, runs) if each)} in incident {number}")

    def _traces(self, each: "Seen") -> "tuple[Trace, ...]":
        """What ran for an alert: now, or when it was sent before."""
        found = self._ran.get(each.alert.key, ())
        if found or each.is_mine or each.entry is None:
            return tuple(found)
        return tuple(trace for run_id in each.entry.runs.values() if (trace := _past(run_id)) is not None)

    def _judged(self, policy: "IncidentPolicy", firing: "Sequence[Seen]") -> "Judged":
        from runbook_engine.incidents.firing import Heard, Judged, judge

        given = self._given(policy)
        if given is not None:
            return Judged(given, ("chosen with --priority",))
        heard: dict[object, Heard] = {}
        for each in firing:
            traces = self._traces(each)
            severities = tuple((match.runbook, match.severity) for match in each.matches if match.severity is not None)
            values = tuple(each.alert.every_label.get(name, "") for name in policy.firing.labels)
            # Of alerts that say the same, one is heard: there may be thousands.
            what = (values, severities, *(trace.run_id for trace in traces))
            heard.setdefault(what, Heard(each.alert.shown, each.alert.every_label, traces, severities))
        return judge(policy, heard.values())

    def _given(self, policy: "IncidentPolicy") -> "str | None":
        """What ``--priority`` says. Raises UsageError where the policy has no such priority."""
        if self.priority is None:
            return None
        from runbook_engine.incidents.policy import priority_named

        return priority_named(policy, self.priority)

    def _own_policy(self) -> "IncidentPolicy":
        """The policy of what is opened. Where it has mistakes, the shipped one counts: somebody must be called."""
        if self._policy is None:
            from runbook_engine.incidents.policy import NAME, load_policy
            from runbook_engine.library import shipped_directory

            try:
                self._policy = own_policy(self.policy_file)
            except InvalidDocumentError as error:
                tell(_rendered(error))
                tell("warning: the policy has mistakes, so that the shipped one counts for what alerts open")
                self.codes.append(error.exit_code)
                self._policy = load_policy(shipped_directory() / "policy" / f"{NAME}.yaml")
        return self._policy

    def _playbook(self, policy: "IncidentPolicy", priority: str) -> "Playbook | None":
        """What leads through a priority; one that cannot be read keeps nobody from being called."""
        from runbook_engine.incidents.policy import playbook_of

        try:
            return playbook_of(policy, priority)
        except RunbookError as error:
            said = _rendered(error) if isinstance(error, InvalidDocumentError) else str(error)
            tell(f"{said}\nwarning: no playbook is followed: the one of a {priority} cannot be read")
            self.codes.append(error.exit_code)
            return None

    def _keep(self, filed: Filed, keys: Iterable[str]) -> None:
        before = self.filed.get(filed.incident)
        if before is None or before.code <= filed.code:
            self.filed[filed.incident] = filed
        self.of |= dict.fromkeys(keys, filed.incident)

    def _event(self, alert: "Alert", at: float | None = None) -> "AlertTaken":
        from runbook_engine.incidents.events import AlertTaken

        return AlertTaken(
            at=now() if at is None else at,
            by=self.by,
            key=alert.key,
            name=_named(alert),
            status=str(alert.status),
            summary=alert.summary,
            labels=alert.labels,
        )


def _store() -> "IncidentStore":
    from runbook_engine.engine.sqlite import default_file
    from runbook_engine.incidents.store import IncidentStore

    return IncidentStore(default_file())


@contextmanager
def _alone() -> Iterator[None]:
    """While nobody else opens incidents for alerts, as far as that can be had."""
    from runbook_engine.alerting.log import one_at_a_time
    from runbook_engine.engine.sqlite import default_file

    with ExitStack() as stack:
        try:
            stack.enter_context(one_at_a_time(default_file()))
        except JournalError as error:
            tell(f"warning: {error}; nobody is waited for any more")
        yield


def _open_incidents(store: "IncidentStore") -> "Sequence[Incident]":
    return [store.load(number) for number in store.numbers(still_open=True)]


def _past(run_id: str) -> "Trace | None":
    from runbook_engine.cli.incident_shared import trace_of

    try:
        return trace_of(run_id)
    except (RunbookError, ValueError):
        return None


def _rendered(error: InvalidDocumentError) -> str:
    from runbook_engine.document import render_all

    return render_all(error.diagnostics, error.sources)


def _named(alert: "Alert") -> str:
    """As people know it; an empty text where it has no name."""
    return alert.shown if alert.rule else ""


def _title(alerts: "Sequence[Alert]") -> str:
    first = alerts[0]
    title = f"{first.shown}: {first.summary}" if first.summary else first.shown
    if len(alerts) > 1:
        title = f"{len(alerts)} alerts, first {title}"
    return title if len(title) <= MOST_TITLE else f"{title[: MOST_TITLE - 1]}…"
