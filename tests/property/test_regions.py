"""What is proven of ordered branches, against every value of small types, and against many values of large ones."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbook_engine.conditions import Expression, Name, names, parse
from runbook_engine.conditions import compile as compile_condition
from runbook_engine.conditions.regions import Analysis, analyse
from runbook_engine.quantity import Dimension, MetricType, Value

SMALL: Mapping[str, MetricType] = {
    "a": MetricType(Dimension.NUMBER, lower=0, upper=3, integer=True),
    "b": MetricType(Dimension.NUMBER, lower=-1, upper=2, integer=True),
    "inputs.c": MetricType(Dimension.NUMBER, lower=1, upper=3, integer=True),
    "d": MetricType(Dimension.NUMBER, lower=0, upper=2, integer=True, optional=True),
    "state": MetricType(Dimension.TEXT, members=("up", "down", "lost")),
    "inputs.wanted": MetricType(Dimension.TEXT, members=("up", "gone")),
    "ready": MetricType(Dimension.BOOL),
    "step.ok": MetricType(Dimension.BOOL, optional=True),
}
LARGE: Mapping[str, MetricType] = {
    "x": MetricType(Dimension.NUMBER),
    "y": MetricType(Dimension.NUMBER, lower=0),
    "z": MetricType(Dimension.NUMBER, lower=-1, upper=2.5, optional=True),
    "inputs.v": MetricType(Dimension.NUMBER),
    "inputs.w": MetricType(Dimension.NUMBER, lower=0),
    "n": MetricType(Dimension.NUMBER, lower=0, integer=True),
    "step.m": MetricType(Dimension.NUMBER, integer=True, optional=True),
    "text": MetricType(Dimension.TEXT),
    "inputs.text": MetricType(Dimension.TEXT),
    "ready": MetricType(Dimension.BOOL),
}
Values = Mapping[str, Value | None]


def _of(types: Mapping[str, MetricType], *dimensions: Dimension) -> st.SearchStrategy[str]:
    return st.sampled_from([name for name, known in types.items() if known.dimension in dimensions])


def _conditions(
    types: Mapping[str, MetricType], numbers: st.SearchStrategy[str], literals: list[str], texts: list[str]
) -> st.SearchStrategy[Expression]:
    """``numbers`` are names of numbers, and calculations with them."""
    signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    literal, text = st.sampled_from(literals), st.sampled_from([f'"{each}"' for each in texts])
    text_name = _of(types, Dimension.TEXT)
    atoms = st.one_of(
        st.builds("{} {} {}".format, numbers, signs, literal),
        st.builds("{} {} {}".format, numbers, signs, literal),
        st.builds("{} {} {}".format, numbers, signs, numbers),
        st.builds("{} {} [{}, {}]".format, numbers, st.sampled_from(["in", "not in"]), literal, numbers),
        st.builds("{} {} {}".format, text_name, st.sampled_from(["==", "!="]), st.one_of(text, text_name)),
        st.builds("{} {} [{}, {}]".format, text_name, st.sampled_from(["in", "not in"]), text, text),
        st.builds("{} {} {}".format, text_name, st.just("contains"), text),
        st.builds("{} is missing".format, st.sampled_from(sorted(types))),
        st.builds("{} is not missing".format, st.sampled_from(sorted(types))),
        _of(types, Dimension.BOOL),
    )

    def joined(below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("not ({})".format, below),
            st.builds("({}) and ({})".format, below, below),
            st.builds("({}) or ({})".format, below, below),
        )

    return st.recursive(atoms, joined, max_leaves=4).map(parse)


SMALL_NUMBERS = _of(SMALL, Dimension.NUMBER)
SMALL_CONDITIONS = _conditions(SMALL, SMALL_NUMBERS, ["-1", "0", "1", "1.5", "2", "3", "7"], ["up", "down", "else"])
SMALL_CALCULATED = st.one_of(
    SMALL_NUMBERS,
    st.builds("{} {} {}".format, SMALL_NUMBERS, st.sampled_from("+-*/"), st.sampled_from(["1", "2", "-1", "0.5"])),
    st.builds("{} {} {}".format, st.sampled_from(["1", "2", "-3"]), st.sampled_from("+-*/"), SMALL_NUMBERS),
    st.builds("-({} {} {})".format, SMALL_NUMBERS, st.sampled_from("+-*/"), SMALL_NUMBERS),
)
SMALL_CALCULATIONS = _conditions(SMALL, SMALL_CALCULATED, ["-1", "0", "1", "1.5", "2"], ["up", "lost"])
LARGE_NUMBERS = _of(LARGE, Dimension.NUMBER)
LARGE_CALCULATED = st.one_of(
    LARGE_NUMBERS,
    LARGE_NUMBERS,
    st.builds("{} {} {}".format, LARGE_NUMBERS, st.sampled_from("+-*/"), st.sampled_from(["1", "0.1", "-2", "3"])),
    st.builds("{} {} ({} + 1)".format, st.sampled_from(["1", "0.3"]), st.sampled_from("+-*/"), LARGE_NUMBERS),
    st.builds("{} {} {}".format, LARGE_NUMBERS, st.sampled_from("+-*/"), LARGE_NUMBERS),
)
LARGE_CONDITIONS = _conditions(LARGE, LARGE_CALCULATED, ["-1", "0", "0.3", "1", "2", "100"], ["a", "ab", ""])


def _type_of(types: Mapping[str, MetricType], name: Name) -> MetricType | None:
    return types.get(str(name))


def _analysed(branches: Sequence[Expression], types: Mapping[str, MetricType]) -> Analysis:
    return analyse(branches, lambda name: types.get(str(name)))


class Walk:
    """The branches walked as the engine does, with one set of values."""

    def __init__(self, branches: Sequence[Expression], values: Values) -> None:
        truths = [compile_condition(branch).evaluate(lambda name: values[str(name)]) for branch in branches]
        self.truths = [truth.value for truth in truths]
        stop = next((index for index, truth in enumerate(self.truths) if truth is not False), None)
        self.falls_through = stop is None
        self.winner = stop if stop is not None and self.truths[stop] else None
        self.missing = truths[stop].missing if stop is not None and self.truths[stop] is None else ()
        self.is_undecided = stop is not None and self.truths[stop] is None


def _used(branches: Sequence[Expression]) -> list[str]:
    return list(dict.fromkeys(str(name) for branch in branches for name in names(branch)))


def _worlds(branches: Sequence[Expression]) -> Iterator[Values]:
    """Every value of every name of a small type."""
    used = _used(branches)
    for chosen in itertools.product(*(_all_values(SMALL[name], name) for name in used)):
        yield dict(zip(used, chosen, strict=True))


def _all_values(known: MetricType, name: str) -> list[Value | None]:
    found: list[Value | None] = []
    if known.dimension is Dimension.NUMBER:
        assert known.lower is not None
        assert known.upper is not None
        found.extend(range(int(known.lower), int(known.upper) + 1))
    else:
        found.extend(known.members or (False, True))
    return [*found, None] if known.optional or name.startswith("step.") else found


@given(st.lists(SMALL_CONDITIONS, min_size=1, max_size=4))
@example([parse("a > b"), parse("a < b"), parse("a == 2")])
@example([parse("a > inputs.c"), parse("inputs.c > b"), parse("b >= a")])
@example([parse("d > 1"), parse("d is missing")])
@example([parse("a in [0, inputs.c]"), parse("b not in [0, d]")])
def test_of_small_types_everything_is_told_as_full_enumeration_finds_it(branches: list[Expression]) -> None:
    analysis = _analysed(branches, SMALL)
    walks = [Walk(branches, values) for values in _worlds(branches)]
    assert analysis.unprovable == ""
    assert (analysis.gap is not None) == any(walk.falls_through for walk in walks)
    for index, facts in enumerate(analysis.branches):
        truths = {walk.truths[index] for walk in walks}
        wins = any(walk.winner == index for walk in walks)
        assert facts.never == (True not in truths)
        assert facts.always == (True in truths and False not in truths)
        assert (facts.witness is not None) == wins
        assert bool(facts.shadowed_by) == (True in truths and not wins)
        if facts.shadowed_by:
            held = [walk for walk in walks if walk.truths[index]]
            assert all(any(walk.truths[each] is not False for each in facts.shadowed_by) for walk in held)
            winners = {walk.winner for walk in held}
            assert facts.undecided_by == tuple(each for each in facts.shadowed_by if each not in winners)
        winners = {walk.winner for walk in walks if walk.truths[index]}
        assert {overlap.earlier for overlap in facts.overlaps} == winners - {None, index}
    optional = {name for name in _used(branches) if SMALL[name].optional}
    missed = {str(name) for walk in walks if walk.is_undecided for name in walk.missing}
    assert {str(name) for name in analysis.missing} == optional & missed
    _hold_witnesses(analysis, branches, SMALL)


@given(st.lists(SMALL_CALCULATIONS, min_size=1, max_size=3))
def test_of_calculations_with_small_types_nothing_wrong_is_told(branches: list[Expression]) -> None:
    analysis = _analysed(branches, SMALL)
    _hold_facts(analysis, [Walk(branches, values) for values in _worlds(branches)])
    _hold_witnesses(analysis, branches, SMALL)


def _hold_facts(analysis: Analysis, walks: Sequence[Walk]) -> None:
    for walk in walks:
        if walk.falls_through:
            assert analysis.gap is not None or analysis.unprovable
        for truth, facts in zip(walk.truths, analysis.branches, strict=True):
            assert not (facts.always and truth is False)
            assert not (facts.never and truth)
        if walk.winner is not None:
            assert analysis.branches[walk.winner].shadowed_by == ()


def _hold_witnesses(analysis: Analysis, branches: Sequence[Expression], types: Mapping[str, MetricType]) -> None:
    def walked(witness: Mapping[Name, Value | None]) -> Walk:
        values = {str(name): value for name, value in witness.items()}
        for name, value in values.items():
            _hold_type(name, value, types[name])
        return Walk(branches, values)

    if analysis.gap is not None:
        assert walked(analysis.gap).falls_through
    if analysis.undecided is not None:
        assert None not in analysis.undecided.values()
        assert walked(analysis.undecided).is_undecided
    for index, facts in enumerate(analysis.branches):
        if facts.witness is not None:
            assert walked(facts.witness).winner == index
        for overlap in facts.overlaps:
            assert overlap.earlier < index
            assert walked(overlap.witness).truths[overlap.earlier]
            assert walked(overlap.witness).truths[index]


def _hold_type(name: str, value: Value | None, known: MetricType) -> None:
    if value is None:
        assert known.optional or name.startswith("step.") or (known.dimension.is_numeric and not known.integer)
    elif isinstance(value, str):
        assert known.dimension is Dimension.TEXT
        assert not known.members or value in known.members
    elif isinstance(value, bool):
        assert known.dimension is Dimension.BOOL
    else:
        assert isinstance(value, int) or not known.integer
        assert known.lower is None or value >= known.lower
        assert known.upper is None or value <= known.upper


NEAR = [0.0, 0.1, 0.3, 1.0, 2.0, 100.0, -1.0, 2.5, 3.0, 0.5]
FLOATS = sorted({beside for near in NEAR for beside in (near, math.nextafter(near, 9e9), math.nextafter(near, -9e9))})


def _value(known: MetricType) -> st.SearchStrategy[Value | None]:
    if known.dimension is Dimension.BOOL:
        return st.booleans()
    if known.dimension is Dimension.TEXT:
        return st.sampled_from(["", "a", "ab", "b", "xaby"])
    low, high = known.lower, known.upper
    if known.integer:
        whole = st.one_of(st.integers(-2, 4), st.sampled_from([99, 100, 101, 10**30]))
        inside = whole.filter(lambda value: low is None or value >= low)
        return st.one_of(inside, st.none()) if known.optional else inside
    floats = [value for value in (*FLOATS, 1e300, -1e300, math.inf, -math.inf, 5e-324) if _within(value, low, high)]
    return st.one_of(st.sampled_from(floats), st.sampled_from(floats), st.none())


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


WORLDS = st.lists(
    st.fixed_dictionaries({name: _value(known) for name, known in LARGE.items()}), min_size=20, max_size=40
)


@settings(max_examples=settings().max_examples // 3)
@given(st.lists(LARGE_CONDITIONS, min_size=1, max_size=4), WORLDS)
def test_of_large_types_nothing_is_told_that_a_sample_contradicts(
    branches: list[Expression], worlds: list[Values]
) -> None:
    analysis = _analysed(branches, LARGE)
    _hold_facts(analysis, [Walk(branches, values) for values in worlds])
    _hold_witnesses(analysis, branches, LARGE)


SIGNS = ["<", "<=", ">", ">=", "=="]
ONE_METRIC = st.lists(
    st.builds("x {} {}".format, st.sampled_from(SIGNS), st.sampled_from(["-1", "0", "1", "2.5", "3"])).map(parse),
    min_size=1,
    max_size=5,
)


@given(ONE_METRIC)
def test_thresholds_of_one_metric_are_told_exactly(branches: list[Expression]) -> None:
    """Between and at the thresholds there is nothing that a few values do not show."""
    analysis = _analysed(branches, LARGE)
    walks = [Walk(branches, {"x": value}) for value in (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 2.5, 2.75, 3.0, 4.0)]
    assert analysis.unprovable == ""
    assert (analysis.gap is not None) == any(walk.falls_through for walk in walks)
    for index, facts in enumerate(analysis.branches):
        assert (facts.witness is not None) == any(walk.winner == index for walk in walks)
        assert bool(facts.shadowed_by) == (facts.witness is None)


ORDERS = ["x", "y", "inputs.v", "inputs.w"]
ORDER_CONDITIONS = st.recursive(
    st.builds("{} {} {}".format, st.sampled_from(ORDERS), st.sampled_from(SIGNS), st.sampled_from([*ORDERS, "1"])),
    lambda below: st.builds("({}) {} ({})".format, below, st.sampled_from(["and", "or"]), below),
    max_leaves=3,
).map(parse)
WEAK_ORDERS = [
    dict(zip(ORDERS, values, strict=True))
    for values in itertools.product([-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0, 4.0, 5.0], repeat=4)
    if values[1] >= 0 and values[3] >= 0
]


@given(st.lists(ORDER_CONDITIONS, min_size=1, max_size=4))
def test_values_that_are_compared_with_each_other_are_told_exactly(branches: list[Expression]) -> None:
    """Four values have no order among themselves and 0 and 1 that those of ``WEAK_ORDERS`` do not show."""
    analysis = _analysed(branches, LARGE)
    assert analysis.unprovable == ""
    run = [compile_condition(branch).run for branch in branches]
    falls = any(
        all(not each(lambda name, values=values: values[str(name)]) for each in run)  # type: ignore[misc]  # bound now
        for values in WEAK_ORDERS
    )
    assert (analysis.gap is not None) == falls
    _hold_witnesses(analysis, branches, LARGE)
