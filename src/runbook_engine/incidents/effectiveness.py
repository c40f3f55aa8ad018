"""How well people answered an incident, held against its policy: pure, of the incident and the time.

Durations are seconds since the incident was opened. What nobody recorded is None, never 0.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil

from msgspec import Struct

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import FindingKind
from runbook_engine.incidents import events as e
from runbook_engine.incidents.delivery import untold_tasks, updates_told
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.escalation import Reached
from runbook_engine.incidents.incident import Incident, TaskState
from runbook_engine.incidents.policy import of_document
from runbook_engine.incidents.tasks import placed_tasks


class Times(Struct, frozen=True):
    """How long it took until somebody was on it, knew the cause, it no longer hurt, and the cause was gone."""

    acknowledge: float | None
    diagnose: float | None
    mitigate: float | None
    resolve: float | None


class Answer(Struct, frozen=True):
    """Whether somebody was on it within the response time of a priority, counted from when people were called for it.

    ``in_time`` is None where the time was not over yet when that no longer mattered. ``again``: an alert had opened it again.
    """

    priority: str
    asked_at: float
    limit: float
    took: float | None
    in_time: bool | None
    again: bool = False


class Updates(Struct, frozen=True):
    """Whether those who wait were told how it stands. ``every`` is the policy's interval, ``longest`` the longest silence.

    ``kept`` updates were delivered within the interval; ``missed`` is how often an update was due and none was delivered.
    """

    every: float | None
    kept: int
    late: int
    missed: int
    longest: float


class LateTask(Struct, frozen=True):
    """A task that was done ``by`` seconds after it was due."""

    name: str
    title: str
    by: float


class Tasks(Struct, frozen=True):
    """How many tasks of the playbooks were done by when they were due. ``left`` are those of which nothing was said.

    ``untold`` of those that are done are messages of which nothing was delivered.
    """

    in_time: int
    late: tuple[LateTask, ...]
    skipped: int
    left: int
    untold: int = 0


class Effectiveness(Struct, frozen=True):
    """``updates`` and ``tasks`` are None where the policy wants no updates and where no playbook was followed."""

    times: Times
    answers: tuple[Answer, ...]
    updates: Updates | None
    reached: tuple[Reached, ...]
    tasks: Tasks | None
    reopened: int


def effectiveness(incident: Incident, now: float) -> Effectiveness:
    """All of it. Where the incident was opened again, the last time that it was mitigated and resolved counts."""
    policy = of_document(incident.policy_document)
    end = now if incident.resolved_at is None else incident.resolved_at
    return Effectiveness(
        times_of(incident),
        tuple(_answers(incident, policy, now)),
        _updates(incident, policy, now),
        engaged(incident, policy, end).reached,
        _tasks(incident, policy) if incident.playbooks else None,
        sum(isinstance(each, e.Reopened) for each in incident.events),
    )


def times_of(incident: Incident) -> Times:
    """Counted from when the incident was opened."""

    def since(at: float | None) -> float | None:
        return None if at is None else max(0.0, at - incident.opened_at)

    return Times(
        since(incident.acknowledged[0].at if incident.acknowledged else None),
        since(_diagnosed_at(incident)),
        since(incident.mitigated_at),
        since(incident.resolved_at),
    )


def _diagnosed_at(incident: Incident) -> float | None:
    """When a run had found a cause, or somebody had written the root cause down, whichever was first.

    A remark that was written when all was over tells the cause, but not when it was known.
    """
    # Its times are those of the machine that it ran on; it was over when it was attached.
    runs = [
        min(run.finished_at, run.at)
        for run in incident.runs
        if any(each.kind == FindingKind.CAUSE for each in run.findings)
    ]
    over = incident.resolved_at
    remarks = [
        each.at
        for each in incident.remarks
        if each.section is e.Section.ROOT_CAUSE and (over is None or each.at <= over)
    ]
    return min([*runs, *remarks], default=None)


def _answers(incident: Incident, policy: IncidentPolicy, now: float) -> Iterator[Answer]:
    """One for the priority that it was opened with, and one for each time that it was raised or opened again by an alert."""
    resolved = [each.at for each in incident.events if isinstance(each, e.Resolved)]
    phases = incident.phases
    clocks = [phases[0], *(each for before, each in pairwise(phases) if each.clock != before.clock)]
    for index, phase in enumerate(clocks):
        limit = policy.priorities[phase.priority].response
        ends = clocks[index + 1].since if index + 1 < len(clocks) else None
        took = next(
            (
                each.at - phase.clock
                for each in incident.acknowledged
                if phase.clock <= each.at and (ends is None or each.at < ends)
            ),
            None,
        )
        if took is None:
            over = next((each for each in resolved if each >= phase.clock), None)
            stopped = min(each for each in (ends, over, now) if each is not None)
            in_time = False if stopped > phase.clock + limit else None
        else:
            in_time = took <= limit
        yield Answer(phase.priority, phase.clock, limit, took, in_time, phase.anew)


def _updates(incident: Incident, policy: IncidentPolicy, now: float) -> Updates | None:
    """Silence is counted anew where a priority begins that wants updates, and where the incident is opened again."""
    told = updates_told(incident, policy)
    kept = late = missed = 0
    longest = 0.0
    wanted = False
    for begin, end, every in _wanting(incident, policy, now):
        wanted = True
        marks = [begin, *(at for at in told if begin < at <= end)]
        for before, after in zip(marks, [*marks[1:], end], strict=True):
            silence = after - before
            longest = max(longest, silence)
            missed += max(0, ceil(silence / every) - 1)
        for before, after in pairwise(marks):
            kept, late = (kept + 1, late) if after - before <= every else (kept, late + 1)
    return Updates(policy.priorities[incident.priority].updates, kept, late, missed, longest) if wanted else None


def _wanting(incident: Incident, policy: IncidentPolicy, now: float) -> Iterator[tuple[float, float, float]]:
    """While what priority wanted updates how often, without the time in which the incident was over."""
    for index, phase in enumerate(incident.phases):
        every = policy.priorities[phase.priority].updates
        ends = incident.phases[index + 1].since if index + 1 < len(incident.phases) else now
        if every is None:
            continue
        for begin, end in _lasting(incident.events, now):
            if max(begin, phase.since) < min(end, ends):
                yield max(begin, phase.since), min(end, ends), every


def _lasting(events: Sequence[e.IncidentEvent], now: float) -> Iterator[tuple[float, float]]:
    """When the incident was not over."""
    begin: float | None = events[0].at
    for event in events:
        if isinstance(event, e.Resolved) and begin is not None:
            yield begin, event.at
            begin = None
        elif isinstance(event, e.Reopened) and begin is None:
            begin = event.at
    if begin is not None:
        yield begin, now


def _tasks(incident: Incident, policy: IncidentPolicy) -> Tasks:
    """By when they were done first, since somebody last said that they were to be done again."""
    first: dict[str, float] = {}
    for event in incident.events:
        if isinstance(event, e.TaskDone):
            first.setdefault(event.task, event.at)
        elif isinstance(event, e.TaskReopened):
            first.pop(event.task, None)
    placed = placed_tasks(incident)
    states = {each.id: incident.tasks[each.id].state for each in placed if each.id in incident.tasks}
    done = [each for each in placed if states.get(each.id) is TaskState.DONE]
    untold = untold_tasks(incident, policy)
    late = tuple(
        LateTask(each.id, each.task.title, first[each.id] - each.due) for each in done if first[each.id] > each.due
    )
    skipped = sum(each is TaskState.SKIPPED for each in states.values())
    return Tasks(
        len(done) - len(late), late, skipped, len(placed) - len(states), sum(each.id in untold for each in done)
    )
