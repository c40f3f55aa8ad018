"""What prometheus.query makes of the answers of Prometheus' API."""

import time
from typing import Any

import pytest

from runbook_engine.probe import ErrorKind, ProbeError, Secret
from runbook_probes.prometheus import query
from runbook_probes.prometheus_answer import read_answer

pytestmark = pytest.mark.anyio

UP = {"__name__": "up", "job": "api"}


async def test_a_vector_gives_the_first_value_and_the_range_of_all(measure: Any, prometheus: Any) -> None:
    prometheus.gives(
        "vector",
        [{"metric": UP, "value": [1700000000.1, "0.25"]}, {"metric": {"job": "db"}, "value": [1700000000.1, "4"]}],
    )
    reading = await measure(query, url=prometheus.url, query=" up ")
    assert (reading.series, reading.value, reading.maximum, reading.minimum) == (2, 0.25, 4.0, 0.25)
    assert reading.document["values"] == [0.25, 4.0]
    assert reading.document["result"][1]["metric"] == {"job": "db"}
    assert reading.evidence["series"][0] == {"series": 'up{job="api"}', "value": "0.25", "at": "2023-11-14T22:13:20Z"}
    assert reading.missing == {}
    path, given, _ = prometheus.asked[0]
    assert path == "/api/v1/query"
    assert given["query"] == "up"
    assert 0 < int(given["timeout"].removesuffix("ms")) <= 5000


async def test_a_scalar_is_one_series(measure: Any, prometheus: Any) -> None:
    prometheus.gives("scalar", [1700000000.1, "42"])
    reading = await measure(query, url=prometheus.url, query="42")
    assert (reading.series, reading.value, reading.document["values"]) == (1, 42.0, [42.0])


async def test_a_window_gives_the_latest_value_and_the_range_over_the_window(measure: Any, prometheus: Any) -> None:
    now = time.time()
    prometheus.gives("matrix", [{"metric": UP, "values": [[now - 120, "1"], [now - 60, "7"], [now, "3"]]}])
    reading = await measure(query, url=prometheus.url, query="up", window="1h")
    assert (reading.series, reading.value, reading.maximum, reading.minimum) == (1, 3.0, 7.0, 1.0)
    assert reading.document["values"] == [1.0, 7.0, 3.0]
    path, given, _ = prometheus.asked[0]
    assert path == "/api/v1/query_range"
    assert float(given["end"]) - float(given["start"]) == pytest.approx(3600, abs=0.01)
    assert float(given["step"]) == 60
    assert float(given["end"]) == pytest.approx(now, abs=30)


async def test_a_series_that_has_ended_has_no_value_now_although_it_had_one(measure: Any, prometheus: Any) -> None:
    now = time.time()
    prometheus.gives("matrix", [{"metric": UP, "values": [[now - 3000, "1"], [now - 2400, "1"]]}])
    reading = await measure(query, url=prometheus.url, query="up", window="1h")
    assert reading.value is None
    assert "it has no value now" in reading.missing["value"]
    assert (reading.maximum, reading.minimum) == (1.0, 1.0)


@pytest.mark.parametrize("kind", ["vector", "matrix"])
async def test_no_data_is_missing_and_not_0(measure: Any, prometheus: Any, kind: str) -> None:
    prometheus.gives(kind, [])
    reading = await measure(query, url=prometheus.url, query="nothing", window="1h" if kind == "matrix" else "")
    assert (reading.series, reading.value, reading.maximum, reading.minimum) == (0, None, None, None)
    assert reading.missing == dict.fromkeys(("value", "maximum", "minimum"), "the query gives no data")
    assert reading.document == {"value": None, "values": [], "result": []}


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
async def test_what_is_not_a_finite_number_is_missing(measure: Any, prometheus: Any, text: str) -> None:
    prometheus.gives(
        "vector", [{"metric": {}, "value": [1700000000, text]}, {"metric": {}, "value": [1700000000, "2"]}]
    )
    reading = await measure(query, url=prometheus.url, query="a / b")
    assert (reading.value, reading.maximum, reading.minimum) == (None, 2.0, 2.0)
    assert reading.missing == {
        "value": f"the value is {text}, which comes of dividing by nothing, or of scalar() of no series"
    }


async def test_a_native_histogram_is_not_one_number(measure: Any, prometheus: Any) -> None:
    prometheus.gives("vector", [{"metric": {}, "histogram": [1700000000, {"count": "1", "sum": "2"}]}])
    reading = await measure(query, url=prometheus.url, query="h")
    assert reading.value is None
    assert "histogram_quantile" in reading.missing["value"]


async def test_warnings_of_a_partial_answer_are_evidence(measure: Any, prometheus: Any) -> None:
    prometheus.gives("vector", [], warnings=["a store did \x1b[31mnot answer"])
    reading = await measure(query, url=prometheus.url, query="up")
    assert reading.evidence["warnings"] == ["a store did ␛[31mnot answer"]


