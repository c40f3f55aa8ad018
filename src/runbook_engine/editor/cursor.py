"""Where somebody is writing: the way to it through a document that is seldom whole at that moment."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from runbook_engine.document.lines import LINE_BREAK
from runbook_engine.document.nodes import MappingNode, Raw
from runbook_engine.document.source import Path
from runbook_engine.document.yaml_text import compose_tree
from runbook_engine.editor.tree import places, raw

_MARK = "zqcursorqz"
_WORD = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_REST = re.compile(r"[\w.-]*", re.ASCII)
_BARE = re.compile(r"\s*(?:-\s+)*[\w.-]*\Z", re.ASCII)
_HOLE = re.compile(r"\{\{(?P<inside>(?:(?!\}\}).)*)\Z")
_KEY = re.compile(r"\s*(?:-\s+)*[\"']?(?P<key>[\w.-]+)[\"']?\s*:")


class Cursor(Struct, frozen=True):
    """One reading of what is being written.

    ``path`` leads to the value, or to the mapping that a key is written into; ``before`` is what the value holds before the
    cursor. ``text[start:end]`` is the word that a choice replaces, with the cursor at ``at``. ``beside`` is the mapping that
    it stands in, and ``keys`` are its keys.
    """

    path: Path
    is_key: bool
    before: str
    at: int
    start: int
    end: int
    keys: AbstractSet[str]
    beside: Raw


def hole_at(text: str, offset: int) -> str | None:
    """What is written so far in the ``{{`` that is open at a character, if one is."""
    found = _HOLE.search(text[_line_start(text, offset) : offset])
    return found["inside"] if found else None


def word_at(text: str, offset: int) -> tuple[int, int]:
    """The word that is being written at a character: letters, digits, dots and hyphens."""
    found = _WORD.search(text[_line_start(text, offset) : offset])
    rest = _REST.match(text, offset)
    return offset - len(found[0]) if found else offset, rest.end() if rest else offset


def cursors(text: str, offset: int) -> Sequence[Cursor]:
    """What may be meant, the likeliest first; nothing where that cannot be told."""
    start, end = word_at(text, offset)
    found: list[Cursor] = []
    for candidate in _candidates(text, offset):
        root = compose_tree(candidate)
        place = next((each for each in places(root) if _MARK in each.text), None)
        if place is None:
            continue
        before = place.text.partition(_MARK)[0]
        above = place.above
        path = place.path[:-1] if place.is_key else place.path
        if above is None and not place.is_key:
            continue
        keys = {each for each in above.entries if _MARK not in each} if isinstance(above, MappingNode) else set()
        made = Cursor(path, place.is_key, before, offset, start, end, keys, _unmarked(raw(above)))
        if all((each.path, each.is_key) != (made.path, made.is_key) for each in found):
            found.append(made)
    return found


def section_of(text: str, offset: int) -> Path:
    """The top-level key and the one below it that a character stands under, by their indentation alone."""
    lines, at = _lines(text, offset)
    first, entry, _ = _block(lines, at)
    keys = [_KEY.match(lines[each]) for each in (first, entry) if each is not None]
    return tuple(each["key"] for each in keys if each is not None)


def _candidates(text: str, offset: int) -> Sequence[str]:
    """Small documents that hold what is around the cursor, with a mark there, each a way to make the line whole."""
    start = _line_start(text, offset)
    found = LINE_BREAK.search(text, offset)
    prefix, suffix = text[start:offset], text[offset : found.start() if found else len(text)]
    quote, closing = _open(prefix)
    whole = f"{prefix}{_MARK}"
    made = [f"{whole}:"] if _BARE.match(prefix) and not suffix.strip(" \t:") else []
    made += [f"{whole}{suffix}", f"{whole}{quote}{closing}", f"{whole}: x{closing}"]
    lines, at = _lines(text, offset)
    first, entry, stop = _block(lines, at)
    block = lines[entry:stop] if entry is not None else [lines[at]]
    position = at - (entry if entry is not None else at)
    head = [lines[first]] if first is not None and first != (entry if entry is not None else at) else []
    return ["\n".join([*head, *block[:position], line, *block[position + 1 :]]) for line in dict.fromkeys(made)]


def _line_start(text: str, offset: int) -> int:
    before = text[:offset]
    return max(before.rfind("\n"), before.rfind("\r")) + 1


def _lines(text: str, offset: int) -> tuple[list[str], int]:
    starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]
    at = sum(each <= offset for each in starts) - 1
    bounds = [*starts[1:], len(text)]
    return [text[one:two].rstrip("\r\n") for one, two in zip(starts, bounds, strict=True)], at


def _block(lines: Sequence[str], at: int) -> tuple[int | None, int | None, int]:
    """The line of the top-level key above, that of the entry below it which holds the cursor, and where the entry ends."""
    own = lines[at]
    indent = len(own) - len(own.lstrip()) if own.strip() else len(own)
    if indent == 0 and not own.startswith("-"):
        return None, None, at + 1
    first = next((each for each in range(at, -1, -1) if _is_top(lines[each])), None)
    if first is None:
        return None, None, at + 1
    inner = next((each for each in range(first + 1, len(lines)) if _says_something(lines[each])), None)
    if inner is None or inner > at:
        return first, None, at + 1
    width = _width(lines[inner])
    entry = next(
        (each for each in range(at, first, -1) if _says_something(lines[each]) and _width(lines[each]) <= width), None
    )
    stop = next((each for each in range(at + 1, len(lines)) if _ends(lines[each], width)), len(lines))
    return first, entry, stop


def _is_top(line: str) -> bool:
    return bool(line) and not line[0].isspace() and line[0] not in "#-"


def _says_something(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#")


def _ends(line: str, width: int) -> bool:
    return _says_something(line) and _width(line) <= width


def _width(line: str) -> int:
    return len(line) - len(line.lstrip())


def _open(line: str) -> tuple[str, str]:
    """The quote and the brackets that are open at the end of a line."""
    quote, brackets = "", list[str]()
    for index, character in enumerate(line):
        if quote:
            if character == quote and not (quote == '"' and line[index - 1] == "\\"):
                quote = ""
        elif character in "\"'" and (not index or line[index - 1] in " [{,:"):
            quote = character
        elif character in "{[":
            brackets.append("}" if character == "{" else "]")
        elif character in "}]" and brackets:
            brackets.pop()
    return quote, "".join(reversed(brackets))


def _unmarked(value: Raw) -> Raw:
    if isinstance(value, dict):
        return {key: _unmarked(each) for key, each in value.items() if _MARK not in key}
    if isinstance(value, list):
        return [_unmarked(each) for each in value]
    return value.replace(_MARK, "") if isinstance(value, str) else value
