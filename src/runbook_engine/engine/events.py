"""What happened in a run, as append-only facts. Everything else (trace, report, recording, history) is a fold of them.

Times are Unix seconds. ``scope`` tells runbooks apart within one run: empty for the one that was asked for, else the
calling steps joined by ``/``. Nothing here holds a secret: events are masked where they are made (``engine.border``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import Value


class StepStatus(StrEnum):
    PASSED = "passed"
    FLAGGED = "flagged"
    BLIND = "blind"
    SKIPPED = "skipped"
    ANSWERED = "answered"


class Outcome(StrEnum):
    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"
    INCONCLUSIVE = "inconclusive"


class Ending(StrEnum):
    """Why the run ended."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class InputValue:
    """``shown`` is masked and formatted; ``source`` is ``flag``, ``environment variable NAME``, ``default`` …"""

    value: Value | None
    shown: str
    source: str


@dataclass(frozen=True, slots=True)
class Failure:
    kind: ErrorKind
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric in a condition: ``unit`` is the base unit of ``value``; ``shown`` is for people."""

    name: str
    value: Value | None
    unit: str
    shown: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    at: float
    run_id: str
    runbook: str
    version: str
    digest: str
    documents: Mapping[str, JsonValue]
    """Every runbook that the run may use, by name, as validated."""
    inputs: Mapping[str, InputValue]
    engine: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    at: float
    scope: str
    step: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class CallStarted:
    at: float
    scope: str
    step: str
    runbook: str
    inputs: Mapping[str, InputValue]


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """A try that will be repeated after ``wait`` seconds."""

    at: float
    scope: str
    step: str
    attempt: int
    error: Failure
    wait: float


@dataclass(frozen=True, slots=True)
class StepMeasured:
    """A reading. ``dimensions`` gives the dimension of each metric; ``missing`` why a metric is None."""

    at: float
    scope: str
    step: str
    attempt: int
    metrics: Mapping[str, Value | None]
    dimensions: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepFailed:
    at: float
    scope: str
    step: str
    attempt: int
    error: Failure


@dataclass(frozen=True, slots=True)
class StepAnswered:
    """``by`` is ``person``, ``default`` or ``given`` (on the command line)."""

    at: float
    scope: str
    step: str
    answer: Value
    dimension: str
    by: str


@dataclass(frozen=True, slots=True)
class FindingRaised:
    at: float
    scope: str
    step: str
    finding: str
    kind: str
    level: str
    title: str
    cause: str
    resolution: str | None
    evidence: tuple[Measured, ...]
    condition: str


@dataclass(frozen=True, slots=True)
class BlindSpot:
    at: float
    scope: str
    step: str
    kind: ErrorKind
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class StepDecided:
    """Which way a step chose. ``why`` is the condition with its measured values; ``branch`` its place in the document."""

    at: float
    scope: str
    step: str
    status: StepStatus
    branch: tuple[str, int] | None
    when: str
    why: str
    finding: str | None
    goto: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepSkipped:
    at: float
    scope: str
    step: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    at: float
    outcome: Outcome
    ending: Ending


Event = (
    RunStarted
    | StepStarted
    | CallStarted
    | AttemptFailed
    | StepMeasured
    | StepFailed
    | StepAnswered
    | FindingRaised
    | BlindSpot
    | StepDecided
    | StepSkipped
    | RunFinished
)
