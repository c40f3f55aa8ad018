"""The answer to INFO, of Redis and of those that speak its protocol: ``name:value`` lines, of which any may lack or be odd.

https://redis.io/docs/latest/commands/info/
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from runbook_engine.hostile import one_line
from runbook_engine.probe import ErrorKind, ProbeError

if TYPE_CHECKING:
    from redis.asyncio import Redis


Fields = Mapping[str, str]
"""What each line says, as it is written."""


def answer_with_fields(client: "Redis") -> None:
    """Let the client give the answers to INFO and to CLUSTER INFO as fields."""
    for command in ("INFO", "CLUSTER INFO"):
        client.set_response_callback(command, _read)


def _read(response: Any, **_options: Any) -> Fields:
    """In place of redis-py's own reader, for which one odd line may be too much. Raises ProbeError where there is no line."""
    lines = response.split("\n") if isinstance(response, str) else ()
    pairs = (line.strip().partition(":") for line in lines if not line.startswith("#"))
    fields = {name: value for name, colon, value in pairs if colon}
    if not fields:
        raise ProbeError(ErrorKind.MALFORMED, "the server's INFO says nothing that can be read")
    return fields


class Numbers:
    """Numbers of an answer, by the metrics that they become. ``missing`` says of each that could not be had why.

    Nothing that INFO counts or measures is negative: ``-1`` and ``-nan`` stand for what the server does not know.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self.missing: dict[str, str] = {}

    def number(self, metric: str, field: str) -> float | None:
        found = number(self._fields, field)
        if found is None:
            self.missing[metric] = unread(self._fields, field)
        return found

    def whole(self, metric: str, field: str) -> int | None:
        found = self.number(metric, field)
        return None if found is None else int(found)


def number(fields: Fields, field: str) -> float | None:
    """None where the server does not say it, or says no number from 0 on."""
    try:
        found = float(fields[field])
    except (KeyError, ValueError):
        return None
    return found if math.isfinite(found) and found >= 0 else None


def unread(fields: Fields, field: str) -> str:
    """Why ``number`` gives none."""
    if field not in fields:
        return f"the server's INFO does not say {field}"
    return f"the server's INFO says {field}:{one_line(fields[field])}, which is no measurement"


def shown(fields: Fields, field: str) -> JsonValue:
    """A field as evidence: as a number where it is one."""
    found = number(fields, field)
    if found is None:
        return fields[field]
    return int(found) if found.is_integer() and "." not in fields[field] else found