MEASURED = ("series", "value", "maximum", "minimum")
LATER = {"metric": {"job": "db"}, "value": [1700000000.1, "4"]}
THANOS = "Addr: 10.0.0.7:10901 Timeout: rpc error: code = Unavailable"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"warnings": [THANOS]}, f"the answer may lack a part of the data: {THANOS}"),
        ({"isPartial": True}, "the answer lacks a part of the data: not all stores have answered (isPartial)"),
        ({"warnings": [], "isPartial": True}, "the answer lacks a part of the data: not all stores have answered"),
        (
            {
                "warnings": [
                    "PromQL info: metric might not be a counter",
                    "PromQL warning: a mix of histograms and floats",
                ]
            },
            "the answer may lack a part of the data: PromQL warning: a mix of histograms and floats",
        ),
    ],
)
async def test_a_partial_answer_without_series_is_missing_and_not_0_series(
    measure: Any, prometheus: Any, more: dict[str, object], told: str
) -> None:
    """As Thanos and VictoriaMetrics answer while a store is away, by their documentation."""
    for accepted in (False, True):
        prometheus.gives("vector", [], **more)
        reading = await measure(query, url=prometheus.url, query="up == 0", accept_partial=accepted)
        assert [getattr(reading, metric) for metric in MEASURED] == [None] * 4
        assert set(reading.missing) == set(MEASURED)
        assert all(why.startswith(told) for why in reading.missing.values())
        assert reading.incomplete.startswith(told)


@pytest.mark.parametrize("more", [{"warnings": [THANOS]}, {"isPartial": True}])
async def test_a_partial_answer_counts_only_where_that_is_accepted(
    measure: Any, prometheus: Any, more: dict[str, object]
) -> None:
    prometheus.gives("vector", [LATER], **more)
    reading = await measure(query, url=prometheus.url, query="errors")
    assert [getattr(reading, metric) for metric in MEASURED] == [None] * 4
    assert reading.missing["maximum"].endswith("; accept_partial: true takes what there is")
    assert reading.evidence["series"][0]["value"] == "4"
    reading = await measure(query, url=prometheus.url, query="errors", accept_partial=True)
    assert [getattr(reading, metric) for metric in MEASURED] == [1, 4.0, 4.0, 4.0]
    assert reading.incomplete == ""


@pytest.mark.parametrize(
    "more",
    [
        {"isPartial": False},
        {"warnings": ["PromQL warning: bucket label is missing"]},
        {"infos": ["PromQL info: metric might not be a counter"]},
        {"warnings": None, "isPartial": None},
    ],
)
async def test_an_answer_with_a_remark_about_its_query_is_whole(
    measure: Any, prometheus: Any, more: dict[str, object]
) -> None:
    prometheus.gives("vector", [LATER], **more)
    reading = await measure(query, url=prometheus.url, query="errors")
    assert (reading.series, reading.value, reading.missing) == (1, 4.0, {})


async def test_no_series_with_a_hint_about_its_query_are_0(measure: Any, prometheus: Any) -> None:
    prometheus.gives("vector", [], warnings=["PromQL info: metric might not be a counter"], isPartial=False)
    assert (await measure(query, url=prometheus.url, query="rate(errors[5m]) > 1")).series == 0


async def test_the_series_that_are_shown_are_few(measure: Any, prometheus: Any) -> None:
    prometheus.gives("vector", [{"metric": {"id": str(n)}, "value": [1700000000, str(n)]} for n in range(1000)])
    reading = await measure(query, url=prometheus.url, query="up")
    assert (reading.series, reading.maximum) == (1000, 999.0)
    assert (len(reading.evidence["series"]), reading.evidence["truncated"]) == (20, True)


