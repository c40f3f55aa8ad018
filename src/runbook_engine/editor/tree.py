"""The tree of a text that is half written: what keeps it from being read is left out."""

from collections.abc import Iterator

import yaml
from msgspec import Struct

from runbook_engine.document.lines import LINE_BREAK
from runbook_engine.document.nodes import MappingNode, Node, Raw, SequenceNode, begin, end
from runbook_engine.document.source import Path
from runbook_engine.document.yaml_text import MOST_CHARACTERS, compose, compose_tree

_MOST_LEFT_OUT = 12


class Place(Struct, frozen=True):
    """A text in the tree: a key, or a value that is no collection. ``above`` is what it stands in."""

    path: Path
    event: yaml.ScalarEvent
    is_key: bool
    above: Node | None = None

    @property
    def text(self) -> str:
        return self.event.value


def salvaged(text: str) -> Node | None:
    """The tree; lines that keep the text from being YAML count as blank, so that all else is where it was."""
    for _ in range(_MOST_LEFT_OUT):
        root = compose_tree(text)
        if root is not None or not text.strip() or len(text) > MOST_CHARACTERS:
            return root
        found = compose(text, "").diagnostics
        shorter = _without_line(text, found[-1].span.line if found else 1)
        if shorter is None:
            return None
        text = shorter
    return None


def _without_line(text: str, number: int) -> str | None:
    """The text with a line blanked, or the last before it that is not blank already; None where all are."""
    starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]
    for index in range(min(number, len(starts)) - 1, -1, -1):
        found = LINE_BREAK.search(text, starts[index])
        stop = found.start() if found else len(text)
        line = text[starts[index] : stop]
        if line.strip():
            return f"{text[: starts[index]]}{' ' * len(line)}{text[stop:]}"
    return None


def places(root: Node | None) -> Iterator[Place]:
    """All texts of a tree, in their order."""
    waiting: list[tuple[Path, Node | Place]] = [((), root)] if root is not None else []
    above: Node | None = None
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, Place):
            yield node
        elif isinstance(node, MappingNode):
            found: list[tuple[Path, Node | Place]] = []
            for key, (event, value) in node.entries.items():
                below = (*path, key)
                found.append((below, Place(below, event, is_key=True, above=node)))
                found.append((below, _leaf(below, value, node)))
            waiting += reversed(found)
        elif isinstance(node, SequenceNode):
            items = [((*path, index), _leaf((*path, index), each, node)) for index, each in enumerate(node.items)]
            waiting += reversed(items)
        else:
            yield Place(path, node, is_key=False, above=above)


def _leaf(path: Path, node: Node, above: Node) -> Node | Place:
    return Place(path, node, is_key=False, above=above) if isinstance(node, yaml.ScalarEvent) else node


def place_at(root: Node | None, offset: int) -> Place | None:
    """The text that a character belongs to; the one just after the last counts, too."""
    return next((each for each in places(root) if begin(each.event) <= offset <= end(each.event)), None)


def node_at(root: Node | None, path: Path) -> Node | None:
    """What stands at a path."""
    here = root
    for key in path:
        if isinstance(here, MappingNode) and isinstance(key, str) and key in here.entries:
            here = here.entries[key][1]
        elif isinstance(here, SequenceNode) and isinstance(key, int) and key < len(here.items):
            here = here.items[key]
        else:
            return None
    return here


def raw(node: Node | None) -> Raw:
    """The value of a node, as far as it can be told; texts stay texts."""
    if isinstance(node, MappingNode | SequenceNode):
        return node.value
    return node.value if node is not None else None
