"""The tree of a YAML text: what stands where. Built only when somebody asks for a place."""

import yaml
from msgspec import Struct

Raw = object
"""What YAML says: None, bool, int, float, str, and ``list`` and ``dict`` of them; keys are texts."""


class MappingNode(Struct, eq=False):
    """``entries`` has each key with its place and its value; ``size`` counts nodes, ``height`` levels."""

    opened: yaml.MappingStartEvent
    size: int
    height: int = 1
    closed: yaml.Event | None = None
    value: dict[str, Raw] = {}
    entries: "dict[str, tuple[yaml.ScalarEvent, Node]]" = {}
    is_template: bool = False

    @property
    def last(self) -> "Node | None":
        return next(reversed(self.entries.values()))[1] if self.entries else None


class SequenceNode(Struct, eq=False):
    opened: yaml.SequenceStartEvent
    size: int
    height: int = 1
    closed: yaml.Event | None = None
    value: list[Raw] = []
    items: "list[Node]" = []

    @property
    def last(self) -> "Node | None":
        return self.items[-1] if self.items else None


Collection = MappingNode | SequenceNode
Node = yaml.ScalarEvent | MappingNode | SequenceNode


def begin(event: yaml.Event) -> int:
    """The offset of an event's first character."""
    mark = event.start_mark
    return mark.index if mark is not None else 0


def end(event: yaml.Event) -> int:
    """The offset just after an event's last character."""
    mark = event.end_mark
    return mark.index if mark is not None else 0


def extent(node: Node, text: str) -> tuple[int, int]:
    """Where the node begins and ends in the text, without the white space after it."""
    start, stop = (begin(node), end(node)) if isinstance(node, yaml.ScalarEvent) else (begin(node.opened), _end(node))
    while stop > start and text[stop - 1].isspace():
        stop -= 1
    return start, max(start, stop)


def _end(node: Collection) -> int:
    """A block collection's last event lies after the comments that follow it; the end of its last value does not."""
    here: Node | None = node
    while here is not None and not isinstance(here, yaml.ScalarEvent) and here.last and not here.opened.flow_style:
        here = here.last
    stop = end(here if isinstance(here, yaml.ScalarEvent) else (here or node).closed or node.opened)
    # A last value that is an alias stands for something further up.
    return stop if stop >= begin(node.opened) else end(node.closed or node.opened)
