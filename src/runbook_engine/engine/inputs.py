"""The values that a run begins with, and where each came from."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from runbook_engine import quantity
from runbook_engine.document.models import Input, InputType, Runbook
from runbook_engine.engine.border import passwords
from runbook_engine.engine.events import InputValue
from runbook_engine.errors import InputsError, did_you_mean
from runbook_engine.graph.scope import input_type
from runbook_engine.quantity import Dimension, Value, show
from runbook_engine.secret import Secret
from runbook_engine.templates import Filled


@dataclass(frozen=True, slots=True)
class Resolved:
    """An input's value in its base unit. ``source`` says where it came from, for people."""

    filled: Filled
    source: str

    @property
    def secrets(self) -> tuple[str, ...]:
        value = self.filled.value
        if isinstance(value, Secret):
            return (value.reveal(),)
        return tuple(passwords(value)) if isinstance(value, str) else ()

    def shown(self) -> InputValue:
        value = self.filled.value
        if isinstance(value, Secret):
            return InputValue(None, value.display, self.source)
        return InputValue(value, show(value, self.filled.dimension), self.source)


def resolve(
    runbook: Runbook,
    given: Mapping[str, object],
    environ: Mapping[str, str] = os.environ,
    *,
    inherited: Mapping[str, Resolved] | None = None,
    source: str = "given",
) -> dict[str, Resolved]:
    """The runbook's inputs: ``given`` first, then what a caller hands down, then the environment variable, then the default.

    Raises InputsError that lists every missing, unknown and unreadable input at once.
    """
    problems = [
        f"the runbook {runbook.runbook} has no input {name!r}{did_you_mean(name, runbook.inputs)}"
        for name in given
        if name not in runbook.inputs
    ]
    resolved: dict[str, Resolved] = {}
    for name, spec in runbook.inputs.items():
        try:
            found = _find(name, spec, given, environ, inherited or {}, source)
        except ValueError as error:
            problems.append(f"input {name!r}: {error}")
            continue
        if found is None:
            problems.append(how_to_set(name, spec))
        else:
            resolved[name] = found
    if problems:
        raise InputsError(problems)
    return resolved


def missing(runbook: Runbook, given: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> dict[str, Input]:
    """The inputs that nothing gives a value to: what a person may be asked for."""
    return {
        name: spec
        for name, spec in runbook.inputs.items()
        if name not in given and not spec.optional and spec.default is None and not (spec.env and environ.get(spec.env))
    }


def how_to_set(name: str, spec: Input) -> str:
    """``input "api_url" (url) is missing: give -s api_url=… or set API_URL``."""
    meaning = f" — {spec.help}" if spec.help else ""
    return f"input {name!r} ({spec.type}) is missing: {ways_to_set(name, spec)}{meaning}"


def ways_to_set(name: str, spec: Input) -> str:
    """``give -s api_url=VALUE or set API_URL``."""
    return f"give -s {name}=VALUE" + (f" or set {spec.env}" if spec.env else "")


def read_value(spec: Input, value: object, *, name: str) -> Filled:
    """A given value as the input's type. Raises ValueError with a sentence that never repeats a secret."""
    if spec.type is InputType.SECRET:
        text = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(text, str):
            raise ValueError("a secret is a text")
        return Filled(Secret(text, f"${spec.env or name.upper()}"))
    known = input_type(spec)
    if isinstance(value, str):
        return Filled(_from_text(value, spec), known.dimension)
    if isinstance(value, bool) or known.dimension in (Dimension.TEXT, Dimension.BOOL):
        if not (isinstance(value, bool) and known.dimension is Dimension.BOOL):
            raise ValueError(f"{value!r} is not a {spec.type}")
        return Filled(value, known.dimension)
    if not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a {spec.type}")  # noqa: TRY004 - collected with the other problems
    if spec.type is InputType.INT and isinstance(value, float):
        raise ValueError(f"{value!r} is not a whole number")
    return Filled(value, known.dimension)


def _from_text(text: str, spec: Input) -> Value:
    match spec.type:
        case InputType.STRING:
            return text
        case InputType.ENUM:
            if text not in spec.values:
                raise ValueError(f"{text!r} is not one of {', '.join(spec.values)}{did_you_mean(text, spec.values)}")
            return text
        case InputType.URL:
            return _url(text)
        case InputType.BOOL:
            return _bool(text)
        case InputType.INT:
            try:
                return int(text)
            except ValueError:
                raise ValueError(f"{text!r} is not a whole number") from None
    number, dimension = quantity.parse(text)
    expected = input_type(spec).dimension
    if dimension is not expected:
        example = {"duration": "500ms", "percent": "80%", "bytes": "512MiB", "rate": "12/s", "number": "12"}[expected]
        raise ValueError(f"{text!r} is not a {spec.type}; write for example {example}")
    return int(number) if expected is Dimension.BYTES else number


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port_ok = parts.port is None or parts.port >= 0
    except ValueError:
        raise ValueError("this is not a URL; write for example https://api.example.com") from None
    if not (parts.scheme and parts.hostname and port_ok):
        raise ValueError("this is not a URL; write for example https://api.example.com")
    return text.rstrip("/") if parts.path in ("", "/") and not parts.query else text


def _bool(text: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise ValueError(f"{text!r} is neither true nor false")
    return known[text.lower()]


def _find(
    name: str,
    spec: Input,
    given: Mapping[str, object],
    environ: Mapping[str, str],
    inherited: Mapping[str, Resolved],
    source: str,
) -> Resolved | None:
    if name in given:
        return Resolved(read_value(spec, given[name], name=name), source)
    if name in inherited:
        return inherited[name]
    if spec.env and environ.get(spec.env):
        return Resolved(read_value(spec, environ[spec.env], name=name), f"variable {spec.env}")
    if spec.default is not None:
        return Resolved(read_value(spec, spec.default, name=name), "default")
    if spec.optional:
        return Resolved(Filled(None, input_type(spec).dimension), "not given")
    return None
