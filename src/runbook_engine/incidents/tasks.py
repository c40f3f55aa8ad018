"""The tasks of an incident: those of the playbooks that were started in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from runbook_engine.document.playbook import Playbook, Task
from runbook_engine.errors import IncidentError, did_you_mean
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.policy import unreadable


class IncidentTask(Struct, frozen=True):
    """A task with its place. ``id`` is ``playbook/task``; ``begins`` and ``due`` are in Unix seconds."""

    id: str
    playbook: str
    phase: str
    group: str
    task: Task
    begins: float
    due: float

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]


def playbook_document(playbook: Playbook) -> Mapping[str, Any]:
    """The playbook as an incident keeps it."""
    return playbook.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def placed_tasks(incident: Incident) -> Sequence[IncidentTask]:
    """All tasks of the incident, in the order of its playbooks."""
    found: list[IncidentTask] = []
    for started in incident.playbooks:
        playbook = _kept(started.playbook)
        for each in playbook.tasks():
            phase = playbook.phases[each.phase]
            found.append(
                IncidentTask(
                    f"{playbook.playbook}/{each.id}",
                    playbook.playbook,
                    phase.title,
                    phase.groups[each.group].title,
                    each.task,
                    started.since + phase.begin,
                    started.since + each.due,
                )
            )
    return found


def _kept(document: Mapping[str, Any]) -> Playbook:
    try:
        return Playbook.model_validate(document)
    except ValidationError as error:
        raise unreadable("playbook", error) from error


def find_task(incident: Incident, name: str) -> IncidentTask:
    """A task by its name, or as ``playbook/task`` where several playbooks have one of that name. Raises IncidentError."""
    tasks = placed_tasks(incident)
    fitting = [each for each in tasks if name in (each.id, each.name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise IncidentError(f"several playbooks have a task {name!r}; write {' or '.join(each.id for each in fitting)}")
    if not tasks:
        raise IncidentError(f"incident {incident.id} follows no playbook; start one: runbook incident playbook NAME")
    guess = did_you_mean(name, [each.name for each in tasks])
    raise IncidentError(f"there is no task {name!r}{guess}; `runbook incident tasks` lists them")
