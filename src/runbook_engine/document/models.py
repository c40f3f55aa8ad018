"""A runbook as a frozen tree of models: what the YAML says, validated in shape, not yet in meaning.

Names in ``when``, in templates and in ``goto`` are still text here; ``runbook_engine.graph`` resolves and proves them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, PlainSerializer, Tag

from runbook_engine import quantity
from runbook_engine.document.told import Told
from runbook_engine.document.triggers import Trigger
from runbook_engine.ids import NAME_PATTERN, FindingId, ResolutionId, StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import Dimension

RUNBOOK_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
PROBE_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"
ENV_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class Severity(StrEnum):
    """The usual priorities, which the shipped policy has. A team's policy may have others."""

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
    JMESPATH = "jmespath"
    DURATION = "duration"
    PERCENT = "percent"
    BYTES = "bytes"
    RATE = "rate"
    SECRET = "secret"  # noqa: S105 - the name of a type


def _seconds(value: object) -> object:
    """``500ms`` -> 0.5."""
    if isinstance(value, str):
        return _parsed(value, Dimension.DURATION, "not a duration; write for example 500ms, 2s or 5min")
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"a duration without a unit; write {value}s or {value}ms")  # noqa: TRY004 - pydantic collects it
    return value


def _percentage(value: object) -> object:
    """``20%`` -> 20.0."""
    if isinstance(value, str):
        return _parsed(value, Dimension.PERCENT, "not a percentage; write for example 20%")
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"a percentage without its sign; write {value}%")  # noqa: TRY004 - pydantic collects it
    return value


def _parsed(text: str, expected: Dimension, otherwise: str) -> float:
    try:
        number, dimension = quantity.parse(text)
    except ValueError:
        raise ValueError(otherwise) from None
    if dimension is not expected:
        raise ValueError(otherwise)
    return number


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _targets(value: object) -> object:
    """One step, several, or ``end`` (which is none)."""
    if value == "end":
        return []
    return _listed(value)


DURATION_PATTERN = r"^\s*\+?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*(ns|us|ms|s|min|h|d)\s*$"
PERCENT_PATTERN = r"^\s*\+?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*%\s*$"

# Written back with their units, so that a runbook survives JSON.
Seconds = Annotated[
    float,
    BeforeValidator(_seconds, json_schema_input_type=Annotated[str, Field(pattern=DURATION_PATTERN)]),
    PlainSerializer(lambda seconds: f"{seconds!r}s", return_type=str, when_used="json"),
    Field(gt=0, le=86400),
]
PercentPoints = Annotated[
    float,
    BeforeValidator(_percentage, json_schema_input_type=Annotated[str, Field(pattern=PERCENT_PATTERN)]),
    PlainSerializer(lambda points: f"{points!r}%", return_type=str, when_used="json"),
    Field(ge=0, le=100),
]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=64)]
RunbookNameField = Annotated[str, Field(pattern=RUNBOOK_PATTERN, max_length=64)]
Targets = Annotated[tuple[StepId, ...], BeforeValidator(_targets, json_schema_input_type=str | list[str])]
Start = Annotated[
    tuple[StepId, ...],
    BeforeValidator(_listed, json_schema_input_type=str | Annotated[list[str], Field(min_length=1)]),
]
ErrorKinds = Annotated[
    tuple[ErrorKind, ...],
    BeforeValidator(_listed, json_schema_input_type=ErrorKind | Annotated[list[ErrorKind], Field(min_length=1)]),
]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Scalar = bool | int | float | str


class Input(Model):
    """A value that a run needs. Tried in order: the command line, the environment that it chooses, the variable ``env``, the
    default.
    """

    type: InputType = Field(InputType.STRING, description="What the value is; quantities carry units")
    default: Scalar | None = Field(None, description="Taken when nothing else gives a value; not for secrets")
    env: str | None = Field(None, pattern=ENV_PATTERN, description="The environment variable that may hold the value")
    help: Annotated[str, Told.PLAIN] = Field("", description="What it is for, shown when the value is asked for")
    values: tuple[str, ...] = Field((), description="The members of an enum")
    optional: bool = Field(
        False,
        strict=True,
        description="A run goes on without a value; a step whose parameters need it is then not asked",
    )


