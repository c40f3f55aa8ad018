"""Which names a step's conditions and texts may use, and of what type they are."""

from collections.abc import Container, Mapping

from msgspec import Struct

from runbook_engine.conditions import Name, Problem
from runbook_engine.document.models import (
    AnswerType,
    AnyStep,
    AskStep,
    CallStep,
    Extract,
    ExtractType,
    Input,
    InputType,
    ProbeStep,
)
from runbook_engine.errors import closest, did_you_mean
from runbook_engine.ids import StepId
from runbook_engine.probe import Dimension, MetricType
from runbook_engine.probe.registry import AnyProbe

INPUTS = "inputs"
ERROR = "error"
"""In the texts of findings that an error route raises: ``{{ error.kind }}`` and ``{{ error.message }}``."""
RESERVED = frozenset({INPUTS, ERROR, "end", "true", "false", "and", "or", "not", "in", "is", "missing"})

OUTCOMES = ("healthy", "warning", "critical", "inconclusive")
_COUNT = MetricType(Dimension.NUMBER, lower=0, integer=True)
CALL_TYPES: Mapping[str, MetricType] = {
    "outcome": MetricType(Dimension.TEXT, members=OUTCOMES),
    "findings": _COUNT,
    "blind_spots": _COUNT,
}
ERROR_TYPES: Mapping[str, MetricType] = {
    "kind": MetricType(Dimension.TEXT),
    "message": MetricType(Dimension.TEXT),
}

_BY_NAME: Mapping[str, MetricType] = {
    "string": MetricType(Dimension.TEXT),
    "url": MetricType(Dimension.TEXT),
    "enum": MetricType(Dimension.TEXT),
    "jmespath": MetricType(Dimension.TEXT),
    "secret": MetricType(Dimension.TEXT),
    "bool": MetricType(Dimension.BOOL),
    "int": MetricType(Dimension.NUMBER, integer=True),
    "count": _COUNT,
    "number": MetricType(Dimension.NUMBER),
    "duration": MetricType(Dimension.DURATION, lower=0),
    "percent": MetricType(Dimension.PERCENT, lower=0),
    "bytes": MetricType(Dimension.BYTES, lower=0),
    "rate": MetricType(Dimension.RATE, lower=0),
}


def input_type(spec: Input) -> MetricType:
    if spec.type is InputType.ENUM:
        return MetricType(Dimension.TEXT, members=spec.values)
    return _BY_NAME[spec.type]


def extract_type(spec: Extract) -> MetricType:
    """An extracted metric may always be missing: the path may lead nowhere."""
    known = _BY_NAME[ExtractType(spec.type)]
    return MetricType(known.dimension, known.lower, known.upper, known.integer, optional=True)


def answer_type(step: AskStep) -> MetricType:
    if step.type is AnswerType.ENUM:
        return MetricType(Dimension.TEXT, members=step.values)
    return _BY_NAME[step.type]


def step_types(step: AnyStep, probe: AnyProbe | None) -> Mapping[str, MetricType]:
    """The metrics that a step leaves behind."""
    match step:
        case AskStep():
            return {"answer": answer_type(step)}
        case CallStep():
            return CALL_TYPES
        case ProbeStep():
            own = probe.metrics if probe else {}
            return {**own, **{name: extract_type(spec) for name, spec in step.extract.items()}} if step.extract else own


class Scope(Struct, frozen=True):
    """What is visible from one runbook's steps.

    ``unknowable`` are steps whose metrics cannot be told (their probe is not installed, or their text is broken): names
    in them are taken on trust so that one mistake is reported once.
    """

    inputs: Mapping[str, MetricType]
    unknowable_inputs: frozenset[str]
    steps: Mapping[StepId, Mapping[str, MetricType]]
    unknowable: frozenset[str]

    def resolve(self, name: Name, step: StepId, earlier: Container[str] | None) -> MetricType | Problem | None:
        """The type of a name used in ``step``; None where it cannot be told. ``earlier`` are the steps decided before it,
        None when that is not known.
        """
        if name.scope == INPUTS:
            if name.name in self.unknowable_inputs:
                return None
            return self.inputs.get(name.name) or self._unknown(name, "input", self.inputs)
        owner = StepId(name.scope) if name.scope is not None else step
        if owner in self.unknowable:
            return None
        if owner not in self.steps:
            meant = closest(owner, (*self.steps, INPUTS))
            known = meant is not None and name.name in (self.inputs if meant == INPUTS else self.steps[StepId(meant)])
            return Problem(
                f'there is no step "{owner}"{did_you_mean(owner, (*self.steps, INPUTS))}',
                name.start,
                name.end,
                f"steps of this runbook: {', '.join(sorted(self.steps))}; inputs are written inputs.name",
                f"{meant}.{name.name}" if known else None,
            )
        if owner != step and earlier is not None and owner not in earlier:
            return Problem(
                f'step "{owner}" does not come before step "{step}", so its metrics are not known here',
                name.start,
                name.end,
                f'let a branch lead from "{owner}" to "{step}", or compare in a later step',
            )
        types = self.steps[owner]
        if name.name in types:
            return types[name.name]
        if name.scope is None and name.name in self.inputs:
            return Problem(
                f'"{name.name}" is an input, not a metric',
                name.start,
                name.end,
                f"write inputs.{name.name}",
                f"inputs.{name.name}",
            )
        return self._unknown(name, f'metric of step "{owner}"', types)

    @staticmethod
    def _unknown(name: Name, what: str, known: Mapping[str, MetricType]) -> Problem:
        legal = ", ".join(sorted(known)) or "none"
        guess = closest(name.name, known)
        plural = "inputs of this runbook" if what == "input" else f"{what.replace('metric', 'metrics', 1)}"
        return Problem(
            f'there is no {what} named "{name.name}"{did_you_mean(name.name, known)}',
            name.start,
            name.end,
            f"{plural}: {legal}",
            str(Name(name.scope, guess, 0, 0)) if guess else None,
        )
