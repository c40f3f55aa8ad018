"""A runbook as a frozen tree of models: what the YAML says, validated in shape, not yet in meaning.

Names in ``when``, in templates and in ``goto`` are still text here; ``runbook_engine.graph`` resolves and proves them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from runbook_engine import quantity
from runbook_engine.ids import FindingId, ResolutionId, StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import Dimension

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
RUNBOOK_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Severity(StrEnum):
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Level(StrEnum):
    WARNING = "warning"
    CRITICAL = "critical"


class FindingKind(StrEnum):
    SYMPTOM = "symptom"
    CAUSE = "cause"


class InputType(StrEnum):
    STRING = "string"
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"
    ENUM = "enum"
    URL = "url"
    DURATION = "duration"
    PERCENT = "percent"
    BYTES = "bytes"
    RATE = "rate"
    SECRET = "secret"  # noqa: S105 - the name of a type


def _seconds(value: object) -> object:
    """``500ms`` -> 0.5."""
    if isinstance(value, str):
        number, dimension = quantity.parse(value)
        if dimension is not Dimension.DURATION:
            raise ValueError(f"{value!r} is not a duration; write for example 500ms, 2s or 5min")
        return number
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"a duration needs a unit; write {value}s or {value}ms")  # noqa: TRY004
    return value


def _percentage(value: object) -> object:
    if isinstance(value, str):
        number, dimension = quantity.parse(value)
        if dimension is not Dimension.PERCENT:
            raise ValueError(f"{value!r} is not a percentage; write for example 20%")
        return number
    raise ValueError("a percentage needs its sign; write for example 20%")


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _targets(value: object) -> object:
    """One step, several, or ``end`` (which is none)."""
    if value == "end":
        return []
    return _listed(value)


Seconds = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str), Field(gt=0, le=86400)]
PercentPoints = Annotated[float, BeforeValidator(_percentage, json_schema_input_type=str), Field(ge=0, le=100)]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=64)]
RunbookNameField = Annotated[str, Field(pattern=RUNBOOK_PATTERN, max_length=64)]
Targets = Annotated[tuple[StepId, ...], BeforeValidator(_targets, json_schema_input_type=str | list[str])]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Scalar = bool | int | float | str


class Input(Model):
    """A value that a run needs. Tried in order: flag, environment variable ``env``, default."""

    type: InputType = InputType.STRING
    default: Scalar | None = None
    env: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    help: str = ""
    values: tuple[str, ...] = Field((), description="The members of an enum")
    optional: bool = Field(False, description="A run may go on without a value; what needs it is then a blind spot")


class Branch(Model):
    """``{when: p95 > 1s, finding: api_slow, goto: database}``: the first whose condition holds is taken."""

    when: Text
    finding: FindingId | None = None
    goto: Targets = ()


class Else(Model):
    """``{else: database}``: what is taken when no condition held."""

    otherwise: Targets = Field(alias="else")
    finding: FindingId | None = None


class ErrorRoute(Model):
    """``{kind: [refused, timeout], finding: database_down, goto: cache}``: where a failed probe leads."""

    kind: Annotated[
        tuple[ErrorKind, ...], BeforeValidator(_listed, json_schema_input_type=ErrorKind | list[ErrorKind])
    ] = Field(min_length=1)
    finding: FindingId | None = None
    goto: Targets = ()


def _branch_kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "else" if "else" in value else "when"
    return "else" if isinstance(value, Else) else "when"


def _route_kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "else" if "else" in value else "kind"
    return "else" if isinstance(value, Else) else "kind"


AnyBranch = Annotated[Annotated[Branch, Tag("when")] | Annotated[Else, Tag("else")], Discriminator(_branch_kind)]
AnyRoute = Annotated[Annotated[ErrorRoute, Tag("kind")] | Annotated[Else, Tag("else")], Discriminator(_route_kind)]


class Retry(Model):
    """Measure again after an error: ``attempts`` in all, waiting ``wait`` that doubles up to ``max_wait``, +/- ``jitter``."""

    attempts: int = Field(3, ge=1, le=20)
    wait: Seconds = 0.5
    max_wait: Seconds = 10.0
    jitter: PercentPoints = 20.0
    on: Annotated[tuple[ErrorKind, ...], BeforeValidator(_listed)] = (
        ErrorKind.REFUSED,
        ErrorKind.TIMEOUT,
        ErrorKind.DNS,
        ErrorKind.THROTTLED,
    )


class ExtractType(StrEnum):
    NUMBER = "number"
    COUNT = "count"
    DURATION = "duration"
    PERCENT = "percent"
    BYTES = "bytes"
    RATE = "rate"
    STRING = "string"
    BOOL = "bool"


class Extract(Model):
    """A metric taken out of a probe's document: a JMESPath, a type, and for bare numbers the unit they are in."""

    path: Text
    type: ExtractType = ExtractType.NUMBER
    unit: str | None = None


