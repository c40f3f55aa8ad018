"""A document's text, with the place of every value in it."""

from collections.abc import Mapping
from functools import cached_property

import yaml

from runbook_engine.document.fixes import Fix, in_quotes, replaced, rewritten
from runbook_engine.document.lines import START, Lines, Span
from runbook_engine.document.nodes import MappingNode, Node, SequenceNode, extent
from runbook_engine.document.scalars import offsets
from runbook_engine.document.yaml_text import compose_tree

Key = str | int
Path = tuple[Key, ...]
"""The way to a value: ``("steps", "database", "branches", 0, "when")``."""


class Source:
    """Looks up where a value or a key stands. Nothing is computed before somebody asks.

    ``moved`` says where list items and keys stood before the document was salvaged: for a list or mapping at a path, the
    original index or key of each. Paths given to the methods are those of the salvaged document.
    """

    def __init__(
        self, file: str, text: str, root: Node | None = None, moved: Mapping[Path, Mapping[Key, Key]] | None = None
    ) -> None:
        self.file = file
        self.text = text.removeprefix("\ufeff")
        self._given = root
        self._moved = moved or {}

    def span(self, path: Path, *, key: bool = False) -> Span:
        """The place of the value at ``path``, or of its key; of the nearest key above when it is not in the text.

        The value of a list item is the item itself, and so is its key. An index below a value that is not a list means the
        value itself: ``goto: cache`` is ``goto: [cache]``.
        """
        found, keys = self._walk(path)
        if found is None or (key and not (path and isinstance(path[-1], int))):
            return self.span_of(*keys) if keys is not None else START
        return self.span_of(*extent(found, self.text))

    def span_within(self, path: Path, start: int, end: int) -> Span:
        """The place of ``value[start:end]`` for the text at ``path``; of the whole value where that cannot be told."""
        node, _ = self._walk(path)
        if node is None or isinstance(node, MappingNode | SequenceNode):
            return self.span(path)
        places = offsets(node, self.text)
        if places is None or not places or start >= len(places):
            return self.span(path)
        first = places[max(start, 0)]
        last = places[min(max(end, start + 1), len(places)) - 1]
        return self.span_of(first[0], max(last[1], first[1]))

    def rewritten(
        self, path: Path, text: str, *, key: bool = False, within: tuple[int, int] | None = None
    ) -> Fix | None:
        """The fix that writes ``text`` in place of the text at ``path``, of its key, or of ``value[within]``.

        Quotes stay. None where that is not safe: for what an alias stands for too, or what would be read as something else.
        """
        node = self._scalar(path, key=key)
        return None if node is None else rewritten(node, self.text, text, within)

    def in_quotes(self, path: Path, *, key: bool = False) -> Fix | None:
        """The fix that makes a text of what stands at ``path`` without quotes."""
        node = self._scalar(path, key=key)
        return None if node is None else in_quotes(node, self.text)

    def replaced(self, path: Path, written: str) -> Fix | None:
        """The fix that writes a plain value in place of the one at ``path``, with its quotes, if it has some."""
        node = self._scalar(path)
        return (
            None if node is None or node.anchor is not None else replaced(extent(node, self.text), self.text, written)
        )

    def span_of(self, start: int, end: int) -> Span:
        """The place of ``text[start:end]``."""
        return self._lines.span(start, end)

    def salvaged(self, moved: Mapping[Path, Mapping[Key, Key]]) -> "Source":
        """The same text, for paths of a document out of which some parts were taken."""
        return Source(self.file, self.text, self._root, moved) if moved else self

    def _scalar(self, path: Path, *, key: bool = False) -> yaml.ScalarEvent | None:
        """The text at the path, or its key; None where there is none of its own."""
        if key and path:
            above, _ = self._walk(path[:-1])
            name = self._moved.get(path[:-1], {}).get(path[-1], path[-1])
            entry = above.entries.get(name) if isinstance(above, MappingNode) and isinstance(name, str) else None
            return entry[0] if entry is not None else None
        node, _ = self._walk(path)
        return node if isinstance(node, yaml.ScalarEvent) else None

    def _walk(self, path: Path) -> tuple[Node | None, tuple[int, int] | None]:
        """The node at the path and the offsets of the last key on the way that exists."""
        node, key = self._root, None
        if node is None:
            return None, None
        if isinstance(node, MappingNode) and node.entries:
            first = next(iter(node.entries.values()))[0]
            key = extent(first, self.text)
        for depth, given in enumerate(path):
            step = self._moved.get(path[:depth], {}).get(given, given)
            if isinstance(node, MappingNode):
                entry = node.entries.get(step) if isinstance(step, str) else None
                if entry is None:
                    return None, key
                key, node = extent(entry[0], self.text), entry[1]
            elif isinstance(node, SequenceNode):
                if not (isinstance(step, int) and 0 <= step < len(node.items)):
                    return None, key
                node = node.items[step]
                key = extent(node, self.text)
            elif not isinstance(step, int):
                return None, key
        return node, key

    @cached_property
    def _root(self) -> Node | None:
        return self._given if self._given is not None else compose_tree(self.text)

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.text)
