"""Conditions against any text, and against a slow and obvious evaluation of any condition with any values."""

import math
from collections.abc import Callable, Mapping

from hypothesis import assume, example, given
from hypothesis import strategies as st

from runbook_engine.conditions import (
    And,
    Arithmetic,
    Comparison,
    ConditionSyntaxError,
    Constant,
    Contains,
    Expression,
    IsMissing,
    Matches,
    Membership,
    Minus,
    Name,
    Not,
    Operator,
    Or,
    check,
    evidence,
    explain,
    names,
    needed,
    parse,
    thresholds,
    unparse,
)
from runbook_engine.conditions import compile as compile_condition
from runbook_engine.conditions.showing import shown_apart
from runbook_engine.conditions.tree import walk
from runbook_engine.quantity import UNITS, Dimension, MetricType, Value

NUMERIC = (Dimension.NUMBER, Dimension.DURATION, Dimension.PERCENT, Dimension.BYTES, Dimension.RATE)
TYPES: Mapping[str, MetricType] = {
    f"{scope}{name}_{letter}": MetricType(dimension)
    for dimension in Dimension
    for name, letter in ((dimension.value, "a"), (dimension.value, "b"))
    for scope in ("", "inputs.", "step.")
}
Values = Mapping[str, Value | None]


def lookup_in(values: Values) -> Callable[[Name], Value | None]:
    return lambda name: values.get(str(name))


def type_of(name: Name) -> MetricType | None:
    return TYPES.get(str(name))


# Any text, and texts that are almost conditions.

FRAGMENTS = st.sampled_from(
    [
        *("p95", "inputs.slow", "a", "database.used", "x1"),
        *("500ms", "2s", "80%", "12/s", "5", "1.5", ".5", "1e3", "512MiB", "7", "0"),
        *('"text"', "'text'", '"a+"', "'['", '"(a|b)*"'),
        *("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "(", ")", "[", "]", ","),
        *("and", "or", "not", "in", "not in", "is", "missing", "is missing", "is not missing", "matches", "contains"),
        *("true", "false", "[1, 2]", "a > 1", "p95 > 1s", "not a"),
        *("&&", "=", "!", "%", "**", "{{", ".", '"', "'", "µ", "yes", "null", "between", "ms", "seconds", "\x00", "€"),
    ]
)
ALMOST = st.lists(st.one_of(FRAGMENTS, FRAGMENTS, st.text(max_size=3)), max_size=25).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda blank: blank.join(parts))
)
DEEP = st.builds(
    lambda opening, count, middle, closing: opening * count + middle + closing * count,
    st.sampled_from(
        ["(", "not ", "-", "((", "not (", "-(", "a or (", "1 + (", "a or b and c > d + e * (", "a in [", '"']
    ),
    st.integers(0, 600),
    st.sampled_from(["a", "a > 1", "1", "", "a b"]),
    st.sampled_from([")", "", "))", "]", " > 1", " + 1", " and a", " == 1"]),
)


def parsed(text: str) -> Expression | None:
    try:
        return parse(text)
    except ConditionSyntaxError as error:
        mistake = error
    assert 0 <= mistake.start <= mistake.end <= len(text)
    assert mistake.message
    return None


@given(st.one_of(st.text(), ALMOST, DEEP))
@example("(" * 2000)
@example("not " * 500)
@example("-" * 2000)
@example("a+" * 1000)
@example("a matches '" + "(" * 1900 + "'")
@example("9" * 2000)
@example("1e" + "9" * 1990)
@example("1." * 1000)
def test_any_text_is_a_condition_or_a_syntax_error(text: str) -> None:
    found = parsed(text)
    if found is None:
        return
    assert parse(unparse(found)) == found
    for name in names(found):
        assert text[name.start : name.end] == str(name)
    for node in walk(found):
        assert 0 <= node.start < node.end <= len(text)
    check(found, lambda name: TYPES.get(str(name), MetricType(Dimension.NUMBER)))
    check(found, lambda _name: None)
    thresholds(found)


# Conditions that make sense.

UNIT_OF = {
    dimension: sorted(unit for unit, (each, _) in UNITS.items() if each is dimension) or [""] for dimension in NUMERIC
}


def _literals(dimension: Dimension) -> st.SearchStrategy[Expression]:
    if dimension is Dimension.TEXT:
        return st.sampled_from(['"a"', '"ab"', '""', "'b\"'"]).map(parse)
    if dimension is Dimension.BOOL:
        return st.sampled_from(["true", "false"]).map(parse)
    digits = st.sampled_from(["0", "1", "2", "3.5", "100", "0.001", "-1", "-2.5", "1e6", "9007199254740993"])
    return st.builds(lambda number, unit: parse(number + unit), digits, st.sampled_from(UNIT_OF[dimension]))


def _names(dimension: Dimension) -> st.SearchStrategy[Expression]:
    known = [name for name, each in TYPES.items() if each.dimension is dimension]
    return st.sampled_from(known).map(parse)


