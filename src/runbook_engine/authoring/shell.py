"""Shell as bash reads it: which lines make one command, and what its words are.

The grammar is tree-sitter's: https://github.com/tree-sitter/tree-sitter-bash. Nothing is ever run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_PLACEHOLDER = re.compile(r"<[A-Za-z][\w.:/-]*(?: [\w.:/-]+)*>")
"""``<pod-name>``, as procedures write what is to be filled in. A shell would read from a file of that name."""
_CAPITALS = re.compile(r"(?:YOUR|MY)_[A-Z_]+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
_QUIET = re.compile(r"(?:[12&]?>>?\s*/dev/null|2>\s*&1|&>\s*/dev/null|<\s*/dev/null|>&\s*2)\Z")
_SILENT_ENDS = frozenset({"echo", "printf", "true", "false", "exit"})

Kind = Literal["pipeline", "setting", "script"]


class Word(Struct, frozen=True):
    """A word of a command. ``value`` is what the shell makes of it, None where that is only known when it is run."""

    source: str
    value: str | None
    variable: str | None = None
    """The variable that the word is as a whole: ``$HOST``, ``"${HOST}"``."""


class Call(Struct, frozen=True):
    """A simple command. ``redirects`` are those that put something in or take something out."""

    words: tuple[Word, ...]
    assigned: Mapping[str, Word]
    redirects: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Without the directory; empty where it is only known when it is run."""
        return (self.words[0].value or "").rpartition("/")[2] if self.words else ""


class Statement(Struct, frozen=True):
    """A whole command. A pipeline has its calls; a setting changes the shell that runs what follows; a script is the rest."""

    text: str
    kind: Kind
    calls: tuple[Call, ...] = ()
    sets: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()


def statements(text: str) -> Sequence[Statement] | None:
    """The commands of a text, in their order, each whole; None where it does not end here or is no shell."""
    masked = _PLACEHOLDER.sub(lambda found: "x" * len(found[0].encode()), text)
    root = _parser().parse(masked.encode()).root_node
    if root.has_error:
        return None
    return [each for part in _apart(root) for each in _Reader(text, masked).read(part)]


@lru_cache(maxsize=1)
def _parser() -> "Parser":
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def _apart(root: "Node") -> Iterator[list["Node"]]:
    """Statements, each with what cannot be taken from it: ``curl x?a=1&b=2`` is one, whatever a shell makes of it."""
    part: list[Node] = []
    for node in root.children:
        if node.type == "comment" or (node.type in (";", ";;", "\n") and part):
            continue
        glued = bool(part) and (node.type == "&" or part[-1].type == "&") and part[-1].end_byte == node.start_byte
        if part and node.type != "&" and not glued:
            yield part
            part = []
        part.append(node)
    if part:
        yield part


