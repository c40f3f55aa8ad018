"""What a report says: the JSON format ``runbook.report/v1``, and what every other format is rendered from.

Texts are harmless to look at (no control characters, no overrides of direction) but not yet escaped for any format. Times are
ISO 8601 in UTC with milliseconds; durations are milliseconds.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from runbook_engine.document.models import FindingKind, Level, Severity
from runbook_engine.engine.events import Ending, Outcome, StepStatus
from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import Value

SCHEMA: Literal["runbook.report/v1"] = "runbook.report/v1"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class RunbookPart(Part):
    """The runbook that was asked for."""

    name: str
    version: str
    digest: str = Field(description="Of the compiled runbook and all that it may call")
    title: str
    description: str = ""
    owner: str = Field("", description="The team that keeps it, and knows more")
    severity: Severity | None = None
    symptoms: tuple[str, ...] = ()
    references: tuple["ReferencePart", ...] = ()


class ReferencePart(Part):
    title: str
    url: str


class InputPart(Part):
    """``value`` is in the base unit; secrets have none, and their ``shown`` is masked."""

    value: Value | None
    shown: str
    source: str = Field(description="Where it came from: a flag, an environment variable, the default")


class EvidencePart(Part):
    """One measured value on which a finding rests."""

    metric: str
    value: Value | None = Field(description="In the base unit: seconds, percentage points, bytes, events per second")
    unit: str
    shown: str = Field(description="As people read it")
    condition: str = Field(description="The condition that held, with the measured values")


class ResolutionPart(Part):
    id: str
    title: str
    steps: tuple[str, ...]


class FindingPart(Part):
    id: str
    kind: FindingKind
    level: Level
    title: str
    cause: str
    step: str
    scope: str = Field("", description="The calling steps, joined by '/', where a called runbook found it")
    condition: str = ""
    evidence: tuple[EvidencePart, ...] = ()
    resolution: ResolutionPart | None = None


class ErrorPart(Part):
    kind: ErrorKind
    message: str
    remedy: str = ""


class MetricPart(Part):
    """``missing`` says why there is no value."""

    value: Value | None
    unit: str
    shown: str
    missing: str = ""


class BranchPart(Part):
    """The way that a step chose. ``why`` is the condition with the measured values."""

    when: str
    finding: str | None
    goto: tuple[str, ...]
    why: str = ""


class RetryPart(Part):
    attempt: int
    error: ErrorPart
    wait_ms: float


class StepPart(Part):
    id: str
    scope: str = ""
    title: str
    description: str = ""
    kind: Literal["probe", "ask", "call"]
    status: StepStatus | None = Field(description="null: the run ended before this step was decided")
    probe: str | None = None
    calls: str | None = Field(None, description="The runbook that a call step calls")
    question: str = ""
    answered_by: str = ""
    reading: dict[str, MetricPart] = Field(default_factory=dict)
    evidence: dict[str, JsonValue] = Field(default_factory=dict, description="Raw material; bounded, with marks")
    error: ErrorPart | None = None
    branch: BranchPart | None = None
    command: str = Field("", description="What a person pastes into a shell to see the same")
    started_at: str | None = None
    duration_ms: float | None = None
    attempts: int = 0
    retries: tuple[RetryPart, ...] = ()

    @property
    def path(self) -> str:
        """As in ``Report.path``: ``step``, or ``calling_step/step`` in a called runbook."""
        return f"{self.scope}/{self.id}" if self.scope else self.id


class BlindSpotPart(Part):
    """Something that could not be seen, why, and what would make it visible."""

    step: str
    scope: str = ""
    title: str
    kind: ErrorKind
    message: str
    remedy: str


class SymptomPart(Part):
    """Whether what the runbook is named for was seen in this run. Slowness comes and goes: causes may be found without it."""

    confirmed: bool
    steps: tuple[str, ...] = Field(description="The steps that looked for it and ran")
    why: str = Field("", description="What they measured, where it was not confirmed")


class KnowledgePart(Part):
    """An error message that is known."""

    pattern: str
    cause: str
    solution: str
    step: str


class Report(Part):
    """One run. Findings lead with causes, worst first; symptoms follow."""

    schema_: Literal["runbook.report/v1"] = Field(SCHEMA, alias="schema")
    run_id: str
    runbook: RunbookPart
    outcome: Outcome
    ending: Ending
    started_at: str
    finished_at: str
    duration_ms: float
    inputs: dict[str, InputPart]
    findings: tuple[FindingPart, ...]
    symptom: SymptomPart | None = Field(
        None, description="null: the runbook names no symptom, or no step that looks ran"
    )
    steps: tuple[StepPart, ...]
    path: tuple[str, ...] = Field(description="Steps in the order in which they were decided")
    blind_spots: tuple[BlindSpotPart, ...]
    knowledge: tuple[KnowledgePart, ...] = ()
    prevention: tuple[str, ...] = ()
    engine: str = Field("", description="The version of runbook-engine")


def report_schema() -> dict[str, JsonValue]:
    """The JSON Schema of the JSON format."""
    schema: dict[str, JsonValue] = Report.model_json_schema(by_alias=True, mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "title": "A report of runbook-engine",
    }
