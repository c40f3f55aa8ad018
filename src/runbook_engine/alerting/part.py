"""A part of a body, asked for what should be in it; what is not as it should be is told with its path."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from runbook_engine.alerting.alerts import AlertError
from runbook_engine.alerting.json_text import below
from runbook_engine.hostile import cut, harmless, one_line

MOST_TEXT = 4_000
MOST_NAME = 1_000
MOST_LABELS = 500
"""Labels or annotations of one alert."""
_NEVER = datetime(1, 1, 2, tzinfo=UTC)
"""Go writes a time that is not there as the first moment of the year 1."""


class Part(Struct, frozen=True):
    """An object, and the way to it: ``alerts[3].labels``."""

    value: Mapping[str, Any]
    path: str = ""

    def at(self, key: str) -> str:
        return below(self.path, key)

    def has(self, key: str) -> bool:
        """Whether there is anything of that name."""
        return self.value.get(key) is not None

    def text(self, key: str, default: str | None = None, *, most: int | None = MOST_TEXT) -> str:
        """A text with nothing in it that acts on a terminal. Raises AlertError where it is missing and has no default."""
        found = self.value.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str):
            raise self.wrong(key, "a text")
        return harmless(found) if most is None else cut(harmless(found), most)

    def name(self, key: str, default: str | None = None) -> str:
        """A text on one line."""
        return cut(one_line(self.text(key, default)), MOST_NAME)

    def identifier(self, key: str) -> str:
        """What tells things apart, however long it is; an empty text where there is none."""
        found = one_line(self.text(key, "", most=None))
        return found if len(found) <= MOST_NAME else hashlib.sha256(found.encode()).hexdigest()

    def part(self, key: str) -> "Part":
        found = self.value.get(key)
        if not isinstance(found, dict):
            raise self.wrong(key, "an object")
        return Part(found, self.at(key))

    def parts(self, key: str) -> Iterator["Part"]:
        """The objects of a list."""
        found = self.value.get(key)
        if not isinstance(found, list):
            raise self.wrong(key, "a list")
        for index, each in enumerate(found):
            path = f"{self.at(key)}[{index}]"
            if not isinstance(each, dict):
                raise AlertError(f"{path} is {kind(each)}, where an object is expected")
            yield Part(each, path)

    def texts(self, key: str) -> Mapping[str, str]:
        """Labels or annotations; none where there is nothing."""
        if not self.has(key):
            return {}
        part = self.part(key)
        if len(part.value) > MOST_LABELS:
            raise AlertError(f"{part.path} has {len(part.value)} entries, and {MOST_LABELS} is the most that is taken")
        return {cut(one_line(name), MOST_NAME): part.text(name) for name in part.value}

    def count(self, key: str) -> int:
        """A whole number, 0 where there is none."""
        found = self.value.get(key, 0)
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise self.wrong(key, "a count")
        return found

    def time(self, key: str) -> float:
        """RFC 3339, as Unix seconds. Raises AlertError where it is missing or none."""
        found = self.optional_time(key)
        if found is None:
            raise AlertError(f"{self.at(key)} says no time; it is written like 2026-11-23T14:30:00Z")
        return found

    def optional_time(self, key: str) -> float | None:
        written = self.text(key, "")
        if not written:
            return None
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            raise AlertError(
                f"{self.at(key)} is no time: {written[:60]!r}; it is written like 2026-11-23T14:30:00Z"
            ) from None
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        try:
            return moment.timestamp() if moment > _NEVER else None
        except OverflowError:
            return None

    def wrong(self, key: str, expected: str) -> AlertError:
        if key not in self.value:
            return AlertError(f"{self.at(key)} is missing, where {expected} is expected")
        return AlertError(f"{self.at(key)} is {kind(self.value[key])}, where {expected} is expected")


def kind(value: object) -> str:
    """What a value is, for people."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
    return "an object"
