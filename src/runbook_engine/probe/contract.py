"""What a probe takes, what it gives back, and how it is declared."""

import inspect
import os
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

import anyio
from msgspec import Struct, field
from pydantic import BaseModel, ConfigDict, Field, JsonValue, SkipValidation

from runbook_engine.errors import ProbeContractError
from runbook_engine.probe.shape import Document
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.sampled import Sampled


class Params(BaseModel):
    """What a probe needs to know; a step's ``with`` is validated against it. Unknown keys are refused.

    Use ``Secret`` for connection strings and passwords.
    """

    CODE: ClassVar[tuple[str, ...]] = ()
    """Parameters that an interpreter reads (a shell's script, a statement): the checker refuses texts filled into them."""
    CONNECTS_TO: ClassVar[tuple[str, ...]] = ()
    """Parameters that say which server the probe connects to, a URL, a connection string or a host: the first that is given
    counts. From it the checker tells where secrets go.
    """
    OWN_CREDENTIALS: ClassVar[str] = ""
    """What the probe hands to that server besides, and finds in variables and files itself: "the credentials of AWS"."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True, defer_build=True
    )


class Reading(BaseModel):
    """What a probe measured: one field per metric, each annotated with a type that carries unit and bounds.

    A metric that may be unknown is declared ``Duration | None``; when it is None, ``missing`` says why and what would make
    it visible. ``evidence`` is raw material for the report (rows, header lines); the engine bounds its size.

    What is judged is never a part of what there is. Where the probe read no more than so much, ``cut`` says why and what
    widens it (see ``first`` and ``cut_at``), and the engine makes every metric of ``PARTIAL`` missing with that reason.

    What twenty requests say of all requests is not what they say of themselves. A metric of a sample is declared
    ``SampledPercent`` or ``SampledDuration`` and given by ``share`` and ``quantile``, with its bounds; conditions compare
    these, and are undecided where a threshold lies between them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True, defer_build=True)

    RESERVED: ClassVar[frozenset[str]] = frozenset({"evidence", "missing", "document", "cut"})
    """Fields that are no metrics."""
    PARTIAL: ClassVar[Mapping[str, str]] = {}
    """Metrics that are not known of a part, each with the parameter of the step beyond which they are not: ``rows`` with
    ``max_rows``. The checker holds thresholds against it. Empty where no parameter bounds the metric itself.
    """
    LATENCIES: ClassVar[tuple[str, ...]] = ()
    """Metrics that tell how fast an answer came, and not whether it was good: an error is often quick."""
    FAILURES: ClassVar[tuple[str, ...]] = ()
    """Metrics that tell whether it was. The checker warns where one of ``LATENCIES`` is judged and none of these is."""
    SAMPLES: ClassVar[str] = ""
    """The parameter that says how many samples are taken, where metrics are ``Sampled…``: where they were too few to decide,
    people are told how to take more.
    """
    LOGS: ClassVar[tuple[str, ...]] = ()
    """Keys of ``evidence`` that hold what systems wrote (log lines, reasons): known error messages are looked for there."""

    evidence: dict[str, JsonValue] = Field(default_factory=dict)
    missing: dict[str, str] = Field(default_factory=dict)
    cut: str = ""


class DocumentReading(Reading):
    """A reading whose metrics a runbook takes out of ``document`` itself, with ``extract:`` and JMESPath.

    ``DOCUMENT`` says what the document is and what shape it has: people read it in ``runbook probes NAME``, and ``check``
    holds the paths of runbooks against it. A text that is not JSON is ``{"text": "…"}``. Nothing is taken out of a document
    of a reading that was ``cut``, nor out of one that is not whole for another reason, which ``incomplete`` tells.
    """

    RESERVED: ClassVar[frozenset[str]] = Reading.RESERVED | {"incomplete"}
    DOCUMENT: ClassVar[Document] = Document("Whatever the probe gives")

    document: Annotated[JsonValue, SkipValidation] = None
    """Held to be JSON where something is taken out of it: the engine does that where a large one holds up nobody."""
    incomplete: str = ""

    @property
    def withheld(self) -> str:
        """Why nothing is taken out of the document; empty where it is whole."""
        return self.cut or self.incomplete