@pytest.mark.parametrize(
    ("status", "error_type", "said", "kind", "message"),
    [
        (400, "bad_data", "1:5: parse error", ErrorKind.MALFORMED, "does not understand the query: 1:5: parse error"),
        (503, "timeout", "query timed out", ErrorKind.TIMEOUT, "gave the query up: query timed out"),
        (422, "execution", "too many samples", ErrorKind.OTHER, r"could not answer the query \(execution\): too many"),
        (404, "not_found", "no tenant", ErrorKind.MISSING, "did not find it: no tenant"),
        (422, "too_many_requests", "slow down", ErrorKind.THROTTLED, "too many queries"),
        (503, "unavailable", "starting", ErrorKind.OTHER, "could not answer the query"),
    ],
)
async def test_an_error_of_prometheus_is_an_error_and_no_reading(
    measure: Any, prometheus: Any, status: int, error_type: str, said: str, kind: ErrorKind, message: str
) -> None:
    prometheus.refuses(status, error_type, said)
    with pytest.raises(ProbeError, match=message) as caught:
        await measure(query, url=prometheus.url, query="up")
    assert caught.value.kind is kind


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, b"", ErrorKind.AUTH, "does not accept the credentials"),
        (403, b"", ErrorKind.FORBIDDEN, "does not let this token or account query"),
        (404, b"<html>nothing here</html>", ErrorKind.MISSING, "has no query API at this URL"),
        (429, b"", ErrorKind.THROTTLED, "too many queries"),
        (503, b"Service Unavailable", ErrorKind.OTHER, "is not ready to answer queries"),
        (500, b"oops", ErrorKind.OTHER, "answered the query with HTTP status 500"),
        (302, b"", ErrorKind.OTHER, "answered the query with HTTP status 302"),
        (200, b"<html>sign in</html>", ErrorKind.MALFORMED, "does not answer as Prometheus does"),
        (200, b'{"status": "error", "error": "no"}', ErrorKind.OTHER, "could not answer the query"),
        (200, b"[1, 2]", ErrorKind.MALFORMED, "does not answer as Prometheus does"),
        (200, b'{"status": "success", "data": 1}', ErrorKind.MALFORMED, "does not answer as Prometheus does"),
        (200, b'{"status":"success","data":{"resultType":"string","result":[1,"x"]}}', ErrorKind.MALFORMED, "a text"),
        (
            200,
            b'{"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}}',
            ErrorKind.MALFORMED,
            "read",
        ),
        (
            200,
            b'{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"a"]}]}}',
            ErrorKind.MALFORMED,
            "read",
        ),
        (
            200,
            b'{"status":"success","data":{"resultType":"vector","result":[{"value":[1e99,"1"]}]}}',
            ErrorKind.MALFORMED,
            "read",
        ),
        (200, b"[" * 5000, ErrorKind.MALFORMED, "does not answer as Prometheus does"),
        (200, b" " * 9_000_000, ErrorKind.MALFORMED, "has more than 8 MiB"),
        (200, b"[" + b"1," * 1_000_001 + b"1]", ErrorKind.MALFORMED, "has more than 1,000,000 values"),
    ],
)
async def test_an_answer_that_is_none_is_an_error_and_no_reading(
    measure: Any, prometheus: Any, status: int, body: bytes, kind: ErrorKind, message: str
) -> None:
    prometheus.says(status, body)
    with pytest.raises(ProbeError, match=message) as caught:
        await measure(query, url=prometheus.url, query="up")
    assert caught.value.kind is kind


async def test_a_server_that_refuses_connections_is_refused(measure: Any, prometheus: Any) -> None:
    with pytest.raises(ProbeError) as caught:
        await measure(query, url="http://127.0.0.1:1", query="up")
    assert caught.value.kind is ErrorKind.REFUSED


async def test_the_token_is_sent_and_never_shown(measure: Any, prometheus: Any) -> None:
    prometheus.gives("vector", [])
    token = Secret("hush-hush", "$PROMETHEUS_TOKEN")
    given = {"url": f"{prometheus.url}/prefix/", "query": "up", "token": token}
    await measure(query, **given)
    path, _, headers = prometheus.asked[0]
    assert path == "/prefix/api/v1/query"
    assert headers["authorization"] == "Bearer hush-hush"
    command = query.command(query.params.model_validate(given))
    assert command == (
        'curl -sS -G -H "Authorization: Bearer $PROMETHEUS_TOKEN" --data-urlencode query=up '
        f"{prometheus.url}/prefix/api/v1/query"
    )


def test_the_command_for_a_window_asks_for_the_same_window() -> None:
    params = query.params.model_validate(
        {"url": "http://p:9090", "query": "rate(x[5m])", "window": "2h", "step": "30s"}
    )
    assert query.command(params) == (
        "curl -sS -G --data-urlencode 'query=rate(x[5m])' -d start=\"$(($(date +%s) - 7200))\" "
        '-d end="$(date +%s)" -d step=30 http://p:9090/api/v1/query_range'
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"url": "prometheus:9090"}, "not an http or https URL"),
        ({"url": "http://p:9090/graph?g0.expr=up"}, "the URL of the server alone is needed"),
        ({"query": "  "}, "the query is empty"),
        ({"window": "80%"}, "'80%' is not a duration"),
        ({"window": "900d"}, "less than or equal"),
        ({"token": "hush\nhush"}, "a bearer token has neither line breaks"),
    ],
)
def test_parameters_that_cannot_be_asked_are_refused_without_a_secret(params: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        query.params.model_validate({"url": "http://p:9090", "query": "up", **params})
    assert "hush" not in str(caught.value)


def test_a_store_that_is_missing_is_seen_behind_many_remarks_about_the_query() -> None:
    remarks = [f'"PromQL info: metric might not be a counter: \\"a{number}\\""' for number in range(40)]
    body = (
        '{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "2"]}]}, '
        f'"warnings": [{", ".join(remarks)}, "fetch series for store 10.0.0.7:10901: connection refused"]}}'
    )
    answered = read_answer(body, "prometheus:9090")
    assert answered.partial.startswith("the answer may lack a part of the data: fetch series for store")
    assert len(answered.warnings) == 10
