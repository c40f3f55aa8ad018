"""Events as JSON and back. One event is one line: ``{"event": "step_measured", "at": …}``."""

import dataclasses
import json
import re
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, get_args, get_origin

from runbook_engine.engine import events as _events
from runbook_engine.engine.events import Event

_TYPES: Mapping[str, type[Any]] = types.MappingProxyType(
    {re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower(): each for each in get_args(_events.Event)}
)
_FIELDS: Mapping[type[Any], tuple[str, ...]] = types.MappingProxyType(
    {
        each: tuple(field.name for field in dataclasses.fields(each))
        for each in (*_TYPES.values(), _events.InputValue, _events.Failure, _events.Measured)
    }
)
_NAMES: Mapping[type[Any], str] = types.MappingProxyType({each: name for name, each in _TYPES.items()})


def name_of(event: Event) -> str:
    """``step_measured``."""
    return _NAMES[type(event)]


def encode(event: Event) -> str:
    """One line of JSON, without the line break."""
    kind: type[Any] = type(event)
    plain = {field: getattr(event, field) for field in _FIELDS[kind]}
    return _encoder.encode({"event": _NAMES[kind], **plain})


def decode(line: str) -> Event:
    """The event on a line. Raises ValueError with a sentence for anything else."""
    try:
        plain = json.loads(line)
        kind = _TYPES[plain.pop("event")]
        event: Event = _build(kind, plain)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not an event: {type(error).__name__}: {error}") from error
    return event


def _plain(value: object) -> object:
    fields = _FIELDS.get(type(value))
    if fields is not None:
        return {field: getattr(value, field) for field in fields}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not part of an event")


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain, check_circular=False)


@lru_cache(maxsize=64)
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def _build(hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{name: _build(hints[name], each) for name, each in value.items()})
    origin = get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        arms = [arm for arm in get_args(hint) if arm is not type(None)]
        if value is None:
            return None
        return _build(arms[0], value) if len(arms) == 1 else value
    if origin is tuple:
        arms = list(get_args(hint))
        if len(arms) == 2 and arms[1] is Ellipsis:
            return tuple(_build(arms[0], each) for each in value)
        return tuple(_build(arm, each) for arm, each in zip(arms, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        inner = get_args(hint)[1]
        return {key: _build(inner, each) for key, each in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in (str, float, int, bool) and not isinstance(value, hint):
        raise ValueError(f"{value!r} is not a {hint.__name__}")
    return value