def _values(dimension: Dimension, depth: int) -> st.SearchStrategy[Expression]:
    atoms = st.one_of(_names(dimension), _names(dimension), _literals(dimension))
    if depth == 0 or dimension not in NUMERIC:
        return atoms
    same, number = _values(dimension, depth - 1), _values(Dimension.NUMBER, depth - 1)
    calculated = [
        st.builds(Arithmetic, st.sampled_from("+-"), same, same),
        st.builds(Arithmetic, st.sampled_from("*/"), same, number),
        st.builds(lambda left, right: Arithmetic("*", left, right), number, same),
        same.map(lambda operand: parse(f"-({unparse(operand)})")),
    ]
    if dimension is Dimension.NUMBER:
        other = st.sampled_from(NUMERIC).flatmap(lambda each: st.tuples(*[_values(each, depth - 1)] * 2))
        calculated.append(other.map(lambda pair: Arithmetic("/", *pair)))
    return st.one_of(atoms, atoms, *calculated)


def _comparisons() -> st.SearchStrategy[Expression]:
    def of(dimension: Dimension) -> st.SearchStrategy[Expression]:
        value = _values(dimension, 2)
        signs = list(Operator) if dimension in NUMERIC else [Operator.EQUAL, Operator.UNEQUAL]
        compared = st.builds(Comparison, st.sampled_from(signs), value, value)
        listed = st.builds(Membership, value, st.lists(value, min_size=1, max_size=3).map(tuple), st.booleans())
        return st.one_of(compared, compared, listed)

    text = _values(Dimension.TEXT, 0)
    return st.one_of(
        st.sampled_from(list(Dimension)).flatmap(of),
        _names(Dimension.BOOL),
        st.builds(Contains, text, text),
        st.sampled_from(["a+", "^b", "(a|b)$", "x?"]).flatmap(
            lambda pattern: _names(Dimension.TEXT).map(lambda name: parse(f'{unparse(name)} matches "{pattern}"'))
        ),
    )


def _missing() -> st.SearchStrategy[Expression]:
    return st.builds(
        lambda name, negated: parse(f"{name} is {'not ' if negated else ''}missing"),
        st.sampled_from(sorted(TYPES)),
        st.booleans(),
    )


