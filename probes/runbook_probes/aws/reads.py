"""Which operations of AWS a runbook may call: those on a list of what reads and gives no secrets."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from runbook_engine.errors import did_you_mean

_FILE = Path(__file__).with_name("reading_operations.txt")
"""Made from botocore's models by a rule, with exceptions that were looked at; both stand beside the tests of aws.call."""

_VERBS = ("describe", "get", "list", "batchget")
_DECRYPTING = frozenset({"getparameter", "getparameters", "getparametersbypath", "getparameterhistory"})
_INSTEAD: Mapping[tuple[str, str], str] = {
    ("lambda", "getfunction"): "GetFunctionConfiguration",
    ("lambda", "getlayerversion"): "ListLayerVersions",
    ("lambda", "getlayerversionbyarn"): "ListLayerVersions",
    ("logs", "startquery"): "the probe aws.logs_insights",
}
_SHELL = "the AWS CLI can be run by shell.run, which needs to be allowed: --allow shell"


def refusal(service: str, operation: str, arguments: Mapping[str, object]) -> str | None:
    """Why a runbook may not call this, as a sentence; None where it may. The operation in any spelling."""
    listed = operations().get(service)
    if listed is None:
        return f"aws.call has no operation of the service {service!r}{did_you_mean(service, operations())}"
    name = folded(operation)
    if name in listed:
        decrypts = service == "ssm" and name in _DECRYPTING and arguments.get("WithDecryption") not in (None, False)
        return f"{operation} decrypts secrets with WithDecryption; leave it out" if decrypts else None
    refused = f"aws.call does not call {operation} of {service}:"
    if (service, name) in _INSTEAD:
        return f"{refused} take {_INSTEAD[service, name]}"
    if not name.startswith(_VERBS):
        return f"{refused} it may change something, and only what describes, gets or lists is called; {_SHELL}"
    meant = did_you_mean(name, listed)
    guess = next((f'did you mean "{known}"?' for low, known in listed.items() if f'"{low}"' in meant), _SHELL)
    return f"{refused} it is not on the list of what changes nothing and gives no secrets or signed URLs; {guess}"


@cache
def operations() -> Mapping[str, Mapping[str, str]]:
    """Those that may be called, by the name of their service: the API's own spelling by that without capitals."""
    found: dict[str, dict[str, str]] = {}
    of_service: dict[str, str] = {}
    for line in _FILE.read_text("utf-8").split("\n"):
        for word in line.split() if not line.startswith("#") else ():
            if word.endswith(":"):
                of_service = found[word.removesuffix(":")] = {}
            else:
                of_service[folded(word)] = word
    return found


def folded(operation: str) -> str:
    """``DescribeServices``, ``describe_services`` and ``describe-services`` are one."""
    return operation.replace("_", "").replace("-", "").lower()
