"""What a report says: the JSON format ``runbook.report/v1``, and what every other format is rendered from.

Texts are harmless to look at (no control characters, no overrides of direction) but not yet escaped for any format. Times are
ISO 8601 in UTC with milliseconds; durations are milliseconds.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from runbook_engine.document.models import FindingKind, Level
from runbook_engine.engine.events import Ending, Outcome, StepStatus
from runbook_engine.kinds import ErrorKind
from runbook_engine.pasteable import pasteable
from runbook_engine.quantity import Value

if TYPE_CHECKING:
    from pydantic import JsonValue
else:
    JsonValue = Any  # for msgspec, which knows JSON without being told

SCHEMA: Literal["runbook.report/v1"] = "runbook.report/v1"


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the JSON."""


class RunbookPart(Part, frozen=True, kw_only=True):
    """The runbook that was asked for."""

    name: str
    version: str
    digest: Annotated[str, Meta(description="Of the compiled runbook and all that it may call")]
    title: str
    description: str = ""
    owner: Annotated[str, Meta(description="The team that keeps it, and knows more")] = ""
    severity: str | None = None
    symptoms: tuple[str, ...] = ()
    references: tuple["ReferencePart", ...] = ()


class ReferencePart(Part, frozen=True, kw_only=True):
    title: str
    url: str


class InputPart(Part, frozen=True, kw_only=True):
    """``value`` is in the base unit; secrets have none, and their ``shown`` is masked."""

    value: Value | None
    shown: str
    source: Annotated[str, Meta(description="Where it came from: a flag, an environment variable, the default")]


class EvidencePart(Part, frozen=True, kw_only=True):
    """One measured value on which a finding rests."""

    metric: str
    value: Annotated[
        Value | None, Meta(description="In the base unit: seconds, percentage points, bytes, events per second")
    ]
    unit: str
    shown: Annotated[str, Meta(description="As people read it")]
    condition: Annotated[str, Meta(description="The condition that held, with the measured values")]


class ResolutionPart(Part, frozen=True, kw_only=True):
    id: str
    title: str
    steps: tuple[str, ...]


class FindingPart(Part, frozen=True, kw_only=True):
    id: str
    kind: FindingKind
    level: Level
    title: str
    cause: str
    step: str
    scope: Annotated[str, Meta(description="The calling steps, joined by '/', where a called runbook found it")] = ""
    condition: str = ""
    evidence: tuple[EvidencePart, ...] = ()
    resolution: ResolutionPart | None = None


class ErrorPart(Part, frozen=True, kw_only=True):
    kind: ErrorKind
    message: str
    remedy: str = ""


class SamplePart(Part, frozen=True, kw_only=True):
    """What stands behind a sampled value: the true one is below ``lower``, and above ``upper``, with a chance of 5 % at most
    each. ``upper`` is null where ``n`` samples are too few for one.
    """

    n: int
    lower: float
    upper: float | None


class MetricPart(Part, frozen=True, kw_only=True):
    """``missing`` says why there is no value; ``sample``, of how many samples it is."""

    value: Value | None
    unit: str
    shown: str
    missing: str = ""
    sample: SamplePart | None = None


class BranchPart(Part, frozen=True, kw_only=True):
    """The way that a step chose. ``why`` is the condition with the measured values."""

    when: str
    finding: str | None
    goto: tuple[str, ...]
    why: str = ""


class RetryPart(Part, frozen=True, kw_only=True):
    attempt: int
    error: ErrorPart
    wait_ms: float


class StepPart(Part, frozen=True, kw_only=True):
    id: str
    scope: str = ""
    title: str
    description: str = ""
    kind: Literal["probe", "ask", "call"]
    status: Annotated[StepStatus | None, Meta(description="null: the run ended before this step was decided")]
    probe: str | None = None
    calls: Annotated[str | None, Meta(description="The runbook that a call step calls")] = None
    ended: Annotated[str, Meta(description="Of a call: how the runbook that it calls ended, in words")] = ""
    question: str = ""
    answered_by: str = ""
    reading: dict[str, MetricPart] = {}
    evidence: Annotated[dict[str, JsonValue], Meta(description="Raw material; bounded, with marks")] = {}
    error: ErrorPart | None = None
    branch: BranchPart | None = None
    command: Annotated[str, Meta(description="What a person pastes into a shell to see the same")] = ""
    started_at: str | None = None
    duration_ms: float | None = None
    attempts: int = 0
    retries: tuple[RetryPart, ...] = ()

    @property
    def path(self) -> str:
        """As in ``Report.path``: ``step``, or ``calling_step/step`` in a called runbook."""
        return f"{self.scope}/{self.id}" if self.scope else self.id


class BlindSpotPart(Part, frozen=True, kw_only=True):
    """Something that could not be seen, why, and what would make it visible."""

    step: str
    scope: str = ""
    title: str
    kind: ErrorKind
    message: str
    remedy: str

    @property
    def path(self) -> str:
        """As in ``Report.path``."""
        return f"{self.scope}/{self.step}" if self.scope else self.step


class NotAskedPart(Part, frozen=True, kw_only=True):
    """A step that was not configured: it says nothing of the system, and no more than that of the outcome."""

    step: str
    scope: str = ""
    title: str
    inputs: Annotated[tuple[str, ...], Meta(description="The optional inputs without a value that it needs")]
    remedy: Annotated[str, Meta(description="How to give them")]

    @property
    def path(self) -> str:
        """As in ``Report.path``."""
        return f"{self.scope}/{self.step}" if self.scope else self.step


