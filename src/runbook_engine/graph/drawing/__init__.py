"""The decision graph as a picture: Mermaid, Graphviz DOT and SVG, with or without what a run made of it."""

from runbook_engine.graph.drawing.dot import dot
from runbook_engine.graph.drawing.mermaid import mermaid
from runbook_engine.graph.drawing.overlay import Overlay
from runbook_engine.graph.drawing.svg import svg

__all__ = ["Overlay", "dot", "mermaid", "svg"]
