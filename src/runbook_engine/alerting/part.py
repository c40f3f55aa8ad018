"""A part of a body, asked for what should be in it; what is not as it should be is told with its path.

What an alert can do without is set aside and told; only what it cannot do without refuses it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field

from runbook_engine.alerting.alerts import AlertError
from runbook_engine.alerting.json_text import below
from runbook_engine.hostile import harmless, one_line

MOST_TEXT = 4_000
MOST_NAME = 1_000
"""Characters, once the secrets in it are masked; nothing is cut before."""
MOST_LABELS = 500
"""Labels or annotations of one alert."""
_PRINTED = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,9})?) ([+-]\d{4})(?: [A-Z+-][A-Z0-9+-]{0,9})?(?: m=\S{1,40})?"
)
_NEVER = datetime(1, 1, 2, tzinfo=UTC)
"""Go writes a time that is not there as the first moment of the year 1."""


class Part(Struct, frozen=True):
    """An object, and the way to it: ``alerts[3].labels``. ``odd`` gets a sentence for all that is set aside in a body."""

    value: Mapping[str, Any]
    path: str = ""
    odd: list[str] = field(default_factory=list)

    def at(self, key: str) -> str:
        return below(self.path, key)

    def has(self, key: str) -> bool:
        """Whether there is anything of that name."""
        return self.value.get(key) is not None

    def text(self, key: str, default: str | None = None) -> str:
        """A text with nothing in it that acts on a terminal. Raises AlertError where it is missing and has no default."""
        found = self.value.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str):
            raise self.wrong(key, "a text")
        return harmless(found)

    def name(self, key: str, default: str | None = None) -> str:
        """A text on one line."""
        return one_line(self.text(key, default))

    def identifier(self, key: str) -> str:
        """What tells things apart, however long it is; an empty text where there is none."""
        found = one_line(self.text(key, ""))
        return found if len(found) <= MOST_NAME else hashlib.sha256(found.encode()).hexdigest()

    def part(self, key: str) -> "Part":
        found = self.value.get(key)
        if not isinstance(found, dict):
            raise self.wrong(key, "an object")
        return Part(found, self.at(key), self.odd)

    def optional_part(self, key: str) -> "Part":
        """One that is empty where there is none; what is no object is set aside."""
        try:
            return self.part(key) if self.has(key) else Part({}, self.at(key), self.odd)
        except AlertError as error:
            self.set_aside(error)
            return Part({}, self.at(key), self.odd)

    def set_aside(self, why: AlertError) -> None:
        self.odd.append(f"{why}; it is set aside")

    def parts(self, key: str) -> Iterator["Part"]:
        """The objects of a list."""
        found = self.value.get(key)
        if not isinstance(found, list):
            raise self.wrong(key, "a list")
        for index, each in enumerate(found):
            path = f"{self.at(key)}[{index}]"
            if not isinstance(each, dict):
                raise AlertError(f"{path} is {kind(each)}, where an object is expected")
            yield Part(each, path, self.odd)

    def readable_parts(self, key: str) -> Iterator["Part"]:
        """The objects of a list, or of none; what is no object is set aside. Raises AlertError where it is no list."""
        found = self.value.get(key)
        if found is None:
            return
        if not isinstance(found, list):
            raise self.wrong(key, "a list")
        for index, each in enumerate(found):
            path = f"{self.at(key)}[{index}]"
            if isinstance(each, dict):
                yield Part(each, path, self.odd)
            else:
                self.set_aside(AlertError(f"{path} is {kind(each)}, where an object is expected"))

    def texts(self, key: str) -> Mapping[str, str]:
        """Labels or annotations; none where there is nothing. Those that are no texts are set aside."""
        part = self.optional_part(key)
        if len(part.value) > MOST_LABELS:
            most = f"and {MOST_LABELS} is the most that is taken; the others are left out"
            self.odd.append(f"{part.path} has {len(part.value)} entries, {most}")
        found: dict[str, str] = {}
        for name in list(part.value)[:MOST_LABELS]:
            try:
                found[one_line(name)] = part.text(name)
            except AlertError as error:
                self.set_aside(error)
        return found

    def count(self, key: str) -> int:
        """A whole number, 0 where there is none; what is no count is set aside."""
        found = self.value.get(key, 0)
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            self.set_aside(self.wrong(key, "a count"))
            return 0
        return found

    def time(self, key: str) -> float:
        """RFC 3339, as Unix seconds; 0 where nobody says or can read it, which is told."""
        try:
            found = self.optional_time(key)
        except AlertError as error:
            self.set_aside(error)
            return 0.0
        if found is None:
            self.odd.append(f"{self.at(key)} says no time; it is written like 2026-11-23T14:30:00Z")
        return found or 0.0

    def optional_time(self, key: str) -> float | None:
        """RFC 3339, or as Go prints a time: ``2026-11-23 14:30:00.5 +0000 UTC``, which templates of Alertmanager do."""
        written = self.text(key, "")
        if not written:
            return None
        printed = _PRINTED.fullmatch(written)
        try:
            moment = datetime.fromisoformat(printed[1] + "T" + printed[2] + printed[3] if printed else written)
        except ValueError:
            raise AlertError(
                f"{self.at(key)} is no time: {written!r}; it is written like 2026-11-23T14:30:00Z"
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
