"""One step's work: fill in its parameters, measure under a deadline, hold the reading to its contract."""

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from pydantic import JsonValue, ValidationError

from runbook_engine.document.models import Input, ProbeStep
from runbook_engine.engine.border import Border
from runbook_engine.engine.events import Failure
from runbook_engine.engine.inputs import ways_to_set
from runbook_engine.engine.judgement import Reading
from runbook_engine.graph.plan import Filling, PlannedStep
from runbook_engine.graph.scope import INPUTS, extract_type
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import DocumentReading, MetricType, Params, ProbeContext, ProbeError, Value
from runbook_engine.probe import Reading as ProbeReading
from runbook_engine.probe.extract import ExtractError, extract
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.quantity import Dimension, show
from runbook_engine.templates import Lookup, MissingValueError, Template


class Prepared(Struct, frozen=True):
    """What will be measured, and the command that a person would paste instead."""

    probe: AnyProbe
    params: Params
    command: str


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
        return Failure(ErrorKind.FORBIDDEN, f"{probe.name} needs to be allowed: {names}", f"run with --allow {names}")
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
    return Prepared(probe, params, command)


def _told(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg'].removeprefix('Value error, ')}" if place else str(error["msg"])


def lacking(error: MissingValueError, inputs: Mapping[str, Input]) -> Failure:
    """Why a step without that value measures nothing, and how to give it one."""
    name = error.name
    written = f"{name.scope}.{name.name}" if name.scope else name.name
    remedy = ways_to_set(name.name, inputs[name.name]) if name.scope == INPUTS and name.name in inputs else ""
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
    """Measure once. Whatever the probe raises comes back as a Failure; cancellation goes through."""
    try:
        reading = await prepared.probe.measure(prepared.params, ctx)
        return accept(step, prepared.probe, reading, border)
    except ProbeError as error:
        return _failure(error, border)
    except TimeoutError:
        return Failure(ErrorKind.TIMEOUT, f"{prepared.probe.name} gave no answer in time")
    except ImportError as error:
        package = (error.name or "a package").partition(".")[0]
        return Failure(
            ErrorKind.UNAVAILABLE,
            border.text(f"{prepared.probe.name} needs {package}, which is not installed"),
            f"pip install {package}",
        )
    except ExtractError as error:
        return Failure(ErrorKind.MALFORMED, border.text(str(error)))
    except ValidationError as error:
        told = "; ".join(_told(each) for each in error.errors(include_url=False, include_input=False))
        return Failure(
            ErrorKind.MALFORMED, border.text(f"{prepared.probe.name} gave a reading that does not fit: {told}")
        )
    except Exception as error:  # noqa: BLE001 - a plug-in's mistake is a blind spot, not the end of the diagnosis
        return Failure(ErrorKind.OTHER, border.text(f"{prepared.probe.name} failed: {type(error).__name__}: {error}"))


def timed_out(step: PlannedStep, seconds: float) -> Failure:
    name = step.model.probe if isinstance(step.model, ProbeStep) else step.id
    return Failure(
        ErrorKind.TIMEOUT,
        f"{name} gave no answer within {show(seconds, Dimension.DURATION)}",
        "check that the address is reachable from here, or give the step a longer timeout",
    )


def _failure(error: ProbeError, border: Border) -> Failure:
    return Failure(ErrorKind(error.kind), border.text(error.message), border.text(error.remedy))


def accept(  # noqa: C901, PLR0912 - one pass over the metrics, hot
    step: PlannedStep, probe: AnyProbe, reading: ProbeReading, border: Border
) -> Reading:
    """A probe's reading as the engine keeps it.

    NaN becomes missing; a value outside its declared bounds raises ProbeError, because the checker has proven with them.
    """
    if not isinstance(reading, probe.reading):
        raise ProbeError(
            ErrorKind.MALFORMED, f"{probe.name} gave a {type(reading).__name__}, not a {probe.reading.__name__}"
        )
    types: Mapping[str, MetricType] = step.types
    values = reading.__dict__
    metrics: dict[str, Value | None] = {}
    missing = reading.missing
    for name in probe.metrics:
        value = values[name]
        if type(value) is float:
            if math.isnan(value):
                missing = {**missing, name: missing.get(name, "the probe measured not-a-number")}
                value = None
            else:
                _within(probe, name, value, types[name])
        elif type(value) is str:
            value = border.text(value)
        elif value is not None and type(value) is not bool:
            _within(probe, name, value, types[name])
        metrics[name] = value
    model = step.model
    if isinstance(model, ProbeStep) and model.extract and isinstance(reading, DocumentReading):
        for name, spec in model.extract.items():
            found = extract(reading.document, spec.path, spec.type, spec.unit)
            if found is None:
                missing = {**missing, name: missing.get(name, f"{spec.path} leads nowhere in the answer")}
            elif isinstance(found, str):
                found = border.text(found)
            else:
                _within(probe, name, found, extract_type(spec))
            metrics[name] = found
    if missing:
        missing = {name: border.text(why) for name, why in missing.items()}
    kept: Mapping[str, JsonValue] = border.evidence(reading.evidence) if reading.evidence else reading.evidence
    return Reading(metrics, types, missing, kept)


def _within(probe: AnyProbe, name: str, value: float, known: MetricType) -> None:
    if (known.lower is not None and value < known.lower) or (known.upper is not None and value > known.upper):
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"{probe.name} measured {name} = {show(value, known.dimension)}, which is outside its declared bounds "
            f"({known.describe()})",
        )
