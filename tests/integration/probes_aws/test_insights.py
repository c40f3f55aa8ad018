"""The probe aws.logs_insights against a real endpoint."""

import itertools
import json
import subprocess
import sys
from typing import Any

import anyio
import pytest
from tests.integration.documents import extracted

from runbook_engine.engine.border import Border
from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.aws.insights import logs_insights

pytestmark = pytest.mark.anyio

GROUP = "/ecs/pixelated-empathy-api"
QUERY = "filter @message like /ERROR/ | stats count() as errors by status_code"
ROWS = [{"status_code": "500", "errors": "12"}, {"status_code": "502", "errors": "3"}]
FIGURES = {"recordsMatched": 1.0, "recordsScanned": 2.0}


@pytest.fixture(autouse=True)
def _loaded() -> None:
    """What is measured here is waiting, not the import of the client."""
    import boto3

    assert boto3


def operations(aws: AwsEndpoint, before: int) -> list[str]:
    return [call.operation for call in aws.calls()[before:]]


async def asked_of(aws: AwsEndpoint, operation: str, before: int) -> None:
    """Returns when the endpoint has been asked for it."""
    with anyio.fail_after(10):
        while operation not in operations(aws, before):
            await anyio.sleep(0.02)


class TestResults:
    async def test_are_the_rows_of_the_query_and_how_much_was_searched(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_insights_result(GROUP, ROWS, matched=15, scanned=4000)
        reading = await ask(logs_insights, log_group=GROUP, query=QUERY)
        assert (reading.rows, reading.matched, reading.scanned) == (2, 15, 4000)
        assert reading.document == {"rows": ROWS}
        assert extracted(reading, "rows[?status_code=='500'] | [0].errors", "count") == 12
        assert reading.evidence["rows"] == ROWS
        assert reading.evidence["query"] == QUERY

    async def test_are_waited_for_through_every_status(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_insights_result(GROUP, ROWS, statuses=["Scheduled", "Running", "Unknown", "Complete"])
        before = len(aws.calls())
        reading = await ask(logs_insights, log_group=GROUP, query=QUERY)
        assert reading.rows == 2
        assert operations(aws, before) == ["StartQuery", *["GetQueryResults"] * 4]
        assert reading.evidence["polls"] == 4

    async def test_are_asked_for_less_and_less_often(
        self, ask: Any, scripted: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running, complete = {"status": "Running"}, {"status": "Complete", "statistics": FIGURES, "results": []}
        waits: list[float] = []
        sleep = anyio.sleep

        async def told(seconds: float) -> None:
            waits.append(seconds)
            await sleep(0)

        monkeypatch.setattr(anyio, "sleep", told)
        server = scripted({"StartQuery": [{"queryId": "q"}], "GetQueryResults": [*[running] * 4, complete]})
        await ask(logs_insights, log_group=GROUP, query=QUERY, endpoint_url=server.url)
        assert [name for name, _ in server.asked] == ["StartQuery", *["GetQueryResults"] * 5]
        assert len(waits) == 5
        assert waits[0] == 0.2
        assert all(later > sooner for sooner, later in itertools.pairwise(waits))
        assert waits[-1] > 3 * waits[0]

    async def test_of_events_are_those_of_the_window(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.put_log_events(GROUP, ["old", "new"], ages=[7000, 100])
        reading = await ask(logs_insights, log_group=GROUP, query="fields @message | limit 5")
        assert reading.document == {"rows": [{"@message": "new"}]}
        assert (reading.matched, reading.scanned) == (1, 1)

    async def test_of_an_empty_group_are_none(self, ask: Any) -> None:
        reading = await ask(logs_insights, log_group=GROUP, query=QUERY)
        assert (reading.rows, reading.matched, reading.scanned, reading.document) == (0, 0, 0, {"rows": []})

    async def test_are_not_more_than_were_asked_for(self, aws: AwsEndpoint, ask: Any, scripted: Any) -> None:
        result = {"results": [[{"field": "a", "value": "b"}]] * 9, "status": "Complete", "statistics": FIGURES}
        server = scripted({"StartQuery": [{"queryId": "q"}], "GetQueryResults": [result]})
        reading = await ask(logs_insights, log_group=GROUP, query=QUERY, limit=4, endpoint_url=server.url)
        assert reading.rows == 4
        (start,) = server.of("StartQuery")
        assert start["limit"] == 5
        assert reading.cut == ("the query gives more than 4 rows; raise limit up to 10000, or let the query aggregate")
        assert start["endTime"] - start["startTime"] in (3600, 3601)
        assert (start["logGroupName"], start["queryString"]) == (GROUP, QUERY)

    async def test_that_are_just_as_many_as_were_asked_for_are_whole(self, ask: Any, scripted: Any) -> None:
        result = {"results": [[{"field": "a", "value": "b"}]] * 4, "status": "Complete", "statistics": FIGURES}
        server = scripted({"StartQuery": [{"queryId": "q"}], "GetQueryResults": [result]})
        reading = await ask(logs_insights, log_group=GROUP, query=QUERY, limit=4, endpoint_url=server.url)
        assert (reading.rows, reading.cut, reading.incomplete) == (4, "", "")

    async def test_that_are_as_many_as_cloudwatch_ever_gives_need_not_be_all(self, ask: Any, scripted: Any) -> None:
        result = {"results": [[{"field": "a", "value": "b"}]] * 10_000, "status": "Complete", "statistics": FIGURES}
        server = scripted({"StartQuery": [{"queryId": "q"}], "GetQueryResults": [result]})
        reading = await ask(logs_insights, log_group=GROUP, query=QUERY, limit=10_000, endpoint_url=server.url)
        assert server.of("StartQuery")[0]["limit"] == 10_000
        assert reading.cut == ("the query gives 10000 rows, and CloudWatch gives no more; let the query aggregate")

    async def test_of_hostile_text_are_bounded_and_cannot_act_where_they_are_shown(
        self, aws: AwsEndpoint, ask: Any
    ) -> None:
        aws.set_insights_result(GROUP, [{"@message": "\x1b[2J<b>" + "x" * 50_000, "@ptr": "secret"}] * 30)
        reading = await ask(logs_insights, log_group=GROUP, query=QUERY)
        assert len(reading.document["rows"][0]["@message"]) < 10_050
        assert reading.incomplete == (
            "a row has more than 500 fields or 10000 characters in one; let the query take what it needs"
        )
        assert len(reading.evidence["rows"]) == 20
        assert reading.evidence["truncated"] is True
        kept: Any = Border().evidence(reading.evidence)
        shown = kept["rows"][0]["@message"]
        assert "\x1b" not in shown
        assert len(shown) < 550
        assert "@ptr" not in reading.document["rows"][0]

    async def test_of_a_group_named_by_its_arn_are_asked_for_in_its_region(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_insights_result(GROUP, ROWS)
        arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}"
        environ = {**aws.environ, "AWS_DEFAULT_REGION": "eu-west-1"}
        assert (await ask(logs_insights, log_group=arn, query=QUERY, environ=environ)).rows == 2

    async def test_without_statistics_are_no_reading(self, fail: Any, scripted: Any) -> None:
        answers = {"StartQuery": [{"queryId": "q"}], "GetQueryResults": [{"status": "Complete", "results": []}]}
        error = await fail(logs_insights, log_group=GROUP, query=QUERY, endpoint_url=scripted(answers).url)
        assert error.kind is ErrorKind.MALFORMED
        assert error.message == "CloudWatch Logs gives the results of the query without its statistics"

    async def test_are_still_asked_for_when_a_question_was_one_too_many(
        self, aws: AwsEndpoint, ask: Any, client: Any
    ) -> None:
        """The query runs already: to give up would mean to start it again."""
        aws.set_insights_result(GROUP, ROWS)
        aws.disturb(Disturbance("throttled", "logs", "GetQueryResults"))
        before = len(aws.calls())
        async with anyio.create_task_group() as group:

            async def calm() -> None:
                await asked_of(aws, "GetQueryResults", before)
                aws.recover()
                aws.set_insights_result(GROUP, ROWS)

            group.start_soon(calm)
            with anyio.CancelScope(shield=True):
                error = None
                try:
                    await ask(logs_insights, log_group=GROUP, query=QUERY)
                except ProbeError as raised:
                    error = raised
        assert operations(aws, before).count("StartQuery") == 1
        assert error is None


class TestEnds:
    @pytest.mark.parametrize(
        ("status", "kind", "told"),
        [
            ("Failed", ErrorKind.OTHER, f"the query of log group {GROUP} failed"),
            ("Cancelled", ErrorKind.OTHER, f"the query of log group {GROUP} was cancelled by somebody else"),
            ("Timeout", ErrorKind.TIMEOUT, f"the query of log group {GROUP} was ended by CloudWatch, which lets none"),
        ],
    )
    async def test_other_than_complete_are_errors_and_nothing_is_left_to_stop(
        self, aws: AwsEndpoint, fail: Any, status: str, kind: ErrorKind, told: str
    ) -> None:
        aws.set_insights_result(GROUP, ROWS, statuses=["Running", status])
        before = len(aws.calls())
        error = await fail(logs_insights, log_group=GROUP, query=QUERY)
        assert error.kind is kind
        assert error.message.startswith(told)
        assert error.remedy
        assert operations(aws, before) == ["StartQuery", "GetQueryResults", "GetQueryResults"]


class TestFailures:
    async def test_an_unknown_group_is_missing_and_told_with_the_one_that_was_meant(self, fail: Any) -> None:
        error = await fail(logs_insights, log_group="/ecs/pixelated-empathy", query=QUERY)
        assert (error.kind, error.message) == (
            ErrorKind.MISSING,
            "there is no log group /ecs/pixelated-empathy in us-east-1",
        )
        assert error.remedy == f"check name and region; there is {GROUP}"

    async def test_a_bad_query_is_malformed_and_told_where(self, aws: AwsEndpoint, fail: Any) -> None:
        before = len(aws.calls())
        error = await fail(logs_insights, log_group=GROUP, query="filter a = 1 | count by b")
        assert error.kind is ErrorKind.MALFORMED
        assert "MalformedQueryException: unexpected symbol found count at line 1 and position 16" in error.message
        assert error.remedy.startswith("see https://docs.aws.amazon.com/")
        assert operations(aws, before) == ["StartQuery"]

    @pytest.mark.parametrize(
        ("operation", "asked"), [("StartQuery", ["StartQuery"]), ("GetQueryResults", ["StartQuery", "GetQueryResults", "StopQuery"])]
    )  # fmt: skip
    async def test_a_denial_names_the_permission_and_leaves_nothing_running(
        self, aws: AwsEndpoint, fail: Any, operation: str, asked: list[str]
    ) -> None:
        aws.set_insights_result(GROUP, ROWS, statuses=["Running"])
        aws.disturb(Disturbance("denied", "logs", operation))
        before = len(aws.calls())
        error = await fail(logs_insights, log_group=GROUP, query=QUERY)
        assert error.kind is ErrorKind.FORBIDDEN
        assert error.remedy == f"allow logs:{operation} in the IAM policy of these credentials"
        assert operations(aws, before) == asked

    async def test_too_many_queries_at_once_are_throttling(self, aws: AwsEndpoint, fail: Any) -> None:
        message = "Account maximum query concurrency limit of [30] reached."
        aws.disturb(Disturbance("error", "logs", "StartQuery", code="LimitExceededException", message=message))
        error = await fail(logs_insights, log_group=GROUP, query=QUERY)
        assert error.kind is ErrorKind.THROTTLED
        assert message.rstrip(".") in error.message

    async def test_results_that_stay_throttled_end_it_and_the_query(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.set_insights_result(GROUP, ROWS, statuses=["Running"])
        aws.disturb(Disturbance("throttled", "logs", "GetQueryResults"))
        before = len(aws.calls())
        error = await fail(logs_insights, log_group=GROUP, query=QUERY)
        assert error.kind is ErrorKind.THROTTLED
        assert operations(aws, before) == ["StartQuery", *["GetQueryResults"] * 4, "StopQuery"]

    async def test_a_query_that_has_ended_when_it_is_stopped_goes_on_no_more(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.set_insights_result(GROUP, ROWS, statuses=["Complete"])
        aws.disturb(Disturbance("denied", "logs", "GetQueryResults"))
        error = await fail(logs_insights, log_group=GROUP, query=QUERY)
        assert "goes on" not in error.message


def test_the_command_starts_a_query_and_asks_for_its_results() -> None:
    command = logs_insights.command(
        logs_insights.params(log_group=GROUP, query="stats count() by 'a'", region="eu-west-1")
    )
    assert command == (
        "query=$(aws logs start-query --log-group-name /ecs/pixelated-empathy-api "
        '--start-time "$(date -d \'1 hour ago\' +%s)" --end-time "$(date +%s)" '
        """--query-string 'stats count() by '"'"'a'"'"'' --limit 1000 --region eu-west-1 """
        "--query queryId --output text) && sleep 5 && "
        'aws logs get-query-results --query-id "$query" --region eu-west-1'
    )


def test_the_command_survives_the_shell(tmp_path: Any) -> None:
    script = tmp_path / "aws"
    script.write_text(
        f"#!{sys.executable}\nimport json, sys\nprint('id' if 'start-query' in sys.argv else json.dumps(sys.argv[1:]))\n"
    )
    script.chmod(0o755)
    command = logs_insights.command(logs_insights.params(log_group=GROUP, query='filter a like /"$HOME"/'))
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("sleep 5", "true")], env=environ, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == ["logs", "get-query-results", "--query-id", "id"]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"query": ""}, "at least 1 character"),
        ({"query": "x" * 10_001}, "at most 10000 characters"),
        ({"limit": 10_001}, "less than or equal to 10000"),
        ({"log_group": "arn:aws:logs:us-east-1:1:log-group:/a"}, "is not the ARN of a log group"),
    ],
)
def test_wrong_parameters_are_refused_with_what_is_legal(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as caught:
        logs_insights.params.model_validate({"log_group": GROUP, "query": QUERY, **params})
    assert told in str(caught.value)
