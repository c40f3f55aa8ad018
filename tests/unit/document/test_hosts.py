"""Which hosts a pattern means, and which patterns mean too many."""

import pytest

from runbook_engine.document.hosts import matches, misread


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("api.example.com", "API.Example.com."),
        ("*.example.com", "a.example.com"),
        ("api-*.example.com", "api-3.example.com"),
        ("db-?", "db-1"),
        ("10.2.0.0/16", "10.2.255.1"),
        ("10.2.3.4", "10.2.3.4"),
        ("2001:db8::/32", "2001:db8::1"),
        ("*.eu.*.example.com", "a.eu.b.example.com"),
    ],
)
def test_a_pattern_means_these_hosts(pattern: str, host: str) -> None:
    assert misread(pattern) == ""
    assert matches(pattern, host)


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("*.example.com", "example.com"),
        ("*.example.com", "a.b.example.com"),
        ("*.example.com", "a.example.com.evil.example"),
        ("*.example.com", "a.example.com\n"),
        ("api.example.com", "apixexample.com"),
        ("db-*", "db-1.evil.example"),
        ("10.2.0.0/16", "10.3.0.1"),
        ("10.2.0.0/16", "10.2.0.1.evil.example"),
        ("10.2.0.0/16", "2001:db8::1"),
        ("*", "evil"),
    ],
)
def test_a_pattern_does_not_mean_these(pattern: str, host: str) -> None:
    assert not matches(pattern, host)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("*", "is for any host"),
        ("??*", "is for any host"),
        ("api.*", "leaves the end of the name open"),
        ("api.example.co*", "leaves the end of the name open"),
        ("10.2.0.*", "leaves the end of the name open"),
        ("https://api.example.com", "neither the name of a host nor an address"),
        ("api.example.com:443", "neither the name of a host nor an address"),
        ("api.example.com/x", "neither the name of a host nor an address"),
        ("a..b", "neither the name of a host nor an address"),
        ("*.2.0.1", "an address with a part left open"),
        ("api example", "neither the name of a host nor an address"),
    ],
)
def test_a_pattern_that_means_too_much_or_nothing_is_told(pattern: str, says: str) -> None:
    assert says in misread(pattern)
    assert not matches(pattern, "api.example.com")
