"""Procedures written in Markdown: headings Symptoms, Diagnostic Steps, Resolution, Prevention, with commands in code."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from runbook_engine.authoring.commands import Command, commands

if TYPE_CHECKING:
    from markdown_it.token import Token

_TAIL = r"(?:\s+(?:steps?|procedures?|actions?|measures?|checks?|commands?|phase))?:?\Z"
_PARTS = tuple(
    (part, re.compile(rf"(?i)(?:{words}){_TAIL}"))
    for part, words in (
        ("symptoms", r"symptoms?|signs?|what (?:you|people|users) see"),
        ("diagnosis", r"diagnos(?:is|tics?|e)|investigat(?:e|ion)|triage|checks?|troubleshooting|debug(?:ging)?"),
        ("resolution", r"resolutions?|resolve|fix(?:es)?|mitigations?|remediations?|solutions?|how to fix(?: it)?"),
        ("prevention", r"prevent(?:ion|ive|ing)?|how to prevent(?: it)?"),
    )
)
_SHELLS = frozenset({"", "bash", "sh", "shell", "console", "zsh", "shell-session", "terminal"})
_NUMBER = re.compile(r"^\s*(\d+(\.\d+)*[.)]|[a-z][.)])\s+")


class Group(Struct):
    """A numbered step of a procedure, or a group of a resolution: its name, what is listed below it, its commands."""

    title: str
    items: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)


class Procedure(Struct):
    """One procedure of a document. ``line`` is where its heading stands, from 1."""

    title: str
    line: int
    symptoms: list[Group] = field(default_factory=list)
    diagnosis: list[Group] = field(default_factory=list)
    resolution: list[Group] = field(default_factory=list)
    prevention: list[Group] = field(default_factory=list)


class _Heading(Struct):
    level: int
    title: str
    line: int
    groups: list[Group] = field(default_factory=list)


def procedures(text: str) -> Sequence[Procedure]:
    """Every procedure of a document, in its order: each heading with one of the four right below it."""
    from markdown_it import MarkdownIt

    found: list[Procedure] = []
    above: list[_Heading] = []
    by_heading: dict[int, Procedure] = {}
    for heading in _headings(MarkdownIt("commonmark").parse(text)):
        above = [each for each in above if each.level < heading.level]
        part = _part(heading.title)
        if part is not None and heading.groups:
            # One without a heading above it is the document's own.
            owner = above[-1] if above else _Heading(0, "", 1)
            if _part(owner.title) is None or not above:
                procedure = by_heading.setdefault(owner.line, Procedure(owner.title, owner.line))
                getattr(procedure, part).extend(heading.groups)
                if procedure not in found:
                    found.append(procedure)
        above.append(heading)
    # Playbooks have resolutions too; a procedure says what is wrong, or how that is found out.
    return [each for each in found if each.symptoms or (each.diagnosis and (each.resolution or each.prevention))]


def _part(title: str) -> str | None:
    return next((name for name, pattern in _PARTS if pattern.match(title) is not None), None)


def _headings(tokens: "Sequence[Token]") -> Iterator[_Heading]:
    """The headings with what stands below each."""
    current: _Heading | None = None
    reader = _Below()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            if current is not None:
                current.groups = reader.done()
                yield current
            reader = _Below()
            title = cleaned(tokens[index + 1].content)
            current = _Heading(int(token.tag[1:]), title, (token.map or [0])[0] + 1)
        elif current is not None and not (index and tokens[index - 1].type == "heading_open"):
            reader.read(token)
    if current is not None:
        current.groups = reader.done()
        yield current


class _Below:
    """What stands below a heading, token by token: items of the outer list are groups, what is in them is theirs."""

    def __init__(self) -> None:
        self._groups: list[Group] = []
        self._depth = 0
        self._fresh = False

    def read(self, token: "Token") -> None:
        match token.type:
            case "list_item_open":
                self._depth += 1
                self._fresh = True
            case "list_item_close":
                self._depth -= 1
                self._fresh = False
            case "inline":
                self._text(cleaned(token.content))
            case "fence" | "code_block":
                if token.info.split(maxsplit=1)[:1] in ([], *([each] for each in _SHELLS)):
                    self._group().commands.extend(commands(token.content))
                self._fresh = False

    def done(self) -> list[Group]:
        return self._groups

    def _text(self, text: str) -> None:
        if not text:
            return
        # The first line of an item of the outer list is what the group is called; so is a paragraph outside of any.
        if (self._depth == 1 and self._fresh) or (self._depth == 0 and not text.endswith(":")):
            self._groups.append(Group(text))
        elif self._depth:
            self._group().items.append(text)
        self._fresh = False

    def _group(self) -> Group:
        if not self._groups:
            self._groups.append(Group(""))
        return self._groups[-1]


def cleaned(text: str) -> str:
    """The text of a heading or an item, without marks for emphasis, links and numbers in front."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))", "", text)
    text = re.sub(r"`([^`]*)`", r"\1", text)
    return " ".join(_NUMBER.sub("", text).split())
