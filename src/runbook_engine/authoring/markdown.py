"""Procedures written in Markdown: headings Symptoms, Diagnostic Steps, Resolution, Prevention, with commands in code."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from runbook_engine.authoring.commands import Command, read
from runbook_engine.authoring.secrecy import masked

if TYPE_CHECKING:
    from markdown_it.token import Token

_HEAD = r"(?:possible |recommended |initial |immediate |further |common |detailed |suggested )?"
_TAIL = r"(?:\s+(?:steps?|procedures?|actions?|measures?|checks?|commands?|phase|process|guide|options?|instructions?))?:?\Z"
_PARTS = tuple(
    (part, re.compile(rf"(?i){_HEAD}(?:{words}){_TAIL}"))
    for part, words in (
        ("symptoms", r"symptoms?|signs?|what (?:you|people|users) see"),
        (
            "diagnosis",
            r"diagnos(?:is|tics?|e|ing)|investigat(?:e|ion)|triage|checks?|troubleshooting|debug(?:ging)?|verification"
            r"|how to (?:diagnose|investigate|debug)(?: it)?",
        ),
        (
            "resolution",
            r"resolutions?|resolve|fix(?:es)?|mitigations?|remediations?|solutions?|how to (?:fix|resolve|mitigate)(?: it)?"
            r"|recovery|workarounds?|rollback|actions?|what to do",
        ),
        ("prevention", r"prevent(?:ion|ive|ing)?|how to prevent(?: it)?"),
    )
)
_SPAN = re.compile(r"`([^`]*)`")
_NUMBER = re.compile(r"^\s*(\d+(\.\d+)*[.)]|[a-z][.)])\s+")
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^>]*>", re.DOTALL)


class Group(Struct):
    """A numbered step of a procedure, or a group of a resolution: its name, and what is listed below it in its order.

    ``shown`` counts the lines of code that are no command: what commands say, remarks, data. ``elsewhere`` is the command
    after which its commands run on another machine.
    """

    title: str
    parts: list[str | Command] = field(default_factory=list)
    shown: int = 0
    elsewhere: str = ""

    @property
    def items(self) -> list[str]:
        return [each for each in self.parts if isinstance(each, str)]

    @property
    def commands(self) -> list[Command]:
        return [each for each in self.parts if isinstance(each, Command)]

    @property
    def code(self) -> int:
        """The lines of code in it, without empty ones."""
        return self.shown + sum(command.lines for command in self.commands)


class Procedure(Struct):
    """One procedure of a document. ``line`` is where its heading stands, from 1; ``about`` what else it says of itself."""

    title: str
    line: int
    symptoms: list[Group] = field(default_factory=list)
    diagnosis: list[Group] = field(default_factory=list)
    resolution: list[Group] = field(default_factory=list)
    prevention: list[Group] = field(default_factory=list)
    about: list[Group] = field(default_factory=list)


class Document(Struct, frozen=True):
    """The procedures of a document in their order, and the headings with code that belong to none of them."""

    procedures: Sequence[Procedure]
    others: Sequence[tuple[int, str, int]]
    """The line of each, from 1, its title, and how many lines of code stand right below it."""


class _Heading(Struct):
    level: int
    title: str
    line: int
    groups: list[Group] = field(default_factory=list)
    below: "list[_Heading]" = field(default_factory=list)

    @property
    def part(self) -> str | None:
        return next((name for name, pattern in _PARTS if pattern.match(self.title) is not None), None)

    @property
    def code(self) -> int:
        return sum(each.code for each in self.groups)


def procedures(text: str) -> Sequence[Procedure]:
    """Every procedure of a document, in its order."""
    return document(text).procedures


def document(text: str) -> Document:
    """The procedures of a text: each heading with one of the four right below it, with all that stands under it."""
    from markdown_it import MarkdownIt

    top = _tree(MarkdownIt("commonmark").parse(text))
    found: list[Procedure] = []
    others: list[tuple[int, str, int]] = []
    _look(top, found, others)
    return Document(found, [each for each in others if each[2]])


def _look(heading: _Heading, found: list[Procedure], others: list[tuple[int, str, int]]) -> None:
    """Find the procedures at and below a heading."""
    if _owns(heading):
        procedure = Procedure(heading.title, heading.line)
        found.append(procedure)
        _take(heading, procedure, found, others)
        return
    others.append((heading.line, heading.title, heading.code))
    for each in heading.below:
        _look(each, found, others)


def _owns(heading: _Heading) -> bool:
    """Whether a heading is one of a procedure: it says what is wrong, or how that is found out and mended."""
    parts = {each.part for each in heading.below if not any(map(_owns, each.below))}
    return "symptoms" in parts or ("diagnosis" in parts and bool(parts & {"resolution", "prevention"}))


def _take(heading: _Heading, procedure: Procedure, found: list[Procedure], others: list[tuple[int, str, int]]) -> None:
    """All that stands below the heading of a procedure. What has commands is part of finding out, whatever it is called."""
    own = "diagnosis" if any(each.commands for each in heading.groups) else "about"
    getattr(procedure, own).extend(heading.groups)
    for each in heading.below:
        if any(map(_owns, _all(each))):
            _look(each, found, others)
        elif each.part is not None:
            getattr(procedure, each.part).extend(_groups(each, each.part, procedure))
        else:
            commands = any(one.commands for below in _all(each) for one in below.groups)
            part = "diagnosis" if commands else "about"
            getattr(procedure, part).extend(_groups(each, part, procedure, titled=True))


def _all(heading: _Heading) -> Iterator[_Heading]:
    yield heading
    for each in heading.below:
        yield from _all(each)


def _groups(heading: _Heading, part: str, procedure: Procedure, *, titled: bool = False) -> Iterator[Group]:
    """What stands at and below a heading. A heading below that is called like another part is of that part."""
    yield from _below_title(heading, split=part == "diagnosis") if titled else heading.groups
    for each in heading.below:
        if each.part in (None, part):
            yield from _groups(each, part, procedure, titled=True)
        else:
            getattr(procedure, str(each.part)).extend(_groups(each, str(each.part), procedure, titled=True))


def _below_title(heading: _Heading, *, split: bool) -> Iterator[Group]:
    """The groups below a heading that is a step itself: the next with commands is one of its own, where that is wanted."""
    last = Group(heading.title)
    made = [last]
    for each in heading.groups:
        if split and each.commands and last.commands and each.title:
            last = each
            made.append(each)
            continue
        last.parts.extend([each.title] if each.title else [])
        last.parts.extend(each.parts)
        last.shown += each.shown
    yield from (each for each in made if each.parts or each is not made[0])


def _tree(tokens: "Sequence[Token]") -> _Heading:
    """The headings with what stands below each, under the document itself."""
    top = _Heading(0, "", 1)
    above = [top]
    reader = _Below()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            above[-1].groups = reader.done()
            reader = _Below()
            heading = _Heading(int(token.tag[1:]), cleaned(tokens[index + 1].content), (token.map or [0])[0] + 1)
            while above[-1].level >= heading.level:
                above.pop()
            above[-1].below.append(heading)
            above.append(heading)
        elif not (index and tokens[index - 1].type == "heading_open"):
            reader.read(token)
    above[-1].groups = reader.done()
    return top


class _Below:
    """What stands below a heading, token by token: items of the outer list are groups, what is in them is theirs."""

    def __init__(self) -> None:
        self._groups: list[Group] = []
        self._depth = 0
        self._fresh = False
        self._intro = ""
        """A paragraph that ends with a colon: it is about the code that follows."""

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
            case "html_block":
                self._text(cleaned(_TAG.sub(" ", token.content)))
            case "fence" | "code_block":
                self._code(token.content, token.info)
                self._fresh = False

    def done(self) -> list[Group]:
        self._introduce()
        return self._groups

    def _text(self, text: str) -> None:
        if not text:
            return
        self._introduce()
        # The first line of an item of the outer list is what the group is called; so is a paragraph outside of any.
        if self._depth == 1 and self._fresh:
            self._groups.append(Group(text))
        elif text.endswith(":") and not self._fresh:
            self._intro = text
        elif self._depth == 0:
            self._groups.append(Group(text))
        else:
            self._group().parts.append(text)
        self._fresh = False

    def _introduce(self) -> None:
        if self._intro:
            self._group().parts.append(self._intro)
            self._intro = ""

    def _code(self, content: str, info: str) -> None:
        words = info.replace("{", " ").replace("}", " ").split()
        group = self._group()
        found = read(content, words[0].strip(".,") if words else "", group.elsewhere)
        if self._intro and found.commands and not found.commands[0].comment:
            found.commands[0] = replace(found.commands[0], comment=self._intro.rstrip(": "))
            self._intro = ""
        self._introduce()
        group.parts.extend([*found.texts, *found.commands])
        group.shown += found.shown
        group.elsewhere = found.elsewhere

    def _group(self) -> Group:
        if not self._groups:
            self._groups.append(Group(""))
        return self._groups[-1]


def cleaned(text: str) -> str:
    """The text of a heading or an item, without marks for emphasis, links and numbers in front, and without secrets."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))", "", text)
    text = masked(_SPAN.sub(lambda found: masked(found[1]), text), prose=True)
    return " ".join(_NUMBER.sub("", text).split())
