"""The values that a run begins with, and where each came from."""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from runbook_engine import quantity
from runbook_engine.document.environment import Environment, FromVariable
from runbook_engine.document.models import Input, InputType, Runbook, Scalar
from runbook_engine.engine.border import passwords
from runbook_engine.engine.events import InputValue
from runbook_engine.errors import InputsError, did_you_mean
from runbook_engine.graph.scope import input_type
from runbook_engine.jmespaths import checked
from runbook_engine.quantity import Dimension, MetricType, Value, show
from runbook_engine.secret import Secret
from runbook_engine.templates import Filled

NOT_GIVEN = "not given"
"""The source of an optional input to which nothing gives a value."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """An input's value in its base unit. ``source`` says where it came from, for people.

    ``overruled`` is the input's own variable, where it is set to something else and an environment counts before it.
    ``variable`` is the one that an environment names for the input, where that is not set.
    """

    filled: Filled
    source: str
    overruled: str = ""
    variable: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        value = self.filled.value
        if isinstance(value, Secret):
            return (value.reveal(),)
        return tuple(passwords(value)) if isinstance(value, str) else ()

    def shown(self) -> InputValue:
        value = self.filled.value
        if isinstance(value, Secret):
            return InputValue(None, value.display, self.source, self.overruled, self.variable)
        return InputValue(value, show(value, self.filled.dimension), self.source, self.overruled, self.variable)


@dataclass(frozen=True, slots=True)
class Around:
    """All that may give values. ``source`` says where the given ones came from; ``environment`` was chosen by name."""

    given: Mapping[str, object]
    environ: Mapping[str, str]
    inherited: Mapping[str, Resolved]
    source: str
    environment: Environment | None = None

    def said(self, name: str) -> Scalar | FromVariable | None:
        """What the environment says of an input: its value, or the variable that holds it."""
        return None if self.environment is None else self.environment.values.get(name)

    def unset(self, name: str) -> str:
        """The variable that the environment names for an input, where that is not set."""
        said = self.said(name)
        return said.env if isinstance(said, FromVariable) and not self.environ.get(said.env) else ""


@dataclass(frozen=True, slots=True)
class Giver:
    """What would give an input its value. ``variable`` is the one that holds it, where that is not the input's own."""

    source: str
    value: object
    variable: str = ""

    def resolved(self, name: str, spec: Input) -> Resolved:
        """The value as the input's type. Raises ValueError with a sentence that never repeats a secret."""
        if isinstance(self.value, Resolved):
            return self.value
        if self.value is None:
            return Resolved(Filled(None, input_type(spec).dimension), self.source)
        try:
            filled = read_value(spec, self.value, name=name)
        except ValueError as error:
            if not self.variable:
                raise
            raise ValueError(f"{error} (of the variable {self.variable}, which {self.source} names)") from None
        if self.variable and isinstance(filled.value, Secret):
            filled = Filled(Secret(filled.value.reveal(), f"${self.variable}"), filled.dimension)
        return Resolved(filled, self.source)


def givers(name: str, spec: Input, around: Around) -> Iterator[Giver]:
    """Whatever gives the input a value, in the order in which it counts: the first does.

    An environment was chosen by name, and a variable only happens to be set. So what the environment says of an input counts
    before the input's own variable; where it names another variable, which is not set, the own one does not stand in for it:
    a run that is told as one of staging must not measure production.
    """
    if name in around.given:
        yield Giver(around.source, around.given[name])
    if name in around.inherited:
        yield Giver(around.inherited[name].source, around.inherited[name])
    said, environment = around.said(name), around.environment
    if environment is not None and isinstance(said, FromVariable):
        if around.environ.get(said.env):
            yield Giver(environment.source, around.environ[said.env], said.env)
    elif environment is not None and said is not None:
        yield Giver(environment.source, said)
    if spec.env and around.environ.get(spec.env) and not around.unset(name):
        yield Giver(f"variable {spec.env}", around.environ[spec.env])
    if spec.default is not None:
        yield Giver("default", spec.default)
    elif spec.optional:
        yield Giver(NOT_GIVEN, None)


