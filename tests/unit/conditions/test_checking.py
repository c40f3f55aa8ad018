"""What is found wrong before anything is measured: the place, the sentence, and what to write instead."""

from collections.abc import Callable

import pytest

from runbook_engine.conditions import Name, Problem, check, parse
from runbook_engine.quantity import Dimension, MetricType

Resolve = Callable[[Name], MetricType | Problem]

ALONE = "join conditions with and, or, not"
ELSE = "write {else: …} for what happens otherwise"
PERCENT = "error_rate: percent, 0 % to 100 %"
DURATION = "p95: duration, at least 0 s"
MEMBERS = "values of state: idle, active, idle_in_transaction"

CASES = [
    # A number without its unit, or with a wrong one.
    ("p95 > 1000", "1000", "p95 is a duration, and 1000 has no unit", "write 1000ms or 1000s"),
    ("1000 < p95", "1000", "p95 is a duration, and 1000 has no unit", "write 1000ms or 1000s"),
    ("error_rate > 5", "5", "error_rate is a percentage, and 5 has no unit", "write 5%"),
    (
        "error_rate > 0.05",
        "0.05",
        "error_rate is a percentage, and 0.05 has no unit",
        "write 5%, or 0.05% if less than one percent is meant",
    ),
    ("used > 5", "5", "used is a size in bytes, and 5 has no unit", "write 5MiB or 5B"),
    ("requests > 12", "12", "requests is a rate, and 12 has no unit", "write 12/s"),
    ("inputs.slow > 1", "1", "inputs.slow is a duration, and 1 has no unit", "write 1ms or 1s"),
    ("active > 20%", "20%", "active is a number, and 20% a percentage", "write 20"),
    (
        "used / limit > 80%",
        "80%",
        "(used / limit) is a number, and 80% a percentage",
        "write 0.8",
    ),
    ("active > 20s", "20s", "active is a number without a unit, and 20s a duration", "leave the unit out"),
    ("p95 > 80%", "80%", "p95 is a duration, and 80% a percentage", "write for example 500ms"),
    ("p95 > -1000", "-1000", "p95 is a duration, and -1000 has no unit", "write -1000ms or -1000s"),
    # Texts, numbers, true and false.
    ('p95 == "1s"', '"1s"', 'p95 is a duration, and "1s" a text', "write 1s without quotes"),
    ('p95 == "slow"', '"slow"', 'p95 is a duration, and "slow" a text', "write for example 500ms"),
    ('active == "5"', '"5"', 'active is a number, and "5" a text', "write 5 without quotes"),
    ("body == 5", "5", "body is a text, and 5 a number", 'write "5"'),
    ('ready == "yes"', '"yes"', 'ready is a boolean, and "yes" a text', "write ready or not ready"),
    ("ready == 1", "1", "ready is a boolean, and 1 a number", "write ready or not ready"),
    ("active == true", "true", "active is a number, and true a boolean", "write for example 12"),
    (
        "p95 > inputs.most",
        "p95 > inputs.most",
        "p95 is a duration and inputs.most a number",
        "give the input most the type duration",
    ),
    (
        "p95 > error_rate",
        "p95 > error_rate",
        "p95 is a duration and error_rate a percentage: only like can be compared with like",
        "",
    ),
    (
        'state > "idle"',
        'state > "idle"',
        "texts have no order",
        'write state == "idle", or state in ["idle", …]',
    ),
    ("ready >= true", "ready >= true", "true and false have no order", "write ready == true"),
    # What a metric can never be.
    (
        "error_rate > 120%",
        "120%",
        "error_rate is never above 100 %, so error_rate > 120% is always false",
        PERCENT,
    ),
    (
        "error_rate <= 120%",
        "120%",
        "error_rate is never above 100 %, so error_rate <= 120% is always true",
        PERCENT,
    ),
    (
        "error_rate != 120%",
        "120%",
        "error_rate is never above 100 %, so error_rate != 120% is always true",
        PERCENT,
    ),
    ("p95 < -1s", "-1s", "p95 is never below 0 s, so p95 < -1s is always false", DURATION),
    ("-1s < p95", "-1s", "p95 is never below 0 s, so p95 > -1s is always true", DURATION),
    ("p95 in [1s, -1s]", "-1s", "p95 is never below 0 s, so p95 == -1s is always false", DURATION),
    (
        "active == 2.5",
        "2.5",
        "active is a whole number, so active == 2.5 is always false",
        "active: whole number, at least 0",
    ),
    ('state == "idel"', '"idel"', 'state is never "idel"; did you mean "idle"?', MEMBERS),
    ('state not in ["idle", "gone"]', '"gone"', 'state is never "gone"', MEMBERS),
    (
        "state == idle",
        "idle",
        "idle is no metric of this step, and a text stands in quotes",
        'write "idle"',
    ),
    (
        "state in [idle]",
        "idle",
        "idle is no metric of this step, and a text stands in quotes",
        'write "idle"',
    ),
    # What is no condition, and what is no value.
    ("state", "state", "state is a text, not a condition", 'compare it: state == "idle"'),
    ("body", "body", "body is a text, not a condition", 'compare it: body == "a text"'),
    ("not p95", "p95", "p95 is a duration, not a condition", "compare it: p95 > 500ms"),
    ("active and ready", "active", "active is a number, not a condition", "compare it: active > 12"),
    ("p95 + 1s", "p95 + 1s", "(p95 + 1s) is a duration, not a condition", "compare it"),
    ("5s or ready", "5s", "5s is a duration, not a condition", "compare it"),
    ("true", "true", '"true" is always true', ELSE),
    ("ready or false", "false", '"false" is always false', ELSE),
    ("(p95 > 1s) == ready", "p95 > 1s", "(p95 > 1s) is a condition, not a value", ALONE),
    ("(p95 is missing) == true", "p95 is missing", "(p95 is missing) is a condition, not a value", ALONE),
    # What is the same whatever is measured.
    ("1s > 500ms", "1s > 500ms", "1s > 500ms is always true: nothing in it is measured", "compare a metric"),
    ("1 in [2]", "1 in [2]", "1 in [2] is always false: nothing in it is measured", "compare a metric"),
    (
        '"a" matches "b"',
        '"a" matches "b"',
        '"a" matches "b" is always false: nothing in it is measured',
        "compare a metric",
    ),
    ("p95 > p95", "p95 > p95", "p95 is compared with itself", "compare it with a threshold"),
    ('body contains ""', '""', "every text contains the empty text", "write is not missing"),
    # Arithmetic.
    (
        "p95 + 5 > 1s",
        "p95 + 5",
        "p95 is a duration and 5 a number: only like can be added to like",
        "write 5ms or 5s",
    ),
    (
        "5 - p95 > 1s",
        "5 - p95",
        "5 is a number and p95 a duration: only like can be subtracted from like",
        "write 5ms or 5s",
    ),
    (
        "p95 + error_rate > 1s",
        "p95 + error_rate",
        "p95 is a duration and error_rate a percentage: only like can be added to like",
        "",
    ),
    (
        "p95 * used > 1s",
        "p95 * used",
        "p95 is a duration and used a size in bytes: one of two factors must be a number",
        "",
    ),
    (
        "80% * limit < used",
        "80% * limit",
        "80% is a percentage and limit a size in bytes: one of two factors must be a number",
        "write 0.8 for 80%",
    ),
    (
        "used / p95 > 5",
        "used / p95",
        "used is a size in bytes and p95 a duration: a divisor must be a number, or of the same kind",
        "",
    ),
    (
        "5 / p95 > 5",
        "5 / p95",
        "5 is a number and p95 a duration: a divisor must be a number, or of the same kind",
        "",
    ),
    (
        "body + state == 'x'",
        "body + state",
        "body is a text and state a text: only numbers and quantities can be calculated with",
        "",
    ),
    ("-body == 'x'", "-body", "body is a text, which has no negative", ""),
    ("active / 0 > 1", "0", "(active / 0) divides by zero", ""),
    ("active / (2 - 2) > 1", "2 - 2", "(active / (2 - 2)) divides by zero", ""),
    # Texts are searched, and nothing else.
    ("p95 matches 'x'", "p95", '"matches" is for texts, and p95 is a duration', ""),
    ("body contains 5", "5", '"contains" is for texts, and 5 is a number', ""),
    # Lists.
    ("p95 in [1s, 5]", "5", "p95 is a duration, and 5 has no unit", "write 5ms or 5s"),
    (
        "p95 in [error_rate]",
        "error_rate",
        "p95 is a duration and error_rate a percentage: only like can be compared with like",
        "",
    ),
    # Names.
    ("p59 > 1s", "p59", 'there is no "p59"; did you mean "p95"?', ""),
    ("p59 is missing", "p59", 'there is no "p59"; did you mean "p95"?', ""),
    ("not (ready and redy)", "redy", 'there is no "redy"; did you mean "ready"?', ""),
]


