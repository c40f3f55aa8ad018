"""Metrics out of documents."""

import pytest
from pydantic import JsonValue

from runbook_engine.document.models import Extract, ExtractType
from runbook_engine.graph.extracting import problems, take
from runbook_engine.probe.extract import ExtractError, NothingThereError

DOCUMENT: JsonValue = {
    "services": [
        {
            "runningCount": 2,
            "name": "api",
            "up": True,
            "down": "false",
            "lag": "1.5s",
            "ms": 340.0,
            "half": 0.5,
            "took": "340",
        }
    ]
}
NGINX = (
    "Active connections: 291 \nserver accepts handled requests\n 16630948 16630948 31070465 \nReading: 6 Writing: 179\n"
)


def extract(path: str = "", type_: str = "number", unit: str | None = None, match: str | None = None) -> Extract:
    return Extract(path=path, type=ExtractType(type_), unit=unit, match=match)


@pytest.mark.parametrize(
    ("path", "type_", "unit", "expected"),
    [
        ("services[0].runningCount", "count", None, 2),
        ("services[0].name", "string", None, "api"),
        ("services[0].runningCount", "string", None, "2"),
        ("services[0].up", "bool", None, True),
        ("services[0].down", "bool", None, False),
        ("services[0].lag", "duration", None, 1.5),
        ("services[0].lag", "duration", "ms", 1.5),
        ("services[0].ms", "duration", "ms", 0.34),
        ("services[0].took", "duration", "ms", 0.34),
        ("services[0].took", "duration", None, 340.0),
        ("length(services)", "count", None, 1),
    ],
)
def test_a_path_gives_a_typed_metric(path: str, type_: str, unit: str | None, expected: object) -> None:
    assert take(DOCUMENT, extract(path, type_, unit)) == expected


@pytest.mark.parametrize(
    ("document", "path", "match", "type_", "unit", "expected"),
    [
        ({"text": "lag: 17\n"}, "", r"lag: (\d+)", "count", None, 17),
        ("lag: 17", "", r"lag: (\d+)", "duration", "s", 17.0),
        ({"text": NGINX}, "", r"Active connections: (\d+)", "count", None, 291),
        ({"text": NGINX}, "text", r"\n \d+ \d+ (\d+)", "count", None, 31070465),
        ([{"state": "usage 93 %"}], "[0].state", r"(\d+) %", "percent", None, 93.0),
        (17, "", r"(\d)7", "string", None, "1"),
        ({"text": "took 0.34 seconds"}, "", r"took ([\d.]+) s", "duration", "s", 0.34),
        ({"text": "used 3 GiB"}, "", r"used (.*)", "bytes", None, 3 * 2**30),
        ({"text": "state=true"}, "", r"state=(\w+)", "bool", None, True),
    ],
)
def test_a_match_takes_a_metric_out_of_a_text(
    document: JsonValue, path: str, match: str, type_: str, unit: str | None, expected: object
) -> None:
    assert take(document, extract(path, type_, unit, match)) == expected


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (DOCUMENT, "services[0].gone", "services[0].gone leads nowhere: services[0] is an object with runningCount, name, up, "
         "down, lag, ms, half, took"),
        (DOCUMENT, "service.name", "service.name leads nowhere: the document is an object with services"),
        (DOCUMENT, "services[3].name", "services[3].name leads nowhere: services is a list of 1, the first of which is an object "
         "with runningCount, name, up, down, lag, ms, half, took"),
        (DOCUMENT, "services[0].ms.x", "services[0].ms.x leads nowhere: services[0].ms is 340.0"),
        ({str(n): n for n in range(11)}, "a", "a leads nowhere: the document is an object with 0, 1, 2, 3, 4, 5, 6, 7 and 3 more"),
        ({"text": "\n<!DOCTYPE html>\n<html>"}, "a", 'a leads nowhere: the document is the text "<!DOCTYPE html>"'),
        ({"text": ""}, "a", "a leads nowhere: the document is an empty text"),
        ({"text": "\x1b[31mred" + 100 * "x"}, "a", f'a leads nowhere: the document is the text "␛[31mred{52 * "x"}…"'),
        ([], "[0].a", "[0].a leads nowhere: the document is an empty list"),
        ([[1, 2]], "a", "a leads nowhere: the document is a list of 1, the first of which is a list of 2"),
        ({"a": {}}, "a.b", "a.b leads nowhere: a is an empty object"),
        (None, "a", "a leads nowhere: the document is nothing"),
        (True, "a", "a leads nowhere: the document is true"),
        ({"a": None}, "a[?x] | [0]", "a[?x] | [0] leads nowhere: the document is an object with a"),
    ],
)  # fmt: skip
def test_where_a_path_leads_nowhere_the_reason_says_what_is_there(document: JsonValue, path: str, message: str) -> None:
    with pytest.raises(NothingThereError) as raised:
        take(document, extract(path))
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("path", "type_", "message"),
    [
        ("services", "count", "services gives a list of 1, the first of which is an object with"),
        ("services[0].name", "count", r'services\[0\].name gives the text "api", which is not a count'),
        ("services[0].up", "number", "gives true, not a number"),
        ("services[0].half", "count", "gives 0.5, not a whole number"),
        ("services[0].lag", "bytes", 'gives the text "1.5s", a duration, not a bytes'),
        ("abs(services)", "number", r"abs\(services\) cannot be asked of this document \(JMESPathTypeError\): the document is an"),
    ],
)  # fmt: skip
def test_something_of_another_type_is_an_error_never_a_guess(path: str, type_: str, message: str) -> None:
    with pytest.raises(ExtractError, match=message):
        take(DOCUMENT, extract(path, type_))


