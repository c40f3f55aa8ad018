"""Texts that may contain or match what a condition searches for: guesses, to be confirmed."""

import re
from collections.abc import Iterable, Iterator

from runbook_engine.conditions.tree import Constant, Contains, Expression, Matches, walk

_PLAIN_RUN = re.compile(r"[A-Za-z0-9 _,:;=@#%&<>!/~\"'-]+")
_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")
_MOST_PARTS = 6


def texts_for(searches: Iterable[Expression]) -> Iterator[str]:
    """From the plainest on, and without end of repetition: each is given once."""
    parts = list(dict.fromkeys(part for node in searches for part in _parts(node) if part))[:_MOST_PARTS]
    seen: set[str] = set()
    for text in _guesses(parts):
        if text not in seen:
            seen.add(text)
            yield text


def _guesses(parts: list[str]) -> Iterator[str]:
    yield from ("other", "another")
    yield from parts
    yield ""
    for size in (2, 3):
        yield from (" ".join(parts[start : start + size]) for start in range(len(parts) - size + 1))
    for chosen in range(1, 1 << len(parts)):
        yield " ".join(part for index, part in enumerate(parts) if chosen >> index & 1)
    yield from ("".join(parts), "0", "a", "A", "z", "-", "\n", "x" * 40)


def _parts(node: Expression) -> Iterator[str]:
    """What a search would find: the literals, and the plain characters of a pattern."""
    if isinstance(node, Matches):
        source = _ESCAPED.sub(r"\1", node.pattern.source.removeprefix("(?i)"))
        yield "".join(_PLAIN_RUN.findall(source))
        yield from _PLAIN_RUN.findall(source)
    elif isinstance(node, Contains):
        yield from (each.value for each in walk(node) if isinstance(each, Constant) and isinstance(each.value, str))
