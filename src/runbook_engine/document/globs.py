"""Patterns of names, as shells have them: ``Redis*``, ``api-?``, ``db-[0-9]``, ``[!a]*``. Case counts.

Matching takes no longer than the lengths of pattern and text multiplied, whatever stands in them.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

_Matches = Callable[[str], bool]
WILD = frozenset("*?[")


class GlobError(ValueError):
    """A text that is no pattern; ``at`` is where in it."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern says; a pattern that is none matches nothing."""
    try:
        parts = _parts(pattern)
    except GlobError:
        return False
    if len(parts) == 1:
        return len(parts[0]) == len(text) and _fits(parts[0], text, 0)
    first, *between, last = parts
    end = len(text) - len(last)
    if end < len(first) or not _fits(first, text, 0) or not _fits(last, text, end):
        return False
    at = len(first)
    for part in between:
        while at + len(part) <= end and not _fits(part, text, at):
            at += 1
        at += len(part)
        if at > end:
            return False
    return True


def check(pattern: str) -> None:
    """Raises GlobError where it is no pattern."""
    _parts(pattern)


def is_literal(pattern: str) -> bool:
    """Whether it matches nothing but itself."""
    return not WILD.intersection(pattern)


def covers(wide: str, narrow: str) -> bool:
    """Whether ``wide`` matches whatever ``narrow`` does. A no may mean that it is not seen at once; a yes is sure."""
    return wide == narrow or set(wide) == {"*"} or (is_literal(narrow) and matches(wide, narrow))


def _fits(part: Sequence[_Matches], text: str, at: int) -> bool:
    return all(one(text[at + index]) for index, one in enumerate(part))


@lru_cache(maxsize=1024)
def _parts(pattern: str) -> Sequence[Sequence[_Matches]]:
    """What stands between the stars, character by character."""
    parts: list[list[_Matches]] = [[]]
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        at += 1
        if sign == "*":
            parts.append([])
        elif sign == "?":
            parts[-1].append(_anything)
        elif sign == "[":
            one, at = _one_of(pattern, at)
            parts[-1].append(one)
        else:
            parts[-1].append(sign.__eq__)
    return parts


def _one_of(pattern: str, at: int) -> tuple[_Matches, int]:
    """``[ab-d]`` or ``[!ab]``, from behind its bracket; and where it ends. A ``]`` that comes first stands for itself."""
    opened = at - 1
    negated = pattern[at : at + 1] == "!"
    at += negated
    close = pattern.find("]", at + 1)
    if close < 0:
        raise GlobError('a "[" that no "]" closes; write [[] for the bracket itself', opened)
    ranges: list[tuple[str, str]] = []
    while at < close:
        first = pattern[at]
        if pattern[at + 1 : at + 2] == "-" and at + 2 < close:
            ranges.append((first, pattern[at + 2]))
            at += 3
        else:
            ranges.append((first, first))
            at += 1
    backwards = next((f"{low}-{high}" for low, high in ranges if low > high), None)
    if backwards is not None:
        raise GlobError(f"the range {backwards} runs backwards", opened)

    def one(character: str) -> bool:
        return any(low <= character <= high for low, high in ranges) is not negated

    return one, close + 1


def _anything(_character: str) -> bool:
    return True
