"""One probe measured by hand, outside of any runbook: parameters as texts, and everything that it gave."""

import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import anyio
from msgspec import Struct
from msgspec.structs import replace
from pydantic import JsonValue, ValidationError

from runbook_engine.document.models import ProbeStep
from runbook_engine.document.yaml_text import compose
from runbook_engine.engine.border import Border, passwords
from runbook_engine.engine.events import Failure
from runbook_engine.engine.judgement import Reading
from runbook_engine.engine.measure import Prepared, measure, timed_out
from runbook_engine.errors import InputsError, did_you_mean
from runbook_engine.graph.plan import PlannedStep, dimensions
from runbook_engine.ids import StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Params, ProbeContext, ProbeError, Secret
from runbook_engine.probe import Reading as ProbeReading
from runbook_engine.probe.contract import DocumentReading
from runbook_engine.probe.registry import AnyProbe

_VARIABLE = re.compile(r"\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})\Z", re.ASCII)


class Given(Struct, frozen=True):
    """Parameters, read. ``written`` are they as a step's ``with`` would have them, variables as ``Variable``."""

    params: Params
    written: Mapping[str, Any]
    secrets: tuple[str, ...]


class Variable(Struct, frozen=True):
    """A value that an environment variable holds; ``secret`` where it must not be seen. Without a name it was typed."""

    name: str
    secret: bool


class MeasuredByHand(Struct, frozen=True):
    """``result`` is masked, and so is ``document``, which is None where the probe has none, or nothing was measured."""

    probe: AnyProbe
    command: str
    seconds: float
    result: Reading | Failure
    document: JsonValue = None
    incomplete: str = ""


def read_params(probe: AnyProbe, texts: Mapping[str, str], environ: Mapping[str, str]) -> Given:
    """Parameters as they are typed: ``samples=20``, ``argv=[df, -h]``, ``dsn=$DATABASE_URL`` for what a variable holds.

    A text that the parameter does not take as it is, is read as YAML. Raises InputsError with everything that is wrong.
    """
    problems: list[str] = []
    fields = {field.alias or name: field.annotation for name, field in probe.params.model_fields.items()}
    values: dict[str, Any] = {}
    written: dict[str, Any] = {}
    secrets: list[str] = []
    for key, text in texts.items():
        if key not in fields:
            known = ", ".join(fields) or "none"
            problems.append(
                f"the probe {probe.name} has no parameter {key!r}{did_you_mean(key, fields)}; parameters: {known}"
            )
            continue
        reader = _Reader(environ, _takes_secrets(fields[key]), secrets, problems)
        values[key], written[key] = reader.read(probe, key, text)
    if problems:
        raise InputsError(problems)
    try:
        return Given(probe.params.model_validate(values), written, tuple(secrets))
    except ValidationError as error:
        border = Border(secrets)
        raise InputsError([border.text(each) for each in _told(probe, error)]) from None
    except ProbeError as error:
        raise InputsError([Border(secrets).text(error.message)]) from None


class _Reader(Struct):
    """Reads the text of one parameter."""

    environ: Mapping[str, str]
    hides: bool
    secrets: list[str]
    problems: list[str]

    def read(self, probe: AnyProbe, key: str, text: str) -> tuple[Any, Any]:
        """The value, and it as a step would have it."""
        plain = self._filled(text)
        if _fits(probe, key, plain[0]):
            return plain
        found = compose(text, key)
        if found.diagnostics or isinstance(found.value, str | None):
            return plain
        return self._filled(found.value)

    def _filled(self, value: Any) -> tuple[Any, Any]:
        match value:
            case dict():
                pairs = {str(key): self._filled(each) for key, each in value.items()}
                return {key: each for key, (each, _) in pairs.items()}, {key: each for key, (_, each) in pairs.items()}
            case list():
                items = [self._filled(each) for each in value]
                return [each for each, _ in items], [each for _, each in items]
            case str() if found := _VARIABLE.match(value):
                return self._variable(found["name"] or found["braced"])
            case str():
                text = value[1:] if value.startswith("$$") else value
                return self._typed(text) if self.hides else (text, text)
        return value, value

    def _variable(self, name: str) -> tuple[Any, Any]:
        value = self.environ.get(name, "")
        if not value:
            problem = f"the environment variable {name} is not set"
            self.problems.extend([problem] if problem not in self.problems else [])
            return "", ""
        if not self.hides:
            return value, Variable(name, secret=False)
        self.secrets.append(value)
        return Secret(value, f"${name}"), Variable(name, secret=True)

    def _typed(self, text: str) -> tuple[Any, Any]:
        """A value where a secret may stand: a URL without a password shows itself, anything else does not."""
        inside = passwords(text)
        if "://" in text and not inside:
            return Secret(text, text), text
        self.secrets.extend(inside or [text])
        return Secret(text), Variable("", secret=True)


def _takes_secrets(annotation: Any) -> bool:
    return annotation is Secret or any(map(_takes_secrets, typing.get_args(annotation)))


def _fits(probe: AnyProbe, key: str, value: Any) -> bool:
    """Whether a parameter takes the value; others that are missing do not matter."""
    try:
        probe.params.model_validate({key: value})
    except ValidationError as error:
        return not any(each["loc"][:1] == (key,) for each in error.errors(include_url=False, include_input=False))
    except ProbeError:
        return True
    return True


def _told(probe: AnyProbe, error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False):
        place = ".".join(map(str, each["loc"]))
        if each["type"] == "missing" and len(each["loc"]) == 1:
            yield f"the probe {probe.name} needs {place}; write {place}=VALUE"
            continue
        told = each["msg"].removeprefix("Value error, ")
        yield f"{place} of {probe.name}: {told}" if place else f"{probe.name}: {told}"


async def measure_by_hand(
    probe: AnyProbe, given: Given, environ: Mapping[str, str], grants: frozenset[str], seconds: float
) -> MeasuredByHand:
    """Measure once, under a deadline. Whatever goes wrong is the result; cancellation goes through."""
    border = Border(given.secrets)
    border.learn_environment(environ)
    kept: list[ProbeReading] = []
    try:
        command = border.text(probe.command(given.params))
    except Exception as error:  # noqa: BLE001 - a plug-in's display must not stop a measurement
        command = f"({probe.name} cannot show its command: {type(error).__name__})"
    ungranted = ", ".join(sorted(probe.grants - grants))
    if ungranted:
        failure = Failure(
            ErrorKind.FORBIDDEN, f"{probe.name} needs to be allowed: {ungranted}", f"add --allow {ungranted}"
        )
        return MeasuredByHand(probe, command, 0.0, failure)

    async def keep(params: Params, ctx: ProbeContext) -> ProbeReading:
        reading: ProbeReading = await probe.measure(params, ctx)
        kept.append(reading)
        return reading

    step = PlannedStep(
        StepId("measure"), ProbeStep(probe=probe.name), probe.metrics, dimensions(probe.metrics), (), (), probe
    )
    began = anyio.current_time()
    result: Reading | Failure = timed_out(step, seconds)
    with anyio.move_on_after(seconds) as limit:
        context = ProbeContext(limit.deadline, environ, grants)
        result = await measure(step, Prepared(replace(probe, measure=keep), given.params, command), context, border)
    document: JsonValue = None
    incomplete = ""
    if kept and isinstance(result, Reading) and isinstance(kept[0], DocumentReading):
        document, incomplete = border.json(kept[0].document), border.text(kept[0].withheld)
    return MeasuredByHand(probe, command, anyio.current_time() - began, result, document, incomplete)
