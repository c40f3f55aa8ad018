"""Why it cannot be proven that the branches cover every value."""

from collections.abc import Sequence

from runbook_engine.conditions.regions.diagram import NOTHING
from runbook_engine.conditions.regions.space import Space
from runbook_engine.conditions.tree import Contains, Expression, Matches, Name, names, unparse

_NEEDS_ELSE = "so it cannot be proven that the branches cover every value: add an else"
_MOST_NAMES = 6


def too_many(branches: Sequence[Expression]) -> str:
    named = list(dict.fromkeys(str(name) for branch in branches for name in names(branch)))
    told = ", ".join(named[:_MOST_NAMES]) + (", …" if len(named) > _MOST_NAMES else "")
    return f"{told} have too many combinations that the conditions tell apart, {_NEEDS_ELSE}"


def untyped(name: Name) -> str:
    return f"the type of {name} is not known, {_NEEDS_ELSE}"


def why_open(space: Space, region: int) -> str:
    """What stands in the way, of the first combination that could be neither excluded nor shown."""
    if region != NOTHING:
        box = next(space.diagrams.boxes(region))
        for node, level in space.open_level.items():
            if box[level] != space.domains[level] and isinstance(node, Matches | Contains):
                return f"{unparse(node)} searches a text, {_NEEDS_ELSE}"
        for node in space.survey.unknowns:
            if not isinstance(node, Name) and len(set(names(node))) > 1:
                return f"{unparse(node)} calculates with several values, {_NEEDS_ELSE}"
        for node in space.survey.unknowns:
            if not isinstance(node, Name):
                return f"{unparse(node)} is more than is reasoned with, {_NEEDS_ELSE}"
    return f"the conditions compare values with each other in a way that is not reasoned with, {_NEEDS_ELSE}"
