"""What a test says that a step brings, read: literals in base units, errors, answers, calls taken as a whole."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine import quantity
from runbook_engine.document.cases import ERROR
from runbook_engine.document.diagnostics import SECRET_IN_TEXT, quoted
from runbook_engine.document.fitting import misfit
from runbook_engine.document.models import AskStep, CallStep, Extract, InputType, ProbeStep, Scalar
from runbook_engine.document.source import Path
from runbook_engine.document.wording import shown
from runbook_engine.engine.border import passwords
from runbook_engine.engine.events import Failure
from runbook_engine.engine.given_samples import SampleReader
from runbook_engine.engine.judgement import Answer, Reading
from runbook_engine.errors import closest
from runbook_engine.graph.extract_checks import OPEN, input_of, is_open
from runbook_engine.graph.extracting import shape, take
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.graph.scope import OUTCOMES
from runbook_engine.ids import FindingId, StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.pasteable import pasteable
from runbook_engine.probe.extract import ExtractError, NothingThereError
from runbook_engine.probe.shape import misfits
from runbook_engine.quantity import Dimension, MetricType, Value
from runbook_engine.sampled import Sample

NOT_GIVEN = "not given by the test"
DOCUMENT = "document"
ANSWER = "answer"
_WHOLE = ("outcome", "findings", "blind_spots")


class Whole(Struct, frozen=True):
    """A called runbook that is not walked. ``outcome`` is None where it follows from the findings and the blind spots."""

    findings: tuple[FindingId, ...] = ()
    blind_spots: tuple[StepId, ...] = ()
    outcome: str | None = None


Brought = Reading | Failure | Answer | Whole


class Reader(Struct):
    """Reads what one step is given. ``inputs`` are the values of those that its extracts name, as far as they are known."""

    step: PlannedStep
    path: str
    found: Mistakes
    inputs: Mapping[str, object] = {}

    def read(self, given: Mapping[str, object], at: Path) -> Brought | None:
        if ERROR in given:
            return self._failure(given[ERROR], at)
        match self.step.model:
            case AskStep():
                return self._answer(given, at)
            case CallStep():
                return self._whole(given, at)
        return self._reading(given, at)

    def _failure(self, error: object, at: Path) -> Failure:
        told: Mapping[str, str] = error if isinstance(error, dict) else {"kind": str(error)}
        kind = ErrorKind(told["kind"])
        if isinstance(self.step.model, AskStep) and kind is not ErrorKind.MISSING:
            message = f"step {quoted(self.path)} asks a person, and a person is no cause of {kind}"
            self.found.add(
                "RB805", message, (*at, ERROR), label="write missing", help="nobody answered: {error: missing}"
            )
        return Failure(kind, told.get("message", "the test says so"), told.get("remedy", ""))

    def _answer(self, given: Mapping[str, object], at: Path) -> Answer | None:
        type_ = self.step.types[ANSWER]
        if not self._only(given, (ANSWER,), at, "RB805", "asks a person", "an answer is given as {answer: value}"):
            return None
        if ANSWER not in given:
            self.found.add("RB805", f"step {quoted(self.path)} is given no answer", at, help=_example(type_))
            return None
        value = self._value(ANSWER, given[ANSWER], type_, (*at, ANSWER))
        return None if value is None else Answer(value, type_, "given")

    def _reading(self, given: Mapping[str, object], at: Path) -> Reading | None:
        types = self.step.types
        metrics: dict[str, Value | None] = {}
        missing: dict[str, str] = {}
        samples: dict[str, Sample] = {}
        extracts = self.step.probe is not None and self.step.probe.extracts
        for name, value in given.items():
            place = (*at, name)
            if name == DOCUMENT and extracts and name not in types:
                self._extracted(value, place, given, metrics, missing)
            elif name not in types:
                self._unknown_metric(name, place, extracts=extracts)
            elif value is None:
                metrics[name] = None
                missing[name] = "missing, says the test"
                if not types[name].optional:
                    message = f"{name} of step {quoted(self.path)} is never missing"
                    self.found.add(
                        "RB804", message, place, label="give it a value", help=types[name].describe(), key=True
                    )
            elif types[name].sampled and isinstance(value, dict):
                sampled = SampleReader(name, self.path, types[name], place, self._value, self.found).sampled(value)
                metrics[name] = None if sampled is None else float(sampled)
                if sampled is not None:
                    samples[name] = sampled.sample
            else:
                metrics[name] = self._value(name, value, types[name], place)
        for name in types:
            if name not in metrics:
                metrics[name] = None
                missing[name] = NOT_GIVEN
        return Reading(metrics, types, missing, samples=samples)

    def _extracted(
        self,
        document: object,
        at: Path,
        given: Mapping[str, object],
        metrics: dict[str, Value | None],
        missing: dict[str, str],
    ) -> None:
        """What the step takes out of its probe's answer, but for what is given beside it."""
        model = self.step.model
        assert isinstance(model, ProbeStep)  # noqa: S101 - only these have an answer to take from
        answer = cast("JsonValue", document)
        probe = self.step.probe
        declared = shape(probe) if probe is not None else None
        problem = next(misfits(answer, declared), None) if declared is not None else None
        if probe is not None and problem is not None:
            message = f"{probe.name} gives step {quoted(self.path)} no such document: {problem}"
            self.found.add(
                "RB804", message, at, key=True, help=f"{pasteable('runbook', 'probes', probe.name)} shows an example"
            )
            return
        for name, spec in model.extract.items():
            if name in given:
                continue
            whole = self._whole_extract(name, spec, at)
            if whole is None:
                continue
            try:
                metrics[name] = take(answer, whole)
            except NothingThereError as error:
                metrics[name] = None
                missing[name] = str(error)
            except ExtractError as error:
                self.found.add("RB804", f"{name} of step {quoted(self.path)} cannot be taken: {error}", at, key=True)

    def _whole_extract(self, name: str, spec: Extract, at: Path) -> Extract | None:
        """The extract with what inputs give to it; None where the test does not say what that is, which is a mistake."""
        asked = {key: input_of(spec, key) or "" for key in OPEN if is_open(spec, key)}
        unknown = [each for each in asked.values() if self.inputs.get(each) is None]
        if unknown:
            message = (
                f"{name} of step {quoted(self.path)} cannot be taken: nothing says what {' and '.join(unknown)} is"
            )
            self.found.add(
                "RB804", message, at, key=True, help=f"inputs: {{{', '.join(f'{each}: ...' for each in unknown)}}}"
            )
            return None
        return spec.model_copy(update={key: str(self.inputs[each]) for key, each in asked.items()}) if asked else spec

    def _unknown_metric(self, name: str, at: Path, *, extracts: bool) -> None:
        types = self.step.types
        guess = closest(name, types)
        listed = [*types, *([f"{DOCUMENT} (the answer that the step takes metrics out of)"] if extracts else [])]
        self.found.add(
            "RB803",
            f"step {quoted(self.path)} measures no {quoted(name)}",
            at,
            label=f'did you mean "{guess}"?' if guess else "",
            help=f"it measures {', '.join(listed) or 'nothing'}",
            key=True,
        )

    def _whole(self, given: Mapping[str, object], at: Path) -> Whole | None:
        child = self.step.child
        hint = (
            "a call is given as {outcome: warning}, with findings and blind_spots by name; or its own steps are given"
        )
        if child is None or not self._only(given, _WHOLE, at, "RB805", "calls a runbook", hint):
            return None
        findings = tuple(self._names(given, "findings", child.runbook.findings, "finding", "RB807", at))
        blind = tuple(self._names(given, "blind_spots", child.steps, "step", "RB802", at))
        outcome = given.get("outcome")
        if outcome is None and not given:
            self.found.add("RB805", f"step {quoted(self.path)} is given nothing", at, help=hint)
            return None
        if outcome is not None and outcome not in OUTCOMES:
            guess = closest(str(outcome), OUTCOMES)
            message = f"the outcome of step {quoted(self.path)} is {shown(outcome)}, which there is not"
            label = f'did you mean "{guess}"?' if guess else ""
            self.found.add("RB804", message, (*at, "outcome"), label=label, help=f"outcomes: {', '.join(OUTCOMES)}")
            return None
        known = tuple(FindingId(each) for each in findings)
        follows = _outcome(child, known, blind=bool(blind))
        if outcome is not None and (known or blind) and outcome != follows:
            message = f"step {quoted(self.path)} is given the outcome {outcome}, and what it found comes to {follows}"
            self.found.add("RB804", message, (*at, "outcome"), label=f"write {follows}, or leave it out")
            return None
        return Whole(known, tuple(StepId(each) for each in blind), None if known or blind else outcome or "healthy")

    def _names(
        self, given: Mapping[str, object], key: str, known: Mapping[StepId, object] | Mapping[FindingId, object],
        noun: str, code: str, at: Path,
    ) -> Iterator[str]:  # fmt: skip
        names = given.get(key, [])
        for index, each in enumerate(names if isinstance(names, list) else [names]):
            if isinstance(each, str) and each in known:
                yield each
                continue
            place = (*at, key, index) if isinstance(names, list) else (*at, key)
            guess = closest(str(each), known)
            called = self.step.child.runbook.runbook if self.step.child else ""
            self.found.add(
                code,
                f"the runbook {called} has no {noun} {shown(each)}",
                place,
                label=f'did you mean "{guess}"?' if guess else "",
                help=f"{noun}s: {', '.join(known)}",
            )

    def _only(
        self, given: Mapping[str, object], legal: Sequence[str], at: Path, code: str, does: str, hint: str
    ) -> bool:
        for key in given:
            if key not in legal:
                message = f"step {quoted(self.path)} {does}, and is given {quoted(key)}"
                guess = closest(key, legal)
                label = f'did you mean "{guess}"?' if guess else ""
                self.found.add(code, message, (*at, key), label=label, help=hint, key=True)
        return not given or any(key in legal for key in given)

    def _value(self, name: str, value: object, type_: MetricType, at: Path) -> Value | None:
        """A literal in base units; None where it does not fit, which is told."""
        if value is None or not isinstance(value, bool | int | float | str):
            message = f"{name} of step {quoted(self.path)} is {shown(value)}, not a value"
            self.found.add("RB804", message, at, help=_example(type_), key=value is None)
            return None
        problem = misfit(value, _kind(type_), type_.members, signed=True)
        if problem is not None:
            message = f"{name} of step {quoted(self.path)} {problem.sentence}"
            self.found.add("RB804", message, at, label=problem.label, help=problem.help or type_.describe())
            return None
        if not type_.dimension.is_numeric:
            return value
        number = quantity.parse(value)[0] if isinstance(value, str) else value
        fits = (type_.lower is None or number >= type_.lower) and (type_.upper is None or number <= type_.upper)
        if not (math.isfinite(number) and fits and (not type_.integer or float(number).is_integer())):
            message = f"{name} of step {quoted(self.path)} is {shown(value)}, and can only be {type_.describe()}"
            self.found.add("RB804", message, at)
            return None
        return int(number) if type_.integer else number


