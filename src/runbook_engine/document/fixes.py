"""Fixes: what to write where, so that a mistake is gone. Comments and layout stay as they are."""

import re
from collections.abc import Iterable
from itertools import pairwise

import yaml
from msgspec import Struct

from runbook_engine.document.nodes import extent
from runbook_engine.document.scalars import offsets, resolve


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


def rewritten(node: yaml.ScalarEvent, text: str, new: str, within: tuple[int, int] | None = None) -> Fix | None:
    """Write ``new`` in place of the scalar's value, or of ``value[within]``, inside of its quotes if it has some.

    None where that is not safe: where an anchor lets others share the value, where the place has several lines, or where
    ``new`` would be read as something else there.
    """
    places = offsets(node, text) if node.anchor is None else None
    first, last = within or (0, len(node.value))
    if not places or not 0 <= first < last <= len(places):
        return None
    start, end = places[first][0], places[last - 1][1]
    alone = first == 0 and last == len(node.value)
    if _LINE_BREAK.search(text, start, end) or not _fits(new, node.style or "", first=first == 0, alone=alone):
        return None
    return Fix(f'write "{new}" instead of "{text[start:end]}"', (Edit(start, end, new),))


def replaced(place: tuple[int, int], text: str, written: str) -> Fix:
    """Write a plain value in place of ``text[place]``, whatever it was."""
    return Fix(f"write {written} instead of {text[slice(*place)]}", (Edit(*place, written),))


def in_quotes(node: yaml.ScalarEvent, text: str) -> Fix | None:
    """Put the plain scalar in quotes, so that it is the text that is written there."""
    start, end = extent(node, text)
    if node.style or node.anchor is not None or node.tag is not None or not node.value or node.value != text[start:end]:
        return None
    return quote(start, end, text)


def quote(start: int, end: int, text: str) -> Fix:
    """Put ``text[start:end]`` in quotes: double ones where that needs no escape."""
    written = text[start:end]
    doubled = "'" + written.replace("'", "''") + "'"
    return Fix(
        "write it in quotes", (Edit(start, end, doubled if '"' in written or "\\" in written else f'"{written}"'),)
    )


_LINE_BREAK = re.compile(r"[\r\n]")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.%/-]*\Z")
_QUOTED_WORD = re.compile(r'"[A-Za-z0-9_ .%/-]*"\Z')


def _fits(new: str, style: str, *, first: bool, alone: bool) -> bool:
    """Whether ``new`` is read as itself there. ``first`` and ``alone`` say where in the scalar it stands."""
    if _QUOTED_WORD.match(new):
        return style != '"' and not (style == "" and first)
    return bool(_WORD.match(new)) and not (style == "" and alone and not isinstance(resolve(new), str))


def _overlap(one: Edit, other: Edit) -> bool:
    """Whether they share a character, or both write at one place."""
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end
