"""Which operations of AWS a runbook may call: those that read, and what they read is no secret."""

import re
from collections.abc import Mapping

PREFIXES = ("Describe", "Get", "List", "Filter", "BatchGet", "StartQuery")

# Whatever the service, these give credentials, secrets, or a URL that lets anybody in.
_GIVES_SECRETS = re.compile(
    r"(batch)?get\w*(credentials\w*|token|tokenfor\w+|tokensfrom\w+|secretvalue|password|passworddata|apikeys?"
    r"|accessdetails|(instance|compute|data)access|unlockcode|presignedurl|signed\w*url|embedurl|sessionurl"
    r"|downloadurl\w*|uploadurl)\Z"
)
_GIVEN_AWAY = "gives credentials, secrets or signed URLs, which have no place in a report"
_REFUSED: Mapping[tuple[str, str], str] = {
    ("appsync", "listapikeys"): _GIVEN_AWAY,
    ("athena", "startqueryexecution"): "runs any SQL, also such that writes, and is charged for",
    ("cognito-identity", "getid"): "creates an identity where there is none",
    ("kms", "getparametersforimport"): _GIVEN_AWAY,
    ("lambda", "getfunction"): "gives a signed URL of the code; call GetFunctionConfiguration",
    ("lambda", "getlayerversion"): "gives a signed URL of the code; call ListLayerVersions",
    ("lambda", "getlayerversionbyarn"): "gives a signed URL of the code; call ListLayerVersions",
    ("storagegateway", "describechapcredentials"): _GIVEN_AWAY,
}
_DECRYPTING = frozenset({"getparameter", "getparameters", "getparametersbypath", "getparameterhistory"})


def refusal(service: str, operation: str, arguments: Mapping[str, object]) -> str | None:
    """Why a runbook may not call this, as a sentence; None where it may. The operation in any spelling."""
    if not _reads(operation):
        return (
            f"{operation} may change something: aws.call takes operations that begin with "
            f"{', '.join(PREFIXES[:-1])} or {PREFIXES[-1]}"
        )
    name = folded(operation)
    if service == "ssm" and name in _DECRYPTING and arguments.get("WithDecryption") not in (None, False):
        return f"{operation} decrypts secrets with WithDecryption; leave it out"
    reason = _REFUSED.get((service, name)) or (_GIVEN_AWAY if _GIVES_SECRETS.match(name) else None)
    return f"aws.call refuses {operation}: it {reason}" if reason else None


def folded(operation: str) -> str:
    """``DescribeServices``, ``describe_services`` and ``describe-services`` are one."""
    return operation.replace("_", "").replace("-", "").lower()


_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|[A-Z][a-z0-9]*")


def _reads(operation: str) -> bool:
    """The prefix has to be whole words: Listen is not List.

    Where all is written as one word this cannot be seen; then the API's own spelling is asked about, once it is known.
    """
    words = [each.lower() for part in re.split(r"[_-]", operation) for each in _words(part)]
    if words == [operation.lower()] and operation in (operation.lower(), operation.upper()):
        return folded(operation).startswith(tuple(prefix.lower() for prefix in PREFIXES))
    return any(words[: len(each)] == each for each in (_lowered(prefix) for prefix in PREFIXES))


def _words(part: str) -> list[str]:
    return [part] if part.islower() or part.isupper() else _WORD.findall(part)


def _lowered(prefix: str) -> list[str]:
    return [each.lower() for each in _words(prefix)]