def _kind(type_: MetricType) -> str:
    """The word for a type by which literals are judged."""
    if type_.members:
        return "enum"
    match type_.dimension:
        case Dimension.TEXT:
            return "string"
        case Dimension.NUMBER if type_.integer:
            return "int"
    return type_.dimension


def _example(type_: MetricType) -> str:
    return f"it is {type_.describe()}"


def _outcome(plan: Plan, findings: Sequence[FindingId], *, blind: bool) -> str:
    levels = {plan.runbook.findings[each].level.value for each in findings}
    if levels:
        return "critical" if "critical" in levels else "warning"
    return "inconclusive" if blind else "healthy"


def read_inputs(inputs: Mapping[str, Scalar], at: Path, plan: Plan, found: Mistakes) -> Mapping[str, Scalar]:
    """The values that fit."""
    known = plan.runbook.inputs
    fitting: dict[str, Scalar] = {}
    for name, value in inputs.items():
        place = (*at, name)
        spec = known.get(name)
        if spec is None:
            guess = closest(name, known)
            message = f"the runbook {plan.runbook.runbook} has no input {quoted(name)}"
            label = f'did you mean "{guess}"?' if guess else ""
            found.add("RB806", message, place, label=label, help=f"inputs: {', '.join(known) or 'none'}", key=True)
            continue
        if spec.type is InputType.SECRET and isinstance(value, str) and passwords(value):
            message = f"{quoted(name)} is a secret, and its password is written into the document"
            hint = "a test reaches nothing, so that any word will do, such as: given"
            found.add(SECRET_IN_TEXT, message, place, label="write any other word", help=hint)
            continue
        problem = misfit(value, "string" if spec.type is InputType.SECRET else spec.type, spec.values)
        if problem is not None:
            message = f"the value of {quoted(name)} {problem.sentence}"
            hint = f"{problem.help + '; ' if problem.help else ''}it is of the type {spec.type}"
            found.add("RB804", message, place, label=problem.label, help=hint)
            continue
        fitting[name] = value
    return fitting