class Branch(Model):
    """``{when: p95 > 1s, finding: api_slow, goto: database}``: the first whose condition holds is taken."""

    when: Text = Field(description="The condition, for example: p95 > 1s and error_rate < 5%")
    finding: FindingId | None = Field(None, description="The finding that this branch raises")
    goto: Targets = Field((), description="The next step, a list of steps, or end")


class Else(Model):
    """``{else: database}``: what is taken when no condition held."""

    otherwise: Targets = Field(alias="else", description="The next step, a list of steps, or end")
    finding: FindingId | None = Field(None, description="The finding that this branch raises")


class ErrorRoute(Model):
    """``{kind: [refused, timeout], finding: database_down, goto: cache}``: where a failed probe leads."""

    kind: ErrorKinds = Field(min_length=1, description="The kinds of error that take this route")
    finding: FindingId | None = Field(None, description="The finding that this error raises")
    goto: Targets = Field((), description="The next step, a list of steps, or end")


def _branch_kind(value: Any) -> str:
    is_else = "else" in value if isinstance(value, Mapping) else isinstance(value, Else)
    return "else" if is_else else "when"


def _route_kind(value: Any) -> str:
    return "else" if _branch_kind(value) == "else" else "kind"


AnyBranch = Annotated[Annotated[Branch, Tag("when")] | Annotated[Else, Tag("else")], Discriminator(_branch_kind)]
AnyRoute = Annotated[Annotated[ErrorRoute, Tag("kind")] | Annotated[Else, Tag("else")], Discriminator(_route_kind)]


