"""Texts with ``{{ step.metric }}``: Jinja's syntax, held to what can be checked and can neither hang nor allocate.

Jinja parses; nothing is ever compiled or evaluated by it. A template may hold text, names, and the filters of ``FILTERS``.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from msgspec import Struct

from runbook_engine.conditions import Name
from runbook_engine.quantity import Dimension, Value, counted, prose, show
from runbook_engine.secret import HIDDEN, Secret

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

MOST_TEXT = 20_000
MOST_FILTERS = 8
"""Of one name: ``urlencode`` makes a text longer each time."""


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


def _number(filled: Filled) -> Filled:
    return Filled(_show(filled) if isinstance(filled.value, Secret | None) else str(filled.value))


def _host(filled: Filled) -> Filled:
    """The host of a URL, without its port; a text that is no URL stays as it is."""
    text = _show(filled)
    try:
        return Filled(urlsplit(text).hostname or text)
    except ValueError:
        return Filled(text)


def _port(filled: Filled) -> Filled:
    """The port of a URL: the one that it names, else that of its scheme, else 443."""
    try:
        parts = urlsplit(_show(filled))
        port = parts.port
    except ValueError:
        return Filled("443")
    return Filled(str(port if port is not None else 80 if parts.scheme == "http" else 443))


def _when(filled: Filled, ahead: str, past: str) -> Filled:
    value = filled.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return filled
    said = prose(abs(value), filled.dimension)
    return Filled(f"{ahead} in {said}" if value >= 0 else f"{past} {said} ago")


def _count(filled: Filled, one: str, many: str = "") -> Filled:
    return Filled(counted(_show(filled), one, many))


FILTERS: Mapping[str, Callable[..., Filled]] = MappingProxyType(
    {
        "upper": lambda filled: Filled(_show(filled).upper()),
        "lower": lambda filled: Filled(_show(filled).lower()),
        "trim": lambda filled: Filled(_show(filled).strip()),
        "urlencode": lambda filled: Filled(quote(_show(filled), safe="")),
        "number": _number,
        "host": _host,
        "port": _port,
        "count": _count,
        "when": _when,
    }
)
"""``number`` writes a quantity bare, in its base unit: 0.5 for 500 ms; ``host`` and ``port`` are those of a URL.
``count("session")`` says what is counted: 1 session, 3 sessions; ``count("query waits", "queries wait")`` where an s is not
enough. ``when("expires", "expired")`` says of a time left: expires in 12 days, or expired 3 days ago. ``default("a text")``
stands in for a missing value, and so does ``default(inputs.api_url | host)``.
"""
_ARGUMENTS: Mapping[str, tuple[int, int, str]] = MappingProxyType(
    {
        "count": (1, 2, 'write count("session") or count("query", "queries")'),
        "when": (2, 2, 'write when("expires", "expired")'),
    }
)
"""How many texts a filter takes, at least and at most; the others take none."""


class Applied(Struct, frozen=True):
    """A filter of ``FILTERS`` with the texts that it was given."""

    name: str
    arguments: tuple[str, ...] = ()


class Hole(Struct, frozen=True):
    """One ``{{ … }}``. ``default`` stands in where the name has no value; it is filled as a hole of its own."""

    name: Name
    filters: tuple[Applied, ...] = ()
    default: "str | Hole | None" = None

    @property
    def names(self) -> tuple[Name, ...]:
        """The name, and those that may stand in for it."""
        return (self.name, *self.default.names) if isinstance(self.default, Hole) else (self.name,)


class Template(Struct, frozen=True):
    """Parsed text: pieces of plain text and holes, in order."""

    parts: tuple[str | Hole, ...]

    @property
    def names(self) -> tuple[Name, ...]:
        return tuple(name for part in self.parts if isinstance(part, Hole) for name in part.names)

    @property
    def is_plain(self) -> bool:
        return not self.names

    def missing(self, lookup: Lookup) -> tuple[Name, ...]:
        """The names for want of whose values ``value`` would raise MissingValueError."""
        return tuple(name for part in self.parts if isinstance(part, Hole) for name in _missing(part, lookup))

    def text(self, lookup: Lookup, *, unknown: str | None = None) -> str:
        """The text for people, quantities as sentences say them: 12 days. A missing value is ``unknown``, or raises
        MissingValueError; secrets are hidden.
        """
        return "".join(_fill(part, lookup, unknown, say=prose) for part in self.parts)

    def value(self, lookup: Lookup) -> Value | Secret:
        """The value for a program. A template that is one bare name gives that name's own value, numbers as numbers in
        base units; one that holds a secret gives a Secret that displays itself with the variable's name in place.

        Raises MissingValueError.
        """
        only = self.parts[0] if len(self.parts) == 1 else ""
        while isinstance(only, Hole) and not only.filters:
            filled = lookup(only.name)
            if filled.value is not None:
                return filled.value
            only = only.default or ""
        text = "".join(_fill(part, lookup, None, reveal=True) for part in self.parts)
        if any(isinstance(lookup(name).value, Secret) for name in self.names):
            return Secret(text, "".join(_fill(part, lookup, None) for part in self.parts))
        return text


def _missing(hole: Hole, lookup: Lookup) -> tuple[Name, ...]:
    if isinstance(hole.default, str) or lookup(hole.name).value is not None:
        return ()
    return (hole.name,) if hole.default is None else _missing(hole.default, lookup)


def _fill(
    part: str | Hole,
    lookup: Lookup,
    unknown: str | None,
    *,
    say: Callable[[Value | None, Dimension], str] = show,
    reveal: bool = False,
) -> str:
    if isinstance(part, str):
        return part
    filled = lookup(part.name)
    if filled.value is None:
        if part.default is not None:
            return _fill(part.default, lookup, unknown, say=say, reveal=reveal)
        if unknown is None:
            raise MissingValueError(part.name)
        return unknown
    if isinstance(filled.value, Secret) and not reveal:
        return filled.value.display or HIDDEN
    for each in part.filters:
        filled = FILTERS[each.name](filled, *each.arguments)
    value = filled.value
    return value.reveal() if isinstance(value, Secret) else say(value, filled.dimension)


_BRACES = (
    "write {{ step.metric }} or {{ inputs.name }}; put {% raw %} and {% endraw %} around braces that mean themselves"
)


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
        raise TemplateError(f"this is not a template: {error.message}", start, len(text), _BRACES) from None
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


def literal(text: str) -> str:
    """A text in which nothing is filled in, whatever it holds."""
    try:
        if parse(text).parts in ((), (text,)) and "{#" not in text:
            return text
    except TemplateError:
        pass
    if "endraw" in text:
        return re.sub(r"\{(?=[{%#])", "{ ", text)
    return f"{{% raw %}}{text}{{% endraw %}}"


def readable(text: str) -> str:
    """A text for people while nothing is known yet: ``<service>`` for ``{{ inputs.service }}``, ``<database.used>``."""
    if "{" not in text:
        return text
    try:
        parts = parse(text).parts
    except TemplateError:
        return text
    return "".join(part if isinstance(part, str) else _named(part.name) for part in parts)


def _named(name: Name) -> str:
    return f"<{name.name if name.scope in (None, 'inputs') else name}>"


def _hole(node: "nodes.Expr", text: str, seen: int) -> Hole:
    from jinja2 import nodes

    filters: list[Applied] = []
    default: str | Hole | None = None
    while isinstance(node, nodes.Filter):
        arguments = [*node.args, *node.kwargs]
        if node.name == "default":
            if len(node.args) != 1 or len(arguments) != 1:
                raise _refused('write default("a text") or default(inputs.name)', text, seen)
            stands_in = node.args[0]
            default = str(stands_in.value) if isinstance(stands_in, nodes.Const) else _hole(stands_in, text, seen)
        elif node.name not in FILTERS:
            raise _refused(f"the filters are default, {', '.join(FILTERS)}", text, seen, f"filter {node.name!r}")
        else:
            filters.append(Applied(node.name, _arguments(node, text, seen)))
        if node.node is None:
            raise _refused("write {{ step.metric }}", text, seen)
        if len(filters) > MOST_FILTERS:
            raise _refused(
                f"a name goes through {MOST_FILTERS} filters at most", text, seen, "a longer chain of filters"
            )
        node = node.node
    filters.reverse()
    if isinstance(node, nodes.Name):
        return Hole(Name(None, node.name, 0, 0), tuple(filters), default)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return Hole(Name(node.node.name, node.attr, 0, 0), tuple(filters), default)
    raise _refused("write {{ step.metric }} or {{ inputs.name }}", text, seen, f"{type(node).__name__.lower()}")


def _arguments(node: "nodes.Filter", text: str, seen: int) -> tuple[str, ...]:
    from jinja2 import nodes

    texts = tuple(each.value for each in node.args if isinstance(each, nodes.Const) and isinstance(each.value, str))
    least, most, usage = _ARGUMENTS.get(node.name, (0, 0, f"write {node.name} alone"))
    if len(texts) != len(node.args) or node.kwargs or not least <= len(texts) <= most:
        raise _refused(usage, text, seen, f"what filter {node.name!r} is given")
    return texts


def _refused(hint: str, text: str, seen: int, what: str = "this") -> TemplateError:
    start = -1
    for _ in range(max(1, (seen + 1) // 2)):
        start = text.find("{{", start + 1)
    end = text.find("}}", start) + 2
    return TemplateError(f"{what} is not allowed in a template", max(start, 0), max(end, start + 2), hint)


_LINE_BREAK = re.compile(r"\r\n|\r|\n")  # as Jinja counts lines


def _offset(text: str, line: int) -> int:
    ends = [0, *(each.end() for each in _LINE_BREAK.finditer(text)), len(text)]
    return ends[min(line, len(ends)) - 1]


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment

    return Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701 - only ever parses
