"""What is proven of a playbook: its phases follow each other, each task has its time, and what it names is there."""

from collections.abc import Sequence

from runbook_engine.document import Diagnostic
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.incident_policy_load import load_incident_policy_file
from runbook_engine.document.playbook import Phase, Playbook, Task
from runbook_engine.document.playbook_load import LoadedPlaybook
from runbook_engine.errors import RunbookError, UsageError, did_you_mean
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.library import Library
from runbook_engine.quantity import Dimension, show


def check_playbook(loaded: LoadedPlaybook, library: Library) -> tuple[Diagnostic, ...]:
    """All mistakes of shape and of meaning, in the order of the text. Roles are those of the library's policy."""
    found = Mistakes(loaded.source, list(loaded.diagnostics), checking=True)
    if loaded.partial is not None and loaded.document is not None:
        _phases(loaded.partial, found)
        _tasks(loaded.partial, library, _policy(library), found)
    return found.sorted()


def _policy(library: Library) -> IncidentPolicy | None:
    try:
        return load_incident_policy_file(library.policy_file("incidents")).partial
    except UsageError:
        return None


def _phases(playbook: Playbook, found: Mistakes) -> None:
    before = 0.0
    phases = list(playbook.phases.items())
    for index, (name, phase) in enumerate(phases):
        at: Path = ("phases", name)
        if phase.begin != before:
            message = f"phase {quoted(name)} begins after {_time(phase.begin)}, and not after {_time(before)}"
            hint = "the first phase begins at 0min, each other one where the one before it ends"
            found.add("RB731", message, (*at, "begin"), help=hint)
        if phase.end is None and index + 1 < len(phases):
            message = f"phase {quoted(name)} has no end, and another one follows"
            found.add("RB731", message, at, key=True, help="say when it ends")
        if phase.end is not None and phase.end <= phase.begin:
            message = f"phase {quoted(name)} ends after {_time(phase.end)}, before it begins"
            found.add("RB731", message, (*at, "end"), help="write a later time")
        before = phase.end if phase.end is not None else phase.begin


def _tasks(playbook: Playbook, library: Library, policy: IncidentPolicy | None, found: Mistakes) -> None:
    seen: dict[str, str] = {}
    for phase_name, phase in playbook.phases.items():
        for group_name, group in phase.groups.items():
            for name, task in group.tasks.items():
                at: Path = ("phases", phase_name, "groups", group_name, "tasks", name)
                if name in seen:
                    message = f"there is a task {quoted(name)} in group {quoted(seen[name])} already"
                    found.add("RB732", message, at, key=True, help="names of tasks are unique in a playbook")
                seen.setdefault(name, group_name)
                _task(name, task, phase, at, found)
                _named(task, at, library, policy, found)


def _task(name: str, task: Task, phase: Phase, at: Path, found: Mistakes) -> None:
    if task.due is not None and (task.due < phase.begin or (phase.end is not None and task.due > phase.end)):
        message = f"task {quoted(name)} is due after {_time(task.due)}, outside of its phase"
        found.add("RB733", message, (*at, "due"), help=f"the phase begins after {_time(phase.begin)}{_end(phase)}")
    if task.every is not None and task.due is None and phase.end is None:
        message = f"task {quoted(name)} is done again and again, and nothing says when first"
        found.add("RB733", message, (*at, "every"), help="give it a due")
    kinds = [key for key, value in (("runbook", task.runbook), ("message", task.message)) if value is not None]
    if len(kinds) > 1:
        found.add(
            "RB734", f"task {quoted(name)} is both a runbook and a message", at, key=True, help="make two tasks of it"
        )
    if (task.message is None) != (task.audience is None):
        there, lacking = ("message", "audience") if task.message is not None else ("audience", "message")
        found.add(
            "RB734", f'task {quoted(name)} has "{there}" and no "{lacking}"', at, key=True, help=f"say the {lacking}"
        )
    if task.params and task.runbook is None:
        found.add("RB734", f'task {quoted(name)} has "with" and no "runbook"', (*at, "with"), key=True, help="name it")


def _named(task: Task, at: Path, library: Library, policy: IncidentPolicy | None, found: Mistakes) -> None:
    if policy is not None and task.owner not in policy.roles:
        message = f"there is no role {quoted(task.owner)}{did_you_mean(task.owner, policy.roles)}"
        found.add("RB735", message, (*at, "owner"), help=f"roles of the policy: {', '.join(policy.roles)}")
    if task.runbook is None:
        return
    known: Sequence[str] = sorted(library.files())
    if task.runbook not in known:
        message = f"there is no runbook {quoted(task.runbook)}{did_you_mean(task.runbook, known)}"
        found.add("RB735", message, (*at, "runbook"), help=f"runbooks: {', '.join(known)}")
        return
    try:
        runbook = library.load(task.runbook).partial
    except RunbookError:
        return
    for name in task.params if runbook is not None else ():
        if runbook is not None and name not in runbook.inputs:
            message = f"{quoted(task.runbook)} has no input {quoted(name)}{did_you_mean(name, runbook.inputs)}"
            found.add(
                "RB735", message, (*at, "with", name), key=True, help=f"inputs: {', '.join(runbook.inputs) or 'none'}"
            )


def _end(phase: Phase) -> str:
    return f" and ends after {_time(phase.end)}" if phase.end is not None else ""


def _time(seconds: float) -> str:
    return show(seconds, Dimension.DURATION)
