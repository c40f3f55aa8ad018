"""What the http probes accept, and the command that they show."""

import shlex
import subprocess
from typing import Any

import pytest
from pydantic import ValidationError

from runbook_engine.probe import Secret
from runbook_probes.http import get, latency


def params(**given: object) -> Any:
    return get.params.model_validate({"url": "https://api.example.com/health", **given})


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("api.example.com/health", "does not begin with http:// or https://"),
        ("ftp://api.example.com", "its scheme is 'ftp'"),
        ("https:///health", "has no host"),
        ("https://api.example.com:99999/", "its host or port cannot be read"),
        ("https://api.example.com:0/", "has no port"),
        ("https://[::1/", "its host or port cannot be read"),
        ("https://api.example.com/a b", "no spaces"),
        ("https://api.example.com/\r\nX: y", "no spaces"),
        ("https://\u2100\ufe0f.example/", "this"),
        ("", "does not begin with http:// or https://"),
    ],
)
def test_what_is_not_a_url_is_refused_with_an_example(url: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence) as caught:
        params(url=url)
    assert "write for example https://api.example.com/health" in str(caught.value)


def test_a_refused_url_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        params(url="ftp://me:hunter2@api.example.com/?token=s3cret")
    assert "hunter2" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"X Key": "v"}, "'X Key' is not the name of a header"),
        ({"X-Key": "hunter2\r\nEvil: 1"}, "X-Key has a line break"),
    ],
)
def test_a_header_that_would_break_the_request_is_refused_without_its_value(
    headers: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence) as caught:
        params(headers=headers)
    assert "hunter2" not in str(caught.value)


def test_secrets_show_themselves_nowhere() -> None:
    given = params(url=Secret("https://api.example.com/?k=s3cret", "$API_URL"), headers={"X-Key": "hunter2"})
    for shown in (repr(given), str(given), given.model_dump_json(), get.command(given)):
        assert "s3cret" not in shown
        assert "hunter2" not in shown


@pytest.mark.parametrize(("size", "expected"), [("64KiB", 65536), (10, 10), ("10", 10), ("1MiB", 1048576)])
def test_the_bound_of_the_body_is_a_size(size: object, expected: object) -> None:
    assert params(max_body=size).max_body == expected


@pytest.mark.parametrize("size", ["5s", "17MiB", -1])
def test_a_bound_of_the_body_that_is_no_size_is_refused(size: object) -> None:
    with pytest.raises(ValidationError):
        params(max_body=size)


def test_the_command_asks_the_same_with_curl() -> None:
    given = params(
        url=Secret("https://api.example.com/v1?k=s3cret", "$API_URL/v1?k=$API_KEY"),
        headers={"Authorization": Secret("Bearer t0ken", "Bearer $TOKEN"), "X-Plain": Secret("a b", "a b")},
        method="HEAD",
        follow_redirects=True,
        ca_file="my ca.pem",
    )
    command = get.command(given)
    assert command.startswith(
        """curl -sS -g -I -L -b '' --cacert 'my ca.pem' -H "Authorization: Bearer $TOKEN" -H 'X-Plain: a b' -w '"""
    )
    assert command.endswith(' "$API_URL/v1?k=$API_KEY"')


def test_the_command_for_many_samples_repeats_itself() -> None:
    given = latency.params.model_validate({"url": "https://api.example.com/health", "samples": 5})
    assert latency.command(given) == (
        r"for i in $(seq 5); do curl -sS -g -o /dev/null -w '%{http_code} %{time_total} s\n' "
        "https://api.example.com/health; done"
    )


@pytest.mark.parametrize(
    "url", ["https://api.example.com/?$filter=a&b=`id`", "https://api.example.com/?q='x'&$(reboot)", 'https://h/?a="b"']
)
def test_a_plain_url_reaches_curl_as_it_is_whatever_the_shell_makes_of_its_letters(url: str) -> None:
    words = shlex.split(get.command(params(url=url)))
    assert words[-1] == url


def test_only_the_variables_of_a_secret_are_left_to_the_shell() -> None:
    given = params(
        url=Secret("https://api.example.com/?`id`&t=s3cret", 'https://api.example.com/?`id`"\\$(x)&t=$TOKEN')
    )
    last = get.command(given).partition("n' ")[2]
    echoed = subprocess.run(
        ["sh", "-c", f"printf %s {last}"], env={"TOKEN": "s3cret"}, capture_output=True, text=True, check=True
    )
    assert echoed.stdout == 'https://api.example.com/?`id`"\\$(x)&t=s3cret'


@pytest.mark.parametrize("probe", [get, latency], ids=["get", "latency"])
def test_every_metric_says_what_it_is_and_in_which_unit(probe: Any) -> None:
    assert {metric.dimension for metric in probe.metrics.values()}
    if probe is get:
        assert probe.metrics["dns"].optional
        assert probe.metrics["total"].optional
        assert not probe.metrics["status"].optional
        assert probe.extracts
    else:
        assert probe.metrics["error_rate"].describe() == "percent, 0 % to 100 %"
