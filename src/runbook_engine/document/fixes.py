"""Fixes: what to write where, so that a mistake is gone. Comments and layout stay as they are."""

from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct


class Edit(Struct, frozen=True, order=True):
    """Write ``text`` in place of ``document[start:end]``; offsets in the document without its byte order mark."""

    start: int
    end: int
    text: str


class Fix(Struct, frozen=True):
    """``description`` says what is done, as a command: ``write "slow_queries"``. All edits belong together."""

    description: str
    edits: tuple[Edit, ...]


class Fixed(Struct, frozen=True):
    """A text with some fixes in it. ``skipped`` are those that overlap one before them, or lie outside of the text."""

    text: str
    done: tuple[Fix, ...]
    skipped: tuple[Fix, ...]


def fixed(text: str, fixes: Iterable[Fix]) -> Fixed:
    """Carry out all fixes that do not overlap an earlier one of them, each wholly or not at all, each once."""
    taken: list[Edit] = []
    done: list[Fix] = []
    skipped: list[Fix] = []
    for fix in dict.fromkeys(fixes):
        edits = sorted(fix.edits)
        sound = all(0 <= each.start <= each.end <= len(text) for each in edits)
        apart = all(one.end <= next_.start for one, next_ in pairwise(edits))
        if sound and apart and not any(_overlap(one, other) for one in edits for other in taken):
            taken += edits
            done.append(fix)
        else:
            skipped.append(fix)
    # From the end backwards, so that offsets further up stay true.
    for edit in sorted(taken, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return Fixed(text, tuple(done), tuple(skipped))


def _overlap(one: Edit, other: Edit) -> bool:
    """Whether they share a character, or both write at one place."""
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end