def resolve(
    runbook: Runbook,
    given: Mapping[str, object],
    environ: Mapping[str, str] = os.environ,
    *,
    inherited: Mapping[str, Resolved] | None = None,
    source: str = "given",
    environment: Environment | None = None,
) -> dict[str, Resolved]:
    """The runbook's inputs: ``given`` first, then what a caller hands down, then what ``environment`` says, then the variable
    that the input names, then the default. What the environment has and the runbook has not is ignored.

    Raises InputsError that lists every missing, unknown and unreadable input at once.
    """
    problems = [
        f"the runbook {runbook.runbook} has no input {name!r}{did_you_mean(name, runbook.inputs)}"
        for name in given
        if name not in runbook.inputs
    ]
    resolved: dict[str, Resolved] = {}
    around = Around(given, environ, inherited or {}, source, environment)
    for name, spec in runbook.inputs.items():
        try:
            found = next((each.resolved(name, spec) for each in givers(name, spec, around)), None)
        except ValueError as error:
            problems.append(f"input {name!r}: {error}")
            continue
        if found is None:
            problems.append(how_to_set(name, spec, around.unset(name)) + _passed_over(name, spec, around))
        elif name in around.given or name in around.inherited:
            resolved[name] = found
        else:
            resolved[name] = replace(
                found, overruled=_overruled(name, spec, around, found), variable=around.unset(name)
            )
    if problems:
        raise InputsError(problems)
    return resolved


def _overruled(name: str, spec: Input, around: Around, found: Resolved) -> str:
    """The input's own variable, where it would give another value if the environment said nothing of the input."""
    own = around.environ.get(spec.env) if spec.env else None
    said = around.said(name)
    if not (own and spec.env) or said is None or (isinstance(said, FromVariable) and said.env == spec.env):
        return ""
    try:
        same = read_value(spec, own, name=name).value == found.filled.value
    except ValueError:
        same = False
    return "" if same else spec.env


def _passed_over(name: str, spec: Input, around: Around) -> str:
    """That the input's own variable is set, and why it does not count."""
    if around.environment is None or not (spec.env and around.environ.get(spec.env) and around.unset(name)):
        return ""
    return f"; {spec.env}, which is set, does not count, because {around.environment.source} names another variable"


def missing(
    runbook: Runbook,
    given: Mapping[str, object],
    environ: Mapping[str, str] = os.environ,
    environment: Environment | None = None,
) -> dict[str, Input]:
    """The inputs that nothing gives a value to: what a person may be asked for."""
    around = Around(given, environ, {}, "", environment)
    return {name: spec for name, spec in runbook.inputs.items() if next(givers(name, spec, around), None) is None}


def how_to_set(name: str, spec: Input, variable: str = "") -> str:
    """``input "api_url" (url) is missing: give -s api_url=… or set API_URL``. ``variable`` is an environment's for it."""
    meaning = f" — {spec.help}" if spec.help else ""
    return f"input {name!r} ({spec.type}) is missing: {ways_to_set(name, spec, variable)}{meaning}"


def kept_in_an_environment(ran: str) -> str:
    """How to write values down once, for all runbooks."""
    return f"to keep them: runbook new environment ours, fill it in, and runbook {ran} -e ours"


def ways_to_set(name: str, spec: Input, variable: str = "") -> str:
    """``give -s api_url=VALUE or set API_URL``. ``variable`` is the one that an environment names in place of the input's."""
    counts = variable or spec.env
    return f"give -s {name}=VALUE" + (f" or set {counts}" if counts else "")


def read_value(spec: Input, value: object, *, name: str) -> Filled:
    """A given value as the input's type. Raises ValueError with a sentence that never repeats a secret."""
    if spec.type is InputType.SECRET:
        text = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(text, str):
            raise ValueError("a secret is a text")
        return Filled(Secret(text, f"${spec.env or name.upper()}"))
    known = input_type(spec)
    if isinstance(value, str):
        return Filled(_within(_from_text(value, spec), known, value), known.dimension)
    if isinstance(value, bool) or known.dimension in (Dimension.TEXT, Dimension.BOOL):
        if not (isinstance(value, bool) and known.dimension is Dimension.BOOL):
            raise ValueError(f"{value!r} is not a {spec.type}")
        return Filled(value, known.dimension)
    if not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a {spec.type}")  # noqa: TRY004 - collected with the other problems
    if spec.type is InputType.INT and isinstance(value, float):
        raise ValueError(f"{value!r} is not a whole number")
    return Filled(_within(value, known, show(value, known.dimension)), known.dimension)


def _within(value: Value, known: MetricType, written: str) -> Value:
    """Inside the bounds of the type, because the checker has proven with them."""
    if isinstance(value, str):
        return value
    if math.isnan(value):
        raise ValueError("not-a-number cannot be compared with anything")
    if known.lower is not None and value < known.lower:
        raise ValueError(f"{written} is out of bounds: {known.describe()}")
    return value


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
        case InputType.JMESPATH:
            checked(text)
            return text
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