class _Step(Model):
    title: str = ""
    description: str = ""
    branches: tuple[AnyBranch, ...] = ()
    on_error: tuple[AnyRoute, ...] = ()


class ProbeStep(_Step):
    """Measures. ``with`` are the probe's parameters, as values or templates."""

    probe: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")]
    params: dict[str, Any] = Field(default_factory=dict, alias="with")
    extract: dict[Name, Extract] = Field(default_factory=dict)
    retry: Retry | None = None
    timeout: Seconds = 15.0


class AnswerType(StrEnum):
    BOOL = "bool"
    ENUM = "enum"
    STRING = "string"
    INT = "int"
    NUMBER = "number"
    DURATION = "duration"
    PERCENT = "percent"
    BYTES = "bytes"


class AskStep(_Step):
    """A person answers. The metric is ``answer``; without ``type`` the question is a yes-or-no one."""

    ask: Text
    type: AnswerType = AnswerType.BOOL
    values: tuple[str, ...] = Field((), description="The members of an enum answer")
    default: Scalar | None = Field(None, description="Taken when nobody is there to ask")
    timeout: Seconds | None = None


class CallStep(_Step):
    """Runs another runbook; its findings and blind spots come along.

    Metrics: ``outcome`` (healthy, warning, critical, inconclusive), ``findings`` and ``blind_spots`` (counts).
    """

    call: RunbookNameField
    params: dict[str, Any] = Field(default_factory=dict, alias="with")
    timeout: Seconds | None = None


def _step_kind(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return next((kind for kind in STEP_KINDS if kind in value), None)
    return {ProbeStep: "probe", AskStep: "ask", CallStep: "call"}.get(type(value))


STEP_KINDS = ("probe", "ask", "call")

Step = Annotated[
    Annotated[ProbeStep, Tag("probe")] | Annotated[AskStep, Tag("ask")] | Annotated[CallStep, Tag("call")],
    Discriminator(_step_kind),
]


class Finding(Model):
    """A named diagnosis. ``title`` and ``cause`` may hold ``{{ step.metric }}``."""

    level: Level
    kind: FindingKind = FindingKind.CAUSE
    title: Text
    cause: str = ""
    resolution: ResolutionId | None = None


class Resolution(Model):
    title: Text
    steps: tuple[Text, ...] = Field(min_length=1)


class Reference(Model):
    title: str
    url: str


class Runbook(Model):
    """The whole document; see ``runbook schema`` for the format."""

    runbook: RunbookNameField
    title: Text
    version: str = "1.0.0"
    owner: str = ""
    severity: Severity | None = None
    description: str = ""
    symptoms: tuple[Text, ...] = ()
    references: tuple[Reference, ...] = ()
    inputs: dict[Name, Input] = Field(default_factory=dict)
    start: Annotated[tuple[StepId, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])] = Field(
        min_length=1
    )
    steps: dict[Annotated[StepId, Field(pattern=NAME_PATTERN, max_length=64)], Step] = Field(min_length=1)
    findings: dict[Annotated[FindingId, Field(pattern=NAME_PATTERN, max_length=64)], Finding] = Field(
        default_factory=dict
    )
    resolutions: dict[Annotated[ResolutionId, Field(pattern=NAME_PATTERN, max_length=64)], Resolution] = Field(
        default_factory=dict
    )
    prevention: tuple[Text, ...] = ()


AnyStep = ProbeStep | AskStep | CallStep
