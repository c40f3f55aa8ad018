"""Regions: what the ordered conditions of a step cover, exactly.

::

    analysis = analyse(branches, types)
    if analysis.gap is not None:
        print(analysis.gap.shown(types))  # p95 = 1 s

Each metric's values come from its declared type and bounds; the values of inputs are unknown, so that what is proven
holds for all of them. Values are taken together in cells that no condition tells apart, and conditions become sets of
combinations of cells. What conditions ask that cannot be reasoned with (searches of texts, calculations with several
metrics) may come out in any way: nothing is proven that does not hold, and every witness was confirmed by evaluation.
"""

from runbook_engine.conditions.regions.analysis import analyse
from runbook_engine.conditions.regions.facts import Analysis, BranchFacts, Overlap
from runbook_engine.conditions.regions.witness import Witness

__all__ = ["Analysis", "BranchFacts", "Overlap", "Witness", "analyse"]
