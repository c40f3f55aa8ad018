"""One step's work: fill in its parameters, measure under a deadline, hold the reading to its contract."""

import math
import sys
from collections.abc import Mapping
from typing import Any

import anyio
from msgspec import Struct
from msgspec.structs import replace
from pydantic import JsonValue, ValidationError

from runbook_engine.document.models import Extract, Input, ProbeStep
from runbook_engine.engine.border import MOST_JUDGED, MOST_NUMBER, Border
from runbook_engine.engine.events import Failure
from runbook_engine.engine.inputs import ways_to_set
from runbook_engine.engine.judgement import Reading
from runbook_engine.graph.extracting import NOT_WHOLE, problems, take
from runbook_engine.graph.plan import Filling, PlannedStep
from runbook_engine.graph.scope import INPUTS, extract_type
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import DocumentReading, MetricType, Params, ProbeContext, ProbeError, Value
from runbook_engine.probe import Reading as ProbeReading
from runbook_engine.probe.effort import TEXT_SHIFT, Effort, TooMuchWorkError, here_or_aside, weigh
from runbook_engine.probe.extract import ExtractError
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.quantity import Dimension, prose, show
from runbook_engine.sampled import Sample, Sampled
from runbook_engine.templates import Lookup, MissingValueError, Template

MOST_LATE_S = 0.25
"""Seconds by which a reading may be late: a probe that ends at its deadline by itself is still told of."""


class Prepared(Struct, frozen=True):
    """What will be measured, what is taken out of its document, and the command that a person would paste instead."""

    probe: AnyProbe
    params: Params
    command: str
    extracts: Mapping[str, Extract] = {}


def prepare(
    step: PlannedStep, look_up: Lookup, inputs: Mapping[str, Input], border: Border, grants: frozenset[str]
) -> Prepared | Failure:
    """The probe with its parameters filled in, or why it cannot be asked."""
    probe = step.probe
    if probe is None:
        raise AssertionError(f"{step.id} was compiled without its probe")
    ungranted = probe.grants - grants
    if ungranted:
        names = ", ".join(sorted(ungranted))
        return Failure(
            ErrorKind.FORBIDDEN,
            f"{probe.name} needs to be allowed: {names}",
            f"run with --allow {names}, or let an environment (allow: [{names}]) or RUNBOOK_ALLOW grant it",
        )
    params = step.params
    if params is None:
        try:
            params = probe.params.model_validate(fill(step.filling, look_up))
        except MissingValueError as error:
            return lacking(error, inputs)
        except ValidationError as error:
            told = "; ".join(_told(each) for each in error.errors(include_url=False, include_input=False))
            return Failure(ErrorKind.MALFORMED, border.text(f"the parameters of {probe.name} do not fit: {told}"))
        except ProbeError as error:
            return _failure(error, border)
    try:
        command = border.text(probe.command(params))
    except Exception as error:  # noqa: BLE001 - a plug-in's display must not stop a diagnosis
        command = f"({probe.name} cannot show its command: {type(error).__name__})"
    extracts = _extracts(step, look_up)
    unsound = next((each for name in step.extracting for each in problems(extracts[name], None)), None)
    if unsound is not None:  # of a called runbook whose caller calls something else by the name of its input
        return Failure(ErrorKind.MALFORMED, border.text(f"what is taken out of the document: {unsound.message}"))
    return Prepared(probe, params, command, extracts)


def _extracts(step: PlannedStep, look_up: Lookup) -> Mapping[str, Extract]:
    """The extracts of a step, with what inputs give to them."""
    if not isinstance(step.model, ProbeStep) or not step.extracting:
        return step.model.extract if isinstance(step.model, ProbeStep) else {}
    given = fill(step.extracting, look_up)
    return {
        name: spec.model_copy(update={key: str(value) for key, value in given.get(name, {}).items()})
        for name, spec in step.model.extract.items()
    }