class SymptomPart(Part, frozen=True, kw_only=True):
    """Whether what the runbook is named for was seen in this run. Slowness comes and goes: causes may be found without it."""

    confirmed: bool
    steps: Annotated[tuple[str, ...], Meta(description="The steps that looked for it and ran")]
    why: Annotated[str, Meta(description="What they measured, where it was not confirmed")] = ""


class KnowledgePart(Part, frozen=True, kw_only=True):
    """An error message that is known, seen in the error of a step or in the lines that it read."""

    id: Annotated[str, Meta(description="The entry's name in knowledge.yaml")]
    pattern: Annotated[str, Meta(description="The message, with * for what differs")]
    text: Annotated[str, Meta(description="What was seen, around the message")]
    cause: str
    solution: str
    source: ReferencePart
    runbook: Annotated[str, Meta(description="The runbook that finds out why, if there is one")] = ""
    step: str
    scope: str = ""
    also: Annotated[tuple[str, ...], Meta(description="Other steps that saw it, as in path")] = ()

    @property
    def path(self) -> str:
        """As in ``Report.path``."""
        return f"{self.scope}/{self.step}" if self.scope else self.step


class JudgedPart(Part, frozen=True, kw_only=True):
    """A metric that a triage has judged."""

    metric: Annotated[str, Meta(description="The metric of the step's probe")]
    title: str
    value: Annotated[Value | None, Meta(description="In the base unit; null: it could not be measured")]
    unit: str
    shown: Annotated[str, Meta(description="As people read it; empty where there is no value")]
    level: Annotated[
        Literal["ok", "warning", "critical", "unknown", "not asked"],
        Meta(description="unknown: it could not be seen, which is never ok; not asked: it was not configured"),
    ]
    threshold: Annotated[
        str,
        Meta(
            description="The threshold that is passed, else the first that would be: > 500 ms; or what is wrong at any "
            "value, as the end of a sentence that begins with the title: is for another name"
        ),
    ]
    sentence: Annotated[str, Meta(description="What is wrong, in a sentence; empty where nothing is")] = ""
    action: Annotated[str, Meta(description="What to do; empty where nothing is wrong")]
    runbook: Annotated[str, Meta(description="The runbook that finds out why")]
    step: str
    why: Annotated[str, Meta(description="The comparison with the measured value, or why there is none")]
    remedy: Annotated[str, Meta(description="What would make it visible")] = ""

    @property
    def command(self) -> str:
        """The command that finds out why."""
        return pasteable("runbook", "run", self.runbook)


class Report(Part, frozen=True, kw_only=True):
    """One run. Findings lead with causes, worst first; symptoms follow. Equally bad ones are in the order of ``steps``."""

    schema_: Literal["runbook.report/v1"] = field(default=SCHEMA, name="schema")
    run_id: str
    runbook: RunbookPart
    outcome: Outcome
    ending: Ending
    started_at: str
    finished_at: str
    duration_ms: float
    inputs: dict[str, InputPart]
    findings: tuple[FindingPart, ...]
    symptom: Annotated[
        SymptomPart | None, Meta(description="null: the runbook names no symptom, or no step that looks ran")
    ] = None
    steps: Annotated[
        tuple[StepPart, ...],
        Meta(description="In the order of the document; those of a called runbook follow the step that calls it"),
    ]
    path: Annotated[tuple[str, ...], Meta(description="Steps that ran, in the order in which they were decided")]
    blind_spots: tuple[BlindSpotPart, ...]
    not_asked: Annotated[
        tuple[NotAskedPart, ...],
        Meta(description="Steps that were not configured; a call as a whole where all below it was"),
    ] = ()
    metrics: Annotated[
        tuple[JudgedPart, ...], Meta(description="Of a triage: its table, in the order of its policy")
    ] = ()
    knowledge: Annotated[
        tuple[KnowledgePart, ...],
        Meta(description="Error messages that are known, each once, in the order of the steps"),
    ] = ()
    prevention: tuple[str, ...] = ()
    grants: Annotated[
        dict[str, str], Meta(description="What the run might do that is refused by default, each with what granted it")
    ] = {}
    overruled: Annotated[
        dict[str, str],
        Meta(
            description="Variables that are set to something else than the run took, each with what counted before it"
        ),
    ] = {}
    engine: Annotated[str, Meta(description="The version of runbook-engine")] = ""


def report_schema() -> dict[str, JsonValue]:
    """The JSON Schema of the JSON format."""
    (schema,), parts = msgspec.json.schema_components((Report,), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "$defs": parts,
        "title": "A report of runbook-engine",
    }


def as_json(report: Report) -> str:
    """Indented, with a line break at its end."""
    return msgspec.json.format(_encoder.encode(report), indent=2).decode() + "\n"


def plain(part: Part) -> dict[str, JsonValue]:
    """As the JSON has it, for templates of one's own."""
    found: dict[str, JsonValue] = msgspec.json.decode(_encoder.encode(part))
    return found


def _mapping(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not part of a report")


_encoder = msgspec.json.Encoder(enc_hook=_mapping)
