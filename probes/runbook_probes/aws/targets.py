"""Which targets does a load balancer send requests to?"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Count, ErrorKind, Percent, ProbeContext, ProbeError, Reading, probe
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.shown import Answer, expected, told

MOST_SHOWN = 50
DRAINING = ("draining", "unhealthy.draining")
UNCHECKED = "unavailable"
"""Health checks are switched off for such a target: nobody knows."""


def _target_group(arn: str) -> str:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or not parts[5].startswith("targetgroup/"):
        raise ValueError(
            "this is not the ARN of a target group; it looks like "
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/NAME/0123456789abcdef"
        )
    return arn


class TargetHealthParams(AwsParams):
    target_group_arn: Annotated[str, Field(max_length=1024), AfterValidator(_target_group)] = Field(
        description="As aws elbv2 describe-target-groups shows it"
    )


class TargetHealthReading(Reading):
    LOGS = ("targets",)

    targets: Count = Field(description="How many targets are registered")
    healthy: Count = Field(description="How many pass their health checks")
    unhealthy: Count = Field(description="How many fail their health checks")
    draining: Count = Field(description="How many are on their way out, after deregistration")
    initial: Count = Field(description="How many are being registered, before their first health checks")
    healthy_share: Percent | None = Field(None, description="Healthy targets, of those whose health is checked")


def _command(params: TargetHealthParams) -> str:
    words = ("aws", "elbv2", "describe-target-health", "--target-group-arn", params.target_group_arn)
    return pasteable(*words, *params.options())


@probe("aws.target_health", command=_command, reads_only=True)
async def target_health(params: TargetHealthParams, ctx: ProbeContext) -> TargetHealthReading:
    """Asks a load balancer for the health of its targets (elasticloadbalancing:DescribeTargetHealth)."""
    aim = Aim("elbv2", "DescribeTargetHealth")

    def work(client: Client) -> Sequence[Answer]:
        answer = client.describe_target_health(TargetGroupArn=params.target_group_arn)
        found: Sequence[Answer] = expected(answer, aim, "TargetHealthDescriptions")
        return found

    try:
        found = await ask("elbv2", params, ctx, aim, work, asks="the health of the load balancer's targets")
    except ProbeError as error:
        if error.kind is not ErrorKind.MISSING or not aim.region:
            raise
        raise ProbeError(error.kind, error.message, remedy=_look_for(params, aim.region)) from error
    return _reading(found)


def _look_for(params: TargetHealthParams, region: str) -> str:
    of = params.target_group_arn.split(":")[3]
    if of != region:
        return f"the ARN is of the region {of or '(none)'}, but {region} was asked: give the step region: {of}"
    return f"{pasteable('aws', 'elbv2', 'describe-target-groups', *params.options())} shows those that exist"


def _reading(found: Sequence[Answer]) -> TargetHealthReading:
    states = Counter(str(each.get("TargetHealth", {}).get("State", "")) for each in found)
    checked = len(found) - states[UNCHECKED]
    rows: list[JsonValue] = [_row(each) for each in sorted(found, key=_is_healthy)[:MOST_SHOWN]]
    more: dict[str, JsonValue] = {"truncated": True} if len(found) > MOST_SHOWN else {}
    return TargetHealthReading(
        targets=len(found),
        healthy=states["healthy"],
        unhealthy=states["unhealthy"],
        draining=sum(states[each] for each in DRAINING),
        initial=states["initial"],
        healthy_share=100.0 * states["healthy"] / checked if checked else None,
        missing={} if checked else {"healthy_share": _unknown(len(found))},
        evidence={"targets": rows, **more},
    )


def _unknown(targets: int) -> str:
    if targets:
        return "the health of the targets is not checked; switch health checks of the target group on"
    return "no target is registered in the target group"


def _is_healthy(each: Answer) -> bool:
    """Sorts what is wrong to the front, where it is not cut off."""
    return bool(each.get("TargetHealth", {}).get("State") == "healthy")


def _row(each: Answer) -> JsonValue:
    target, health = each.get("Target", {}), each.get("TargetHealth", {})
    return {
        "id": told(target.get("Id")),
        "port": target.get("Port"),
        "zone": told(target.get("AvailabilityZone")) or None,
        "state": told(health.get("State")),
        "reason": told(health.get("Reason")) or None,
        "description": told(health.get("Description")) or None,
    }
