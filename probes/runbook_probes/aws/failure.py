"""What an error of AWS or of boto3 means."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from runbook_engine.hostile import lines_of, opening
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.secret import HIDDEN
from runbook_probes.network import not_connected, where

LOG_IN = "log in again (aws sso login), or check AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

# Where the prefix of an IAM action is not the name in the signature.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}
_ACTIONS = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}


@dataclass(slots=True)
class Aim:
    """What is asked of AWS. The region, the address and the IAM action become known with the client."""

    service: str
    operation: str
    region: str = ""
    url: str = ""
    _prefix: str = field(default="")

    def learn(self, region: str | None, url: str, signing_name: str) -> None:
        self.region, self.url, self._prefix = region or "", url, signing_name

    @property
    def action(self) -> str:
        """The IAM action that the operation needs: ``cloudwatch:GetMetricStatistics``."""
        prefix = _PREFIXES.get(self._prefix, self._prefix) or self.service
        action = f"{prefix}:{self.operation}"
        return _ACTIONS.get(action, action)

    @property
    def target(self) -> tuple[str, int]:
        """``("logs.us-east-1.amazonaws.com", 443)``."""
        parts = urlsplit(self.url)
        return parts.hostname or self.service, parts.port or (80 if parts.scheme == "http" else 443)

    @property
    def place(self) -> str:
        """``logs.us-east-1.amazonaws.com:443``."""
        return where(*self.target)

    def timed_out(self, when: str, asks: str) -> ProbeError:
        if not self.url:
            return ProbeError(
                ErrorKind.TIMEOUT,
                f"no client for AWS was ready {when}: credentials were still looked for",
                remedy="give the step a longer timeout, and credentials in variables or in a profile",
            )
        return ProbeError(
            ErrorKind.TIMEOUT,
            f"{asks} was not answered by {self.place} {when}",
            remedy="check the network, proxy and VPC endpoint between this machine and AWS",
        )


def explain(error: Exception, aim: Aim, status: int | None) -> ProbeError:
    """``status`` is that of the last answer over HTTP, where there was one."""
    from botocore import exceptions, parsers

    if isinstance(error, exceptions.ClientError):
        return _answered(error, aim)
    if isinstance(error, parsers.ResponseParserError):
        return senseless(aim, status)
    if isinstance(error, exceptions.NoRegionError):
        return ProbeError(
            ErrorKind.MISSING,
            f"no region is known for {aim.service}",
            remedy="give the step a region, or set AWS_REGION",
        )
    if isinstance(error, exceptions.ParamValidationError):
        return ProbeError(ErrorKind.MALFORMED, f"{aim.service} {aim.operation} cannot be asked this: {_told(error)}")
    if isinstance(error, exceptions.ProfileNotFound):
        return ProbeError(ErrorKind.AUTH, _told(error), remedy="aws configure list-profiles shows those that exist")
    if names_of(error) & _CREDENTIALS:
        return ProbeError(ErrorKind.AUTH, f"there are no credentials for AWS: {_told(error)}", remedy=LOG_IN)
    return _connecting(error, aim)


_CREDENTIALS = frozenset(
    {
        "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "NoAuthTokenError",
        "TokenRetrievalError", "UnknownTokenProviderError", "UnknownCredentialError", "SSOError", "LoginError",
        "MetadataRetrievalError", "RefreshWithMFAUnsupportedError", "InvalidConfigError", "ConfigParseError",
        "ConfigNotFound", "MissingDependencyException",
    }
)  # fmt: skip


def names_of(error: BaseException) -> set[str]:
    """By name, because older releases of botocore lack some of these classes."""
    return {each.__name__ for each in type(error).__mro__}


# The first that is found in the code counts: EC2's AuthFailure is about who asks, its InvalidInstanceID.NotFound about what
# is not there.
_CODES: tuple[tuple[ErrorKind, tuple[str, ...]], ...] = (
    (
        ErrorKind.AUTH,
        (
            "InvalidClientTokenId", "UnrecognizedClient", "ExpiredToken", "RequestExpired", "SignatureDoesNotMatch",
            "InvalidSignature", "IncompleteSignature", "InvalidAccessKeyId", "MissingAuthenticationToken", "AuthFailure",
            "InvalidToken", "TokenRefreshRequired", "RequestTimeTooSkewed", "InvalidSecurity", "NotAuthenticated",
        ),
    ),
    (
        ErrorKind.THROTTLED,
        (
            "Throttl", "TooManyRequests", "LimitExceeded", "SlowDown", "ThroughputExceeded", "PriorRequestNotComplete",
            "QuotaExceeded",
        ),
    ),
    (
        ErrorKind.FORBIDDEN,
        (
            "AccessDenied", "Unauthorized", "AuthorizationError", "Forbidden", "NotAuthorized", "OptInRequired",
            "SubscriptionRequired",
        ),
    ),
    (ErrorKind.MISSING, ("NotFound", "NoSuch", "DoesNotExist", "NonExistent")),
    (ErrorKind.MALFORMED, ("Invalid", "Validation", "MissingParameter", "Malformed", "Serialization", "UnknownParameter")),
)  # fmt: skip
_STATUSES = {401: ErrorKind.AUTH, 403: ErrorKind.FORBIDDEN, 429: ErrorKind.THROTTLED}
_ABSENT = re.compile(r"not found|does not exist|could not be found|no such", re.IGNORECASE)


def _answered(error: Any, aim: Aim) -> ProbeError:
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message") or "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code == str(status):
        return senseless(aim, status)
    kind = kind_of(code)
    if kind is ErrorKind.MALFORMED and _ABSENT.search(message):
        kind = ErrorKind.MISSING
    return _worded(kind or _STATUSES.get(status, ErrorKind.OTHER), aim, line(f"{code}: {message}" if message else code))


def kind_of(code: str) -> ErrorKind | None:
    """What the code of an error says: ``AccessDenied``, ``ThrottlingException``."""
    return next((kind for kind, parts in _CODES if any(part in code for part in parts)), None)


def senseless(aim: Aim, status: int | None) -> ProbeError:
    """An answer that is not in the form of the service; a bare 403 of a proxy reaches the EC2 client like this."""
    kind = _STATUSES.get(status or 0)
    if kind is not None:
        return _worded(kind, aim, str(status))
    return ProbeError(
        ErrorKind.MALFORMED,
        f"the answer of {aim.place} ({status}) cannot be understood as one of {aim.service}",
        remedy="check that this is an endpoint of AWS, and whether a proxy answers in its place",
    )


def broken_off(aim: Aim) -> ProbeError:
    return ProbeError(ErrorKind.MALFORMED, f"{aim.place} broke off in the middle of its answer")


def _worded(kind: ErrorKind, aim: Aim, told: str) -> ProbeError:
    asked = f"{aim.service} {aim.operation}"
    match kind:
        case ErrorKind.FORBIDDEN:
            return _denied(aim, told)
        case ErrorKind.THROTTLED:
            return ProbeError(
                kind,
                f"AWS throttles {asked} for this account ({told})",
                remedy="ask less often, or raise the quota of the account",
            )
        case ErrorKind.AUTH:
            # AWS repeats the signed request here, token and all.
            return ProbeError(kind, f"AWS does not accept the credentials ({told.partition(':')[0]})", remedy=LOG_IN)
        case ErrorKind.MISSING:
            return ProbeError(
                kind, f"{asked} does not find what was asked for ({told})", remedy="check name and region"
            )
        case ErrorKind.MALFORMED:
            return ProbeError(kind, f"{asked} refuses these arguments ({told})")
    return ProbeError(kind, f"{asked} failed ({told})", remedy="see https://health.aws.amazon.com for known problems")


_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:\w+)")


def _denied(aim: Aim, told: str) -> ProbeError:
    """The action that AWS names comes first: an operation may need that of another service, such as kms:Decrypt."""
    named = _NAMED_ACTION.search(told)
    action = named[1] if named else aim.action
    remedy = f"allow {action} in the IAM policy of these credentials"
    if "explicit deny" in told:
        remedy = (
            f"an explicit deny of {action} has to go, perhaps in a service control policy; no permission outweighs it"
        )
    return ProbeError(ErrorKind.FORBIDDEN, f"AWS denies {action} ({told})", remedy=remedy)


def _connecting(error: Exception, aim: Aim) -> ProbeError:
    names = names_of(error)
    if names & {"ConnectTimeoutError", "ReadTimeoutError"}:
        return aim.timed_out("in time", f"{aim.service} {aim.operation}")
    if "SSLError" in names:
        return ProbeError(
            ErrorKind.TLS,
            f"no secure connection with {aim.place} ({_told(error)})",
            remedy="where a proxy opens TLS connections, name its authority in AWS_CA_BUNDLE",
        )
    if "ProxyConnectionError" in names:
        return ProbeError(
            ErrorKind.REFUSED, "the proxy for AWS cannot be connected to", remedy="check HTTPS_PROXY and NO_PROXY"
        )
    if "EndpointConnectionError" in names:
        return _unreachable(error, aim)
    if any("IncompleteRead" in names_of(each) for each in _causes(error)):
        return broken_off(aim)
    if "ConnectionClosedError" in names:
        return ProbeError(ErrorKind.REFUSED, f"{aim.place} closed the connection without an answer")
    if names & {"ResponseStreamingError", "IncompleteReadError"}:
        return broken_off(aim)
    return ProbeError(ErrorKind.OTHER, f"{aim.service} {aim.operation} failed: {type(error).__name__}: {_told(error)}")


def _unreachable(error: Exception, aim: Aim) -> ProbeError:
    cause = next((each for each in _causes(error) if isinstance(each, OSError) and each.errno is not None), None)
    if cause is None:
        return ProbeError(ErrorKind.REFUSED, f"{aim.place} cannot be connected to")
    failure = not_connected(cause, *aim.target)
    if failure.kind is ErrorKind.DNS and not failure.remedy:
        return ProbeError(
            failure.kind, failure.message, remedy="check region and service: not every region has every one"
        )
    return failure


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, the one of the HTTP client that botocore keeps aside, and their causes."""
    while error is not None:
        yield error
        kept = getattr(error, "kwargs", {}).get("error")
        error = kept if isinstance(kept, BaseException) else error.__cause__ or error.__context__


def drop_traces(error: Exception) -> None:
    """Let go of the client's frames, which would keep its connection open for as long as the error lives."""
    for each in _causes(error):
        each.__traceback__ = None


def scrubbed(error: ProbeError, secrets: Iterable[str]) -> ProbeError:
    """The same, without these and without what a signed URL holds."""
    return ProbeError(error.kind, _scrub(error.message, secrets), remedy=error.remedy)


_SIGNED = re.compile(r"(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s'\"]+", re.IGNORECASE)


def _scrub(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _SIGNED.sub(rf"\g<1>{HIDDEN}", text)


def _told(error: Exception) -> str:
    return line(str(error))


def line(text: str) -> str:
    """On one line."""
    return "; ".join(part.strip(" .") for part in lines_of(opening(text)) if part.strip(" ."))
