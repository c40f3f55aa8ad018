"""pydantic's error types in a reader's words."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.models import ENV_PATTERN, PROBE_PATTERN, RUNBOOK_PATTERN
from runbook_engine.document.nodes import Raw
from runbook_engine.errors import closest
from runbook_engine.ids import KEBAB_CASE, NAME_PATTERN, SNAKE_CASE
from runbook_engine.quantity import Dimension, show


class How(StrEnum):
    """How something is written in place of a wrong value."""

    TEXT = "text"
    """Inside of the value's quotes, if it has some."""
    VALUE = "value"
    """In place of the value and its quotes."""
    QUOTES = "quotes"
    """As it stands, in quotes."""


class Remedy(Struct, frozen=True):
    """What to write instead, where nothing else can have been meant."""

    written: str
    how: How = How.TEXT


QUOTES = Remedy("", How.QUOTES)


class Wording(Struct, frozen=True):
    """``sentence`` continues after the name of what is wrong; ``label`` says what to write instead."""

    code: str
    sentence: str
    label: str = ""
    help: str = ""
    remedy: Remedy | None = None


def explain(error: ErrorDetails, value: Raw, key: str | int) -> Wording:
    """What is wrong with ``value``, which stands at ``key``."""
    kind, context = error["type"], error.get("ctx", {})
    if value is None:
        return Wording("RB113", "is empty", "give it a value, or remove the key")
    if kind in _NEEDED:
        return _wrong_type(kind, value, key)
    if kind in _BOUNDS:
        code, bound, name = _BOUNDS[kind]
        sentence = bound.format(_limit(context.get(name), key))
        return Wording(code, sentence.replace("at least 1 entries", "at least one entry"))
    match kind:
        case "enum":
            legal = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            guess = closest(str(value).lower(), legal)
            label = f'did you mean "{guess}"?' if guess else ""
            told, hint = f"is {shown(value)}, which is not legal", f"legal values: {', '.join(legal)}"
            return Wording("RB114", told, label, hint, Remedy(guess) if guess else None)
        case "string_pattern_mismatch":
            return _wrong_pattern(str(context.get("pattern")), str(value))
        case "value_error":
            sentence, _, label = str(context.get("error")).partition("; ")
            return Wording("RB117", f"is {shown(value)}, {sentence}", label, "", _only(label, value))
    return Wording("RB113", f"is not legal: {error['msg'][:1].lower()}{error['msg'][1:]}")


def requirement(model: type[BaseModel] | None, key: str) -> str:
    """``"level": How bad it is; warning or critical``."""
    fields = model.model_fields.items() if model is not None else ()
    for name, field in fields:
        if (field.alias or name) == key:
            legal = field.annotation
            members = f"; {' or '.join(legal)}" if isinstance(legal, type) and issubclass(legal, StrEnum) else ""
            return f'"{key}": {field.description}{members}'
    return ""


def shown(value: Raw) -> str:
    """A value in a sentence."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if value is None:
        return "empty"
    return "a mapping" if isinstance(value, dict) else "a list"


_NEEDED: Mapping[str, str] = MappingProxyType(
    {
        "string_type": "a text",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "finite_number": "a number",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "dict_type": "a mapping of keys and values",
        "model_type": "a mapping of keys and values",
        "model_attributes_type": "a mapping of keys and values",
        "tuple_type": "a list",
        "list_type": "a list",
    }
)
_NEEDED_AT: Mapping[str | int, str] = MappingProxyType(
    {
        "default": "a text, a number, true or false",
        "timeout": "a duration, such as 500ms or 2s",
        "wait": "a duration, such as 500ms or 2s",
        "max_wait": "a duration, such as 500ms or 2s",
        "jitter": "a percentage, such as 20%",
    }
)
_BOUNDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "too_short": ("RB116", "needs at least {} entries", "min_length"),
        "too_long": ("RB116", "has more than {} entries", "max_length"),
        "string_too_short": ("RB116", "is an empty text", ""),
        "string_too_long": ("RB116", "is longer than {} characters", "max_length"),
        "greater_than": ("RB116", "must be more than {}", "gt"),
        "greater_than_equal": ("RB116", "must be at least {}", "ge"),
        "less_than": ("RB116", "must be less than {}", "lt"),
        "less_than_equal": ("RB116", "must be at most {}", "le"),
    }
)
_DIMENSIONS: Mapping[str | int, Dimension] = MappingProxyType(
    {
        "timeout": Dimension.DURATION,
        "wait": Dimension.DURATION,
        "max_wait": Dimension.DURATION,
        "jitter": Dimension.PERCENT,
    }
)


def _limit(limit: object, key: str | int) -> str:
    if isinstance(limit, int | float) and key in _DIMENSIONS:
        return show(float(limit), _DIMENSIONS[key])
    return str(limit)


def _wrong_type(kind: str, value: Raw, key: str | int) -> Wording:
    needed = _NEEDED_AT.get(key, _NEEDED[kind])
    label, remedy = "", None
    if needed == "a text" and not isinstance(value, dict | list):
        label, remedy = "write it in quotes", QUOTES
    elif needed == "a list" and not isinstance(value, dict):
        label = "write it as a list: [first, second]"
    elif needed == "true or false" and isinstance(value, str):
        label = {"yes": "write true", "on": "write true", "no": "write false", "off": "write false"}.get(
            value.lower(), ""
        )
        remedy = Remedy(label.removeprefix("write "), How.VALUE) if label else None
    return Wording("RB113", f"must be {needed}, not {shown(value)}", label, "", remedy)


def _only(label: str, value: Raw) -> Remedy | None:
    """What a label says to write in place of a number, if it leaves no choice: ``write 20%``, not ``write 10s or 10ms``."""
    found = re.fullmatch(r"write (\S+)", label)
    return Remedy(found[1], How.VALUE) if found and isinstance(value, int | float) else None


_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        NAME_PATTERN: "a name is written in lower-case letters, digits and _, and begins with a letter",
        RUNBOOK_PATTERN: 'the name of a runbook is written in lower-case words joined by "-", such as high-latency',
        PROBE_PATTERN: 'the name of a probe is written as two names joined by ".", such as postgres.activity',
        ENV_PATTERN: "the name of an environment variable is written in letters, digits and _, such as DATABASE_URL",
    }
)


def _wrong_pattern(pattern: str, value: str) -> Wording:
    better = ""
    if pattern in (NAME_PATTERN, RUNBOOK_PATTERN):
        joint, legal = ("_", SNAKE_CASE) if pattern == NAME_PATTERN else ("-", KEBAB_CASE)
        better = joint.join(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", value).lower()))
        better = better if legal.match(better) else ""
    label = f'write "{better}"' if better else ""
    remedy = Remedy(better) if better else None
    return Wording("RB115", f"is {quoted(value)}, which is no legal name", label, _PATTERNS.get(pattern, ""), remedy)
