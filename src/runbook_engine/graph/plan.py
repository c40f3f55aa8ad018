"""A runbook compiled: names resolved, conditions and templates parsed, parameters validated, order known."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine.conditions import Compiled, Expression
from runbook_engine.document.models import AnyStep, Runbook
from runbook_engine.ids import FindingId, StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import MetricType, Params
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.templates import Template

if TYPE_CHECKING:
    import networkx as nx

Filling = Template | dict[str, "Filling"] | list["Filling"] | bool | int | float | None
"""A step's ``with``, each text in it parsed."""


class Way(Struct, frozen=True):
    """One way out of a step. ``expression`` is None for ``else`` and for error routes; ``kinds`` None means any error."""

    place: tuple[str, int]
    text: str
    expression: Expression | None
    condition: Compiled | None
    finding: FindingId | None
    targets: tuple[StepId, ...]
    kinds: frozenset[ErrorKind] | None = None


class PlannedStep(Struct, frozen=True):
    """``params`` are validated once where nothing in ``with`` depends on the run; else ``filling`` makes them. ``extracting``
    is what inputs give to its extracts, by metric and key.
    """

    id: StepId
    model: AnyStep
    types: Mapping[str, MetricType]
    dimensions: Mapping[str, str]
    """Of each metric, by its word: what is written down with every reading."""
    ways: tuple[Way, ...]
    routes: tuple[Way, ...]
    probe: AnyProbe | None = None
    params: Params | None = None
    filling: Mapping[str, Filling] = {}
    child: "Plan | None" = None
    extracting: Mapping[str, Filling] = {}


def dimensions(types: Mapping[str, MetricType]) -> dict[str, str]:
    return {name: each.dimension.value for name, each in types.items()}


class Plan(Struct, frozen=True, eq=False, dict=True):
    """The compiled runbook. ``order`` is topological, ties in document order; ``steps`` has every step."""

    runbook: Runbook
    document: dict[str, JsonValue]
    """The runbook as JSON, defaults left out: what the journal keeps."""
    digest: str
    steps: Mapping[StepId, PlannedStep]
    successors: Mapping[StepId, tuple[StepId, ...]]
    order: tuple[StepId, ...]
    findings: Mapping[FindingId, tuple[Template, Template]]
    """Title and cause of each finding, parsed."""
    input_types: Mapping[str, MetricType]
    file: Path | None = None

    def __repr__(self) -> str:
        return f"Plan({self.runbook.runbook!r}, {len(self.steps)} steps)"

    @cached_property
    def dag(self) -> "nx.DiGraph[StepId]":
        """The graph as networkx knows it: nodes are step ids, edges carry ``ways`` (a list of ``Edge``)."""
        from runbook_engine.graph.dag import dag

        return dag(self.runbook)

    @cached_property
    def metrics(self) -> Mapping[str, Mapping[str, MetricType]]:
        """Those of each step."""
        return {name: each.types for name, each in self.steps.items()}

    @cached_property
    def plans(self) -> Mapping[str, "Plan"]:
        """The plan itself and those of the runbooks that it may call, by name."""
        found = {self.runbook.runbook: self}
        for step in self.steps.values():
            if step.child is not None:
                found.update(step.child.plans)
        return found
