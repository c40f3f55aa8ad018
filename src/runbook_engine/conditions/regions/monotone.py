"""How a calculation with one unknown in it runs, exactly as floats are rounded.

Adding, stretching and dividing round in one direction only, so that a calculation in which the unknown stands once rises
or falls all the way, but for a division by it, which leaps at zero. Where it passes a threshold is therefore found by
halving, with the very evaluation that a run uses.
"""

from collections.abc import Iterator

from runbook_engine.conditions.evaluation import Evaluator, Lookup, evaluator
from runbook_engine.conditions.regions.line import Line, Number, Span
from runbook_engine.conditions.tree import Arithmetic, Constant, Expression, Minus, Name, names
from runbook_engine.quantity import Value

BELOW, EQUAL, ABOVE = 0, 1, 2

Piece = tuple[Span, int]
"""A span of the unknown and how the calculation then compares with the threshold."""


def is_monotone_in(node: Expression, name: Name) -> bool:
    """Whether the name stands once in a calculation, whose other names are known."""
    return names(node).count(name) == 1 and _plain(node)


def is_monotone(node: Expression) -> bool:
    """Whether a calculation has one unknown, once."""
    return len(names(node)) == 1 and _plain(node)


def _plain(node: Expression) -> bool:
    match node:
        case Minus(operand=operand):
            return _plain(operand)
        case Arithmetic(left=left, right=right):
            return _plain(left) and _plain(right)
    return isinstance(node, Name | Constant)


def pieces(node: Expression, unknown: Name, line: Line, threshold: Number, lookup: Lookup) -> list[Piece]:
    """Where the calculation is below, at and above the threshold, in order; where it has no result stands nothing.

    ``unknown`` stands in it once; ``lookup`` knows the other names.
    """
    run = _Run(node, unknown, lookup)
    found: list[Piece] = []
    for span in _stretches(node, unknown, line, lookup):
        found.extend(_compared(run, line, span, threshold))
    return sorted(found)


class _Run:
    """A calculation as a function of its unknown."""

    __slots__ = ("_lookup", "_run", "_unknown", "_value")

    def __init__(self, node: Expression, unknown: Name, lookup: Lookup) -> None:
        self._run: Evaluator = evaluator(node)
        self._unknown = unknown
        self._lookup = lookup
        self._value: Number = 0

    def __call__(self, value: Number) -> Number | None:
        self._value = value
        found = self._run(self._look_up)
        return None if isinstance(found, str) else found

    def _look_up(self, name: Name) -> Value | None:
        is_unknown = name.name == self._unknown.name and name.scope == self._unknown.scope  # much used: == is slower
        return self._value if is_unknown else self._lookup(name)


def _stretches(node: Expression, unknown: Name, line: Line, lookup: Lookup) -> list[Span]:
    """The spans on each of which the calculation rises or falls all the way."""
    match node:
        case Minus(operand=operand):
            return _stretches(operand, unknown, line, lookup)
        case Arithmetic(operator=sign, left=left, right=right):
            if unknown in names(left):
                return _stretches(left, unknown, line, lookup)
            spans = _stretches(right, unknown, line, lookup)
            if sign != "/":
                return spans
            run = _Run(right, unknown, lookup)
            return [part for span in spans for part, side in _compared(run, line, span, 0) if side != EQUAL]
    return [line.span]


def _compared(run: _Run, line: Line, span: Span, threshold: Number) -> Iterator[Piece]:
    """One stretch, cut where the calculation reaches and where it leaves the threshold."""
    span = _defined(run, line, span)
    if span[0] > span[1]:
        return
    start, end = run(line.value(span[0])), run(line.value(span[1]))
    rising = start is not None and end is not None and start <= end

    def reached(value: Number) -> bool:
        found = run(value)
        return found is not None and (found >= threshold if rising else found <= threshold)

    def passed(value: Number) -> bool:
        found = run(value)
        return found is not None and (found > threshold if rising else found < threshold)

    at, behind = line.first_where(span, reached), line.first_where(span, passed)
    sides = (BELOW, EQUAL, ABOVE) if rising else (ABOVE, EQUAL, BELOW)
    for part, side in zip(((span[0], at - 1), (at, behind - 1), (behind, span[1])), sides, strict=True):
        if part[0] <= part[1]:
            yield part, side


def _defined(run: _Run, line: Line, span: Span) -> Span:
    """The span without the ends at which there is no result: infinity times nothing, or whole numbers too large."""
    low, high = span
    if run(line.value(low)) is not None and run(line.value(high)) is not None:
        return span
    middle = min(max(0, low), high)
    if run(line.value(middle)) is None:
        middle = (low + high) // 2
        if run(line.value(middle)) is None:
            return 0, -1
    first = line.first_where((low, middle), lambda value: run(value) is not None)
    last = line.first_where((middle, high), lambda value: run(value) is None) - 1
    return first, last