@pytest.mark.parametrize(("text", "marked", "message", "hint"), CASES, ids=[case[0] for case in CASES])
def test_a_mistake_is_named_placed_and_mended(
    text: str, marked: str, message: str, hint: str, resolve: Resolve
) -> None:
    found = [(text[each.start : each.end], each.message, each.hint) for each in check(parse(text), resolve)]
    assert found == [(marked, message, hint)]


@pytest.mark.parametrize(
    "text",
    [
        "p95 > 1s",
        "p95 > inputs.slow and error_rate <= 100%",
        "p95 >= 0s",
        "active > 2.5",
        "active == 3 or active in [4, 5]",
        "used / limit > 0.8",
        "used > 0.8 * limit",
        "used + 1MiB > limit - 5B",
        "p95 / 2 > 500ms and 2 * p95 > 3s",
        "active * load / 3 > 1",
        "-load < 0",
        "requests / requests - 1 > 0.5",
        "ready",
        "not ready and ready == true or ready != false",
        'state == "idle" and state != "active" and state in ["idle"]',
        "state == inputs.wanted or body in [state, inputs.wanted]",
        'body matches "^5" and body contains "x" and body contains inputs.wanted',
        "limit is missing or limit is not missing",
        "database.used > inputs.most",
        "1s < p95",
    ],
)
def test_a_sensible_condition_has_no_problem(text: str, resolve: Resolve) -> None:
    assert check(parse(text), resolve) == []


