"""The parts of regions: numbers in their order, calculations that rise or fall, and sets of combinations."""

import itertools
import math
from collections.abc import Callable

from hypothesis import assume, given
from hypothesis import strategies as st

from runbook_engine.conditions import Arithmetic, Constant, Expression, Minus, Name
from runbook_engine.conditions.evaluation import evaluator
from runbook_engine.conditions.regions.diagram import EVERYTHING, NOTHING, Diagrams
from runbook_engine.conditions.regions.line import Line, Number, line_of
from runbook_engine.conditions.regions.monotone import ABOVE, BELOW, EQUAL, pieces
from runbook_engine.quantity import Dimension, MetricType

FLOATS = line_of(MetricType(Dimension.NUMBER))
WHOLE = line_of(MetricType(Dimension.NUMBER, integer=True))
NUMBERS = st.one_of(st.floats(allow_nan=False), st.integers(-(10**20), 10**20), st.sampled_from([0.0, -0.0, 5e-324]))
X = Name(None, "x")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_next_float_has_the_next_rank(value: float) -> None:
    rank = FLOATS.at_least(value)
    assert rank == FLOATS.at_most(value)
    assert FLOATS.value(rank) == value
    assert FLOATS.value(rank + 1) == math.nextafter(value, math.inf)
    assert FLOATS.value(rank - 1) == math.nextafter(value, -math.inf)


@given(NUMBERS, st.sampled_from([FLOATS, WHOLE]))
def test_ranks_on_both_sides_of_a_value_hold_it_between_them(value: Number, line: Line) -> None:
    low, high = line.at_most(value), line.at_least(value)
    assert high - low in (0, 1)
    if line.first <= low and high <= line.last:
        assert line.value(low) <= value <= line.value(high)


@given(st.sampled_from([FLOATS, WHOLE]), NUMBERS, NUMBERS)
def test_a_pleasant_value_lies_in_its_span(line: Line, one: Number, other: Number) -> None:
    first, last = line.clipped((line.at_least(min(one, other)), line.at_most(max(one, other))))
    assume(first <= last)
    for value in (line.pleasant((first, last)), *line.spread((first, last))):
        assert line.value(first) <= value <= line.value(last)
        assert isinstance(value, int) == line.integer


CONSTANTS = st.one_of(
    st.sampled_from([0, 1, -1, 2, 3, 0.1, 0.3, -0.5, 1e-300, 1e300, 100, 1e-320]), st.floats(-1e6, 1e6)
).map(lambda value: Constant(value, Dimension.NUMBER, str(value)))


def _around(below: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    sign = st.sampled_from("+-*/")
    return st.one_of(
        st.builds(Arithmetic, sign, below, CONSTANTS),
        st.builds(Arithmetic, sign, CONSTANTS, below),
        st.builds(Minus, below),
    )


CALCULATIONS = (
    _around(st.just(X))
    .flatmap(lambda one: st.one_of(st.just(one), _around(st.just(one))))
    .flatmap(lambda one: st.one_of(st.just(one), _around(st.just(one))))
)
SAMPLES = [0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 1e-300, 5e-324, 1e300, math.inf, 0.2, 1e16]


@given(
    CALCULATIONS, st.sampled_from([FLOATS, WHOLE, line_of(MetricType(Dimension.NUMBER, lower=-1, upper=3))]), CONSTANTS
)
def test_a_calculation_compares_in_each_piece_as_it_is_said_to(
    node: Expression, line: Line, threshold: Constant
) -> None:
    assert isinstance(threshold.value, int | float)
    found = pieces(node, X, line, threshold.value, lambda _name: None)
    ranks = {line.first, line.last, 0, 1, -1}
    for span, _ in found:
        assert span[0] <= span[1]
        ranks.update((span[0] - 1, *span, span[1] + 1, sum(span) // 2))
    for sample in SAMPLES:
        ranks.update((line.at_least(sample), line.at_most(-sample)))
    run = evaluator(node)
    for rank in ranks:
        if line.first <= rank <= line.last:
            value = line.value(rank)
            sides = [side for span, side in found if span[0] <= rank <= span[1]]
            assert sides == _sides(run(lambda _name, value=value: value), threshold.value)  # type: ignore[misc]  # bound now


def _sides(result: object, threshold: Number) -> list[int]:
    if not isinstance(result, int | float):
        return []
    return [BELOW if result < threshold else EQUAL if result == threshold else ABOVE]


DOMAINS = (0b111, 0b11, 0b1111)
COMBINATIONS = list(itertools.product(*([1 << bit for bit in range(domain.bit_length())] for domain in DOMAINS)))
Set = Callable[[Diagrams], tuple[int, frozenset[tuple[int, ...]]]]


def _where(level: int, mask: int) -> Set:
    members = frozenset(cells for cells in COMBINATIONS if cells[level] & mask)
    return lambda diagrams: (diagrams.where(level, mask), members)


def _opposite(one: Set) -> Set:
    def build(diagrams: Diagrams) -> tuple[int, frozenset[tuple[int, ...]]]:
        node, members = one(diagrams)
        return diagrams.opposite(node), frozenset(COMBINATIONS) - members

    return build


def _both(one: Set, other: Set) -> Set:
    def build(diagrams: Diagrams) -> tuple[int, frozenset[tuple[int, ...]]]:
        (node, members), (beside, others) = one(diagrams), other(diagrams)
        return diagrams.both(node, beside), members & others

    return build


def _either(one: Set, other: Set) -> Set:
    def build(diagrams: Diagrams) -> tuple[int, frozenset[tuple[int, ...]]]:
        (node, members), (beside, others) = one(diagrams), other(diagrams)
        return diagrams.either(node, beside), members | others

    return build


SETS = st.recursive(
    st.builds(_where, st.integers(0, 2), st.integers(0, 15)),
    lambda below: st.one_of(
        st.builds(_opposite, below), st.builds(_both, below, below), st.builds(_either, below, below)
    ),
    max_leaves=12,
)


@given(SETS, SETS)
def test_sets_of_combinations_have_the_members_that_they_should(one: Set, other: Set) -> None:
    diagrams = Diagrams(DOMAINS, most_work=100_000)
    (node, members), (beside, others) = one(diagrams), other(diagrams)
    assert {cells for cells in COMBINATIONS if diagrams.holds(node, cells)} == members
    assert (node == beside) == (members == others)
    assert (node == NOTHING) == (not members)
    assert (node == EVERYTHING) == (len(members) == len(COMBINATIONS))
    boxes = [
        frozenset(cells for cells in COMBINATIONS if all(cell & mask for cell, mask in zip(cells, box, strict=True)))
        for box in diagrams.boxes(node)
    ]
    assert sum(len(box) for box in boxes) == len(members)
    assert frozenset().union(*boxes) == members
