"""What happened in a run, as append-only facts. Everything else (trace, report, recording, history) is a fold of them.

Times are Unix seconds. ``scope`` tells runbooks apart within one run: empty for the one that was asked for, else the
calling steps joined by ``/``. Nothing here holds a secret: events are masked where they are made (``engine.border``).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import Value
from runbook_engine.sampled import Sample

if TYPE_CHECKING:
    from pydantic import JsonValue
else:
    JsonValue = Any  # what msgspec reads back is JSON already


class StepStatus(StrEnum):
    PASSED = "passed"
    FLAGGED = "flagged"
    BLIND = "blind"
    SKIPPED = "skipped"
    ANSWERED = "answered"
    NOT_ASKED = "not_asked"


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


class InputValue(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``shown`` is masked and formatted; ``source`` is ``command line``, ``variable NAME``, ``default`` …"""

    value: Value | None
    shown: str
    source: str
    overruled: str = ""
    """The variable that is set to something else, and that the run's environment counts before."""
    variable: str = ""
    """The variable that the run's environment names for it, where that is not set."""


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    kind: ErrorKind
    message: str
    remedy: str = ""


class Measured(Struct, frozen=True, forbid_unknown_fields=True):
    """A metric in a condition: ``unit`` is the base unit of ``value``; ``shown`` is for people."""

    name: str
    value: Value | None
    unit: str
    shown: str


class KnownMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """An error message that is known: the ``pattern`` that was found, and the ``text`` in which it stands."""

    entry: str
    pattern: str
    text: str
    cause: str
    solution: str
    source: str
    url: str
    runbook: str = ""


def _snake(name: str) -> str:
    """``StepStarted`` -> ``step_started``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


class _Happening(Struct, frozen=True, forbid_unknown_fields=True, tag_field="event", tag=_snake):
    """An event says in JSON what it is: ``{"event": "step_started", "at": …}``."""


class RunStarted(_Happening, frozen=True):
    at: float
    run_id: str
    runbook: str
    version: str
    digest: str
    documents: Mapping[str, JsonValue]
    """Every runbook that the run may use, by name, as validated."""
    inputs: Mapping[str, InputValue]
    engine: str
    grants: Mapping[str, str] = {}
    """What the run may do that is refused by default, each with what grants it."""


class StepStarted(_Happening, frozen=True):
    at: float
    scope: str
    step: str
    command: str = ""


class CallStarted(_Happening, frozen=True):
    at: float
    scope: str
    step: str
    runbook: str
    inputs: Mapping[str, InputValue]


class AttemptFailed(_Happening, frozen=True):
    """A try that will be repeated after ``wait`` seconds."""

    at: float
    scope: str
    step: str
    attempt: int
    error: Failure
    wait: float


class StepMeasured(_Happening, frozen=True, omit_defaults=True):
    """A reading. ``dimensions`` gives the dimension of each metric; ``missing`` why a metric is None; ``samples`` what stands
    behind those that were sampled.
    """

    at: float
    scope: str
    step: str
    attempt: int
    metrics: Mapping[str, Value | None]
    dimensions: Mapping[str, str]
    missing: Mapping[str, str] = {}
    evidence: Mapping[str, JsonValue] = {}
    samples: Mapping[str, Sample] = {}


class StepFailed(_Happening, frozen=True):
    at: float
    scope: str
    step: str
    attempt: int
    error: Failure


class StepNotAsked(_Happening, frozen=True):
    """What the step asks about was not configured: ``inputs`` are the optional ones without a value that it needs."""

    at: float
    scope: str
    step: str
    inputs: tuple[str, ...]


class StepAnswered(_Happening, frozen=True):
    """``by`` is ``person``, ``default`` or ``given`` (on the command line)."""

    at: float
    scope: str
    step: str
    answer: Value
    dimension: str
    by: str


class MessagesRecognised(_Happening, frozen=True):
    """What is known of the error of a step, or of the lines that it saw."""

    at: float
    scope: str
    step: str
    messages: tuple[KnownMessage, ...]


class FindingRaised(_Happening, frozen=True):
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


class BlindSpot(_Happening, frozen=True):
    at: float
    scope: str
    step: str
    kind: ErrorKind
    message: str
    remedy: str


class StepDecided(_Happening, frozen=True):
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


class StepSkipped(_Happening, frozen=True):
    at: float
    scope: str
    step: str


class RunFinished(_Happening, frozen=True):
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
    | StepNotAsked
    | MessagesRecognised
    | FindingRaised
    | BlindSpot
    | StepDecided
    | StepSkipped
    | RunFinished
)
