"""The operations that aws.call may call, computed from botocore's models: ``python -m`` this module writes the list anew.

An operation is on it where all of this holds:

- its name begins with Describe, Get, List or BatchGet, as a word of its own, and says of no credential that it gives it;
- its model does not speak against reading: it takes no token against doing the same twice, is asked with GET, or declares
  itself read-only, where its protocol has such a thing; a POST that lists or describes carries a filter;
- its answer is no stream, and no member of it is marked as sensitive, named like a credential, or a link to what is stored.

``REVIEWED`` are those that the rule leaves out and somebody has looked at: what is secret in their answers is a member that
the probe hides, and the rest is what people look for in an incident. ``REFUSED`` are those that the rule would take.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import runbook_probes.aws

FILE = Path(runbook_probes.aws.__file__).with_name("reading_operations.txt")

_READS = re.compile(r"(Describe|Get|List|BatchGet)(?=[A-Z0-9])")
_FILTERS = re.compile(r"(Describe|List)(?=[A-Z0-9])")
_GIVES = re.compile(
    r"password|secretvalue|credential|apikey|authorization|presigned|signedurl|embedurl|sessionurl|loginurl|signinurl"
    r"|unlockcode|accessdetails|(instance|compute|data)access|token|keymaterial|licensekey|privatekey|wsdl|orcreate"
)
_CREDENTIAL = re.compile(
    r"(password|passwd|passphrase|passcode|secret|secretstring|secretbinary|(secretaccess|secret|private|preshared|api|auth"
    r"|shared|signing|stream|encryption|license|mac|service)key|token|credentials?|plaintext|userdata|keymaterial"
    r"|authorization|authcode|otp|cookie|connectionstring|registrationcode|activationcode)s?\Z"
)
_PLACE_IN_A_LIST = re.compile(
    r"((next|forward|backward|continuation|pagination|page|paging|sequence|client|request|caller|idempotency|creation|lock"
    r"|resume|scroll|sync|update|version|concurrency|purchase|tracking|last\w*|next\w*)token|http(put)?tokens)s?\Z"
)
_LINK = re.compile(
    r"(\A(url|uri|location|s3url)|(presigned|signed|download|upload|embed|session|login|signin|portal|artifact|document|log"
    r"|report|transcriptfile|transcript|codebase|result|output|authcode|image|snapshotdownload|streaming)(url|uri))s?\Z"
)

REFUSED: Mapping[str, str] = {
    "apigateway": "GetApiKey GetApiKeys GetUsagePlanKey GetUsagePlanKeys",
    "appsync": "ListApiKeys",
    "cognito-identity": "GetId",
    "kms": "GetParametersForImport",
    "lambda": "GetFunction GetLayerVersion GetLayerVersionByArn",
    "stepfunctions": "GetActivityTask",
    "storagegateway": "DescribeChapCredentials",
}

REVIEWED: Mapping[str, str] = {
    "apigateway": "GetAuthorizers GetIntegration GetMethod GetResource GetResources",
    "appsync": "GetGraphqlApi ListGraphqlApis",
    "autoscaling": "DescribeLaunchConfigurations",
    "backup": "GetBackupPlan ListTags",
    "cloudfront": "GetDistribution GetDistributionConfig GetResponseHeadersPolicy ListDistributions",
    "cloudtrail": "GetChannel",
    "codebuild": "BatchGetBuilds BatchGetProjects",
    "codepipeline": "GetPipeline GetPipelineState",
    "config": "GetComplianceDetailsByConfigRule GetComplianceDetailsByResource",
    "docdb": "DescribeDBInstances",
    "ec2": (
        "DescribeClientVpnAuthorizationRules DescribeClientVpnEndpoints DescribeInstanceTypeOfferings"
        " DescribeLaunchTemplateVersions DescribeSpotFleetRequests DescribeSpotInstanceRequests"
        " DescribeVpnConnections"
    ),
    "ecr": "DescribeImageScanFindings",
    "ecs": "DescribeExpressGatewayService DescribeTaskDefinition DescribeTasks",
    "eks": "DescribeCluster",
    "elbv2": "DescribeListeners DescribeRules",
    "events": "DescribeConnection ListTargetsByRule",
    "guardduty": "GetFindings",
    "iam": "GetAccountPasswordPolicy GetOpenIDConnectProvider",
    "lambda": (
        "GetEventSourceMapping GetFunctionConfiguration ListEventSourceMappings ListFunctions ListVersionsByFunction"
    ),
    "logs": "FilterLogEvents GetQueryResults",
    "neptune": "DescribeDBInstances",
    "rds": (
        "DescribeDBClusters DescribeDBInstances DescribeDBProxyTargetGroups DescribeDBRecommendations"
        " DescribeOptionGroups DescribeTenantDatabases"
    ),
    "redshift": "DescribeClusters",
    "s3": "GetBucketAcl GetBucketEncryption GetBucketLogging",
    "ssm": (
        "DescribeAssociation DescribeInstanceAssociationsStatus DescribeInstanceInformation DescribeInstancePatchStates"
        " DescribeInstanceProperties DescribeMaintenanceWindows GetCommandInvocation GetMaintenanceWindow GetParameter"
        " GetParameterHistory GetParameters GetParametersByPath ListCommandInvocations ListCommands"
    ),
    "stepfunctions": "DescribeExecution DescribeStateMachine DescribeStateMachineForExecution GetExecutionHistory",
    "wafv2": "GetLoggingConfiguration GetSampledRequests GetWebACL GetWebACLForResource",
    "xray": "BatchGetTraces GetServiceGraph GetTraceSummaries",
}


def listed() -> Mapping[str, list[str]]:
    """The operations of each service that there is, by the installed botocore."""
    found: dict[str, list[str]] = {}
    for service, model in models():
        reviewed, refused = REVIEWED.get(service, "").split(), REFUSED.get(service, "").split()
        known = [
            each
            for each in model.operation_names
            if each not in refused and (each in reviewed or not any(against(model.operation_model(each))))
        ]
        if known:
            found[service] = sorted(known)
    return found


def models() -> Iterator[tuple[str, Any]]:
    """Every service's model."""
    import botocore.session
    from botocore.model import ServiceModel

    loader = botocore.session.get_session().get_component("data_loader")
    for service in loader.list_available_services("service-2"):
        yield service, ServiceModel(loader.load_service_model(service, "service-2"), service)


