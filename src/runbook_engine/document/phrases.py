"""Phrases: parts of messages as people paste them, with ``*`` for what differs. Found in linear time, whatever the text."""

from functools import cached_property

from msgspec import Struct

LEAST_LETTERS = 3
"""Letters and digits that a phrase has at least."""


class Found(Struct, frozen=True):
    """Where a phrase stands in a line: ``line[start:end]``."""

    start: int
    end: int


class Phrase(Struct, frozen=True, dict=True):
    """``role "*" does not exist``. Case and the amount of white space do not count; words are found whole.

    ``*`` stands for any text within the line, also none.
    """

    text: str

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """What stands between the stars, in lower case."""
        return tuple(part for each in self.text.split("*") if (part := " ".join(each.lower().split())))

    @cached_property
    def letters(self) -> int:
        """How many letters and digits it has: the more, the less it is found by accident."""
        return sum(each.isalnum() for part in self.parts for each in part)

    def found_in(self, line: str) -> Found | None:
        """The first place in a line in lower case, with single spaces. Each part is looked for once, from left to right."""
        last = len(self.parts) - 1
        start = at = 0
        for index, part in enumerate(self.parts):
            here = _find(line, part, at, from_edge=index == 0, to_edge=index == last)
            if here < 0:
                return None
            if index == 0:
                start = here
            at = here + len(part)
        return Found(start, at) if self.parts else None


def _find(line: str, part: str, at: int, *, from_edge: bool, to_edge: bool) -> int:
    """The first place at or behind ``at``, where asked for at the edge of a word; -1 where there is none."""
    here = line.find(part, at)
    while here >= 0:
        end = here + len(part)
        begins = not from_edge or here == 0 or not (_in_word(part[0]) and _in_word(line[here - 1]))
        ends = not to_edge or end == len(line) or not (_in_word(part[-1]) and _in_word(line[end]))
        if begins and ends:
            return here
        here = line.find(part, here + 1)
    return -1


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
