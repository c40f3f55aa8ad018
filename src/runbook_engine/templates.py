"""Texts with ``{{ step.metric }}``: Jinja's syntax, held to what can be checked and can neither hang nor allocate.

Jinja parses; nothing is ever compiled or evaluated by it. A template may hold text, names, and the filters of ``FILTERS``.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct

from runbook_engine.conditions import Name
from runbook_engine.quantity import Dimension, Value, show
from runbook_engine.secret import HIDDEN, Secret

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

MOST_TEXT = 20_000


class TemplateError(ValueError):
    """A text that is not a template. ``start`` and ``end`` are offsets into it."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


class MissingValueError(LookupError):
    """A template needs a value that is not there."""

    def __init__(self, name: Name) -> None:
        super().__init__(f"{name} has no value")
        self.name = name


class Filled(Struct, frozen=True):
    """What a name stands for: a value with its dimension, or a secret."""

    value: Value | Secret | None
    dimension: Dimension = Dimension.TEXT


Lookup = Callable[[Name], Filled]


def _show(filled: Filled) -> str:
    value = filled.value
    return value.reveal() if isinstance(value, Secret) else show(value, filled.dimension)


def _number(filled: Filled) -> str:
    return _show(filled) if isinstance(filled.value, Secret | None) else str(filled.value)


FILTERS: Mapping[str, Callable[[Filled], str]] = MappingProxyType(
    {
        "upper": lambda filled: _show(filled).upper(),
        "lower": lambda filled: _show(filled).lower(),
        "trim": lambda filled: _show(filled).strip(),
        "urlencode": lambda filled: quote(_show(filled), safe=""),
        "number": _number,
    }
)
"""``number`` writes a quantity bare, in its base unit: 0.5 for 500 ms. ``default("…")`` stands in for a missing value."""


class Hole(Struct, frozen=True):
    """One ``{{ … }}``."""

    name: Name
    filters: tuple[str, ...] = ()
    default: str | None = None


class Template(Struct, frozen=True):
    """Parsed text: pieces of plain text and holes, in order."""

    parts: tuple[str | Hole, ...]

    @property
    def names(self) -> tuple[Name, ...]:
        return tuple(part.name for part in self.parts if isinstance(part, Hole))

    @property
    def is_plain(self) -> bool:
        return not self.names

    def text(self, lookup: Lookup, *, unknown: str | None = None) -> str:
        """The text for people. A missing value is ``unknown``, or raises MissingValueError; secrets are hidden."""
        return "".join(_fill(part, lookup, unknown, reveal=False) for part in self.parts)

    def value(self, lookup: Lookup) -> Value | Secret:
        """The value for a program. A template that is one bare name gives that name's own value, numbers as numbers in
        base units; one that holds a secret gives a Secret that displays itself with the variable's name in place.

        Raises MissingValueError.
        """
        if len(self.parts) == 1 and isinstance(self.parts[0], Hole) and not self.parts[0].filters:
            filled = lookup(self.parts[0].name)
            if filled.value is not None:
                return filled.value
        text = "".join(_fill(part, lookup, None, reveal=True) for part in self.parts)
        if any(isinstance(lookup(name).value, Secret) for name in self.names):
            return Secret(text, "".join(_fill(part, lookup, None, reveal=False) for part in self.parts))
        return text


def _fill(part: str | Hole, lookup: Lookup, unknown: str | None, *, reveal: bool) -> str:
    if isinstance(part, str):
        return part
    filled = lookup(part.name)
    if filled.value is None:
        if part.default is not None:
            return part.default
        if unknown is None:
            raise MissingValueError(part.name)
        return unknown
    if isinstance(filled.value, Secret) and not reveal:
        return filled.value.display or HIDDEN
    if not part.filters:
        return _show(filled)
    for name in part.filters:
        filled = Filled(FILTERS[name](filled))
    return _show(filled)


@lru_cache(maxsize=512)
def parse(text: str) -> Template:
    """Read a template. Raises TemplateError with the place of what is not allowed."""
    if "{" not in text:
        return Template((text,) if text else ())
    if len(text) > MOST_TEXT:
        raise TemplateError(f"a template may have {MOST_TEXT} characters; this has {len(text)}", 0, len(text))
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _environment().parse(text)
    except TemplateSyntaxError as error:
        start = _offset(text, error.lineno)
        raise TemplateError(f"this is not a template: {error.message}", start, len(text)) from None
    except RecursionError:
        raise TemplateError("this template is nested too deeply", 0, len(text)) from None
    parts: list[str | Hole] = []
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            start = max(text.find("{%"), 0)
            raise TemplateError(
                "a template may hold text and {{ names }}, no statements", start, start + 2, "write a branch instead"
            )
        for part in node.nodes:
            parts.append(part.data if isinstance(part, nodes.TemplateData) else _hole(part, text, len(parts)))
    return Template(tuple(parts))


def _hole(node: "nodes.Expr", text: str, seen: int) -> Hole:
    from jinja2 import nodes

    filters: list[str] = []
    default: str | None = None
    while isinstance(node, nodes.Filter):
        arguments = [*node.args, *node.kwargs]
        if node.name == "default":
            if len(arguments) != 1 or not isinstance(arguments[0], nodes.Const):
                raise _refused('write default("a text")', text, seen)
            default = str(arguments[0].value)
        elif node.name not in FILTERS or arguments:
            raise _refused(f"the filters are default, {', '.join(FILTERS)}", text, seen, f"filter {node.name!r}")
        else:
            filters.append(node.name)
        if node.node is None:
            raise _refused("write {{ step.metric }}", text, seen)
        node = node.node
    filters.reverse()
    if isinstance(node, nodes.Name):
        return Hole(Name(None, node.name, 0, 0), tuple(filters), default)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return Hole(Name(node.node.name, node.attr, 0, 0), tuple(filters), default)
    raise _refused("write {{ step.metric }} or {{ inputs.name }}", text, seen, f"{type(node).__name__.lower()}")


def _refused(hint: str, text: str, seen: int, what: str = "this") -> TemplateError:
    start = -1
    for _ in range(max(1, (seen + 1) // 2)):
        start = text.find("{{", start + 1)
    end = text.find("}}", start) + 2
    return TemplateError(f"{what} is not allowed in a template", max(start, 0), max(end, start + 2), hint)


def _offset(text: str, line: int) -> int:
    return sum(len(each) for each in text.splitlines(keepends=True)[: line - 1])


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment

    return Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701 - only ever parses
