"""No query of Logs Insights is left running: whatever ends the probe aws.logs_insights stops its query."""

import re
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import anyio
import pytest

from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import ErrorKind, ProbeContext
from runbook_probes.aws.insights import STOP_S, logs_insights

pytestmark = pytest.mark.anyio

GROUP = "/ecs/pixelated-empathy-api"
QUERY = "filter @message like /ERROR/ | stats count() as errors by status_code"
LATE_S = 10.0
"""So much later a busy machine may have done it; what hangs would hang for longer."""


@pytest.fixture(autouse=True)
def _loaded() -> None:
    """What is measured here is waiting, not the import of the client."""
    import boto3

    assert boto3


def operations(aws: AwsEndpoint, before: int) -> list[str]:
    return [call.operation for call in aws.calls()[before:]]


async def asked_of(aws: AwsEndpoint, operation: str, before: int) -> None:
    """Returns when the endpoint has been asked for it."""
    with anyio.fail_after(30):
        while operation not in operations(aws, before):
            await anyio.sleep(0.02)


class TestDeadline:
    async def test_stops_the_query_in_time_and_says_that_it_was_running(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.set_insights_result(GROUP, [], statuses=["Running"])
        before = len(aws.calls())
        error = await fail(logs_insights, log_group=GROUP, query=QUERY, within=6.0)
        assert error.kind is ErrorKind.TIMEOUT
        waited = re.search(rf"the query of log group {GROUP} was still running after ([\d.]+) s\Z", error.message)
        assert waited, error.message
        assert 4.0 < float(waited[1]) < 6.0
        assert operations(aws, before).count("StartQuery") == 1
        assert operations(aws, before)[-1] == "StopQuery"

    @pytest.mark.parametrize("kind", ["silent", "dripping"])
    async def test_holds_where_the_start_hangs(self, aws: AwsEndpoint, fail: Any, kind: Any) -> None:
        aws.disturb(Disturbance(kind, "logs", "StartQuery"))
        error = await fail(logs_insights, log_group=GROUP, query=QUERY, within=2.0)
        assert error.kind is ErrorKind.TIMEOUT
        assert error.message.startswith(f"the start of a query of log group {GROUP} was not answered by 127.0.0.1:")

    async def test_holds_where_the_results_hang_and_the_query_is_stopped(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("silent", "logs", "GetQueryResults"))
        before = len(aws.calls())
        error = await fail(logs_insights, log_group=GROUP, query=QUERY, within=3.0)
        assert error.kind is ErrorKind.TIMEOUT
        assert error.message.startswith(f"the query of log group {GROUP} was not answered by 127.0.0.1:")
        await asked_of(aws, "StopQuery", before)
        assert operations(aws, before) == ["StartQuery", "GetQueryResults", "StopQuery"]

    async def test_holds_where_the_stop_hangs_and_says_that_the_query_may_go_on(
        self, aws: AwsEndpoint, fail: Any
    ) -> None:
        aws.set_insights_result(GROUP, [], statuses=["Running"])
        aws.disturb(Disturbance("silent", "logs", "StopQuery"))
        error = await fail(logs_insights, log_group=GROUP, query=QUERY, within=3.0)
        assert error.message.endswith("; whether the query was stopped is not known")

    async def test_names_the_permission_where_the_query_may_not_be_stopped(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.set_insights_result(GROUP, [], statuses=["Running"])
        aws.disturb(Disturbance("denied", "logs", "StopQuery"))
        error = await fail(logs_insights, log_group=GROUP, query=QUERY, within=6.0)
        assert error.kind is ErrorKind.TIMEOUT
        assert error.message.endswith(
            "; the query could not be stopped and goes on (allow logs:StopQuery in the IAM policy of these credentials)"
        )


class TestCancellation:
    async def cancelled(self, aws: AwsEndpoint, url: str, when: Any) -> float:
        """Cancels a measurement when ``when`` returns; gives the seconds that it took to end."""
        params = logs_insights.params(log_group=GROUP, query=QUERY, endpoint_url=url)

        async def measured(ctx: ProbeContext) -> None:
            await logs_insights(params, ctx)

        ctx = ProbeContext(deadline=anyio.current_time() + 30, environ=aws.environ)
        async with anyio.create_task_group() as group:
            group.start_soon(measured, ctx)
            await when()
            began = time.perf_counter()
            group.cancel_scope.cancel()
        return time.perf_counter() - began

    async def test_stops_the_query(self, aws: AwsEndpoint) -> None:
        aws.set_insights_result(GROUP, [], statuses=["Running"])
        before = len(aws.calls())
        seconds = await self.cancelled(aws, aws.url, lambda: asked_of(aws, "GetQueryResults", before))
        assert seconds < STOP_S + LATE_S
        assert operations(aws, before).count("StartQuery") == 1
        assert operations(aws, before)[-1] == "StopQuery"

    async def test_stops_a_query_whose_start_is_under_way(self, aws: AwsEndpoint, scripted: Any, held: Any) -> None:
        server = scripted({"StartQuery": [(held, {"queryId": "late"})], "StopQuery": [{"success": True}]})

        async def started() -> None:
            while not server.of("StartQuery"):
                await anyio.sleep(0.02)
            threading.Timer(0.3, held.set).start()

        assert await self.cancelled(aws, server.url, started) < STOP_S + LATE_S
        assert [name for name, _ in server.asked] == ["StartQuery", "StopQuery"]
        assert server.of("StopQuery") == [{"queryId": "late"}]

    async def test_stops_a_query_whose_start_is_answered_when_nobody_waits_any_more(
        self, aws: AwsEndpoint, scripted: Any, held: Any
    ) -> None:
        server = scripted({"StartQuery": [(held, {"queryId": "late"})], "StopQuery": [{"success": True}]})

        async def started() -> None:
            while not server.of("StartQuery"):
                await anyio.sleep(0.02)

        assert await self.cancelled(aws, server.url, started) < STOP_S + LATE_S
        assert [name for name, _ in server.asked] == ["StartQuery"]
        held.set()
        for thread in threading.enumerate():
            if thread.name == "probe":
                thread.join(10)
        assert server.of("StopQuery") == [{"queryId": "late"}]

    async def test_ends_where_the_stop_hangs(self, aws: AwsEndpoint) -> None:
        aws.set_insights_result(GROUP, [], statuses=["Running"])
        aws.disturb(Disturbance("silent", "logs", "StopQuery"))
        before = len(aws.calls())
        seconds = await self.cancelled(aws, aws.url, lambda: asked_of(aws, "GetQueryResults", before))
        assert 0.75 * STOP_S < seconds < STOP_S + LATE_S

    async def test_by_ctrl_c_stops_the_query_before_the_process_ends(self, aws: AwsEndpoint) -> None:
        aws.set_insights_result(GROUP, [], statuses=["Running"])
        before = len(aws.calls())
        running = subprocess.Popen([sys.executable, "-c", INTERRUPTED], env=aws.environ, stderr=subprocess.DEVNULL)
        try:
            await asked_of(aws, "GetQueryResults", before)
            running.send_signal(signal.SIGINT)
            running.wait(30)
        finally:
            running.kill()
        assert operations(aws, before).count("StartQuery") == 1
        assert operations(aws, before)[-1] == "StopQuery"


INTERRUPTED = f"""
import anyio
from runbook_engine.probe import ProbeContext
from runbook_probes.aws.insights import logs_insights

async def main():
    await logs_insights(logs_insights.params(log_group={GROUP!r}, query={QUERY!r}), ProbeContext())

anyio.run(main)
"""
