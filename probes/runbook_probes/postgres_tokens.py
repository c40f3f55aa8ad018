"""The words of a statement, as PostgreSQL's own lexer finds them.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html, with ``standard_conforming_strings`` on. No parser is needed
to know which names a statement may call: every name counts that stands outside of strings and comments.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<blank>\s+|--[^\n\r]*)
    | (?P<comment>/\*)
    | (?P<unicode>[Uu]&["'])
    | (?P<escaped>[Ee]'(?:[^'\\]|\\.|'')*')
    | (?P<string>[BbXxNn]?'(?:[^']|'')*')
    | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$)
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<name>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    | (?P<number>\$?[0-9]+)
    | (?P<operator>[-+*/<>=~!@\#%^&|`?]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LONGEST_NAME = 63
_COMMENT_PART = re.compile(r"/\*|\*/")


class NotReadError(ValueError):
    """A statement whose words cannot be told."""


@dataclass(frozen=True, slots=True)
class Words:
    """The names in a statement as the server knows them, in lower case where they are not quoted.

    ``called`` are those before a parenthesis, ``dotted`` those behind a point: ``row.name`` may call a function, too.
    """

    names: frozenset[str]
    called: frozenset[str]
    dotted: frozenset[str]
    operators: frozenset[str]


def words(statement: str) -> Words:
    """Raises NotReadError for strings and names with Unicode escapes, and for what does not end."""
    names: set[str] = set()
    called: set[str] = set()
    dotted: set[str] = set()
    operators: set[str] = set()
    last, before = "", ""
    for kind, text in _tokens(statement):
        if text == "(" and last:
            called.add(last)
        last = ""
        if kind in ("name", "quoted"):
            last = _known_as(text)
            names.add(last)
            if before == ".":
                dotted.add(last)
        elif kind == "operator":
            operators.add(text)
        before = text
    return Words(frozenset(names), frozenset(called), frozenset(dotted), frozenset(operators))


def first_word(statement: str) -> str:
    """Which says of what kind it is, in capitals, behind comments and parentheses; empty where there is none.

    Raises NotReadError as ``words`` does, for what comes before.
    """
    for kind, text in _tokens(statement):
        if text != "(":
            return text.upper() if kind == "name" else ""
    return ""


def _tokens(statement: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(statement):
        found = _TOKEN.match(statement, at)
        assert found is not None  # noqa: S101 - the last alternative takes anything
        kind, text = str(found.lastgroup), found.group()
        kind = "dollar" if found["dollar"] else kind
        at = found.end()
        match kind:
            case "comment":
                at = _behind_comment(statement, at)
            case "dollar":
                end = statement.find(text, at)
                if end < 0:
                    raise NotReadError("a string of the statement does not end")
                at = end + len(text)
            case "unicode":
                raise NotReadError("the statement writes a name or a string with U&, which hides what it says")
            case "other" if text in "'\"":
                raise NotReadError("a string or a name of the statement does not end")
            case "operator":
                # An operator ends where a comment begins.
                text = re.split(r"--|/\*", text, maxsplit=1)[0]
                at = found.start() + len(text)
                yield kind, text
            case "blank":
                continue
            case _:
                yield kind, text


def _behind_comment(statement: str, at: int) -> int:
    """Comments may stand in one another."""
    depth = 1
    for found in _COMMENT_PART.finditer(statement, at):
        depth += 1 if found.group() == "/*" else -1
        if depth == 0:
            return found.end()
    raise NotReadError("a comment of the statement does not end")


def _known_as(name: str) -> str:
    plain = name[1:-1].replace('""', '"') if name.startswith('"') else "".join(map(_lower, name))
    return plain.encode()[:_LONGEST_NAME].decode(errors="ignore")


def _lower(letter: str) -> str:
    return letter.lower() if letter.isascii() else letter