class Metric(Struct, frozen=True):
    """The annotation that makes a field of a Reading a metric: ``Annotated[float, Metric(Dimension.BYTES, lower=0)]``."""

    dimension: Dimension
    lower: float | None = None
    upper: float | None = None


Duration = Annotated[float, Metric(Dimension.DURATION, lower=0)]
"""Seconds."""
Percent = Annotated[float, Metric(Dimension.PERCENT, lower=0, upper=100)]
"""Percentage points: 80 % is 80.0."""
Bytes = Annotated[int, Metric(Dimension.BYTES, lower=0)]
Count = Annotated[int, Metric(Dimension.NUMBER, lower=0)]
"""A whole number, zero or more."""
Rate = Annotated[float, Metric(Dimension.RATE, lower=0)]
"""Events per second."""
Number = Annotated[float, Metric(Dimension.NUMBER)]
SampledPercent = Annotated[Sampled, Metric(Dimension.PERCENT, lower=0, upper=100)]
"""Percentage points, of a sample: ``share(3, 100)``. A plain number is exact."""
SampledDuration = Annotated[Sampled, Metric(Dimension.DURATION, lower=0)]
"""Seconds, of a sample: ``quantile(sorted(times), 0.95)``. A plain number is exact."""


def bounded(dimension: Dimension, *, lower: float | None = None, upper: float | None = None) -> Metric:
    """A metric with bounds of its own: ``Annotated[float, bounded(Dimension.PERCENT, lower=0)]`` may exceed 100 %."""
    return Metric(dimension, lower, upper)


P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Reading)


class ProbeContext(Struct, frozen=True):
    """What surrounds one measurement.

    ``deadline`` is on anyio's clock (seconds); the engine cancels the probe when it passes, so a probe uses it only to give
    its client a time-out. ``environ`` stands for the process's environment: read variables from here, never from ``os``.
    ``grants`` are the dangerous things that this run allows, for example ``shell``.
    """

    deadline: float = float("inf")
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    grants: frozenset[str] = frozenset()

    def remaining(self, at_most: float = 3600.0) -> float:
        """Seconds until the deadline, at least a millisecond, at most ``at_most``."""
        return min(at_most, max(0.001, self.deadline - anyio.current_time()))

    def until(self, deadline: float) -> "ProbeContext":
        """The same surroundings with another deadline, for a part of the work."""
        return ProbeContext(deadline, self.environ, self.grants)


class Probe(Struct, Generic[P, R], frozen=True):
    """A declared probe. Calling it measures once."""

    name: str
    params: type[P]
    reading: type[R]
    measure: Callable[[P, ProbeContext], Awaitable[R]]
    command: Callable[[P], str]
    grants: frozenset[str]
    doc: str
    reads_only: bool = False
    """Whether it declares that it changes nothing, whatever its parameters."""

    def __call__(self, params: P, ctx: ProbeContext) -> Awaitable[R]:
        return self.measure(params, ctx)

    @property
    def metrics(self) -> Mapping[str, MetricType]:
        return metric_types(self.reading)

    @property
    def most_samples(self) -> int | None:
        """The most that the parameter ``SAMPLES`` takes; None where nothing says so."""
        return _most(self.params, self.reading.SAMPLES)

    @property
    def extracts(self) -> bool:
        """Whether a step may take metrics out of this probe's document with ``extract:``."""
        return issubclass(self.reading, DocumentReading)

    @property
    def document(self) -> Document | None:
        """What its document is; None where it has none."""
        return self.reading.DOCUMENT if issubclass(self.reading, DocumentReading) else None


