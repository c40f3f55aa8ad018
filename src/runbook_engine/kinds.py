"""The closed set of reasons why nothing was measured."""

from enum import StrEnum


class ErrorKind(StrEnum):
    """The closed set of reasons; a runbook's ``on_error`` branches on them."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    DNS = "dns"
    TLS = "tls"
    AUTH = "auth"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    MISSING = "missing"
    UNCERTAIN = "uncertain"
    UNAVAILABLE = "unavailable"
    MALFORMED = "malformed"
    OTHER = "other"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    ErrorKind.REFUSED: "nobody listens there, or the server turned the connection away",
    ErrorKind.TIMEOUT: "no answer before the deadline",
    ErrorKind.DNS: "the name does not resolve",
    ErrorKind.TLS: "the secure connection could not be made",
    ErrorKind.AUTH: "the credentials were not accepted",
    ErrorKind.FORBIDDEN: "the credentials are good, but lack a permission",
    ErrorKind.THROTTLED: "the service has no room for this caller now: too many requests, too many connections",
    ErrorKind.MISSING: "what was asked for does not exist, or has no value",
    ErrorKind.UNCERTAIN: "too little was sampled to tell the value apart from the threshold",
    ErrorKind.UNAVAILABLE: "a client library, a tool or an extension is not installed",
    ErrorKind.MALFORMED: "the answer could not be understood",
    ErrorKind.OTHER: "something else",
}

GRANTS = ("shell", "shell-string", "sql-functions")
"""What is refused by default and a run may be allowed."""