def against(operation: Any) -> Iterator[str]:
    """What speaks against an operation by the rule, one after the other."""
    if not _READS.match(operation.name):
        yield "its name is not that of one that reads"
    if _GIVES.search(operation.name.lower()):
        yield "its name says that it gives credentials"
    if operation.idempotent_members:
        yield "it does something that must not be done twice"
    declares = operation._operation_model.get("readonly", False)
    rest = operation.service_model.metadata["protocol"].startswith("rest")
    method = operation.http["method"]
    if (
        rest
        and method not in ("GET", "HEAD")
        and not declares
        and not (method == "POST" and _FILTERS.match(operation.name))
    ):
        yield f"it is asked with {method}"
    if operation.has_streaming_output or operation.has_event_stream_output:
        yield "it answers with a stream"
    yield from (f"its answer has {'.'.join(path)}" for path in secret_members(operation.output_shape))


def secret_members(
    shape: Any, path: tuple[str, ...] = (), above: frozenset[str] = frozenset()
) -> Iterator[tuple[str, ...]]:
    """The paths to the members of an answer that hold a secret or a link to something stored."""
    if shape is None or shape.name in above:
        return
    match shape.type_name:
        case "structure":
            below = [(name, member) for name, member in shape.members.items()]
        case "list":
            below = [("", shape.member)]
        case "map":
            below = [("", shape.value)]
        case _:
            return
    for name, member in below:
        here = (*path, name) if name else path
        if member.metadata.get("sensitive") or (
            member.type_name in ("string", "blob") and names_secret(here[-1] if here else "")
        ):
            yield here
        else:
            yield from secret_members(member, here, above | {shape.name})


def names_secret(member: str) -> bool:
    folded = re.sub(r"[^a-z0-9]", "", member.lower())
    return bool(_LINK.search(folded) or (_CREDENTIAL.search(folded) and not _PLACE_IN_A_LIST.search(folded)))


def written() -> str:
    """The list as it stands in the file."""
    import botocore

    head = (
        f"# What aws.call may call: what reads and gives no secrets, by the models of botocore {botocore.__version__}.\n"
        "# Made by: python -m tests.integration.probes_aws.reading_operations\n"
    )
    services = (
        textwrap.fill(" ".join([f"{service}:", *operations]), 120, subsequent_indent="  ", break_on_hyphens=False)
        for service, operations in listed().items()
    )
    return head + "\n".join(services) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
