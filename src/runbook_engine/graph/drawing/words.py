"""A picture in words, for those who hear it and those who point at it."""

from runbook_engine.graph.drawing.picture import Node, Picture


def described(drawn: Picture) -> str:
    """The whole picture in a few sentences."""
    counted = f"A decision graph of {len(drawn.nodes)} {'step' if len(drawn.nodes) == 1 else 'steps'}"
    title = {node.id: node.title for node in drawn.nodes}
    begins = f"It starts with {_listed([title[step] for step in drawn.start])}." if drawn.start else ""
    if not drawn.has_run:
        return f"{counted}. {begins}"
    groups: dict[str, list[str]] = {}
    for node in drawn.nodes:
        groups.setdefault(node.status, []).append(node.title)
    told = " ".join(f"{status.capitalize()}: {_listed(titles)}." for status, titles in groups.items())
    return f"{counted}, with the path that a run took. {begins} {told}"


def spoken(node: Node) -> str:
    """One step: what it is, what became of it, and where it leads."""
    taken = [way for fork in node.forks for way in fork.ways if way.taken]
    parts = [f"{node.title} ({node.id}, {node.detail})"]
    if node.status:
        parts.append(node.status)
    parts.extend(f"{way.text}: {way.finding}" if way.finding else way.text for way in taken)
    return " – ".join(parts)


def _listed(names: list[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
