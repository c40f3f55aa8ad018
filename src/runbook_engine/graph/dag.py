"""The decision graph in networkx, for what is proven, drawn or asked of it. A walk needs none of this."""

from collections.abc import Iterable

import networkx as nx

from runbook_engine.document.models import Runbook
from runbook_engine.graph.edges import edges
from runbook_engine.ids import StepId


def dag(runbook: Runbook) -> "nx.DiGraph[StepId]":
    """Nodes are step ids in document order; an edge's ``ways`` lists the branches that lead along it."""
    graph: nx.DiGraph[StepId] = nx.DiGraph()
    graph.add_nodes_from(runbook.steps)
    for edge in edges(runbook):
        if edge.target is None or edge.target not in runbook.steps:
            continue
        if graph.has_edge(edge.source, edge.target):
            graph.edges[edge.source, edge.target]["ways"].append(edge)
        else:
            graph.add_edge(edge.source, edge.target, ways=[edge])
    return graph


def smallest_cycles(runbook: Runbook) -> list[list[StepId]]:
    """One shortest cycle for each knot of steps that lead to each other, from its first step in the document."""
    graph = dag(runbook)
    place = {step: index for index, step in enumerate(runbook.steps)}
    found = []
    for knot in nx.strongly_connected_components(graph):
        first = min(knot, key=place.__getitem__)
        if len(knot) > 1:
            found.append(_shortest_round(graph.subgraph(knot), first))
        elif graph.has_edge(first, first):
            found.append([first])
    return sorted(found, key=lambda cycle: place[cycle[0]])


def _shortest_round(knot: "nx.DiGraph[StepId]", first: StepId) -> list[StepId]:
    back: list[list[StepId]] = [nx.shortest_path(knot, after, first) for after in knot.successors(first)]
    return [first, *min(back, key=len)[:-1]]


def reachable(runbook: Runbook, start: Iterable[StepId]) -> set[StepId]:
    """The steps that some branch leads to from the start."""
    graph = dag(runbook)
    found: set[StepId] = set()
    for step in start:
        if step in graph:
            found |= {step, *nx.descendants(graph, step)}
    return found
