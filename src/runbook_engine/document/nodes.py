"""The tree of a YAML text: what stands where. Built only when somebody asks for a place."""

from dataclasses import dataclass, field

import yaml

Raw = object
"""What YAML says: None, bool, int, float, str, and ``list`` and ``dict`` of them; keys are texts."""


@dataclass(slots=True, eq=False)
class MappingNode:
    """``entries`` has each key with its place and its value; ``size`` counts nodes, ``height`` levels."""

    opened: yaml.MappingStartEvent
    size: int
    height: int = 1
    closed: yaml.Event | None = None
    value: dict[str, Raw] = field(default_factory=dict)
    entries: "dict[str, tuple[yaml.ScalarEvent, Node]]" = field(default_factory=dict)
    is_template: bool = False

    @property
    def last(self) -> "Node | None":
        return next(reversed(self.entries.values()))[1] if self.entries else None


@dataclass(slots=True, eq=False)
class SequenceNode:
    opened: yaml.SequenceStartEvent
    size: int
    height: int = 1
    closed: yaml.Event | None = None
    value: list[Raw] = field(default_factory=list)
    items: "list[Node]" = field(default_factory=list)

    @property
    def last(self) -> "Node | None":
        return self.items[-1] if self.items else None


Collection = MappingNode | SequenceNode
Node = yaml.ScalarEvent | MappingNode | SequenceNode


def extent(node: Node, text: str) -> tuple[int, int]:
    """Where the node begins and ends in the text, without the white space after it."""
    if isinstance(node, yaml.ScalarEvent):
        start, end = node.start_mark.index, node.end_mark.index
    else:
        start, end = node.opened.start_mark.index, _end(node)
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, max(start, end)


def _end(node: Collection) -> int:
    """A block collection's last event lies after the comments that follow it; the end of its last value does not."""
    start, here = node.opened.start_mark.index, node
    while True:
        last = here.last
        if here.opened.flow_style or last is None:
            closed = here.closed or here.opened
            end: int = closed.end_mark.index
            break
        if isinstance(last, yaml.ScalarEvent):
            end = last.end_mark.index
            break
        here = last
    if end < start:  # the last value is an alias, which stands for something further up
        closed = node.closed or node.opened
        end = closed.end_mark.index
    return end
