"""YAML read once, without recursion, into plain values and a tree of places.

The document is a subset of YAML 1.2: text keys, no tags, no merge keys, one document. Mistakes that do not hide the rest
of the text are reported, and read as what the author most likely meant.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NoReturn

import yaml
from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.document.diagnostics import Diagnostic, Related, quoted
from runbook_engine.document.fixes import Fix, in_quotes, quote
from runbook_engine.document.lines import Lines
from runbook_engine.document.nodes import Collection, MappingNode, Node, Raw, SequenceNode, begin, end, extent
from runbook_engine.document.scalars import resolve
from runbook_engine.document.syntax import MOST_DEPTH, QUOTE_TEMPLATE, TOO_DEEP, Problem, explain, unreadable

MOST_CHARACTERS = 4 * 1024 * 1024
MOST_NODES = 500_000
MOST_REPEATED = 100_000
"""Values that aliases write out once more: a few characters can ask for any number of them."""
MOST_PROBLEMS = 100


class Composed(Struct, frozen=True):
    """What a text says. ``root`` is its tree, if one was needed; both are None where nothing can be trusted."""

    value: Raw
    root: Node | None
    diagnostics: tuple[Diagnostic, ...]


def compose(text: str, file: str) -> Composed:
    """Read a text that begins with no byte order mark. Raises nothing: what is wrong is in ``diagnostics``."""
    try:
        # A sound document is by far the most frequent one, and reading it without places takes half the time.
        return Composed(Reader(text, with_places=False).read().value, None, ())
    except _MistakeError:
        return composed(Reader(text, with_places=True), file)


def composed(reader: "Reader", file: str) -> Composed:
    """What a reader reads with places, to the end or to the first mistake after which nothing can be trusted."""
    try:
        reader.read()
    except _MistakeError as fatal:
        reader.end_with(fatal.problem)
    found = (
        Diagnostic(
            each.code,
            each.message,
            file,
            reader.lines.span(each.start, each.end),
            each.label,
            each.help,
            fix=each.fix,
            related=tuple(Related(text, reader.lines.span(*place)) for text, *place in each.related),
        )
        for each in reader.problems
    )
    return Composed(reader.value, reader.root, tuple(found))


def compose_tree(text: str) -> Node | None:
    """The places of everything in a text; None where it is empty or no YAML."""
    try:
        return Reader(text, with_places=True).read().root
    except _MistakeError:
        return None


class _MistakeError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
IGNORED = yaml.ScalarEvent(None, None, (True, False), "")
"""Stands for a key that was refused; its value is read and dropped."""


class Reader:
    """Folds YAML's events into values. ``node`` is the open collection, ``key`` its key that waits for a value.

    Without places, the first mistake ends the reading.
    """

    most_documents = 1

    def __init__(self, text: str, *, with_places: bool) -> None:
        self.text = text
        self.with_places = with_places
        self.problems: list[Problem] = []
        self.value: Raw = None
        self.root: Node | None = None
        self.node: Collection | None = None
        self.key: yaml.ScalarEvent | None = None
        self.stack: list[tuple[Collection | None, yaml.ScalarEvent | None]] = []
        self.anchors: dict[str, tuple[Raw, Node]] = {}
        self.count = 0
        self.repeated = 0
        self.documents = 0

    def read(self) -> "Reader":
        if len(self.text) > MOST_CHARACTERS:
            self.stop("RB108", f"the document has more than {MOST_CHARACTERS} characters", 0, 0, "split it")
        bad = unreadable(self.text)
        if bad is not None:
            raise _MistakeError(bad)
        handlers: Mapping[type[yaml.Event], Callable[..., None]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.open_mapping,
            yaml.MappingEndEvent: self.close,
            yaml.SequenceStartEvent: self.open_sequence,
            yaml.SequenceEndEvent: self.close,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
            yaml.DocumentEndEvent: self.end_document,
        }
        loader = _Loader(self.text)
        next_event, handler = loader.get_event, handlers.get
        try:
            while (event := next_event()) is not None and self.documents <= self.most_documents:
                handle = handler(event.__class__)
                if handle is not None:
                    handle(event)
        except yaml.YAMLError as error:
            raise _MistakeError(explain(error, self.text)) from error
        finally:
            loader.dispose()
        return self

    @cached_property
    def lines(self) -> Lines:
        return Lines(self.text)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        self.count += 1
        if self.count > MOST_NODES:
            self.stop_too_large(event, f"{MOST_NODES} values")
        raw = resolve(event.value) if event.implicit[0] else event.value
        if event.tag is not None:
            self.refuse_tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = raw, event
        self.put(raw, event)

    def open_mapping(self, event: yaml.MappingStartEvent) -> None:
        self.open(MappingNode(event, self.count))

    def open_sequence(self, event: yaml.SequenceStartEvent) -> None:
        self.open(SequenceNode(event, self.count))

    def open(self, node: Collection) -> None:
        event = node.opened
        if len(self.stack) >= MOST_DEPTH:
            at = begin(event)
            self.stop("RB108", TOO_DEEP, at, at + 1)
        if self.count > MOST_NODES:
            self.stop_too_large(event, f"{MOST_NODES} values")
        if event.tag is not None:
            self.refuse_tag(event)
        self.count += 1
        self.stack.append((self.node, self.key))
        self.node, self.key = node, None

    def close(self, event: yaml.Event) -> None:
        node = self.node
        assert node is not None  # noqa: S101 - the parser closes only what it opened
        node.closed = event
        node.size = self.count - node.size
        self.node, self.key = self.stack.pop()
        if node.opened.anchor is not None:
            self.anchors[node.opened.anchor] = node.value, node
        if isinstance(node, MappingNode) and node.is_template:
            self.put_template(node, event)
            return
        if self.node is not None and self.node.height <= node.height:
            self.node.height = node.height + 1
        self.put(node.value, node)

    def alias(self, event: yaml.AliasEvent) -> None:
        at = begin(event)
        if event.anchor not in self.anchors:
            self.stop(
                "RB102", f"{quoted(f'*{event.anchor}')} repeats an anchor that is not complete above it", at, at + 1
            )
        raw, node = self.anchors[event.anchor]
        if isinstance(node, yaml.ScalarEvent):
            self.count += 1
        else:
            self.count += node.size
            self.repeated += node.size
            if len(self.stack) + node.height > MOST_DEPTH or self.repeated > MOST_REPEATED:
                self.stop_too_large(event, f"{MOST_REPEATED} values or {MOST_DEPTH} levels, its aliases written out")
            raw = _copied(raw)
            if self.node is not None and self.node.height <= node.height:
                self.node.height = node.height + 1
        self.put(raw, node)

    def document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self.report(
                "RB106", "a second document begins here", begin(event), end(event), "one file holds one document"
            )

    def end_document(self, event: yaml.DocumentEndEvent) -> None:
        """One is all that there is."""

    def put(self, raw: Raw, node: Node) -> None:
        """Give the open collection its next key, value or item."""
        parent = self.node
        if isinstance(parent, MappingNode):
            key = self.key
            if key is None:
                self.key = self.usable_key(parent, raw, node)
                return
            if key is not IGNORED:
                name = key.value
                parent.value[name] = raw
                if self.with_places:
                    parent.entries[name] = key, node
            self.key = None
        elif parent is not None:
            parent.value.append(raw)
            if self.with_places:
                parent.items.append(node)
        else:
            self.value, self.root = raw, node

    def put_template(self, node: MappingNode, closed: yaml.Event) -> None:
        """``{{ inputs.x }}`` without quotes: say so, and read it as the text that it was meant to be."""
        start, stop = begin(node.opened), end(closed)
        text = self.text[start:stop]
        self.report(
            "RB107",
            "a template begins with {{, which YAML reads as a mapping",
            start,
            stop,
            QUOTE_TEMPLATE,
            fix=quote(start, stop, self.text),
        )
        self.put(text, yaml.ScalarEvent(None, None, (False, True), text, node.opened.start_mark, closed.end_mark))

    def usable_key(self, parent: MappingNode, raw: Raw, node: Node) -> yaml.ScalarEvent:
        """The key that the next value belongs to; ``IGNORED`` after reporting one that cannot be used."""
        if not isinstance(node, yaml.ScalarEvent):
            if node.opened.flow_style and self.text.startswith("{{", begin(parent.opened)):
                parent.is_template = True
            else:
                self.report("RB105", "a key is a text, not a mapping or a list", *extent(node, self.text))
        elif not isinstance(raw, str):
            written = node.value or "nothing"
            self.report(
                "RB105",
                f"a key is a text, which {quoted(written)} is not without quotes",
                *extent(node, self.text),
                "write it in quotes",
                fix=in_quotes(node, self.text),
            )
        elif raw == "<<" and node.implicit[0]:
            self.report(
                "RB106", "merge keys (<<) are not used in documents", *extent(node, self.text), "write the keys out"
            )
        elif raw in parent.value:
            first = self.first_given(parent, raw)
            place = self.lines.span(*first) if first is not None else None
            self.report(
                "RB104",
                f"the key {quoted(raw)} is given twice",
                *extent(node, self.text),
                f"first given at line {place.line}, column {place.column}" if place is not None else "",
                related=(("first given here", *first),) if first is not None else (),
            )
        else:
            return node
        return IGNORED

    def first_given(self, parent: MappingNode, key: str) -> tuple[int, int] | None:
        return extent(parent.entries[key][0], self.text) if key in parent.entries else None

    def refuse_tag(self, event: yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        start = self.text.index("!", begin(event))
        end = start
        while end < len(self.text) and not self.text[end].isspace() and self.text[end] not in ",[]{}":
            end += 1
        tag = self.text[start:end]
        self.report(
            "RB106",
            f"the tag {quoted(tag)} is not used in documents",
            start,
            end,
            "remove it",
            "to make a text, use quotes",
        )

    def report(
        self,
        code: str,
        message: str,
        start: int,
        end: int,
        label: str = "",
        hint: str = "",
        fix: Fix | None = None,
        related: tuple[tuple[str, int, int], ...] = (),
    ) -> None:
        problem = Problem(code, message, start, end, label, hint, fix, related)
        if not self.with_places or len(self.problems) >= MOST_PROBLEMS:
            raise _MistakeError(problem)
        self.problems.append(problem)

    def end_with(self, fatal: Problem) -> None:
        """Nothing can be trusted after this; on its own line nothing before it either, so that no fix there is certain."""
        line = self.lines.span(fatal.start, fatal.start).line
        for index, each in enumerate(self.problems):
            if each.fix is not None and self.lines.span(each.start, each.end).end_line == line:
                same = (each.code, each.start) == (fatal.code, fatal.start)
                self.problems[index] = replace(each, fix=fatal.fix if same else None)
        if all((each.code, each.start) != (fatal.code, fatal.start) for each in self.problems):
            self.problems.append(fatal)
        self.root, self.value = None, None

    def stop(self, code: str, message: str, start: int, end: int, label: str = "") -> NoReturn:
        raise _MistakeError(Problem(code, message, start, end, label))

    def stop_too_large(self, event: yaml.NodeEvent, bounds: str) -> NoReturn:
        self.stop("RB108", f"the document has more than {bounds}", begin(event), end(event))


def _copied(raw: Raw) -> Raw:
    """A value of its own for each alias, because salvaging a document takes broken parts out of it."""
    if isinstance(raw, dict):
        return {key: _copied(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_copied(each) for each in raw]
    return raw
