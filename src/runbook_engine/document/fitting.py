"""Whether a value written in a document fits a declared type."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from runbook_engine import quantity
from runbook_engine.document.models import Scalar
from runbook_engine.document.wording import QUOTES, How, Remedy, Wording, shown
from runbook_engine.errors import closest
from runbook_engine.jmespaths import PathError, checked
from runbook_engine.quantity import Dimension

_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {"duration": "500ms", "percent": "80%", "bytes": "512MiB", "rate": "12/s", "number": "12"}
)
_UNITS: Mapping[str, str] = MappingProxyType({"duration": "s", "percent": "%", "bytes": "MiB", "rate": "/s"})


def misfit(value: Scalar, kind: str, members: Sequence[str] = (), *, signed: bool = False) -> Wording | None:
    """Why ``value`` is not of the type ``kind`` (as inputs and answers name them), or None where it is. ``signed``:
    quantities may lie below zero, as those that are measured may.
    """
    match kind:
        case "string" if not isinstance(value, str):
            return _wrong(value, "a text", "write it in quotes", remedy=QUOTES)
        case "bool" if not isinstance(value, bool):
            label = {"yes": "write true", "no": "write false"}.get(str(value).lower(), "")
            remedy = Remedy(label.removeprefix("write "), How.VALUE) if label else None
            return _wrong(value, "true or false", label, remedy=remedy)
        case "int" if isinstance(value, bool) or not isinstance(value, int):
            return _wrong(value, "a whole number")
        case "enum" if value not in members or not isinstance(value, str):
            guess = closest(str(value), members)
            label = f'did you mean "{guess}"?' if guess else ""
            remedy = Remedy(guess) if guess else None
            return _wrong(value, "one of its values", label, f"values: {', '.join(members)}", remedy=remedy)
        case "url" if not isinstance(value, str) or not _is_url(value):
            return _wrong(value, "a URL", "write for example https://api.example.com")
        case "jmespath":
            return _path(value)
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return None if math.isfinite(value) else _wrong(value, "a finite number")
        case "number" | "duration" | "percent" | "bytes" | "rate":
            return _quantity(value, kind, signed=signed)
    return None


def _path(value: Scalar) -> Wording | None:
    if not isinstance(value, str):
        return _wrong(value, "a JMESPath", "write for example components.database.latency_ms")
    try:
        checked(value)
    except PathError as error:
        return Wording("", f"is {shown(value)}, which is not a JMESPath", "", str(error))
    return None


def _quantity(value: Scalar, kind: str, *, signed: bool) -> Wording | None:
    needed = "a number" if kind == "number" else f"a quantity of the type {kind}"
    if isinstance(value, bool) or not isinstance(value, str):
        if isinstance(value, bool) or kind == "number":
            return _wrong(value, needed, f"write for example {_EXAMPLES[kind]}")
        return Wording("", f"is {shown(value)}, a number without a unit", f"write for example {value}{_UNITS[kind]}")
    try:
        number, dimension = quantity.parse(value)
    except ValueError as error:
        sentence, _, label = str(error).partition("; ")
        return Wording("", f"is {shown(value)}: {sentence}", label)
    if dimension is Dimension(kind):
        # A number in quotes is a text.
        remedy = Remedy(value.strip(), How.VALUE)
        if kind == "number":
            return _wrong(value, needed, "write it without quotes", remedy=remedy)
        return Wording("", f"is {shown(value)}, which is below zero") if number < 0 and not signed else None
    found = "a number without a unit" if dimension is Dimension.NUMBER else f"a quantity of the type {dimension}"
    return _wrong(value, needed, f"write for example {_EXAMPLES[kind]}", f"it is {found}")


def _wrong(value: Scalar, needed: str, label: str = "", hint: str = "", *, remedy: Remedy | None = None) -> Wording:
    return Wording("", f"is {shown(value)}, which is not {needed}", label, hint, remedy)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.scheme and parts.hostname) and (parts.port is None or parts.port >= 0)
    except ValueError:
        return False
