"""What is proven of a playbook: its phases follow each other, each task has its time, and what it names is there."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path as FilePath

from runbook_engine.document import Diagnostic, load_file
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.fitting import misfit
from runbook_engine.document.incident_policy import IncidentPolicy, MessageKind
from runbook_engine.document.incident_policy_load import load_incident_policy_file
from runbook_engine.document.load import SAVED, Unsaved
from runbook_engine.document.models import InputType, Runbook, Scalar
from runbook_engine.document.playbook import DIRECTIVES, Phase, PlacedTask, Playbook, Task, filled_in
from runbook_engine.document.playbook_load import LoadedPlaybook
from runbook_engine.document.told import named_in, texts
from runbook_engine.errors import RunbookNotFoundError, UsageError, closest, did_you_mean
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.library import Library
from runbook_engine.quantity import Dimension, show

LONGEST_CHANNEL = 80
"""Characters of a channel's name, with the # one more. https://docs.slack.dev/reference/methods/conversations.create"""
SHORTEST_REPEAT_S = 60.0
_CHANNEL = re.compile(rf"#[a-z0-9_-]{{1,{LONGEST_CHANNEL}}}\Z")
_STRAY = re.compile(rf"(?!{'|'.join(DIRECTIVES)})%.?")
_SOME_TIME = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def check_playbook(
    loaded: LoadedPlaybook, library: Library, file: FilePath | None = None, unsaved: Unsaved = SAVED
) -> tuple[Diagnostic, ...]:
    """All mistakes of shape and of meaning, in the order of the text.

    Runbooks, and the policy whose roles count, are looked for in the directory in whose ``playbooks`` the ``file`` lies, then
    in the library.
    """
    found = Mistakes(loaded.source, list(loaded.diagnostics), checking=True)
    if loaded.partial is not None:
        _names(loaded.partial, _beside(file, library) if file else library, unsaved, found)
    # What was taken out for its shape may be what the rest lacks.
    if loaded.document is not None:
        _channel(loaded.document.channel, found)
        _texts(loaded.document, found)
        _phases(loaded.document, found)
        _tasks(loaded.document, found)
    return found.sorted()


def _channel(pattern: str, found: Mistakes) -> None:
    at: Path = ("channel",)
    stray = _STRAY.search(pattern)
    if stray is not None:
        message = f"{quoted(stray[0])} in the name of the channel stands for nothing"
        hint = "%Y, %m, %d, %H and %M stand for year, month, day, hour and minute"
        found.add("RB736", message, at, help=hint, within=stray.span())
        return
    name = filled_in(pattern, _SOME_TIME)
    if _CHANNEL.match(name):
        return
    found.add(
        "RB736",
        f"the channel would be called {quoted(name)}, which is no legal name of one",
        at,
        help=f"write # and then lower-case letters, digits, - and _, at most {LONGEST_CHANNEL} of them",
    )


def _texts(playbook: Playbook, found: Mistakes) -> None:
    """Nothing is filled into the texts of a playbook: a name in braces would be read as it stands."""
    for path, text, _ in texts(playbook):
        name = named_in(text)
        if name is not None:
            message = f"{quoted(name[0])} stands for nothing: the texts of a playbook are read as they are written"
            found.add(
                "RB404",
                message,
                path,
                within=name.span(),
                help="a playbook belongs to no run; write what people are to read",
            )


def _phases(playbook: Playbook, found: Mistakes) -> None:
    phases = list(playbook.phases.items())
    first, phase = phases[0]
    if phase.begin != 0:
        message = f"the first phase {quoted(first)} begins only after {_time(phase.begin)}"
        found.add("RB731", message, ("phases", first, "begin"), help="write 0min: a playbook begins when it is started")
    for name, phase in phases:
        if phase.end is not None and phase.end <= phase.begin:
            message = f"phase {quoted(name)} ends after {_time(phase.end)}, and begins after {_time(phase.begin)}"
            found.add("RB731", message, ("phases", name, "end"), help="a phase ends later than it begins")
    for (earlier, before), (name, phase) in pairwise(phases):
        if before.end is None:
            message = f"phase {quoted(earlier)} has no end, and phase {quoted(name)} follows"
            found.add(
                "RB731", message, ("phases", earlier), key=True, help="say when it ends; only the last may have no end"
            )
        elif phase.begin != before.end:
            how = "overlap" if phase.begin < before.end else "leave a gap"
            message = f"phase {quoted(name)} begins after {_time(phase.begin)}, and {quoted(earlier)} ends after "
            hint = "the first phase begins at 0min, each other one where the one before it ends"
            found.add("RB731", f"{message}{_time(before.end)}: they {how}", ("phases", name, "begin"), help=hint)


def _tasks(playbook: Playbook, found: Mistakes) -> None:
    seen: dict[str, str] = {}
    for each in playbook.tasks():
        at = _place(each)
        if each.id in seen:
            message = f"there is a task {quoted(each.id)} in group {quoted(seen[each.id])} already"
            found.add("RB732", message, at, key=True, help="names of tasks are unique in a playbook")
        seen.setdefault(each.id, each.group)
        _times(each.id, each.task, playbook.phases[each.phase], at, found)
        for key, message, hint in _together(each.id, each.task):
            found.add("RB734", message, (*at, key), key=True, help=hint)


