"""What happened in an incident, as append-only facts. Who is engaged, what is due, the postmortem: folds of them.

Times are Unix seconds; ``by`` is who did it, as they call themselves. Nothing here holds a secret: texts are masked where
events are made. The policy and the playbooks are kept with the incident, as validated: whoever edits them changes no incident
that there is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from runbook_engine.document.incident_policy import Audience, MessageKind
from runbook_engine.engine.events import Outcome
from runbook_engine.living import Process

if TYPE_CHECKING:
    from pydantic import JsonValue
else:
    JsonValue = Any  # what msgspec reads back is JSON already


class Source(StrEnum):
    """What an incident was opened for."""

    PERSON = "person"
    ALERT = "alert"
    RUN = "run"


BY_HAND = "by hand"


class Section(StrEnum):
    """The part of the postmortem that a remark is for."""

    IMPACT = "impact"
    ROOT_CAUSE = "root_cause"
    WENT_WELL = "went_well"
    WENT_BADLY = "went_badly"
    LESSON = "lesson"


class Horizon(StrEnum):
    """By when an action is wanted: the guide's three."""

    IMMEDIATE = "immediate"
    SHORT_TERM = "short_term"
    LONG_TERM = "long_term"


def _snake(name: str) -> str:
    """``RoleAssigned`` -> ``role_assigned``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


class _Happening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="event", tag=_snake):
    """An event says in JSON what it is: ``{"event": "acknowledged", "at": …, "by": …}``."""

    at: float
    by: str


class Opened(_Happening, frozen=True, kw_only=True):
    """``because`` are the sentences that the priority was chosen for; ``since`` is when it began to hurt, if known."""

    title: str
    priority: str
    policy: Mapping[str, JsonValue]
    engine: str
    description: str = ""
    because: tuple[str, ...] = ()
    source: Source = Source.PERSON
    channel: str = ""
    since: float | None = None


class AlertTaken(_Happening, frozen=True, kw_only=True):
    """An alert that belongs to the incident. ``key`` is the same for an alert that is sent again."""

    key: str
    name: str
    status: str
    summary: str = ""
    labels: Mapping[str, str] = {}


class PriorityChanged(_Happening, frozen=True, kw_only=True):
    priority: str
    because: str


class Acknowledged(_Happening, frozen=True, kw_only=True):
    """Somebody is on it; escalation is held until then."""

    until: float


class RoleAssigned(_Happening, frozen=True, kw_only=True):
    """Who fills a role from now on; nobody where ``person`` is empty."""

    role: str
    person: str


class Escalated(_Happening, frozen=True, kw_only=True):
    """Roles that somebody called before the matrix does."""

    roles: tuple[str, ...]
    because: str = ""


class Noted(_Happening, frozen=True, kw_only=True):
    """``happened`` is when it was so, where that is earlier than when it was written down."""

    text: str
    happened: float | None = None


class StatusUpdated(_Happening, frozen=True, kw_only=True):
    """What those who wait are to be told; they are told when a message with it is delivered."""

    text: str


class Told(_Happening, frozen=True, kw_only=True):
    """Somebody wants an audience told something; a delivery does. ``channels``: where, if not where the policy says."""

    kind: MessageKind
    audience: Audience
    text: str = ""
    channels: tuple[str, ...] = ()
    task: str = ""


class Remarked(_Happening, frozen=True, kw_only=True):
    """A sentence for the postmortem."""

    section: Section
    text: str


class Pinned(_Happening, frozen=True, kw_only=True):
    """An event, by its number, that the timeline of the postmortem shows, or no longer."""

    seq: int
    pinned: bool = True


class AttachedFinding(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run found: ``kind`` is symptom or cause; ``to_do`` the resolution in words, its title and its steps."""

    id: str
    kind: str
    level: str
    title: str
    cause: str = ""
    resolution: str = ""
    to_do: str = ""

    @property
    def what_to_do(self) -> str:
        """For people. What was attached before the words were kept has only the resolution's name."""
        return self.to_do or self.resolution.replace("_", " ").capitalize()