def _told(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg'].removeprefix('Value error, ')}" if place else str(error["msg"])


def lacking(error: MissingValueError, inputs: Mapping[str, Input]) -> Failure:
    """Why a step without that value measures nothing, and how to give it one."""
    name = error.name
    given = name.scope == INPUTS
    written = f"the input {name.name}" if given else f"{name.scope}.{name.name}" if name.scope else name.name
    remedy = ways_to_set(name.name, inputs[name.name]) if given and name.name in inputs else ""
    return Failure(ErrorKind.MISSING, f"{written} has no value, and this step needs it", remedy)


def fill(filling: Mapping[str, Filling], look_up: Lookup) -> dict[str, Any]:
    """Parameters with their templates filled in. Raises MissingValueError."""
    return {key: _fill(each, look_up) for key, each in filling.items()}


def _fill(filling: Filling, look_up: Lookup) -> Any:
    match filling:
        case Template():
            return filling.value(look_up)
        case dict():
            return {key: _fill(each, look_up) for key, each in filling.items()}
        case list():
            return [_fill(each, look_up) for each in filling]
    return filling


async def measure(step: PlannedStep, prepared: Prepared, ctx: ProbeContext, border: Border) -> Reading | Failure:
    """Measure once. Whatever the probe raises comes back as a Failure; cancellation goes through.

    What is large is taken out of its document and masked in a thread, so that it holds up no other measurement.
    """
    try:
        reading = await prepared.probe.measure(prepared.params, ctx)
        accepted = await here_or_aside(lambda effort: accept(step, prepared, reading, border, effort))
        late = anyio.current_time() - ctx.deadline
        return accepted if late <= MOST_LATE_S else _too_late(prepared.probe, late)
    except ProbeError as error:
        return _failure(error, border)
    except TooMuchWorkError as error:
        return Failure(ErrorKind.MALFORMED, f"{prepared.probe.name} gave more than can be looked through: {error}")
    except TimeoutError:
        return Failure(ErrorKind.TIMEOUT, f"{prepared.probe.name} gave no answer in time")
    except ImportError as error:
        package = (error.name or "a package").partition(".")[0]
        return Failure(
            ErrorKind.UNAVAILABLE,
            border.text(f"{prepared.probe.name} needs {package}, which is not installed"),
            f"pip install {package}",
        )
    except ValidationError as error:
        told = "; ".join(_told(each) for each in error.errors(include_url=False, include_input=False))
        return Failure(
            ErrorKind.MALFORMED, border.text(f"{prepared.probe.name} gave a reading that does not fit: {told}")
        )
    except Exception as error:  # noqa: BLE001 - a plug-in's mistake is a blind spot, not the end of the diagnosis
        return Failure(ErrorKind.OTHER, border.text(f"{prepared.probe.name} failed: {type(error).__name__}: {error}"))


def _too_late(probe: AnyProbe, late: float) -> Failure:
    """A reading that came although its time had run out: something held up the event loop, so that nothing was cancelled."""
    return Failure(
        ErrorKind.TIMEOUT,
        f"{probe.name} gave its answer {prose(late, Dimension.DURATION)} after its time had run out",
        "see what keeps this machine busy, or give the step a longer timeout",
    )


def timed_out(step: PlannedStep, seconds: float) -> Failure:
    name = step.model.probe if isinstance(step.model, ProbeStep) else step.id
    return Failure(
        ErrorKind.TIMEOUT,
        f"{name} gave no answer within {prose(seconds, Dimension.DURATION)}",
        "check that the address is reachable from here, or give the step a longer timeout",
    )


def _failure(error: ProbeError, border: Border) -> Failure:
    return Failure(ErrorKind(error.kind), border.text(error.message), border.text(error.remedy))


def accept(  # noqa: C901, PLR0912 - one pass over the metrics, hot
    step: PlannedStep, prepared: Prepared, reading: ProbeReading, border: Border, effort: Effort
) -> Reading:
    """A probe's reading as the engine keeps it.

    NaN becomes missing; a value outside its declared bounds raises ProbeError, because the checker has proven with them.
    Raises TooMuchWorkError where the effort does not reach.
    """
    probe = prepared.probe
    if not isinstance(reading, probe.reading):
        raise ProbeError(
            ErrorKind.MALFORMED, f"{probe.name} gave a {type(reading).__name__}, not a {probe.reading.__name__}"
        )
    types: Mapping[str, MetricType] = step.types
    values = reading.__dict__
    metrics: dict[str, Value | None] = {}
    samples: dict[str, Sample] = {}
    missing = reading.missing
    partial: Mapping[str, str] = reading.PARTIAL if reading.cut else {}
    for name in probe.metrics:
        value = values[name]
        if name in partial and value is not None:
            missing = {**missing, name: reading.cut}
            value = None
        if type(value) is Sampled:
            samples[name], value = (
                replace(value.sample, parameter=probe.reading.SAMPLES, most=probe.most_samples),
                float(value),
            )
        if type(value) is float:
            if not math.isfinite(value):
                what = "not-a-number" if math.isnan(value) else "a number without end"
                missing = {**missing, name: missing.get(name, f"the probe measured {what}")}
                value = None
            else:
                _within(probe, name, value, types[name])
        elif type(value) is str:
            effort.spend(len(value) >> TEXT_SHIFT)
            value, why = _judged(value, border)
            if why:
                missing = {**missing, name: why}
        elif value is not None and type(value) is not bool:
            _within(probe, name, value, types[name])
        metrics[name] = value
    if prepared.extracts and isinstance(reading, DocumentReading):
        too_much = _hold_to_json(probe, reading.document, effort)
        for name, spec in prepared.extracts.items():
            metrics[name], why = (None, too_much) if too_much else _taken(reading, spec, border, effort)
            if why:
                missing = {**missing, name: missing.get(name, why)}
    if missing:
        missing = {name: border.text(why) for name, why in missing.items()}
    kept: Mapping[str, JsonValue] = reading.evidence
    if kept:
        effort.renew()
        try:
            weigh(kept, effort)
            kept = border.evidence(kept)
        except TooMuchWorkError as error:
            if effort.brief or effort.stopped:
                raise
            kept = {"left_out": f"more than can be looked through: {error}"}
    samples = {name: each for name, each in samples.items() if metrics[name] is not None}
    return Reading(metrics, types, missing, kept, samples)


def _hold_to_json(probe: AnyProbe, document: JsonValue, effort: Effort) -> str:
    """Why nothing is taken out of a document that is too large.

    Raises ProbeError where it holds anything that JSON has not.
    """
    try:
        weigh(document, effort)
    except TooMuchWorkError as error:
        if effort.brief or effort.stopped:
            raise
        return f"{NOT_WHOLE}the document is more than can be looked through: {error}; ask for a part of it"
    except TypeError as error:
        raise ProbeError(ErrorKind.MALFORMED, f"{probe.name} gave a document that is not JSON: {error}") from error
    return ""


def _taken(reading: DocumentReading, spec: Extract, border: Border, effort: Effort) -> tuple[Value | None, str]:
    """A metric out of a document, or why there is none. What stands beside it is measured all the same."""
    if reading.withheld:
        return None, f"{NOT_WHOLE}{reading.withheld}"
    try:
        found = take(reading.document, spec, border.text, effort)
    except ExtractError as error:
        return None, str(error)
    if isinstance(found, str):
        return _judged(found, border)
    known = extract_type(spec)
    if known.lower is not None and not isinstance(found, bool) and found < known.lower:
        return (
            None,
            f"{spec.match or spec.path} gives {show(found, known.dimension)}, and it can only be {known.describe()}",
        )
    return found, ""


def _judged(text: str, border: Border) -> tuple[str | None, str]:
    """A text that conditions judge, masked and whole; or why there is none."""
    if len(text) <= 2 * MOST_JUDGED:
        masked = border.text(text, sys.maxsize)
        if len(masked) <= MOST_JUDGED:
            return masked, ""
    why = f"the text has {len(text)} characters, more than the {MOST_JUDGED} that are kept and judged"
    return None, f"{why}; take what is wanted out of it, with extract: and match:, or let it be shorter"


def _within(probe: AnyProbe, name: str, value: float, known: MetricType) -> None:
    if abs(value) > MOST_NUMBER:
        raise ProbeError(ErrorKind.MALFORMED, f"{probe.name} measured {name} = a number that is too large")
    if (known.lower is not None and value < known.lower) or (known.upper is not None and value > known.upper):
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"{probe.name} measured {name} = {show(value, known.dimension)}, which is outside its declared bounds "
            f"({known.describe()})",
        )
