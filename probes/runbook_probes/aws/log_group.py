"""Which log group, over which time: what the probes of CloudWatch Logs take, and what they say where there is none."""

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Annotated, Self

import anyio
from pydantic import AfterValidator, Field

from runbook_engine.errors import closest
from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Dimension, ErrorKind, ProbeContext, ProbeError
from runbook_engine.quantity import show
from runbook_probes.aws.client import AwsParams, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.quantities import Seconds

LONGEST_WINDOW_S = 366 * 86400.0
HINT_TIMEOUT_S = 2.0
MOST_HINTS = 3

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
_NAME = re.compile(r"[\w.\-/#]{1,512}\Z", re.ASCII)
_ARN = re.compile(
    r"(arn:aws[\w-]*:logs:(?P<region>[a-z0-9-]+):\d{12}:log-group:(?P<name>[\w.\-/#]{1,512}))(:\*)?\Z", re.ASCII
)


def _log_group(text: str) -> str:
    if text.startswith("arn:"):
        found = _ARN.match(text)
        if not found:
            raise ValueError(
                f"{text!r} is not the ARN of a log group; these look like "
                "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/api"
            )
        return found[1]
    if not _NAME.match(text):
        raise ValueError(f"{text!r} is not the name of a log group: these have 1 to 512 letters, digits and _ - / . #")
    return text


LogGroup = Annotated[str, AfterValidator(_log_group)]
Window = Annotated[Seconds, Field(gt=0, le=LONGEST_WINDOW_S)]


class LogGroupParams(AwsParams):
    """The events of one log group, from a while ago until now."""

    log_group: LogGroup = Field(description="Its name, for example /ecs/api, or its ARN")
    window: Window = Field(3600.0, description="How far back to look")

    def placed(self) -> Self:
        """The same; an ARN tells the region, where no other is given."""
        found = _ARN.match(self.log_group)
        return self if self.region or not found else self.model_copy(update={"region": found["region"]})

    @property
    def lasts(self) -> str:
        """``60 min``."""
        return show(self.window, Dimension.DURATION)

    def options_of_group(self) -> list[str]:
        """As options of the AWS CLI."""
        by_arn = self.log_group.startswith("arn:")
        return ["--log-group-identifier" if by_arn else "--log-group-name", self.log_group]


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, in Unix seconds."""

    start: float
    end: float

    @classmethod
    def until_now(cls, window: float) -> Self:
        now = dt.datetime.now(dt.UTC).timestamp()
        return cls(now - window, now)


def ago(seconds: float) -> str:
    """The words for ``date -d``: ``1 hour ago``."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {word}{'s' if count != 1 else ''} ago"
    return f"{math.ceil(seconds)} seconds ago"


async def no_such_group(params: LogGroupParams, ctx: ProbeContext, error: ProbeError, region: str) -> ProbeError:
    """Of an error that a log group does not exist, one that says which there are; any other error as it is."""
    if error.kind is not ErrorKind.MISSING or not region or "ResourceNotFound" not in error.message:
        return error
    name = params.log_group.rpartition(":log-group:")[2]
    return ProbeError(
        ErrorKind.MISSING,
        f"there is no log group {name} in {region}",
        remedy=_look_for(name, await _known(params, ctx, name)),
    )


def soon(ctx: ProbeContext) -> ProbeContext:
    """For a question beside the point: what is not answered in a moment is not waited for."""
    return ctx.until(min(ctx.deadline, anyio.current_time() + HINT_TIMEOUT_S))


async def _known(params: LogGroupParams, ctx: ProbeContext, name: str) -> list[str] | None:
    """Groups that begin alike. None where they may not be listed, or not in time."""
    prefix = name[: name.rfind("/") + 1] or name[:3]
    try:
        return await ask(
            "logs",
            params,
            soon(ctx),
            Aim("logs", "DescribeLogGroups"),
            lambda client: [
                str(each["logGroupName"])
                for each in client.describe_log_groups(logGroupNamePrefix=prefix, limit=50)["logGroups"]
            ],
            asks="",
        )
    except ProbeError:
        return None


def _look_for(name: str, known: list[str] | None) -> str:
    if known is None:
        listed = pasteable("aws", "logs", "describe-log-groups", "--query", "logGroups[].logGroupName")
        return f"check name and region ({listed} shows those that exist; it needs logs:DescribeLogGroups)"
    if not known:
        return "check name and region; no group there begins alike"
    likely = closest(name, known)
    return f"check name and region; there is {' and '.join([likely] if likely else known[:MOST_HINTS])}"