def test_a_number_that_no_float_can_hold_is_an_error() -> None:
    with pytest.raises(ExtractError, match="n gives a number that is too large"):
        take({"n": 10**400}, extract("n", "count"))


def test_a_text_without_the_pattern_is_shown_by_its_first_line() -> None:
    with pytest.raises(NothingThereError, match=r'^lag: \(\\d\+\) does not match the text "no replica"$'):
        take({"text": "no replica\nat all"}, extract(match=r"lag: (\d+)"))


def test_a_match_in_an_object_asks_for_a_path() -> None:
    with pytest.raises(ExtractError, match="the document is an object with services, and a match is made in a text"):
        take(DOCUMENT, extract(match=r"(\d+)"))


def test_a_text_that_would_hang_a_backtracking_search_ends_with_a_reason() -> None:
    with pytest.raises(
        ExtractError, match="takes more than 3,000,000 steps through this document; ask for a smaller part of it"
    ):
        take({"text": 100_000 * "a1"}, extract(match=r"(?:\d|\w|.){100}(z)"))


def test_a_secret_is_masked_before_what_is_shown_is_cut() -> None:
    secret = "hunter2-" * 10
    with pytest.raises(NothingThereError) as raised:
        take({"text": f"token {secret}"}, extract("a"), lambda text: text.replace(secret, "•••"))
    assert str(raised.value) == 'a leads nowhere: the document is the text "token •••"'


@pytest.mark.parametrize(
    ("spec", "key", "message"),
    [
        (extract("a[", "duration"), "path", "is not a JMESPath"),
        (extract("a", "duration", "fortnight"), "unit", "'fortnight' is not a unit"),
        (extract("a", "duration", "MiB"), "unit", "'MiB' is a unit of bytes, and the type is duration"),
        (extract("a." * 600 + "b"), "path", "a path may have 1000 characters"),
        (extract("lenght(a)"), "path", 'there is no function lenght(); did you mean "length"?'),
        (extract("a[?contains(b)]"), "path", "contains() takes 2 arguments, and is given 1"),
        (extract(match=r"lag: \d+"), "match", "this pattern has no group"),
        (extract(match=r"(lag): (\d+)"), "match", "this pattern has more than one group"),
        (extract(match=r"(?:(\d) ?)+"), "match", "the group is repeated"),
        (extract(match=r"(?=x)"), "match", "only groups (…) and (?:…) are supported"),
    ],
)
def test_a_mistaken_extract_is_explained(spec: Extract, key: str, message: str) -> None:
    (found,) = problems(spec, None)
    assert (found.code, found.key) == ("RB406", key)
    assert message in found.message
