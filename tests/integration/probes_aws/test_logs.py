"""The probe aws.logs_filter against a real endpoint."""

import json
import re
import threading
import time
from typing import Any

import pytest

from runbook_engine.engine.border import Border
from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import Dimension, ErrorKind
from runbook_probes.aws.logs import logs_filter

pytestmark = pytest.mark.anyio

GROUP = "/ecs/pixelated-empathy-api"


@pytest.fixture(autouse=True)
def _loaded() -> None:
    """What is measured here is waiting, not the import of the client."""
    import boto3

    assert boto3


@pytest.fixture
def _newest_first(change_model: Any) -> None:
    """boto3 as it is since a release of 1.43: earlier ones cannot ask FilterLogEvents for the newest events first."""

    def change(model: dict[str, Any]) -> None:
        model["shapes"]["StartFromHead"] = {"type": "boolean"}
        model["shapes"]["FilterLogEventsRequest"]["members"]["startFromHead"] = {"shape": "StartFromHead"}

    change_model("logs", change)


@pytest.fixture
def _oldest_first(change_model: Any) -> None:
    """boto3 as it was before."""

    def change(model: dict[str, Any]) -> None:
        model["shapes"]["FilterLogEventsRequest"]["members"].pop("startFromHead", None)

    change_model("logs", change)


def asked_of(aws: AwsEndpoint, operation: str, before: int = 0) -> int:
    return sum(call.operation == operation for call in aws.calls()[before:])


