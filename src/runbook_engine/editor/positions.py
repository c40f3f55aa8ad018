"""From offsets to the positions that editors count in, and back."""

from bisect import bisect_right
from enum import StrEnum

from msgspec import Struct

from runbook_engine.document.lines import LINE_BREAK, Span


class Unit(StrEnum):
    """What a column counts. ``utf-16`` is what every editor understands."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    UTF_32 = "utf-32"


class Position(Struct, frozen=True, order=True):
    """A line and a column, from 0."""

    line: int
    column: int


class Extent(Struct, frozen=True):
    """From a position to just before another."""

    start: Position
    end: Position

    def touches(self, other: "Extent") -> bool:
        """Whether they share a position; the one just after the last character belongs to both."""
        return self.start <= other.end and other.start <= self.end


class Positions:
    """The positions of a text as an editor holds it, for offsets and places in it without its byte order mark."""

    def __init__(self, text: str, unit: Unit = Unit.UTF_16) -> None:
        self._unit = unit
        self._mark = len(text) - len(text.removeprefix("\ufeff"))
        self._text = text
        self._starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]

    def position(self, offset: int) -> Position:
        """Where a character stands; offsets outside of the text are moved to its ends."""
        at = min(max(offset, 0) + self._mark, len(self._text))
        line = bisect_right(self._starts, at) - 1
        return Position(line, self._width(self._text[self._starts[line] : at]))

    def offset(self, position: Position) -> int:
        """The character at a position, or at the end of the line where that is shorter.

        A position inside of a character means the character.
        """
        if position.line >= len(self._starts):
            return len(self._text) - self._mark
        start = self._starts[max(position.line, 0)]
        found = LINE_BREAK.search(self._text, start)
        line = self._text[start : found.start() if found else len(self._text)]
        left = position.column
        for index, character in enumerate(line):
            left -= self._width(character)
            if left < 0:
                return max(start + index - self._mark, 0)
        return max(start + len(line) - self._mark, 0)

    def extent(self, start: int, end: int) -> Extent:
        """Where ``text[start:end]`` stands."""
        return Extent(self.position(start), self.position(max(start, end)))

    def extent_of(self, span: Span) -> Extent:
        """Where a place stands that is told in lines and columns of characters."""
        return Extent(self._moved(span.line, span.column), self._moved(span.end_line, span.end_column))

    def _moved(self, line: int, column: int) -> Position:
        number = min(max(line, 1), len(self._starts)) - 1
        return self.position(self._starts[number] + column - 1 - (self._mark if number else 0))

    def _width(self, text: str) -> int:
        if text.isascii() or self._unit is Unit.UTF_32:
            return len(text)
        if self._unit is Unit.UTF_8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(character > "\uffff" for character in text)
