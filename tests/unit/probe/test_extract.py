"""Metrics out of documents."""

import pytest
from pydantic import JsonValue

from runbook_engine.probe.extract import ExtractError, check_extract, extract

DOCUMENT: JsonValue = {
    "services": [{"runningCount": 2, "name": "api", "up": True, "lag": "1.5s", "ms": 340.0, "half": 0.5}]
}


@pytest.mark.parametrize(
    ("path", "type_", "unit", "expected"),
    [
        ("services[0].runningCount", "count", None, 2),
        ("services[0].name", "string", None, "api"),
        ("services[0].runningCount", "string", None, "2"),
        ("services[0].up", "bool", None, True),
        ("services[0].lag", "duration", None, 1.5),
        ("services[0].ms", "duration", "ms", 0.34),
        ("services[0].gone", "count", None, None),
        ("length(services)", "count", None, 1),
    ],
)
def test_a_path_gives_a_typed_metric(path: str, type_: str, unit: str | None, expected: object) -> None:
    assert extract(DOCUMENT, path, type_, unit) == expected


@pytest.mark.parametrize(
    ("path", "type_", "message"),
    [
        ("services", "count", "gives a list, not a count"),
        ("services[0].name", "count", "gives the text 'api', which is not a count"),
        ("services[0].up", "number", "gives a bool, not a number"),
        ("services[0].half", "count", "not a whole number"),
        ("services[0].lag", "bytes", "a duration, not a bytes"),
        ("abs(services)", "number", "cannot be applied to this document"),
    ],
)
def test_something_of_another_type_is_an_error_never_a_guess(path: str, type_: str, message: str) -> None:
    with pytest.raises(ExtractError, match=message):
        extract(DOCUMENT, path, type_, None)


@pytest.mark.parametrize(
    ("path", "unit", "key", "message"),
    [
        ("a[", None, "path", "is not a JMESPath"),
        ("a", "fortnight", "unit", "'fortnight' is not a unit"),
        ("a", "MiB", "unit", "'MiB' is a unit of bytes, and the type is duration"),
        ("a." * 600 + "b", None, "path", "a path may have 1000 characters"),
    ],
)
def test_a_mistaken_extract_is_explained(path: str, unit: str | None, key: str, message: str) -> None:
    found = check_extract(path, "duration", unit)
    assert found is not None
    assert found[0] == key
    assert message in found[1]