class Retry(Model):
    """Measure again after an error, with a growing wait between the attempts."""

    attempts: int = Field(3, ge=1, le=20, strict=True, description="How often to measure in all")
    wait: Seconds = Field(0.5, description="How long to wait after the first error; doubled after each")
    max_wait: Seconds = Field(10.0, description="The longest wait")
    jitter: PercentPoints = Field(
        20.0, description="By how much each wait is varied, so that runs do not march in step"
    )
    on: ErrorKinds = Field(
        (ErrorKind.REFUSED, ErrorKind.TIMEOUT, ErrorKind.DNS, ErrorKind.THROTTLED),
        description="The kinds of error after which measuring again may help",
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
    """A metric taken out of a probe's document."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["path"]}, {"required": ["match"]}]})

    path: str = Field(
        "",
        max_length=20_000,
        description="A JMESPath into the document, or an input as a whole; not needed where match reads its text",
    )
    match: Text | None = Field(
        None,
        description="A pattern with one group, which is what is taken out of the text at the path: lag: (\\d+)",
    )
    type: ExtractType = Field(ExtractType.NUMBER, description="What is found there")
    unit: str | None = Field(
        None,
        description="The unit that a bare number is in, for example ms or MiB, or an input as a whole",
    )


class _Step(Model):
    title: Annotated[str, Told.BEFORE] = Field("", description="What the step looks at, for people")
    description: Annotated[str, Told.BEFORE] = Field("", description="Why, and how to read the result")
    branches: tuple[AnyBranch, ...] = Field(
        (), description="What follows from the result; the first that holds is taken"
    )
    on_error: tuple[AnyRoute, ...] = Field((), description="What follows when nothing could be measured")


class ProbeStep(_Step):
    """Measures one thing, read-only."""

    probe: Annotated[str, Field(pattern=PROBE_PATTERN)] = Field(description="The probe, for example postgres.activity")
    params: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="The probe's parameters, as values or templates"
    )
    extract: dict[Name, Extract] = Field(
        default_factory=dict, description="Metrics to take out of the document of a generic probe"
    )
    retry: Retry | None = Field(None, description="Measure again after an error")
    timeout: Seconds = Field(15.0, description="How long it may take, all attempts and the waits between them together")


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

    ask: Annotated[Text, Told.BEFORE] = Field(description="The question")
    type: AnswerType = Field(AnswerType.BOOL, description="What the answer is")
    values: tuple[str, ...] = Field((), description="The members of an enum answer")
    default: Scalar | None = Field(None, description="Taken when nobody is there to ask")
    timeout: Seconds | None = Field(None, description="How long to wait for an answer")


class CallStep(_Step):
    """Runs another runbook; its findings and blind spots come along.

    Metrics: ``outcome`` (healthy, warning, critical, inconclusive), ``findings`` and ``blind_spots`` (counts).
    """

    call: RunbookNameField = Field(description="The runbook's name")
    params: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="Values for its inputs; inputs of the same name are handed down"
    )
    timeout: Seconds | None = Field(None, description="How long it may take as a whole")


STEP_KINDS = ("probe", "ask", "call")


def _step_kind(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return next((kind for kind in STEP_KINDS if kind in value), None)
    return next((kind for kind in STEP_KINDS if hasattr(value, kind)), None)


Step = Annotated[
    Annotated[ProbeStep, Tag("probe")] | Annotated[AskStep, Tag("ask")] | Annotated[CallStep, Tag("call")],
    Discriminator(_step_kind),
]
AnyStep = ProbeStep | AskStep | CallStep


class Finding(Model):
    """A named diagnosis. ``title`` and ``cause`` may hold ``{{ step.metric }}``."""

    level: Level = Field(description="How bad it is")
    kind: FindingKind = Field(FindingKind.CAUSE, description="symptom: what hurts; cause: why")
    title: Annotated[Text, Told.FINDING] = Field(description="One line, with what was measured")
    cause: Annotated[str, Told.FINDING] = Field("", description="What is behind it")
    resolution: ResolutionId | None = Field(None, description="The resolution that fixes it")


class Resolution(Model):
    """What fixes a finding."""

    title: Annotated[Text, Told.RUN] = Field(description="One line")
    steps: tuple[Annotated[Text, Told.RUN], ...] = Field(min_length=1, description="What to do, in order")


class Reference(Model):
    """Something to read."""

    title: Annotated[str, Told.INPUTS] = Field(description="What it is")
    url: Annotated[str, Told.INPUTS] = Field(description="Where it is")


PriorityName = Annotated[
    Severity | Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")], Field(union_mode="left_to_right")
]
"""One of the usual priorities, or whatever a policy calls its own."""


class Runbook(Model):
    """A runbook: a decision graph of steps that finds out what is wrong, how it is known, and what to do next."""

    runbook: RunbookNameField = Field(description="The name: lower-case words joined by hyphens, as the file is called")
    title: Annotated[Text, Told.INPUTS] = Field(description="What the runbook is for, in one line")
    version: str = Field("1.0.0", description="The version of this text")
    owner: str = Field("", description="The team that keeps it")
    severity: PriorityName | None = Field(
        None, description="How bad an incident is to which this runbook applies: a priority of the policy of incidents"
    )
    description: Annotated[str, Told.INPUTS] = Field("", description="More about it")
    symptoms: tuple[Annotated[Text, Told.INPUTS], ...] = Field(
        (), description="What people see when this runbook applies"
    )
    references: tuple[Reference, ...] = Field((), description="What else to read")
    triggers: tuple[Trigger, ...] = Field((), max_length=100, description="The alerts for which the runbook is run")
    inputs: dict[Name, Input] = Field(default_factory=dict, description="The values that a run needs, by name")
    time_box: Seconds | None = Field(
        None, description="How long a run may take at most; the checker adds up the timeouts of the longest path"
    )
    start: Start = Field(min_length=1, description="The first step, or several that run side by side")
    steps: dict[Annotated[StepId, Field(pattern=NAME_PATTERN, max_length=64)], Step] = Field(
        min_length=1, description="The steps, by name"
    )
    findings: dict[Annotated[FindingId, Field(pattern=NAME_PATTERN, max_length=64)], Finding] = Field(
        default_factory=dict, description="The diagnoses that branches raise, by name"
    )
    resolutions: dict[Annotated[ResolutionId, Field(pattern=NAME_PATTERN, max_length=64)], Resolution] = Field(
        default_factory=dict, description="What fixes the findings, by name"
    )
    prevention: tuple[Annotated[Text, Told.RUN], ...] = Field((), description="What stops it from coming back")
