"""The arrows of a decision graph, read off the document alone."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from runbook_engine.document.models import AnyStep, Branch, Else, ErrorRoute, Runbook
from runbook_engine.ids import FindingId, StepId


class EdgeKind(StrEnum):
    WHEN = "when"
    ELSE = "else"
    ERROR = "error"


class Edge(Struct, frozen=True):
    """One way out of a step. ``target`` is None where nothing follows (``end``).

    ``branch`` is its place: ``("branches", 0)`` or ``("on_error", 1)`` below the step.
    """

    source: StepId
    target: StepId | None
    kind: EdgeKind
    label: str
    finding: FindingId | None
    branch: tuple[str, int]


def edges(runbook: Runbook) -> Iterator[Edge]:
    """Every arrow, in the order of the document. A ``goto`` that names several steps gives an arrow to each."""
    for step_id, step in runbook.steps.items():
        yield from step_edges(step_id, step)


def step_edges(step_id: StepId, step: AnyStep) -> Iterator[Edge]:
    for place, ways in (("branches", step.branches), ("on_error", step.on_error)):
        for index, way in enumerate(ways):
            kind, label, targets = _way(way, on_error=place == "on_error")
            for target in targets or (None,):
                yield Edge(step_id, target, kind, label, way.finding, (place, index))


def _way(way: Branch | Else | ErrorRoute, *, on_error: bool) -> tuple[EdgeKind, str, tuple[StepId, ...]]:
    match way:
        case Branch():
            return EdgeKind.WHEN, way.when, way.goto
        case ErrorRoute():
            return EdgeKind.ERROR, " or ".join(way.kind), way.goto
        case Else():
            return (
                (EdgeKind.ERROR, "any other error", way.otherwise)
                if on_error
                else (EdgeKind.ELSE, "else", way.otherwise)
            )