class AttachedBlindness(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run could not see, and what would make it visible."""

    step: str
    kind: str
    message: str
    remedy: str = ""


class RunAttached(_Happening, frozen=True, kw_only=True):
    run_id: str
    runbook: str
    outcome: Outcome
    started_at: float
    finished_at: float
    findings: tuple[AttachedFinding, ...] = ()
    blind_spots: tuple[AttachedBlindness, ...] = ()
    task: str = ""


class EvidenceAttached(_Happening, frozen=True, kw_only=True):
    """A file that is kept elsewhere. ``sha256`` tells later whether it is still the same; ``size`` is in bytes."""

    name: str
    sha256: str
    size: int
    note: str = ""
    task: str = ""


class PlaybookStarted(_Happening, frozen=True, kw_only=True):
    """The times of its tasks count from ``since``."""

    playbook: Mapping[str, JsonValue]
    since: float


class TaskDone(_Happening, frozen=True, kw_only=True):
    task: str
    note: str = ""


class TaskSkipped(_Happening, frozen=True, kw_only=True):
    task: str
    because: str = ""


class TaskReopened(_Happening, frozen=True, kw_only=True):
    task: str
    because: str = ""


class Mitigated(_Happening, frozen=True, kw_only=True):
    """It no longer hurts, though the cause may be there still."""

    text: str = ""


class Resolved(_Happening, frozen=True, kw_only=True):
    """The cause is gone."""

    text: str = ""


class Reopened(_Happening, frozen=True, kw_only=True):
    """It hurts again, or never stopped. With ``anew`` a clock of its own begins, which no earlier acknowledgement holds."""

    because: str
    anew: bool = False


class Closed(_Happening, frozen=True, kw_only=True):
    """Nothing more is expected of anybody."""

    text: str = ""


class MessageBegun(_Happening, frozen=True, kw_only=True):
    """A part of a message is about to be sent. Where nothing follows, nobody knows whether it was.

    A text that is longer than the service takes is sent in ``parts``, which are counted from 1. ``process`` sends it.
    """

    key: str
    attempt: int = 1
    part: int = 1
    parts: int = 1
    process: Process | None = None


class MessageSent(_Happening, frozen=True, kw_only=True):
    """A service took a part of a message. ``reference`` is what it calls it, if it says; BY_HAND where a person told it."""

    key: str
    reference: str = ""
    part: int = 1
    parts: int = 1


class MessageFailed(_Happening, frozen=True, kw_only=True):
    """A try that failed. Tried again at ``retry_at``; not by itself, where that is None.

    With ``uncertain`` it may have arrived nevertheless; it is tried again only by a service that knows it by its key.
    """

    key: str
    error: str
    retry_at: float | None = None
    uncertain: bool = False


class MessageDropped(_Happening, frozen=True, kw_only=True):
    """Somebody decided that a message is not sent any more."""

    key: str
    because: str = ""


class MessageRetried(_Happening, frozen=True, kw_only=True):
    """Somebody decided that a message, of which nobody knows whether it was sent or which had failed, is sent again."""

    key: str


class MeetingScheduled(_Happening, frozen=True, kw_only=True):
    """The postmortem: ``begins`` in Unix seconds, ``minutes`` long."""

    begins: float
    minutes: int
    attendees: tuple[str, ...] = ()
    place: str = ""


class ActionAdded(_Happening, frozen=True, kw_only=True):
    """``due`` is a date: ``2026-11-30``. ``link`` may name a runbook that it is about."""

    action: int
    title: str
    owner: str
    due: str
    horizon: Horizon
    link: str = ""


class ActionDone(_Happening, frozen=True, kw_only=True):
    action: int
    note: str = ""


IncidentEvent = (
    Opened
    | AlertTaken
    | PriorityChanged
    | Acknowledged
    | RoleAssigned
    | Escalated
    | Noted
    | StatusUpdated
    | Told
    | Remarked
    | Pinned
    | RunAttached
    | EvidenceAttached
    | PlaybookStarted
    | TaskDone
    | TaskSkipped
    | TaskReopened
    | Mitigated
    | Resolved
    | Reopened
    | Closed
    | MessageBegun
    | MessageSent
    | MessageFailed
    | MessageDropped
    | MessageRetried
    | MeetingScheduled
    | ActionAdded
    | ActionDone
)
