"""What conditions mean once they are read."""

import pytest

from runbook_engine.conditions import (
    And,
    Arithmetic,
    Comparison,
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
    Threshold,
    names,
    needed,
    parse,
    thresholds,
    unparse,
)
from runbook_engine.conditions.tree import walk
from runbook_engine.quantity import Dimension


def number(value: float) -> Constant:
    return Constant(value, Dimension.NUMBER, str(value))


P95, A, B, C = (Name(None, name) for name in ("p95", "a", "b", "c"))


def test_a_bare_name_a_step_s_metric_and_an_input_are_told_apart() -> None:
    assert names(parse("p95 > inputs.slow and database.used > 3")) == (
        Name(None, "p95"),
        Name("inputs", "slow"),
        Name("database", "used"),
    )


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("5", 5, Dimension.NUMBER),
        ("0.25", 0.25, Dimension.NUMBER),
        (".5", 0.5, Dimension.NUMBER),
        ("1e3", 1000.0, Dimension.NUMBER),
        ("-7", -7, Dimension.NUMBER),
        ("500ms", 0.5, Dimension.DURATION),
        ("2s", 2.0, Dimension.DURATION),
        ("5min", 300.0, Dimension.DURATION),
        ("30d", 2592000.0, Dimension.DURATION),
        ("80%", 80.0, Dimension.PERCENT),
        ("512MiB", 536870912, Dimension.BYTES),
        ("1.5kB", 1500.0, Dimension.BYTES),
        ("12/s", 12.0, Dimension.RATE),
        ("120/min", 2.0, Dimension.RATE),
        ('"idle"', "idle", Dimension.TEXT),
        ("'say \"no\"'", 'say "no"', Dimension.TEXT),
        (r'"a\d"', r"a\d", Dimension.TEXT),
        ("true", True, Dimension.BOOL),
        ("false", False, Dimension.BOOL),
    ],
)
def test_a_literal_is_held_in_its_base_unit(text: str, value: object, dimension: Dimension) -> None:
    found = parse(text)
    assert isinstance(found, Constant)
    assert (found.value, type(found.value), found.dimension) == (value, type(value), dimension)


def test_whole_numbers_beyond_the_precision_of_floats_stay_exact() -> None:
    found = parse("9007199254740993B")
    assert isinstance(found, Constant)
    assert found.value == 9007199254740993


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a or b and c", Or((A, And((B, C))))),
        ("(a or b) and c", And((Or((A, B)), C))),
        ("a and b and c", And((A, B, C))),
        ("a and (b and c)", And((A, B, C))),
        ("not a and b", And((Not(A), B))),
        ("not a > 1", Not(Comparison(Operator.MORE, A, number(1)))),
        ("not (a and b)", Not(And((A, B)))),
        (
            "a + b * c > 1",
            Comparison(Operator.MORE, Arithmetic("+", A, Arithmetic("*", B, C)), number(1)),
        ),
        ("a - b - c", Arithmetic("-", Arithmetic("-", A, B), C)),
        ("a - (b - c)", Arithmetic("-", A, Arithmetic("-", B, C))),
        ("a / b / c", Arithmetic("/", Arithmetic("/", A, B), C)),
        ("-a * b", Arithmetic("*", Minus(A), B)),
        ("-(a + b)", Minus(Arithmetic("+", A, B))),
        ("a - -1", Arithmetic("-", A, number(-1))),
        ("a in [1, b]", Membership(A, (number(1), B), negated=False)),
        ("a not in [1,]", Membership(A, (number(1),), negated=True)),
        ("a contains b", Contains(A, B)),
        ("a is missing", IsMissing(A, negated=False)),
        ("a is not missing", IsMissing(A, negated=True)),
        ("1 <= a", Comparison(Operator.AT_MOST, number(1), A)),
        ("matches > 1", Comparison(Operator.MORE, Name(None, "matches"), number(1))),
        ("step.missing > 1", Comparison(Operator.MORE, Name("step", "missing"), number(1))),
    ],
)
def test_operators_bind_as_they_are_read(text: str, tree: Expression) -> None:
    assert parse(text) == tree


def test_a_rate_is_a_literal_and_a_division_by_a_metric_is_none() -> None:
    assert parse("12/s") == Constant(12.0, Dimension.RATE, "12/s")
    assert parse("12 / s") == Arithmetic("/", number(12), Name(None, "s"))
    assert parse("12/s.count") == Arithmetic("/", number(12), Name("s", "count"))
    assert parse("12/size") == Arithmetic("/", number(12), Name(None, "size"))