def test_all_mistakes_are_told_at_once_in_the_order_of_the_text(resolve: Resolve) -> None:
    text = "error_rate > 5 and (nope < 3 or not state) and p95 + 1 > 1s and used matches 'x'"
    assert [text[each.start : each.end] for each in check(parse(text), resolve)] == [
        "5",
        "nope",
        "state",
        "p95 + 1",
        "used",
    ]


def test_one_mistake_is_told_once(resolve: Resolve) -> None:
    assert len(check(parse("(nope + 1) * 5 > 3%"), resolve)) == 1
    assert len(check(parse("(p95 + 1) * 5 > 3%"), resolve)) == 1


def test_a_name_whose_type_cannot_be_told_is_taken_on_trust(resolve: Resolve) -> None:
    def trusting(name: Name) -> MetricType | Problem | None:
        return None if name.scope == "unknown" else resolve(name)

    assert check(parse("unknown.a > 1s and unknown.b and unknown.c + 1 > 5% and -unknown.d > 3"), trusting) == []
    assert check(parse("unknown.a in [1, 's'] or unknown.a matches 'x' or unknown.a contains 'y'"), trusting) == []
    assert len(check(parse("unknown.a > 1s and p95 > 5"), trusting)) == 1


def test_an_enum_s_member_that_is_a_metric_too_is_that_metric() -> None:
    types = {"state": MetricType(Dimension.TEXT, members=("idle",)), "idle": MetricType(Dimension.NUMBER)}
    (problem,) = check(parse("state == idle"), lambda name: types[name.name])
    assert problem.message == "state is a text and idle a number: only like can be compared with like"
