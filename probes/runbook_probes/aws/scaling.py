"""Within which limits does a service scale by itself?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Count, ProbeContext, Reading, probe
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.shown import Answer, Pages, moment, told

MOST_SHOWN = 50
SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class AutoscalingParams(AwsParams):
    service_namespace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] = Field(
        "ecs", description="What scales, as Application Auto Scaling calls it: ecs, rds, dynamodb, lambda ..."
    )
    resource_id: Annotated[str, Field(max_length=1600)] = Field(
        "", description="For example service/CLUSTER/SERVICE; by default all that scale in the namespace"
    )


class AutoscalingReading(Reading):
    PARTIAL: ClassVar = dict.fromkeys(("targets", "minimum", "maximum", "suspended"), "")

    targets: Count | None = Field(description="How many targets may scale by themselves")
    minimum: Count | None = Field(None, description="The least that the target, or the first of several, scales in to")
    maximum: Count | None = Field(None, description="The most that it scales out to")
    suspended: bool | None = Field(
        description="Whether scaling is suspended, in one direction at least, for one of the targets"
    )


def _command(params: AutoscalingParams) -> str:
    words = ["aws", "application-autoscaling", "describe-scalable-targets"]
    words += ["--service-namespace", params.service_namespace]
    words += ["--resource-ids", params.resource_id] if params.resource_id else []
    return pasteable(*words, *params.options())


@dataclass(frozen=True, slots=True)
class _Found:
    targets: Sequence[Answer]
    cut: str


@probe("aws.autoscaling", command=_command, reads_only=True)
async def autoscaling(params: AutoscalingParams, ctx: ProbeContext) -> AutoscalingReading:
    """Asks what scales by itself, and within which limits (application-autoscaling:DescribeScalableTargets)."""
    aim = Aim("application-autoscaling", "DescribeScalableTargets")

    def work(client: Client) -> _Found:
        chosen = {"ResourceIds": [params.resource_id]} if params.resource_id else {}
        pages = Pages(
            client,
            aim,
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace=params.service_namespace,
            **chosen,
        )
        return _Found(sorted(pages, key=_place), pages.cut)

    found = await ask("application-autoscaling", params, ctx, aim, work, asks="what scales by itself")
    return _reading(params, found)


def _place(target: Answer) -> tuple[str, str]:
    return str(target.get("ResourceId")), str(target.get("ScalableDimension"))


def _reading(params: AutoscalingParams, found: _Found) -> AutoscalingReading:
    first = found.targets[0] if found.targets else {}
    what = params.resource_id or f"the namespace {params.service_namespace}"
    none = f"Application Auto Scaling knows no scalable target of {what}: it does not scale by itself, or is misspelt"
    return AutoscalingReading(
        targets=len(found.targets),
        minimum=first.get("MinCapacity"),
        maximum=first.get("MaxCapacity"),
        suspended=any(_suspended(each) for each in found.targets),
        cut=f"{found.cut}; give the step a resource_id" if found.cut else "",
        missing={} if found.targets else {"minimum": none, "maximum": none},
        evidence={
            "targets": [_row(each) for each in found.targets[:MOST_SHOWN]],
            **({"truncated": True} if len(found.targets) > MOST_SHOWN else {}),
        },
    )


def _suspended(target: Answer) -> list[str]:
    state = target.get("SuspendedState") or {}
    return [name for name in SUSPENSIONS if state.get(name)]


def _row(target: Answer) -> JsonValue:
    suspended: list[JsonValue] = [*_suspended(target)]
    return {
        "resource": told(target.get("ResourceId")),
        "dimension": told(target.get("ScalableDimension")),
        "minimum": target.get("MinCapacity"),
        "maximum": target.get("MaxCapacity"),
        "suspended": suspended,
        "since": moment(target.get("CreationTime")),
    }
