"""From a text to its tokens, and what to write instead of what is none."""

import re
from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

from runbook_engine.conditions.problems import ConditionSyntaxError


class Kind(Enum):
    WORD = auto()
    NUMBER = auto()
    TEXT = auto()
    SIGN = auto()
    END = auto()


class Token(NamedTuple):
    """``text`` as written: a number with its unit, a text with its quotes. The last token is END, with no text."""

    kind: Kind
    text: str
    start: int
    end: int


# A rate (12/s) is one token when nothing can make it a division by a metric; every other unit stands behind its number.
_TOKEN = re.compile(
    r"""[ \t\r\n]*
    (?: ([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
      | ((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?:%|/(?:s|min|h|sec|second|minute|hour)(?![\w.])|[A-Za-zµμ_][\wµμ]*)?)
      | ("[^"]*"|'[^']*')
      | ([=!]=(?!=)|[<>]=?(?![=>])|[-+()\[\],]|\*(?!\*)|/(?!/))
    )""",
    re.ASCII | re.VERBOSE,
)
_KINDS = (Kind.END, Kind.WORD, Kind.NUMBER, Kind.TEXT, Kind.SIGN)
_BLANK = re.compile(r"[ \t\r\n]*\Z")

_INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "===": "==",
        "!==": "!=",
        "<>": "!=",
        "<==": "<=",
        ">==": ">=",
        "=>": ">=",
        "=<": "<=",
        "≥": ">=",
        "≤": "<=",
        "≠": "!=",
        "=~": "matches",
        "!~": "not … matches",
        "~": "matches",
        "&&": "and",
        "&": "and",
        "||": "or",
        "|": "or",
        "=": "==",
        "!": "not",
        "//": "/",
        "÷": "/",
        "×": "*",
        "−": "-",
        "–": "-",
        "“": '"',
        "”": '"',
        "„": '"',
        "‘": "'",
        "’": "'",
        "`": '"',
    }
)
_FOREIGN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "**": ("there is no power in conditions", "multiply instead"),
        "^": ("there is no power in conditions", "multiply instead"),
        "{{": ("names stand in conditions without braces", "write inputs.slow, not {{ inputs.slow }}"),
        "}}": ("names stand in conditions without braces", "write inputs.slow, not {{ inputs.slow }}"),
        "$": ("names stand in conditions without a dollar sign", "write inputs.slow for an input"),
        ".": ("a dot stands between two names, without blanks", "write step.metric"),
        ";": ("a semicolon has no meaning in a condition", 'join comparisons with "and" or "or"'),
        "\N{NO-BREAK SPACE}": ("this is a non-breaking space", "write a plain space"),
    }
)


def tokens(text: str) -> list[Token]:
    """Raises ConditionSyntaxError at the first character that belongs to no token."""
    found: list[Token] = []
    at, size = 0, len(text)
    match, make = _TOKEN.match, Token._make
    while at < size:
        token = match(text, at)
        if token is None:
            if _BLANK.match(text, at):
                break
            raise _foreign(text, at, found)
        group = token.lastindex or 0
        start, at = token.span(group)
        found.append(make((_KINDS[group], text[start:at], start, at)))
    found.append(Token(Kind.END, "", size, size))
    return found


def _foreign(text: str, at: int, before: list[Token]) -> ConditionSyntaxError:
    """What to write instead of what stands at ``at``."""
    while text[at] in " \t\r\n":
        at += 1
    for length in (3, 2, 1):
        written = text[at : at + length]
        end = at + len(written)
        if written in _INSTEAD:
            return ConditionSyntaxError(
                f"{written} is not an operator or a sign", at, end, f"write {_INSTEAD[written]}"
            )
        if written in _FOREIGN:
            message, hint = _FOREIGN[written]
            return ConditionSyntaxError(message, at, end, hint)
    character = text[at]
    if character in "\"'":
        return ConditionSyntaxError(
            "this text has no closing quote", at, len(text), f"end it with {character}; inside, use the other quote"
        )
    if character == "%":
        last = before[-1] if before else None
        if last is not None and last.kind is Kind.NUMBER and last.text[-1].isdigit():
            return ConditionSyntaxError(
                "a number and its unit are written together", last.start, at + 1, f"write {last.text}%"
            )
        return ConditionSyntaxError("% stands only right behind a number", at, at + 1, "write for example 80%")
    if character.isalpha():
        return ConditionSyntaxError(
            f'"{character}" cannot be part of a name',
            at,
            at + 1,
            "names have a to z, 0 to 9 and _; texts stand in quotes",
        )
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return ConditionSyntaxError(f'"{shown}" has no meaning in a condition', at, at + 1)
