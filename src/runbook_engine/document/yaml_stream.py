"""YAML that others write, read as their tools read it: any number of documents, merge keys, tags, keys of any kind."""

import yaml

from runbook_engine.document.nodes import MappingNode, Node, Raw, SequenceNode, begin, end, extent
from runbook_engine.document.yaml_text import IGNORED, Composed, Reader, composed

MERGE = "<<"


def compose_stream(text: str, file: str) -> Composed:
    """Read all documents of a text.

    ``value`` is the list of the documents, ``root`` the tree of it. Raises nothing, as ``compose``.
    """
    return composed(_StreamReader(text, with_places=True), file)


class _StreamReader(Reader):
    """Reads the documents of others. What a mapping merges stands where it was written; its own keys count before that.

    https://yaml.org/type/merge.html
    """

    most_documents = 10_000

    def __init__(self, text: str, *, with_places: bool) -> None:
        super().__init__(text, with_places=with_places)
        self.values: list[Raw] = []
        self.all = SequenceNode(yaml.SequenceStartEvent(None, None, True), 0)
        self.merged: dict[int, list[tuple[Raw, Node]]] = {}

    def read(self) -> "_StreamReader":
        super().read()
        self.all.value, (self.value, self.root) = self.values, (self.values, self.all)
        return self

    def document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > self.most_documents:
            self.stop("RB108", f"the file has more than {self.most_documents} documents", begin(event), end(event))
        self.value = self.root = None
        self.anchors.clear()

    def end_document(self, event: yaml.DocumentEndEvent) -> None:
        self.values.append(self.value)
        self.all.items.append(
            self.root or yaml.ScalarEvent(None, None, (True, False), "", event.start_mark, event.end_mark)
        )

    def refuse_tag(self, event: yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        """A tag says of what kind a value is, which nobody asks here."""

    def usable_key(self, parent: MappingNode, raw: Raw, node: Node) -> yaml.ScalarEvent:
        """Numbers are keys as they are written; what has a collection for a key is read and dropped."""
        if not isinstance(node, yaml.ScalarEvent):
            is_template = node.opened.flow_style and self.text.startswith("{{", begin(parent.opened))
            return super().usable_key(parent, raw, node) if is_template else IGNORED
        if node.value == MERGE or not isinstance(raw, str):
            return IGNORED if node.value != MERGE and node.value in parent.value else node
        return super().usable_key(parent, raw, node)

    def put(self, raw: Raw, node: Node) -> None:
        key, parent = self.key, self.node
        if isinstance(parent, MappingNode) and key is not None and key is not IGNORED and self.merges(key):
            self.merged.setdefault(id(parent), []).append((raw, node))
            self.key = None
            return
        super().put(raw, node)

    def merges(self, key: yaml.ScalarEvent) -> bool:
        return key.value == MERGE and key.implicit[0]

    def close(self, event: yaml.Event) -> None:
        if isinstance(self.node, MappingNode):
            for raw, node in self.merged.pop(id(self.node), ()):
                self.merge(self.node, raw, node)
        super().close(event)

    def merge(self, into: MappingNode, raw: Raw, node: Node) -> None:
        if isinstance(raw, dict) and isinstance(node, MappingNode):
            for name, value in raw.items():
                if name not in into.value:
                    into.value[name], into.entries[name] = value, node.entries[name]
        elif isinstance(raw, list) and isinstance(node, SequenceNode):
            for each, item in zip(raw, node.items, strict=True):
                self.merge(into, each, item)
        else:
            self.report("RB106", "what is merged (<<) is no mapping", *extent(node, self.text), "write a mapping")
