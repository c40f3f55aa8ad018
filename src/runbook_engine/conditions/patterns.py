r"""Patterns for ``matches``: the part of regular expressions that can be searched for in linear time.

A pattern is turned into an automaton, which reads a text once, whatever the pattern: a runbook from anywhere cannot hang
the engine, as it could with backtracking (``(a+)+$``, ``.*.*.*x``). What it supports means what it means in Python's
``re``: characters, ``.``, classes ``[a-z]``, ``\d \w \s`` and their opposites, ``^ $ \A \Z \b``, groups, ``|``,
``* + ? {2,5}`` and ``(?i)`` in front. There are no look-arounds and no back-references.
"""

import re
from dataclasses import dataclass, field

from runbook_engine.conditions.automaton import (
    Automaton,
    Group,
    Node,
    Repeat,
    Sequence,
    Single,
    TooLargeError,
    Where,
    either,
)

MOST_SUBJECT = 10_000
"""How many characters of a text are searched."""
MOST_DEPTH = 30
MOST_REPEATS = 200


class PatternError(ValueError):
    """A text that is not a pattern. ``start`` and ``end`` are offsets into it."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Pattern:
    source: str
    automaton: Automaton = field(compare=False, repr=False)

    def found_in(self, subject: str) -> bool | None:
        """Whether the pattern is found somewhere in the text; None where it is not found in the first 10,000 characters
        of a longer one.
        """
        return self.automaton.search(subject, MOST_SUBJECT)


def read_pattern(source: str) -> Pattern:
    """Raises PatternError with the place of what is not supported or not well-formed."""
    try:
        tree, ignore_case = read_tree(source)
        return Pattern(source, Automaton(tree, ignore_case=ignore_case))
    except TooLargeError:
        raise PatternError("this pattern is too large", 0, len(source), "repeat less often") from None


def read_tree(source: str) -> tuple[Node, bool]:
    """What a pattern says, and whether upper and lower case are the same to it. Raises PatternError."""
    if source in ("", "(?i)"):
        raise PatternError("an empty pattern is found in every text", 0, len(source), "write is not missing")
    return _Reader(source).pattern()


_ENDS = {"A": Where.START, "Z": Where.END, "b": Where.EDGE}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_COUNTS = re.compile(r"\{(\d{0,9})(,?)(\d{0,9})\}", re.ASCII)
_CODES = {"x": re.compile(r"[0-9A-Fa-f]{2}"), "u": re.compile(r"[0-9A-Fa-f]{4}")}
_SUPPORTED = "patterns know . [..] () | * + ? {2,5} ^ $ and the classes of \\d \\w \\s \\b"


class _Reader:
    """Recursive descent over one pattern."""

    __slots__ = ("_at", "_depth", "_source")

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0

    def pattern(self) -> tuple[Node, bool]:
        ignore_case = self._source.startswith("(?i)")
        self._at = 4 if ignore_case else 0
        tree = self._alternatives()
        if self._at < len(self._source):
            raise self._error('this ")" closes nothing', self._at, hint="write \\) for the character")
        return tree, ignore_case

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _error(self, message: str, start: int, end: int | None = None, hint: str = "") -> PatternError:
        return PatternError(message, start, start + 1 if end is None else end, hint)

    def _alternatives(self) -> Node:
        arms = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            arms.append(self._sequence())
        return either(arms)

    def _sequence(self) -> Node:
        parts = []
        while (character := self._peek()) and character not in "|)":
            parts.append(self._repeated())
        return Sequence(tuple(parts))

    def _repeated(self) -> Node:
        start = self._at
        atom = self._atom()
        counts = self._counts()
        if counts is None:
            return atom
        least, most = counts
        if isinstance(atom, Where):
            raise self._error("there is nothing to repeat", start, self._at)
        if most is not None and most < least:
            raise self._error(f"{{{least},{most}}} repeats at least {least} and at most {most} times", start, self._at)
        if max(least, most or 0) > MOST_REPEATS:
            raise self._error(f"a pattern may repeat {MOST_REPEATS} times", start, self._at)
        lazy = self._peek() == "?"
        self._at += lazy
        if self._counts() is not None:
            raise self._error("this repeats a repetition", start, self._at, "put the inner one in parentheses")
        return Repeat(atom, least, most, lazy)

    def _counts(self) -> tuple[int, int | None] | None:
        """The quantifier that stands here, if one does, and step over it."""
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self._peek())
        if simple is not None:
            self._at += 1
            return simple
        found = _COUNTS.match(self._source, self._at)
        if found is None or found[0] == "{}":
            return None
        self._at = found.end()
        least = int(found[1] or 0)
        if not found[2]:
            return least, least
        return least, int(found[3]) if found[3] else None

    def _atom(self) -> Node:
        start = self._at
        character = self._source[start]
        if _COUNTS.match(self._source, start) and not self._source.startswith("{}", start):
            raise self._error("there is nothing to repeat", start, hint="write \\{ for the character")
        self._at += 1
        match character:
            case "(":
                return self._group(start)
            case "[":
                return Single(self._class(start))
            case ".":
                return Single(".")
            case "^":
                return Where.START
            case "$":
                return Where.LAST_LINE_END
            case "\\":
                if (letter := self._peek()) and letter in _ENDS:
                    self._at += 1
                    return _ENDS[letter]
                return Single(self._escape(start))
            case "*" | "+" | "?":
                raise self._error("there is nothing to repeat", start, hint=f"write \\{character} for the character")
        return Single(re.escape(character))

    def _group(self, start: int) -> Node:
        captures = self._peek() != "?"
        if not captures:
            if not self._source.startswith("?:", self._at):
                raise self._error(
                    "only groups (…) and (?:…) are supported",
                    start,
                    start + 3,
                    "put (?i) in front of the whole pattern",
                )
            self._at += 2
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._error(f"a pattern may have {MOST_DEPTH} groups within each other", start)
        tree = self._alternatives()
        self._depth -= 1
        if self._peek() != ")":
            raise self._error('this "(" is never closed', start, hint="write \\( for the character")
        self._at += 1
        return Group(tree, start) if captures else tree

    def _escape(self, start: int) -> str:
        """What stands behind a backslash, as a one-character expression of ``re``."""
        letter = self._peek()
        self._at += 1
        if not letter:
            raise self._error("a pattern cannot end with a backslash", start, hint="write \\\\ for the character")
        if letter in "dDwWsS":
            return f"\\{letter}"
        if letter in _CONTROL:
            return re.escape(_CONTROL[letter])
        if letter in _CODES:
            found = _CODES[letter].match(self._source, self._at)
            if found is None:
                raise self._error(f"\\{letter} needs hexadecimal digits", start, self._at)
            self._at = found.end()
            return re.escape(chr(int(found[0], 16)))
        if letter.isascii() and letter.isalnum():
            raise self._error(f"\\{letter} is not supported", start, self._at, _SUPPORTED)
        return re.escape(letter)

    def _class(self, start: int) -> str:
        r"""``[a-z\d]`` as ``re`` reads it without doubt."""
        negated = self._peek() == "^"
        self._at += negated
        members: list[str] = []
        while not members or self._peek() != "]":
            first = self._member(start)
            if self._source[self._at : self._at + 1] == "-" and self._source[self._at + 1 : self._at + 2] not in (
                "]",
                "",
            ):
                place = self._at
                self._at += 1
                last = self._member(start)
                low, high = _character(first), _character(last)
                if low is None or high is None or high < low:
                    raise self._error(f"{self._source[place - 1 : self._at]} is not a range", place - 1, self._at)
                members.append(f"{first}-{last}")
            else:
                members.append(first)
        self._at += 1
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _member(self, start: int) -> str:
        character = self._peek()
        place = self._at
        self._at += 1
        if not character:
            raise self._error('this "[" is never closed', start, hint="write \\[ for the character")
        if character != "\\":
            return _escaped_member(character)
        if self._peek() == "b":
            self._at += 1
            return "\\x08"
        return _escaped_member(self._escape(place))


def _escaped_member(text: str) -> str:
    """One character made safe inside ``[..]``; what is an expression already stays."""
    if len(text) > 1:
        return text
    return f"\\{text}" if text in "\\]^-[&~|" else text


def _character(member: str) -> str | None:
    r"""The one character that a member of a class stands for; None for a class such as ``\d``."""
    if len(member) == 1:
        return member
    if member == "\\x08":
        return "\b"
    return None if member[1] in "dDwWsS" else member[1]