def test_white_space_and_line_breaks_mean_nothing() -> None:
    assert parse("  a>1\n\tand\r\nb  ") == parse("a > 1 and b")


def test_every_node_knows_its_place_in_the_text() -> None:
    text = 'not (p95 > 2 * inputs.slow) and state in ["idle", -3] or x matches "b"'
    tree = parse(text)
    placed = [text[node.start : node.end] for node in walk(tree)]
    assert placed == [
        text,
        'not (p95 > 2 * inputs.slow) and state in ["idle", -3]',
        "not (p95 > 2 * inputs.slow)",
        "p95 > 2 * inputs.slow",
        "p95",
        "2 * inputs.slow",
        "2",
        "inputs.slow",
        'state in ["idle", -3]',
        "state",
        '"idle"',
        "-3",
        'x matches "b"',
        "x",
    ]


def test_trees_are_equal_when_they_say_the_same_wherever_it_stands() -> None:
    assert parse("  p95   >1s") == parse("p95 > 1s")
    assert parse("p95 > 1s") != parse("p95 > 2s")
    assert hash(parse(" p95")) == hash(parse("p95"))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("p95>1s", "p95 > 1s"),
        ("( p95 )>(1s)", "p95 > 1s"),
        ("not(a)or b", "not a or b"),
        ("(a or b)and c", "(a or b) and c"),
        ("a and(b and c)", "a and b and c"),
        ("(a+b)*c>1", "(a + b) * c > 1"),
        ("a-(b-c)>1", "a - (b - c) > 1"),
        ("(a-b)-c>1", "a - b - c > 1"),
        ("-(-a)>1", "--a > 1"),
        ("-(-1)>a", "1 > a"),
        ("(a > 1) == b", "(a > 1) == b"),
        ("x in ['a',\"b\"]", 'x in ["a", "b"]'),
        ("x matches 'say \"no\"'", "x matches 'say \"no\"'"),
        ("x not in[1]", "x not in [1]"),
        ("a is  not  missing", "a is not missing"),
        ("x contains 'a'", 'x contains "a"'),
        ("-(a*b)>1", "-(a * b) > 1"),
    ],
)
def test_a_condition_is_written_back_in_one_form(text: str, canonical: str) -> None:
    assert unparse(parse(text)) == canonical


def test_names_are_listed_as_often_as_they_are_used_with_their_places() -> None:
    text = "p95 > inputs.slow or p95 is missing"
    found = names(parse(text))
    assert [text[name.start : name.end] for name in found] == ["p95", "inputs.slow", "p95"]
    assert found[0].start == 0
    assert found[2].start == 21


def test_a_name_that_is_only_asked_for_is_not_needed() -> None:
    assert needed(parse("p95 is missing or a > b and a < 3")) == (A, B)
    assert needed(parse("p95 is not missing and p95 > 1s")) == (P95,)


def test_thresholds_stand_on_the_right() -> None:
    assert thresholds(parse("p95 > 1s and not 5 <= a or b == 'x' and a > b and a + 1 > 2")) == [
        Threshold(P95, Operator.MORE, 1.0),
        Threshold(A, Operator.AT_LEAST, 5),
        Threshold(B, Operator.EQUAL, "x"),
    ]
    name, operator, value = thresholds(parse("p95 > 1s"))[0]
    assert (str(name), operator, value) == ("p95", ">", 1.0)


@pytest.mark.parametrize(
    "operator", [Operator.EQUAL, Operator.UNEQUAL, Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST]
)
def test_flipping_and_negating_twice_changes_nothing(operator: Operator) -> None:
    assert operator.flipped.flipped is operator
    assert operator.negated.negated is operator


def test_a_pattern_is_read_with_the_condition() -> None:
    tree = parse('x matches "^a+$"')
    assert isinstance(tree, Matches)
    assert tree.pattern.found_in("aaa")


def test_a_name_reads_as_it_is_written() -> None:
    assert [str(name) for name in names(parse("p95 > inputs.slow + db.time"))] == ["p95", "inputs.slow", "db.time"]


def test_conditions_that_say_the_same_are_equal_and_never_unequal_as_well() -> None:
    assert parse("p95 > 1s") == parse("  p95  >  1s")
    assert not parse("p95 > 1s") != parse("  p95  >  1s")  # noqa: SIM202 - this is about !=
    assert parse("p95 > 1s") != parse("p95 > 2s")