class TestMatches:
    async def test_are_counted_with_their_streams_and_the_age_of_the_latest(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.put_log_events(GROUP, ["ERROR a", "INFO b", "ERROR c"], ages=[300, 20, 40], stream="one")
        aws.put_log_events(GROUP, ["ERROR d"], ages=[200], stream="two")
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR")
        assert (reading.matches, reading.streams, reading.truncated) == (3, 2, False)
        assert 40 <= reading.latest_age < 60
        assert reading.missing == {}
        assert [(each["stream"], each["message"]) for each in reading.evidence["samples"]] == [
            ("one", "ERROR c"),
            ("two", "ERROR d"),
            ("one", "ERROR a"),
        ]

    async def test_cost_one_request(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.put_log_events(GROUP, ["ERROR a"])
        before = len(aws.calls())
        await ask(logs_filter, log_group=GROUP, pattern="ERROR")
        assert [call.operation for call in aws.calls()[before:]] == ["FilterLogEvents"]

    async def test_are_only_those_of_the_window(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.put_log_events(GROUP, ["ERROR old", "ERROR new"], ages=[700, 500])
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR", window="10min")
        assert [each["message"] for each in reading.evidence["samples"]] == ["ERROR new"]

    async def test_of_an_empty_pattern_are_all_events(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.put_log_events(GROUP, ["a", "b"])
        assert (await ask(logs_filter, log_group=GROUP, pattern="")).matches == 2

    async def test_are_found_behind_empty_pages(self, aws: AwsEndpoint, ask: Any) -> None:
        """CloudWatch searches a part of the events for a page, so a page without matches is not the last."""
        ages = [3000.0 - index / 10 for index in range(2500)]
        aws.put_log_events(GROUP, ["ERROR first", *["INFO"] * 2498, "ERROR last"], ages=ages)
        before = len(aws.calls())
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR")
        assert reading.matches == 2
        assert asked_of(aws, "FilterLogEvents", before) == 3

    @pytest.mark.usefixtures("_newest_first")
    async def test_that_are_more_than_are_counted_are_said_to_be_cut(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.put_log_events(GROUP, [f"ERROR {index}" for index in range(60)], ages=[float(i) for i in range(60, 0, -1)])
        exact = await ask(logs_filter, log_group=GROUP, pattern="ERROR", most=60)
        assert (exact.matches, exact.truncated) == (60, False)
        cut = await ask(logs_filter, log_group=GROUP, pattern="ERROR", most=59)
        assert cut.truncated
        assert exact.cut == ""
        assert cut.cut == (
            "more events match than the 59 that were counted; raise most up to 1000000, or give a shorter window or a narrower "
            "pattern"
        )
        few = await ask(logs_filter, log_group=GROUP, pattern="ERROR", most=3)
        assert [each["message"] for each in few.evidence["samples"]] == ["ERROR 59", "ERROR 58", "ERROR 57"]
        assert few.latest_age < 10

    @pytest.mark.usefixtures("_oldest_first")
    async def test_that_an_early_release_of_boto3_gives_oldest_first_are_counted_and_tell_no_latest(
        self, aws: AwsEndpoint, ask: Any
    ) -> None:
        aws.put_log_events(GROUP, ["ERROR 0", "ERROR 1", "ERROR 2"], ages=[30, 20, 10])
        assert (await ask(logs_filter, log_group=GROUP, pattern="ERROR", most=3)).latest_age < 20
        cut = await ask(logs_filter, log_group=GROUP, pattern="ERROR", most=2)
        assert (cut.matches, cut.truncated, cut.latest_age) == (2, True, None)
        assert [each["message"] for each in cut.evidence["samples"]] == ["ERROR 1", "ERROR 0"]

    async def test_cut_by_a_service_that_gives_the_oldest_first_tell_no_latest(self, ask: Any, scripted: Any) -> None:
        now = int(time.time() * 1000)
        events = [{"timestamp": now - age, "logStreamName": "s", "message": "m"} for age in (900, 800, 700)]
        server = scripted({"FilterLogEvents": [{"events": events, "nextToken": "t"}]})
        reading = await ask(logs_filter, log_group=GROUP, pattern="m", most=2, endpoint_url=server.url)
        assert (reading.matches, reading.truncated, reading.latest_age) == (2, True, None)
        assert reading.missing["latest_age"] == (
            "only the first 2 matches were counted, oldest first; give a shorter window or a higher most"
        )

    @pytest.mark.usefixtures("_newest_first")
    async def test_are_asked_for_newest_first_and_never_more_than_are_counted(self, ask: Any, scripted: Any) -> None:
        event = {"timestamp": 1, "logStreamName": "s", "message": "m"}
        server = scripted(
            {"FilterLogEvents": [{"events": [event] * 3, "nextToken": "t"}, {"events": [event], "nextToken": ""}]}
        )
        reading = await ask(logs_filter, log_group=GROUP, pattern="m", most=10, endpoint_url=server.url)
        assert (reading.matches, reading.truncated) == (4, False)
        first, second = server.of("FilterLogEvents")
        assert (first["limit"], first["startFromHead"], first["filterPattern"]) == (11, False, "m")
        assert (second["limit"], second["nextToken"]) == (8, "t")
        assert second["startTime"] == first["startTime"]

    async def test_of_a_group_named_by_its_arn_are_asked_for_in_the_region_of_the_arn(
        self, aws: AwsEndpoint, ask: Any
    ) -> None:
        aws.put_log_events(GROUP, ["ERROR a"])
        arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}:*"
        environ = {**aws.environ, "AWS_DEFAULT_REGION": "eu-west-1"}
        reading = await ask(logs_filter, log_group=arn, pattern="ERROR", environ=environ)
        assert reading.matches == 1
        assert aws.calls()[-1].region == "us-east-1"

    async def test_from_the_future_are_now(self, aws: AwsEndpoint, ask: Any, scripted: Any) -> None:
        ahead = {"timestamp": int(time.time() * 1000) + 60_000, "logStreamName": "s", "message": "m"}
        server = scripted({"FilterLogEvents": [{"events": [ahead]}]})
        assert (await ask(logs_filter, log_group=GROUP, pattern="m", endpoint_url=server.url)).latest_age == 0


PATTERNS: list[tuple[str, list[str]]] = [
    ("ERROR", ["[ERROR] out of disk", '{"level": "ERROR", "status": 503}', "WARN no ERROR here"]),
    ('"out of disk"', ["[ERROR] out of disk"]),
    ("ERROR -WARN", ["[ERROR] out of disk", '{"level": "ERROR", "status": 503}']),
    ("?disk ?WARN", ["[ERROR] out of disk", "WARN no ERROR here"]),
    ("%o[ut]+ of%", ["[ERROR] out of disk"]),
    ("{ $.status >= 500 }", ['{"level": "ERROR", "status": 503}']),
    ('{ $.level = "INFO" || ($.status = 5* && $.level != "WARN") }', ['{"level": "ERROR", "status": 503}', '{"level": "INFO", "status": 200}']),
    ("{ $.status IS NULL }", []),
    ("[host, status = 5*, size > 10]", ["10.0.0.1 502 99"]),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "expected"), PATTERNS)
async def test_every_form_of_pattern_is_understood(
    aws: AwsEndpoint, ask: Any, pattern: str, expected: list[str]
) -> None:
    messages = [
        "[ERROR] out of disk",
        '{"level": "ERROR", "status": 503}',
        '{"level": "INFO", "status": 200}',
        "WARN no ERROR here",
        "10.0.0.1 502 99",
        "10.0.0.1 502 9",
        "10.0.0.1 200 99",
    ]
    aws.put_log_events(GROUP, messages, ages=[90, 80, 70, 60, 50, 40, 30])
    reading = await ask(logs_filter, log_group=GROUP, pattern=pattern)
    assert [each["message"] for each in reversed(reading.evidence["samples"])] == expected
    assert reading.matches == len(expected)


class TestNoMatch:
    async def test_in_an_empty_group_is_zero_with_a_note(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR")
        assert (reading.matches, reading.streams, reading.truncated, reading.latest_age) == (0, 0, False, None)
        assert reading.evidence["note"] == (
            "the log group holds no events of the last 60 min: either nothing was logged, or it is logged elsewhere"
        )
        assert reading.missing == {"latest_age": "no event matches, so there is no latest one"}

    async def test_among_other_events_is_told_from_an_empty_group(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.put_log_events(GROUP, ["INFO a"])
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR")
        assert (reading.matches, reading.evidence["note"]) == (
            0,
            "there are events of the last 60 min, and none matches",
        )

    async def test_does_not_become_an_error_where_the_second_question_fails(self, ask: Any, scripted: Any) -> None:
        server = scripted({"FilterLogEvents": [{"events": []}, []]})
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR", endpoint_url=server.url)
        assert (reading.matches, reading.evidence["note"]) == (0, "no event of the last 60 min matches")

    async def test_of_an_empty_pattern_needs_no_second_question(self, aws: AwsEndpoint, ask: Any) -> None:
        before = len(aws.calls())
        reading = await ask(logs_filter, log_group=GROUP, pattern="")
        assert reading.evidence["note"] == "the log group holds no events of the last 60 min"
        assert asked_of(aws, "FilterLogEvents", before) == 1


class TestSamples:
    async def test_are_few_short_and_newest_first(self, aws: AwsEndpoint, ask: Any) -> None:
        messages = [f"ERROR {index:02} " + "x" * 5000 for index in range(50)]
        aws.put_log_events(GROUP, messages, ages=[float(60 - index) for index in range(50)])
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR")
        kept: Any = Border().evidence(reading.evidence)
        samples = kept["samples"]
        assert [each["message"][:8] for each in samples] == [f"ERROR {index:02}" for index in range(49, 29, -1)]
        assert all(len(each["message"]) < 550 for each in samples)
        assert samples[0]["message"].endswith("… (truncated, 5009 characters)")
        assert reading.evidence["truncated"] is True
        assert reading.matches == 50

    async def test_may_be_left_out(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.put_log_events(GROUP, ["ERROR a"])
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR", samples=0)
        assert (reading.matches, reading.evidence["samples"]) == (1, [])

    async def test_of_hostile_text_cannot_act(self, aws: AwsEndpoint, ask: Any) -> None:
        hostile = "ERROR \x1b]0;owned\x07\x1b[2J<script>alert(1)</script>\r\n\u202egnp.exe | `rm` \ud800"
        aws.put_log_events(GROUP, [hostile], stream="s")
        reading = await ask(logs_filter, log_group=GROUP, pattern="ERROR")
        (sample,) = reading.evidence["samples"]
        assert not {"\x1b", "\x07", "\r", "\n", "\u202e", "\ud800"} & set(sample["message"])
        assert "<script>alert(1)</script>" in sample["message"]
        json.dumps(reading.model_dump(), ensure_ascii=False).encode()

    async def test_have_times_with_milliseconds(self, ask: Any, scripted: Any) -> None:
        events = [{"timestamp": each, "logStreamName": "s", "message": "m"} for each in (1_700_000_000_123, 10**18)]
        server = scripted({"FilterLogEvents": [{"events": events}]})
        reading = await ask(logs_filter, log_group=GROUP, pattern="m", endpoint_url=server.url)
        assert [each["time"] for each in reading.evidence["samples"]] == [
            "1000000000000000000 ms",
            "2023-11-14T22:13:20.123Z",
        ]


class TestInTheMiddle:
    """A part of a count is no reading: it would pass for a low count."""

    EVENTS = [{"timestamp": 1, "logStreamName": "s", "message": "m"}] * 7

    async def test_a_deadline_tells_how_far_the_search_has_got(self, fail: Any, scripted: Any, held: Any) -> None:
        pages: list[object] = [
            {"events": self.EVENTS, "nextToken": "1"},
            {"events": self.EVENTS, "nextToken": "2"},
            (held, {}),
        ]
        server = scripted({"FilterLogEvents": pages})
        error = await fail(logs_filter, log_group=GROUP, pattern="m", endpoint_url=server.url, within=4.0)
        assert error.kind is ErrorKind.TIMEOUT
        before, _, after = error.message.partition(" within ")
        assert before == f"the search of log group {GROUP} was not answered by {server.url.removeprefix('http://')}"
        assert re.fullmatch(r"3\.\d+ s; 2 pages with 14 matches had been read, and more were to come", after), after
        assert "a shorter window, a narrower pattern" in error.remedy

    async def test_a_search_that_nobody_waits_for_asks_for_no_further_page(
        self, fail: Any, scripted: Any, held: Any
    ) -> None:
        server = scripted({"FilterLogEvents": [(held, {"events": self.EVENTS, "nextToken": "1"})]})
        await fail(logs_filter, log_group=GROUP, pattern="m", endpoint_url=server.url, within=4.0)
        held.set()
        for thread in threading.enumerate():
            if thread.name == "probe":
                thread.join(10)
                assert not thread.is_alive()
        assert len(server.asked) == 1

    async def test_a_page_that_hangs_ends_at_the_deadline(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("silent", "logs", "FilterLogEvents"))
        error = await fail(logs_filter, log_group=GROUP, pattern="ERROR", within=2.0)
        assert error.kind is ErrorKind.TIMEOUT
        assert "had been read" not in error.message

    async def test_a_page_that_drips_ends_at_the_deadline(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("dripping", "logs"))
        assert (await fail(logs_filter, log_group=GROUP, pattern="ERROR", within=2.0)).kind is ErrorKind.TIMEOUT

    async def test_a_broken_page_tells_how_far_the_search_has_got(self, fail: Any, scripted: Any) -> None:
        server = scripted({"FilterLogEvents": [{"events": self.EVENTS, "nextToken": "t"}, []]})
        error = await fail(logs_filter, log_group=GROUP, pattern="m", endpoint_url=server.url)
        assert error.message.endswith("; 1 page with 7 matches had been read, and more were to come")
        assert error.__cause__ is not None

    async def test_pages_that_repeat_themselves_are_malformed(self, fail: Any, scripted: Any) -> None:
        server = scripted({"FilterLogEvents": [{"events": [], "nextToken": "t"}]})
        error = await fail(logs_filter, log_group=GROUP, pattern="m", endpoint_url=server.url)
        assert error.kind is ErrorKind.MALFORMED
        assert "gives the same page of logs FilterLogEvents again and again" in error.message
        assert len(server.asked) == 2


class TestFailures:
    async def test_an_unknown_group_is_missing_and_told_with_the_one_that_was_meant(self, fail: Any) -> None:
        error = await fail(logs_filter, log_group="/ecs/pixelated-empathy", pattern="ERROR")
        assert error.kind is ErrorKind.MISSING
        assert error.message == "there is no log group /ecs/pixelated-empathy in us-east-1"
        assert error.remedy == f"check name and region; there is {GROUP}"
        assert error.__cause__ is not None

    async def test_an_unknown_group_stays_missing_where_groups_may_not_be_listed(
        self, aws: AwsEndpoint, fail: Any
    ) -> None:
        aws.disturb(Disturbance("denied", "logs", "DescribeLogGroups"))
        error = await fail(logs_filter, log_group="/ecs/nope", pattern="ERROR")
        assert error.kind is ErrorKind.MISSING
        assert "it needs logs:DescribeLogGroups" in error.remedy

    @pytest.mark.parametrize("pattern", ["status:500", '"unclosed', "{ $.status >= }", "[a, b", "{ $.a = 1", "%(%"])
    async def test_a_bad_pattern_is_malformed(self, fail: Any, pattern: str) -> None:
        error = await fail(logs_filter, log_group=GROUP, pattern=pattern)
        assert error.kind is ErrorKind.MALFORMED
        assert "InvalidParameterException: Invalid " in error.message
        assert error.remedy.startswith("check the pattern: terms with other signs than letters, digits and _ stand in")

    async def test_a_denial_names_the_permission(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("denied", "logs", "FilterLogEvents"))
        error = await fail(logs_filter, log_group=GROUP, pattern="ERROR")
        assert (error.kind, error.remedy) == (
            ErrorKind.FORBIDDEN,
            "allow logs:FilterLogEvents in the IAM policy of these credentials",
        )

    async def test_throttling_is_told_and_not_tried_again(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("throttled", "logs"))
        before = len(aws.calls())
        error = await fail(logs_filter, log_group=GROUP, pattern="ERROR")
        assert error.kind is ErrorKind.THROTTLED
        assert len(aws.calls()) == before + 1


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"log_group": "arn:aws:s3:::bucket"}, "'arn:aws:s3:::bucket' is not the ARN of a log group; these look like"),
        ({"log_group": "/ecs/a b"}, "'/ecs/a b' is not the name of a log group: these have 1 to 512 letters, digits"),
        ({"log_group": ""}, "is not the name of a log group"),
        ({"window": "10%"}, "'10%' is not a duration"),
        ({"window": 0}, "greater than 0"),
        ({"window": "400d"}, "less than or equal to 31622400"),
        ({"most": 0}, "greater than or equal to 1"),
        ({"samples": 101}, "less than or equal to 100"),
        ({"pattern": "x" * 1025}, "at most 1024 characters"),
    ],
)
def test_wrong_parameters_are_refused_with_what_is_legal(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as caught:
        logs_filter.params.model_validate({"log_group": GROUP, "pattern": "ERROR", **params})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("params", "command"),
    [
        (
            {"log_group": GROUP, "pattern": "ERROR"},
            "aws logs filter-log-events --log-group-name /ecs/pixelated-empathy-api "
            "--start-time \"$(date -d '1 hour ago' +%s000)\" --filter-pattern ERROR",
        ),
        (
            {"log_group": GROUP, "pattern": '-INFO "a b"', "window": "90s", "region": "eu-west-1"},
            "aws logs filter-log-events --log-group-name /ecs/pixelated-empathy-api "
            "--start-time \"$(date -d '90 seconds ago' +%s000)\" '--filter-pattern=-INFO \"a b\"' --region eu-west-1",
        ),
        (
            {"log_group": "arn:aws:logs:eu-west-1:123456789012:log-group:/a", "pattern": "", "window": "2d"},
            "aws logs filter-log-events --log-group-identifier arn:aws:logs:eu-west-1:123456789012:log-group:/a "
            "--start-time \"$(date -d '2 days ago' +%s000)\" --region eu-west-1",
        ),
    ],
)
def test_the_command_of_a_search_is_that_of_the_aws_cli(params: dict[str, Any], command: str) -> None:
    assert logs_filter.command(logs_filter.params.model_validate(params)) == command


def test_metrics_are_declared_with_units_that_a_checker_can_prove_with() -> None:
    assert logs_filter.metrics["latest_age"].dimension is Dimension.DURATION
    assert logs_filter.metrics["latest_age"].optional