class _Reader:
    def __init__(self, text: str, masked: str) -> None:
        self._text = text.encode()
        self._masked = masked.encode()

    def read(self, part: "list[Node]") -> Iterator[Statement]:
        if len(part) > 1:
            yield self._whole(part[0], part[-1], "script")
        elif part[0].type == "list":
            yield from self._list(part[0])
        else:
            yield self._statement(part[0])

    def _list(self, node: "Node") -> Iterator[Statement]:
        """``a && b`` are two commands where each may be run by itself; ``a || echo no`` is a, whatever is said after it."""
        parts, operators = self._flat(node)
        made = [self._statement(each) for each in parts]
        if set(operators) == {"&&"} and all(each.kind == "pipeline" and not _says_only(each) for each in made):
            yield from made
        elif made[0].kind == "pipeline" and all(map(_says_only, made[1:])):
            yield self._whole(node, node, "pipeline", made[0].calls)
        else:
            yield self._whole(node, node, "script")

    def _flat(self, node: "Node") -> "tuple[list[Node], list[str]]":
        parts: list[Node] = []
        operators: list[str] = []
        for child in node.children:
            if child.type == "list":
                inner, signs = self._flat(child)
                parts.extend(inner)
                operators.extend(signs)
            elif child.is_named:
                parts.append(child)
            else:
                operators.append(child.type)
        return parts, operators

    def _statement(self, node: "Node") -> Statement:
        calls = self._calls(node)
        if calls is None:
            setting = node.type in (
                "variable_assignment",
                "variable_assignments",
                "declaration_command",
                "unset_command",
            )
            return self._whole(node, node, "setting" if setting else "script")
        setting = len(calls) == 1 and calls[0].name in ("cd", "source", ".", "set", "shopt", "umask", "alias", "pushd")
        return self._whole(node, node, "setting" if setting else "pipeline", tuple(calls))

    def _whole(self, first: "Node", last: "Node", kind: Kind, calls: tuple[Call, ...] = ()) -> Statement:
        text = self._text[first.start_byte : last.end_byte].decode()
        nodes = [first] if first == last else [first, last]
        sets = frozenset(name for each in nodes for name in self._names(each, "variable_assignment"))
        uses = frozenset(
            name for each in nodes for kind in ("simple_expansion", "expansion") for name in self._names(each, kind)
        )
        return Statement(text, kind, calls, sets, uses)

    def _names(self, node: "Node", kind: str) -> Iterator[str]:
        for each in _below(node):
            if each.type == kind:
                yield from (self._source(one) for one in each.children if one.type == "variable_name")

    def _calls(self, node: "Node") -> list[Call] | None:
        """The commands of a pipeline, None where it is something else."""
        match node.type:
            case "command":
                return [self._call(node, ())]
            case "pipeline":
                found: list[Call] = []
                for child in node.children:
                    made = self._calls(child) if child.is_named else []
                    if made is None:
                        return None
                    found.extend(made)
                return found
            case "redirected_statement":
                return self._redirected(node)
        return None

    def _redirected(self, node: "Node") -> list[Call] | None:
        body, *redirects = node.children
        inner = self._calls(body)
        if inner is None or any(each.type == "heredoc_redirect" for each in redirects):
            return None
        sources = [self._source(each) for each in redirects]
        telling = tuple(each for each in sources if _QUIET.fullmatch(each) is None)
        last = inner[-1]
        return [*inner[:-1], Call(last.words, last.assigned, (*last.redirects, *telling))]

    def _call(self, node: "Node", redirects: tuple[str, ...]) -> Call:
        words: list[Word] = []
        assigned: dict[str, Word] = {}
        for child in node.children:
            if child.type == "variable_assignment":
                name, *rest = [each for each in child.children if each.is_named]
                assigned[self._source(name)] = self._word(rest[-1]) if rest else Word("", "")
            elif child.type in ("herestring_redirect", "file_redirect", "heredoc_redirect"):
                source = self._source(child)
                redirects = redirects if _QUIET.fullmatch(source) else (*redirects, source)
            else:
                words.append(self._word(child.children[0] if child.type == "command_name" else child))
        return Call(tuple(words), assigned, redirects)

    def _word(self, node: "Node") -> Word:
        source = self._source(node)
        if self._text[node.start_byte : node.end_byte] != self._masked[node.start_byte : node.end_byte]:
            return Word(source, None)
        inner = [each for each in node.children if each.is_named]
        only = inner[0] if node.type == "string" and len(inner) == 1 else node
        return Word(source, self._value(node), self._variable(only))

    def _variable(self, node: "Node") -> str | None:
        found = re.fullmatch(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", self._source(node), re.ASCII)
        return None if found is None or "expansion" not in node.type else found[1] or found[2]

    def _value(self, node: "Node") -> str | None:
        source = self._source(node)
        match node.type:
            case "word" | "number":
                literal = re.search(r"[*\[{}]|^~", re.sub(r"\\.", "", source)) is None and not _CAPITALS.match(source)
                return re.sub(r"\\(?:\n|(.))", r"\1", source) if literal and not node.children else None
            case "raw_string":
                return source[1:-1]
            case "string":
                if any(each.is_named and each.type != "string_content" for each in node.children):
                    return None
                return re.sub(r'\\([\n\\"$`])', lambda found: found[1].strip("\n"), source[1:-1])
            case "concatenation":
                values = [self._value(each) for each in node.children]
                return None if None in values else "".join(each or "" for each in values)
        return None

    def _source(self, node: "Node") -> str:
        return self._text[node.start_byte : node.end_byte].decode()


def _says_only(statement: Statement) -> bool:
    return statement.kind == "pipeline" and len(statement.calls) == 1 and statement.calls[0].name in _SILENT_ENDS


def _below(node: "Node") -> "Iterator[Node]":
    open_ = [node]
    while open_:
        each = open_.pop()
        yield each
        open_.extend(each.children)
