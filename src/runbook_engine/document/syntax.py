"""Why a text is not YAML, in the words of somebody who only wanted to write a runbook."""

import re
from collections.abc import Sequence

import yaml
from msgspec import Struct

from runbook_engine.document.fixes import Edit, Fix, fixed, quote
from runbook_engine.document.lines import Lines


class Problem(Struct, frozen=True):
    """A mistake in ``text[start:end]``; ``fix`` where what to write instead is certain, ``related`` what belongs to it."""

    code: str
    message: str
    start: int
    end: int
    label: str = ""
    help: str = ""
    fix: Fix | None = None
    related: tuple[tuple[str, int, int], ...] = ()


QUOTE_TEMPLATE = "write the whole value in double quotes"

MOST_DEPTH = 50
TOO_DEEP = f"lists and mappings are nested more than {MOST_DEPTH} deep here"

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNQUOTED_TEMPLATE = re.compile(r"(?:(?<=[:,\-]\s)|(?<=\[))\s*(\{\{[^}\r\n]*\}?\}?)")
_TAB_INDENT = re.compile(r"(?m)^ *(\t[ \t]*)")


def unreadable(text: str) -> Problem | None:
    """A character that YAML does not allow anywhere."""
    found = _UNPRINTABLE.search(text)
    if found is None:
        return None
    at = found.start()
    return Problem(
        "RB101",
        f"the text holds the character U+{ord(found[0]):04X}, which is not allowed in YAML",
        at,
        at + 1,
        "remove it, or write it as an escape in double quotes",
    )


def explain(error: yaml.YAMLError, text: str) -> Problem:
    """The first mistake that keeps the text from being YAML."""
    at = _index(error, "problem_mark", len(text))
    around = _index(error, "context_mark", at)
    problem = str(getattr(error, "problem", None) or error)
    if _DEPTH_OF_PARSER in problem:
        return Problem("RB108", TOO_DEEP, at, min(at + 1, len(text)))
    first, last = _line_of(text, min(around, at)), _line_of(text, at)
    template = _last(_UNQUOTED_TEMPLATE, text, _line_of(text, at).start, last.stop)
    if template is not None:
        return Problem(
            "RB107",
            "a template begins with {{, which YAML reads as a mapping",
            *template.span(1),
            QUOTE_TEMPLATE,
            fix=_quoted_templates(text, template.start(1)),
        )
    tab = _last(_TAB_INDENT, text, first.start, last.stop)
    if tab is not None:
        return Problem("RB103", "a tab is used for indentation, which YAML does not allow", *tab.span(1), "use spaces")
    for words, message, label, at_context in _SENTENCES:
        if any(each in problem for each in words):
            start = around if at_context else at
            filled = {"character": text[start : start + 1].strip(), "line": Lines(text).span(at, at).line}
            return Problem(
                "RB102", message.format_map(filled), start, _token_end(text, start), label.format_map(filled)
            )
    return Problem("RB102", f"this is not YAML: {problem}", at, _token_end(text, at))


_DEPTH_OF_PARSER = "maximum nesting depth"
"""PyYAML 6.0.4 and later end at a depth of their own; the scanner reaches it before the reader sees one of the brackets."""

_SENTENCES: Sequence[tuple[tuple[str, ...], str, str, bool]] = (
    (
        ("mapping values are not allowed",),
        'a ":" followed by a space stands inside an unquoted text',
        "write the whole text in quotes",
        False,
    ),
    (("quoted scalar", "unexpected end of stream"), "a quoted text is not closed", "it begins here", True),
    (
        ("cannot start any token",),
        'an unquoted text cannot begin with "{character}"',
        "write the text in quotes",
        False,
    ),
    (
        ("unknown escape character", "did not find expected hexdecimal", "escape sequence of"),
        "in double quotes a backslash begins an escape, and this is not one",
        "write the text in single quotes, or double the backslash",
        False,
    ),
    (
        ("',' or ']'",),
        'a list that begins with "[" is not closed, or a comma is missing in it',
        'on line {line} YAML still expects "," or "]"',
        True,
    ),
    (
        ("',' or '}'",),
        'a mapping that begins with "{{" is not closed, or a comma is missing in it',
        'on line {line} YAML still expects "," or "}}"',
        True,
    ),
    (("could not find expected ':'",), 'a key is not followed by ":"', 'write "key: value"', True),
    (
        ("block sequence entries are not allowed", "sequence entries are not allowed"),
        'a list item "-" cannot stand here',
        "begin the list on the next line",
        False,
    ),
    (
        ("did not find expected key", "did not find expected '-' indicator", "expected <block end>"),
        "the text does not continue the mapping or list above it",
        "check the indentation and the quotes of this line",
        False,
    ),
    (
        ("expected alphabetic or numeric character", "did not find expected alphabetic"),
        'a name is needed after "&" or "*"',
        "write the text in quotes",
        False,
    ),
    (("undefined tag handle", "tag"), "a YAML tag, which documents do not use", "remove it", False),
)


_TEMPLATE = re.compile(r"\{\{[^{}\r\n]*\}\}")
_TO_END_OF_LINE = re.compile(rf"(?:{_TEMPLATE.pattern}|(?![ \t]+(?:#|$))[^\r\n])+", re.MULTILINE)
_TO_END_OF_ITEM = re.compile(rf"(?:{_TEMPLATE.pattern}|(?![ \t]+(?:#|$|[,\]}}]))[^\r\n,\[\]{{}}])+", re.MULTILINE)


def _quoted_templates(text: str, at: int) -> Fix | None:
    """The fix that puts each value in quotes which begins with a template on the line of ``at``.

    It ends with its line, or, inside of brackets, before the next comma or bracket: whichever makes YAML of the line.
    """
    line = _line_of(text, at)
    starts = [found.start(1) for found in _UNQUOTED_TEMPLATE.finditer(text, line.start, line.stop)]
    for pattern in (_TO_END_OF_ITEM, _TO_END_OF_LINE):
        edits: list[Edit] = []
        for start in starts:
            found = pattern.match(text, start)
            # A template may stand within the value that begins with another.
            if found is not None and (not edits or start >= edits[-1].end):
                edits += quote(start, found.end(), text).edits
        fix = Fix("write it in quotes", tuple(edits))
        done = fixed(text, [fix])
        if done.done and _is_sound_to(done.text, line.stop + len(done.text) - len(text)):
            return fix
    return None


def _is_sound_to(text: str, end: int) -> bool:
    """Whether a text is YAML at least up to there."""
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if event.start_mark is not None and event.start_mark.index > end:
                return True
    except yaml.YAMLError as error:
        return _index(error, "problem_mark", 0) > end
    return True


def _index(error: yaml.YAMLError, name: str, default: int) -> int:
    index: object = getattr(getattr(error, name, None), "index", None)
    return index if isinstance(index, int) else default


class _Line(Struct, frozen=True):
    start: int
    stop: int


def _line_of(text: str, at: int) -> _Line:
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    found = re.compile(r"[\r\n]").search(text, at)
    return _Line(start, found.start() if found else len(text))


def _last(pattern: re.Pattern[str], text: str, start: int, stop: int) -> re.Match[str] | None:
    found = list(pattern.finditer(text, start, stop))
    return found[-1] if found else None


def _token_end(text: str, start: int) -> int:
    found = re.compile(r"[^\s,\[\]{}]+").match(text, start)
    return found.end() if found else min(start + 1, len(text))
