"""What there is to draw, whatever it is drawn with.

The ways out of a step that lead to the same steps are one ``Fork``: five conditions that all lead on to the same four steps
are five lines of one label, not twenty arrows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from runbook_engine.document.models import AnyStep, AskStep, Level, ProbeStep, Runbook
from runbook_engine.graph.drawing.overlay import Overlay
from runbook_engine.graph.edges import Edge, EdgeKind, step_edges
from runbook_engine.ids import StepId
from runbook_engine.templates import readable

NOT_REACHED = "not reached"
_OTHERWISE = frozenset({"else", "any other error"})


@dataclass(frozen=True, slots=True)
class Way:
    """One branch or error route. ``finding`` and ``level`` are of what it raises; ``why`` tells a taken one's values."""

    kind: EdgeKind
    label: str
    finding: str
    level: Level | None
    taken: bool
    why: str

    @property
    def text(self) -> str:
        """The condition as it was met, or as it is written."""
        return self.why if self.why and self.kind is EdgeKind.WHEN else self.label


@dataclass(frozen=True, slots=True)
class Fork:
    """Ways out of one step that lead to the same ``targets``; none where they end."""

    ways: tuple[Way, ...]
    targets: tuple[str, ...]
    error: bool

    @property
    def taken(self) -> bool:
        return any(way.taken for way in self.ways)

    @property
    def level(self) -> Level | None:
        """The worst finding that was raised here; without a run, that may be."""
        levels = {way.level for way in self.ways if way.level}
        return Level.CRITICAL if Level.CRITICAL in levels else Level.WARNING if levels else None


@dataclass(frozen=True, slots=True)
class Node:
    """A step. ``status`` is empty where there is no run; ``level`` is that of the finding that the run raised here."""

    id: str
    title: str
    kind: str
    detail: str
    status: str
    level: Level | None
    note: str
    forks: tuple[Fork, ...]

    @property
    def leading(self) -> tuple[Fork, ...]:
        return tuple(fork for fork in self.forks if fork.targets)

    @property
    def ending(self) -> tuple[Way, ...]:
        """Ways after which nothing follows and that say something: an ``else: end`` without a finding does not."""
        ways = (way for fork in self.forks if not fork.targets for way in fork.ways)
        return tuple(way for way in ways if way.finding or way.label not in _OTHERWISE)

    @property
    def unconditional(self) -> bool:
        """Whether whatever is measured leads on in the same way and raises nothing."""
        ways = [way for fork in self.forks if not fork.error for way in fork.ways]
        return len(ways) == 1 and ways[0].kind is EdgeKind.ELSE and not ways[0].finding


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    title: str
    start: tuple[str, ...]
    nodes: tuple[Node, ...]
    has_run: bool


def picture(runbook: Runbook, overlay: Overlay | None = None) -> Picture:
    """What to draw. Arrows to steps that do not exist are left out: a picture is no place to report them."""
    return Picture(
        runbook.runbook,
        readable(runbook.title),
        tuple(dict.fromkeys(step for step in runbook.start if step in runbook.steps)),
        tuple(_node(runbook, step_id, step, overlay) for step_id, step in runbook.steps.items()),
        overlay is not None,
    )


def _node(runbook: Runbook, step_id: StepId, step: AnyStep, overlay: Overlay | None) -> Node:
    kind, detail = _detail(step)
    forks = tuple(_forks(runbook, step_id, step, overlay))
    raised = [way.level for fork in forks for way in fork.ways if way.taken and way.level]
    return Node(
        step_id,
        " ".join(readable(step.title).split()) or step_id.replace("_", " "),
        kind,
        detail,
        "" if overlay is None else overlay.status.get(step_id, NOT_REACHED),
        raised[0] if raised else None,
        "" if overlay is None else overlay.note.get(step_id, ""),
        forks,
    )


def _detail(step: AnyStep) -> tuple[str, str]:
    if isinstance(step, ProbeStep):
        return "probe", step.probe
    if isinstance(step, AskStep):
        return "ask", "a person answers"
    return "call", f"runbook {step.call}"


def _forks(runbook: Runbook, step_id: StepId, step: AnyStep, overlay: Overlay | None) -> Iterator[Fork]:
    targets: dict[tuple[str, int], dict[str, None]] = {}
    first: dict[tuple[str, int], Edge] = {}
    for edge in step_edges(step_id, step):
        first.setdefault(edge.branch, edge)
        known = targets.setdefault(edge.branch, {})
        if edge.target is not None and edge.target in runbook.steps:
            known[edge.target] = None
    together: dict[tuple[bool, frozenset[str]], list[tuple[str, int]]] = {}
    for branch, edge in first.items():
        together.setdefault((edge.kind is EdgeKind.ERROR, frozenset(targets[branch])), []).append(branch)
    for (error, _), branches in together.items():
        ways = tuple(_way(runbook, first[branch], overlay) for branch in branches)
        yield Fork(ways, tuple(targets[branches[0]]), error)


def _way(runbook: Runbook, edge: Edge, overlay: Overlay | None) -> Way:
    spec = runbook.findings.get(edge.finding) if edge.finding else None
    taken = overlay is not None and overlay.taken.get(edge.source) == edge.branch
    return Way(
        edge.kind,
        " ".join(edge.label.split()),
        edge.finding.replace("_", " ") if edge.finding else "",
        (spec.level if spec else Level.WARNING) if edge.finding else None,
        taken,
        " ".join(overlay.why.get(edge.source, "").split()) if overlay is not None and taken else "",
    )