def _joined(below: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    parts = st.lists(below, min_size=2, max_size=4)
    return st.one_of(
        below.map(Not),
        parts.map(lambda each: parse(" and ".join(f"({unparse(part)})" for part in each))),
        parts.map(lambda each: parse(" or ".join(f"({unparse(part)})" for part in each))),
    )


PRESENT = st.recursive(_comparisons(), _joined, max_leaves=5)
CONDITIONS = st.recursive(st.one_of(_comparisons(), _comparisons(), _missing()), _joined, max_leaves=5)


def _value(dimension: Dimension) -> st.SearchStrategy[Value]:
    if dimension is Dimension.TEXT:
        return st.sampled_from(["a", "b", "ab", "", "x", "aab\n"])
    if dimension is Dimension.BOOL:
        return st.booleans()
    return st.one_of(
        st.sampled_from([0, 1, 2, -1, 0.0, 3.5, 100, math.inf, -math.inf, 1e-6, 10**400, 9007199254740993, 1e308]),
        st.integers(-1000, 1000),
        st.floats(allow_nan=False),
    )


def _world(*, gaps: bool) -> st.SearchStrategy[Values]:
    def value(dimension: Dimension) -> st.SearchStrategy[Value | None]:
        nothing: list[float | None] = [None, math.nan] if dimension in NUMERIC else [None]
        return st.one_of(_value(dimension), _value(dimension), st.sampled_from(nothing)) if gaps else _value(dimension)

    return st.fixed_dictionaries({name: value(known.dimension) for name, known in TYPES.items()})


def _is_missing(value: Value | None) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


# The slow and obvious evaluation.


def value_of(node: Expression, values: Values) -> Value | None:
    match node:
        case Constant():
            return node.value
        case Name():
            value = values[str(node)]
            return None if isinstance(value, float) and math.isnan(value) else value
        case Minus():
            value = value_of(node.operand, values)
            return None if value is None or isinstance(value, str) else -value
        case Arithmetic():
            left, right = value_of(node.left, values), value_of(node.right, values)
            if left is None or right is None or isinstance(left, str) or isinstance(right, str):
                return None
            try:
                match node.operator:
                    case "+":
                        result: float = left + right
                    case "-":
                        result = left - right
                    case "*":
                        result = left * right
                    case _:
                        result = left / right
            except (ZeroDivisionError, OverflowError):
                return None
            return None if isinstance(result, float) and math.isnan(result) else result
    return truth_of(node, values)


def truth_of(node: Expression, values: Values) -> bool | None:
    match node:
        case Comparison():
            return compared(node.operator, value_of(node.left, values), value_of(node.right, values))
        case Membership():
            equal = [
                compared(Operator.EQUAL, value_of(node.subject, values), value_of(item, values)) for item in node.items
            ]
            found = True if True in equal else None if None in equal else False
            return found if not node.negated or found is None else not found
        case Matches():
            text = value_of(node.subject, values)
            return node.pattern.found_in(text) if isinstance(text, str) else None
        case Contains():
            text, part = value_of(node.subject, values), value_of(node.part, values)
            return part in text if isinstance(text, str) and isinstance(part, str) else None
        case IsMissing():
            return (value_of(node.name, values) is None) != node.negated
        case Not():
            truth = truth_of(node.operand, values)
            return None if truth is None else not truth
        case And():
            truths = [truth_of(part, values) for part in node.parts]
            return False if False in truths else None if None in truths else True
        case Or():
            truths = [truth_of(part, values) for part in node.parts]
            return True if True in truths else None if None in truths else False
    value = value_of(node, values)
    assert value is None or isinstance(value, bool)
    return value


def compared(operator: Operator, left: Value | None, right: Value | None) -> bool | None:
    if left is None or right is None:
        return None
    if operator in (Operator.EQUAL, Operator.UNEQUAL):
        return (left == right) == (operator is Operator.EQUAL)
    assert not isinstance(left, str)
    assert not isinstance(right, str)
    if operator in (Operator.LESS, Operator.AT_LEAST):
        return (left < right) == (operator is Operator.LESS)
    return (left > right) == (operator is Operator.MORE)


@given(CONDITIONS, _world(gaps=True))
def test_a_condition_comes_to_what_the_slow_evaluation_comes_to(condition: Expression, values: Values) -> None:
    truth = compile_condition(condition).evaluate(lookup_in(values))
    assert truth.value is truth_of(condition, values)
    if truth.value is not None:
        assert truth.missing == ()
    else:
        assert set(truth.missing) <= set(needed(condition))


@given(PRESENT, _world(gaps=True), _world(gaps=False))
def test_what_is_decided_stays_so_whatever_the_missing_values_were(
    condition: Expression, values: Values, others: Values
) -> None:
    run = compile_condition(condition)
    truth = run.evaluate(lookup_in(values))
    filled = {name: others[name] if _is_missing(value) else value for name, value in values.items()}
    later = run.evaluate(lookup_in(filled))
    if truth.value is not None:
        assert later.value is truth.value


@given(PRESENT, _world(gaps=True), _world(gaps=False))
def test_only_values_that_are_missing_or_make_a_calculation_impossible_are_blamed(
    condition: Expression, values: Values, others: Values
) -> None:
    assume(not any(isinstance(node, Arithmetic | Minus) for node in walk(condition)))
    truth = compile_condition(condition).evaluate(lookup_in(values))
    for name in truth.missing:
        assert _is_missing(values[str(name)])
    filled = {**values, **{str(name): others[str(name)] for name in truth.missing}}
    assert compile_condition(condition).evaluate(lookup_in(filled)).value is not None


@given(CONDITIONS)
def test_a_sensible_condition_is_never_told_to_mix_its_types(condition: Expression) -> None:
    text = unparse(condition)
    told = [problem.message for problem in check(parse(text), type_of)]
    settled = ("nothing in it is measured", "divides by zero", "compared with itself", "contains the empty text")
    assert [message for message in told if not any(each in message for each in settled)] == []


@given(CONDITIONS)
def test_a_condition_survives_being_written_and_read(condition: Expression) -> None:
    text = unparse(condition)
    again = parse(text)
    assert again == condition
    assert unparse(again) == text


@given(CONDITIONS, _world(gaps=True), st.booleans())
def test_every_outcome_can_be_explained(condition: Expression, values: Values, typed: bool) -> None:
    types = type_of if typed else lambda _name: None
    explanation = explain(condition, lookup_in(values), types)
    assert explanation
    assert explanation.isprintable()
    found = evidence(condition, lookup_in(values), types)
    assert [each.name for each in found] == list(dict.fromkeys(str(n) for n in names(condition) if not n.is_input))


@given(CONDITIONS, _world(gaps=True))
def test_only_an_undecided_condition_is_explained_by_what_is_missing(condition: Expression, values: Values) -> None:
    assume(not any(isinstance(node, IsMissing) for node in walk(condition)))
    undecided = compile_condition(condition).evaluate(lookup_in(values)).value is None
    explanation = explain(condition, lookup_in(values), type_of)
    assert undecided == any(
        fact.endswith((" is missing", " is 0", " has no value")) for fact in explanation.split(" and ")
    )


@given(
    st.floats(-1e12, 1e12),
    st.one_of(st.floats(-1e12, 1e12), st.floats(0.99, 1.01)),
    st.sampled_from(NUMERIC),
    st.booleans(),
)
def test_two_values_that_differ_are_shown_in_their_order(
    one: float, other: float, dimension: Dimension, close: bool
) -> None:
    if close:
        other = one * other
    assume(abs(one) > 1e-5)
    assume(abs(other) > 1e-5)
    first, second = shown_apart(one, other, dimension)
    assert (first == second) == (one == other)
    assert (_read(first) < _read(second)) == (one < other)


def _read(shown: str) -> float:
    digits = shown.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%/ µ")
    unit = shown[len(digits) :].strip().replace("µ", "u")
    return float(digits) * float(UNITS[unit][1]) if unit else float(digits)