def probe(
    name: str, *, command: Callable[..., str], grants: frozenset[str] = frozenset(), reads_only: bool = False
) -> Callable[[Callable[[P, ProbeContext], Awaitable[R]]], Probe[P, R]]:
    """Declare an async function as the probe ``name`` (two dotted words, such as ``http.latency``).

    ``command`` gives the shell command that a person would paste to see the same thing. Its secrets show themselves as
    ``$VARIABLE`` when formatted. ``grants`` names what the run must allow before this probe may be used. ``reads_only``
    declares that it changes nothing, whatever its parameters: with it the checker proves that a whole runbook only reads.

    Raises ProbeContractError where parameters or reading are not annotated with subclasses of Params and Reading.
    """

    def declare(measure: Callable[[P, ProbeContext], Awaitable[R]]) -> Probe[P, R]:
        hints = typing.get_type_hints(measure)
        names = list(inspect.signature(measure).parameters)
        params = hints.get(names[0]) if names else None
        reading = hints.get("return")
        if not (isinstance(params, type) and issubclass(params, Params)):
            raise ProbeContractError(f"{name}: annotate the first parameter with a subclass of Params")
        if not (isinstance(reading, type) and issubclass(reading, Reading)):
            raise ProbeContractError(f"{name}: annotate the result with a subclass of Reading")
        _check_partial(name, params, reading)
        if reading.SAMPLES and reading.SAMPLES not in params.model_fields:
            raise ProbeContractError(
                f"{name}: SAMPLES names the parameter {reading.SAMPLES!r}, which {name} does not have"
            )
        return Probe(
            name,
            typing.cast("type[P]", params),
            typing.cast("type[R]", reading),
            measure,
            command,
            grants,
            inspect.getdoc(measure) or "",
            reads_only,
        )

    return declare


def _check_partial(name: str, params: type[Params], reading: type[Reading]) -> None:
    known = metric_types(reading)
    for metric, parameter in reading.PARTIAL.items():
        if metric not in known or not known[metric].optional:
            raise ProbeContractError(
                f"{name}: PARTIAL names {metric!r}, which has to be a metric that may be missing, such as: Count | None"
            )
        if parameter and parameter not in params.model_fields:
            raise ProbeContractError(f"{name}: PARTIAL names the parameter {parameter!r}, which {name} does not have")


@lru_cache(maxsize=512)
def _most(params: type[Params], name: str) -> int | None:
    field_ = params.model_fields.get(name)
    bounds = (getattr(each, "le", None) for each in (field_.metadata if field_ is not None else ()))
    return next((each for each in bounds if isinstance(each, int)), None)


@lru_cache(maxsize=512)
def metric_types(reading: type[Reading]) -> Mapping[str, MetricType]:
    """The metrics of a Reading, by name, with dimension, bounds and documentation.

    Raises ProbeContractError for a field whose type carries no unit.
    """
    found: dict[str, MetricType] = {}
    hints = typing.get_type_hints(reading, include_extras=True)
    for name, info in reading.model_fields.items():
        if name in reading.RESERVED:
            continue
        found[name] = _metric_type(hints[name], doc=info.description or "", where=f"{reading.__name__}.{name}")
    return found


def _metric_type(hint: Any, *, doc: str, where: str) -> MetricType:
    optional = False
    if get_origin(hint) in (typing.Union, types.UnionType):
        rest = [arm for arm in get_args(hint) if arm is not type(None)]
        optional = len(rest) < len(get_args(hint))
        if len(rest) != 1:
            raise ProbeContractError(f"{where}: a metric has one type, with or without None")
        hint = rest[0]
    if get_origin(hint) is Annotated:
        base, *notes = get_args(hint)
        for note in notes:
            if isinstance(note, Metric):
                return MetricType(
                    note.dimension, note.lower, note.upper, base is int, (), optional, doc, base is Sampled
                )
        hint = base
    if get_origin(hint) is Literal:
        return MetricType(Dimension.TEXT, members=tuple(str(m) for m in get_args(hint)), optional=optional, doc=doc)
    if hint is bool:
        return MetricType(Dimension.BOOL, optional=optional, doc=doc)
    if hint is str:
        return MetricType(Dimension.TEXT, optional=optional, doc=doc)
    raise ProbeContractError(f"{where}: {hint!r} carries no unit; use Duration, Percent, Bytes, Count, Rate or Number")