def _times(name: str, task: Task, phase: Phase, at: Path, found: Mistakes) -> None:
    if task.due is None:
        if phase.end is None:
            message = f"task {quoted(name)} has no due time, and its phase has no end"
            hint = "say by when it is done, counted from when the playbook is started, for example due: 2h"
            found.add("RB733", message, at, key=True, help=hint)
    elif task.due < phase.begin or (phase.end is not None and task.due > phase.end > phase.begin):
        message = f"task {quoted(name)} is due after {_time(task.due)}, outside of its phase"
        ends = f" and ends after {_time(phase.end)}" if phase.end is not None else ""
        found.add("RB733", message, (*at, "due"), help=f"the phase begins after {_time(phase.begin)}{ends}")
    if task.every is not None and task.every < SHORTEST_REPEAT_S:
        message = f"task {quoted(name)} is due again every {_time(task.every)}, and nobody can do that"
        found.add("RB737", message, (*at, "every"), help="write a minute or more, for example every: 30min")


def _together(name: str, task: Task) -> Iterator[tuple[str, str, str]]:
    """The key, the sentence and the help for each key that does not go together with the others."""
    this = f"task {quoted(name)}"
    if task.runbook is not None and task.message is not None:
        yield "message", f"{this} is both a runbook and a message", "make two tasks of it"
    if task.message is not None and task.audience is None:
        yield "message", f'{this} has "message" and no "audience"', "say the audience"
    if task.audience is not None and task.message is None:
        yield "audience", f'{this} has "audience" and no "message"', "say the message, or take it out"
    if task.params and task.runbook is None:
        yield "with", f'{this} has "with" and no "runbook"', "name the runbook, or take it out"
    if task.channels and task.message is None:
        yield "channels", f'{this} has "channels" and no "message"', "say the message, or take it out"


def _names(playbook: Playbook, library: Library, unsaved: Unsaved, found: Mistakes) -> None:
    """Roles are those of the policy of incidents, if there is one; runbooks are there, and have the inputs."""
    policy = _policy(library, unsaved)
    for each in playbook.tasks():
        at = _place(each)
        owner, runbook = each.task.owner, each.task.runbook
        if policy is not None and owner not in policy.roles:
            message = f"there is no role {quoted(owner)}{did_you_mean(owner, policy.roles)}"
            hint = f"roles of the policy: {', '.join(policy.roles)}"
            found.add("RB735", message, (*at, "owner"), help=hint, write=closest(owner, policy.roles))
        if policy is not None:
            _channels(playbook, each, policy, found)
        if runbook is None:
            continue
        try:
            file = library.find(runbook)
        except RunbookNotFoundError as error:
            message = f"there is no runbook {quoted(runbook)}{did_you_mean(runbook, error.known)}"
            hint = f"runbooks: {', '.join(error.known) or 'none'}"
            found.add("RB735", message, (*at, "runbook"), help=hint, write=closest(runbook, error.known))
            continue
        called = load_file(file, unsaved).partial if each.task.params else None
        if called is not None:
            _inputs(runbook, called, each.task.params, (*at, "with"), found)


def _channels(playbook: Playbook, each: PlacedTask, policy: IncidentPolicy, found: Mistakes) -> None:
    """What a task names is there; what it leaves to the policy reaches somebody."""
    task, at = each.task, _place(each)
    known = policy.channels()
    for place, channel in enumerate(task.channels):
        if channel not in known:
            message = f"there is no channel {quoted(channel)}{did_you_mean(channel, known)}"
            hint = f"channels of the policy: {', '.join(known)}"
            found.add("RB735", message, (*at, "channels", place), help=hint, write=closest(channel, known))
    if task.message is None or task.audience is None or task.channels:
        return
    priorities = playbook.priorities or policy.order
    kind = MessageKind(task.message)
    lacking = [str(priority) for priority in priorities if not policy.route(kind, task.audience, priority)]
    if lacking:
        message = f'the message "{kind}" to {task.audience} reaches nobody for {", ".join(lacking)}'
        hint = "add a route to the policy of incidents, or say the channels here"
        found.add("RB738", message, (*at, "message"), help=hint)


def _beside(file: FilePath, library: Library) -> Library:
    folder = file.resolve().parent
    first = folder.parent if folder.name == "playbooks" else folder
    return Library(tuple(dict.fromkeys((first, *library.directories))))


def _policy(library: Library, unsaved: Unsaved) -> IncidentPolicy | None:
    try:
        return load_incident_policy_file(library.policy_file("incidents"), unsaved).partial
    except UsageError:
        return None


def _inputs(name: str, runbook: Runbook, params: Mapping[str, Scalar], at: Path, found: Mistakes) -> None:
    for key, value in params.items():
        spec = runbook.inputs.get(key)
        if spec is None:
            message = f"{quoted(name)} has no input {quoted(key)}{did_you_mean(key, runbook.inputs)}"
            guess = closest(key, runbook.inputs)
            hint = f"inputs: {', '.join(runbook.inputs) or 'none'}"
            found.add("RB735", message, (*at, key), key=True, help=hint, write=guess if guess not in params else None)
        elif spec.type is InputType.SECRET:
            message = f"{quoted(key)} is a secret of {quoted(name)}, and a literal writes it into the document"
            hint = f"leave it to the environment variable {spec.env or key.upper()}"
            found.add("RB123", message, (*at, key), label="remove it", help=hint)
        elif (problem := misfit(value, spec.type, spec.values)) is not None:
            message = f"the value of {quoted(key)} {problem.sentence}"
            hint = f"{problem.help + '; ' if problem.help else ''}in {quoted(name)} it is of the type {spec.type}"
            found.add("RB402", message, (*at, key), label=problem.label, help=hint)


def _place(each: PlacedTask) -> Path:
    return ("phases", each.phase, "groups", each.group, "tasks", each.id)


def _time(seconds: float) -> str:
    return show(seconds, Dimension.DURATION)
