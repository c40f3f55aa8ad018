"""From a character's offset to its line and column."""

import re
from bisect import bisect_right
from functools import lru_cache

from msgspec import Struct

LINE_BREAK = re.compile(r"\r\n|\n|\r")
"""What ends a line, for everybody who counts lines."""


class Span(Struct, frozen=True, order=True):
    """A place in a text: lines and columns in characters, from 1. The end is just after the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


START = Span(1, 1, 1, 1)


def line_of(text: str, number: int) -> str:
    """The line of that number, without its end; empty where there is none."""
    lines = _lines(text)
    return lines[number - 1] if 0 < number <= len(lines) else ""


@lru_cache(maxsize=2)
def _lines(text: str) -> tuple[str, ...]:
    """Cached because all diagnostics of a document are shown one after the other."""
    return tuple(LINE_BREAK.split(text))


class Lines:
    """Where the lines of a text begin."""

    __slots__ = ("_length", "_starts")

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]

    def span(self, start: int, end: int) -> Span:
        """The place of ``text[start:end]``; offsets outside the text are moved to its ends."""
        start = min(max(start, 0), self._length)
        end = min(max(end, start), self._length)
        line, end_line = bisect_right(self._starts, start), bisect_right(self._starts, end)
        return Span(line, start - self._starts[line - 1] + 1, end_line, end - self._starts[end_line - 1] + 1)
