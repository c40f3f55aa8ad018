"""A playbook as a frozen tree of models: what people do in an incident, who, and by when.

All times count from when the playbook is started, which is when the incident is opened unless somebody starts it later.
``runbook_engine.graph.playbook`` proves that it leaves no hole.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Struct
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from runbook_engine.document.incident_policy import Audience, Elapsed
from runbook_engine.document.models import Model, Name, PriorityName, RunbookNameField, Scalar, Text
from runbook_engine.document.told import Told

DEFAULT_CHANNEL = "#incident-%Y-%m-%d-%H-%M"
DIRECTIVES = ("%Y", "%m", "%d", "%H", "%M")
"""What the name of a channel may hold of the time: year, month, day, hour and minute."""
_DIRECTIVE = re.compile("|".join(DIRECTIVES))


class TaskMessage(StrEnum):
    """What somebody is told by a task."""

    OPENED = "opened"
    STATUS_UPDATE = "status_update"
    ESCALATED = "escalated"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"
    CUSTOM = "custom"


class Skip(StrEnum):
    """Whether a task may be left out: with a reason, without one, or never."""

    REASON = "reason"
    FREE = "free"
    NEVER = "never"


class TaskKind(StrEnum):
    """What a task is: a person does something, a runbook runs, or a message is sent."""

    MANUAL = "manual"
    RUNBOOK = "runbook"
    MESSAGE = "message"


def _single(value: object) -> object:
    if isinstance(value, dict | list):
        raise PydanticCustomError("scalar", "only a text, a number, true or false can be given")
    return value


Given = Annotated[Scalar, BeforeValidator(_single, json_schema_input_type=Scalar)]


class Task(Model):
    """Something to do: by hand, unless it has ``runbook`` or ``message``."""

    # Otherwise "params" would be legal beside "with".
    model_config = ConfigDict(populate_by_name=False)

    title: Annotated[Text, Told.PLAIN] = Field(description="What is to be done, in one line")
    owner: Name = Field(description="The role that does it, as the policy of incidents calls it")
    due: Elapsed | None = Field(
        None, description="By when, counted from when the playbook is started; without it, by the end of the phase"
    )
    every: Elapsed | None = Field(
        None, description="Once due it is due again after so long, until the incident is resolved"
    )
    runbook: RunbookNameField | None = Field(None, description="The runbook that does it")
    params: dict[Name, Given] = Field(
        default_factory=dict, alias="with", description="Values for inputs of the runbook, by name"
    )
    message: TaskMessage | None = Field(None, description="The message that is sent")
    audience: Audience | None = Field(None, description="Whom the message is written for")
    channels: tuple[Name, ...] = Field(
        (), description="Where the message goes; without it, where the policy of incidents says"
    )
    skip: Skip = Field(Skip.REASON, description="Whether it may be left out: with a reason, freely, or never")
    evidence: bool = Field(False, strict=True, description="It is done only when something is attached to it")
    instructions: tuple[Annotated[Text, Told.PLAIN], ...] = Field((), description="How it is done, line by line")
    contact: Annotated[str, Told.PLAIN] = Field("", description="Whom to turn to, and how")
    link: Annotated[str, Told.PLAIN] = Field("", description="Where more is said about it")

    @property
    def kind(self) -> TaskKind:
        if self.runbook is not None:
            return TaskKind.RUNBOOK
        return TaskKind.MANUAL if self.message is None else TaskKind.MESSAGE


class TaskGroup(Model):
    """Tasks that belong together."""

    title: Annotated[Text, Told.PLAIN] = Field(description="What they are for")
    tasks: dict[Name, Task] = Field(
        min_length=1, description="The tasks, by a name that no other task of the playbook has"
    )


class Phase(Model):
    """A part of the time after a playbook is started."""

    title: Annotated[Text, Told.PLAIN] = Field(description="What the phase is called")
    begin: Elapsed = Field(description="When it begins: 0min, or when the phase before it ends")
    end: Elapsed | None = Field(None, description="When it ends; the last phase has no end")
    groups: dict[Name, TaskGroup] = Field(min_length=1, description="The groups of its tasks, by name, in their order")


class PlacedTask(Struct, frozen=True):
    """A task with where it stands; ``due`` in seconds after the playbook is started."""

    phase: str
    group: str
    id: str
    task: Task
    due: float


class Playbook(Model):
    """A playbook: what people do in an incident, phase by phase, who does it, and by when."""

    playbook: RunbookNameField = Field(
        description="The name: lower-case words joined by hyphens, as the file is called"
    )
    title: Annotated[Text, Told.PLAIN] = Field(description="What the playbook is for, in one line")
    version: str = Field("1.0.0", description="The version of this text")
    owner: str = Field("", description="The team that keeps it")
    description: Annotated[str, Told.PLAIN] = Field("", description="More about it")
    priorities: tuple[PriorityName, ...] = Field(
        (), description="The priorities whose incidents it leads through; none where it is chosen by hand"
    )
    channel: Text = Field(
        DEFAULT_CHANNEL,
        description="What the channel is called in which people talk about an incident that is opened with it; %Y, %m, %d, "
        "%H and %M stand for the year, month, day, hour and minute of then, in UTC",
    )
    phases: dict[Name, Phase] = Field(min_length=1, description="The phases, by name, in their order")

    def tasks(self) -> Iterator[PlacedTask]:
        """All tasks in their order. One without ``due`` is due by the end of its phase."""
        for phase_id, phase in self.phases.items():
            for group_id, group in phase.groups.items():
                for task_id, task in group.tasks.items():
                    ends = phase.begin if phase.end is None else phase.end
                    yield PlacedTask(phase_id, group_id, task_id, task, ends if task.due is None else task.due)

    def channel_name(self, opened: datetime) -> str:
        """``#incident-2026-11-23-14-30``, by the clock of ``opened``."""
        return filled_in(self.channel, opened)


def filled_in(pattern: str, moment: datetime) -> str:
    """The pattern with each directive replaced by its part of the time; all other text stays as it is."""
    return _DIRECTIVE.sub(lambda found: moment.strftime(found[0]), pattern)
