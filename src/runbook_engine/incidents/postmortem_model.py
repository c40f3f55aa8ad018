"""What a postmortem says: the JSON format ``runbook.postmortem/v1``, and what every other format is rendered from.

Texts stand in one line and are harmless to look at, but not yet escaped for any format. Times are ISO 8601 in UTC; durations
are seconds. What nobody recorded is null, never 0.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from runbook_engine.engine.events import Outcome
from runbook_engine.incidents.events import Horizon
from runbook_engine.incidents.incident import State
from runbook_engine.report.model import Part

if TYPE_CHECKING:
    from pydantic import JsonValue
else:
    JsonValue = Any  # for msgspec, which knows JSON without being told

SCHEMA: Literal["runbook.postmortem/v1"] = "runbook.postmortem/v1"


class MomentPart(Part, frozen=True, kw_only=True):
    """A line of the timeline."""

    seq: Annotated[int, Meta(description="The number of the event, as in runbook incident show")]
    at: Annotated[str, Meta(description="When it happened")]
    written_at: Annotated[str | None, Meta(description="When it was written down, where that was later")] = None
    kind: Annotated[str, Meta(description="The event: acknowledged, noted, run_attached, …")]
    text: str
    pinned: Annotated[bool, Meta(description="It stands there because somebody wanted it")] = False


class ImpactPart(Part, frozen=True, kw_only=True):
    stated: Annotated[str, Meta(description="What the policy says that such an incident means")]
    remarks: tuple[str, ...]
    symptoms: Annotated[tuple[str, ...], Meta(description="What runbooks found that hurt")]
    began_at: Annotated[str | None, Meta(description="When it began to hurt, where somebody said so")] = None
    opened_at: str
    mitigated_at: str | None = None
    resolved_at: str | None = None
    closed_at: str | None = None
    hurt_s: Annotated[float | None, Meta(description="From when it began, else was opened, until it was mitigated")] = (
        None
    )
    lasted_s: Annotated[float | None, Meta(description="From when it was opened until it was resolved")] = None


class CausePart(Part, frozen=True, kw_only=True):
    """A cause that a runbook found."""

    id: str
    title: str
    cause: str
    resolution: str
    to_do: Annotated[str, Meta(description="The resolution in words: its title and its steps")] = ""
    runbook: str
    run_id: str


class RootCausePart(Part, frozen=True, kw_only=True):
    found: Annotated[tuple[CausePart, ...], Meta(description="What runbooks found")]
    remarks: Annotated[tuple[str, ...], Meta(description="What people say")]


class BlindPart(Part, frozen=True, kw_only=True):
    """Something that no run could see, and what would make it visible."""

    runbook: str
    steps: tuple[str, ...]
    kind: str
    message: str
    remedy: str


class AnswerPart(Part, frozen=True, kw_only=True):
    """Whether somebody was on it within the response time of a priority."""

    priority: str
    limit_s: float
    took_s: float | None
    in_time: Annotated[bool | None, Meta(description="null: the time was not over when it no longer mattered")]
    again: Annotated[bool, Meta(description="Since an alert had opened it again")]


class TimesPart(Part, frozen=True, kw_only=True):
    """How long each took since the incident was opened."""

    acknowledge_s: float | None
    diagnose_s: float | None
    mitigate_s: float | None
    resolve_s: float | None


class UpdatesPart(Part, frozen=True, kw_only=True):
    """``kept`` updates were delivered within the interval; ``missed`` is how often one was due and none was delivered."""

    every_s: float | None
    kept: int
    late: int
    missed: int
    longest_s: Annotated[float, Meta(description="The longest silence")]


class LateTaskPart(Part, frozen=True, kw_only=True):
    task: str
    title: str
    late_s: float


class TasksPart(Part, frozen=True, kw_only=True):
    """``left`` is of how many tasks nothing was said; ``untold`` of those done are messages of which none was delivered."""

    in_time: int
    late: tuple[LateTaskPart, ...]
    skipped: int
    left: int
    untold: int


class ReachedPart(Part, frozen=True, kw_only=True):
    """A row of the escalation matrix that was reached."""

    at: str
    after_s: float
    priority: str
    roles: tuple[str, ...]


class MessagesPart(Part, frozen=True, kw_only=True):
    """How many messages went out, and which did not."""

    sent: int
    waiting: tuple[str, ...]
    uncertain: tuple[str, ...]
    never_sent: Annotated[tuple[str, ...], Meta(description="Too late, dropped or given up")]


class ResponsePart(Part, frozen=True, kw_only=True):
    times: TimesPart
    answers: tuple[AnswerPart, ...]
    updates: Annotated[UpdatesPart | None, Meta(description="null: the policy wants none")]
    reached: tuple[ReachedPart, ...]
    tasks: Annotated[TasksPart | None, Meta(description="null: no playbook was followed")]
    messages: MessagesPart
    reopened: int


class ActionPart(Part, frozen=True, kw_only=True):
    action: int
    title: str
    owner: str
    due: str
    horizon: Horizon
    horizon_title: str
    link: str
    done: bool
    overdue: bool
    note: str = ""


class MeetingPart(Part, frozen=True, kw_only=True):
    begins_at: str
    shown: Annotated[str, Meta(description="When it begins, in the time zone of the policy")]
    minutes: int
    place: str
    attendees: tuple[str, ...]


class ProcessPart(Part, frozen=True, kw_only=True):
    """A step of what the policy wants to be done afterwards."""

    title: str
    note: str
    items: tuple[str, ...]


class Postmortem(Part, frozen=True, kw_only=True):
    """The blameless document of one incident."""

    schema_: Literal["runbook.postmortem/v1"] = field(default=SCHEMA, name="schema")
    incident: int
    title: str
    description: str
    priority: str
    priority_title: str
    state: State
    named: Annotated[bool, Meta(description="Whether people appear by name")]
    introduction: str
    because: Annotated[tuple[str, ...], Meta(description="Why it has this priority")]
    impact: ImpactPart
    root_cause: RootCausePart
    timeline: tuple[MomentPart, ...]
    response: ResponsePart
    blind_spots: tuple[BlindPart, ...]
    runbooks: Annotated[tuple[tuple[str, Outcome], ...], Meta(description="What ran, with its outcome")]
    went_well: tuple[str, ...]
    went_badly: tuple[str, ...]
    lessons: tuple[str, ...]
    actions: tuple[ActionPart, ...]
    meeting: MeetingPart | None
    meeting_by: Annotated[str | None, Meta(description="By when the policy wants it; null: not resolved yet")]
    process: tuple[ProcessPart, ...]
    policy: str
    written_at: str
    engine: str


def postmortem_schema() -> dict[str, JsonValue]:
    """The JSON Schema of the JSON format."""
    (schema,), parts = msgspec.json.schema_components((Postmortem,), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "$defs": parts,
        "title": "A postmortem of runbook-engine",
    }


def as_json(found: Postmortem) -> str:
    """Indented, with a line break at its end."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
