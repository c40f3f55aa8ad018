"""What the exceptions of the HTTP client, of TLS and of the operating system mean for whoever reads the report."""

import ssl

import anyio
import httpcore

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.http_timeline import Timeline
from runbook_probes.network import not_connected

FAILURES = (
    OSError,  # ssl.SSLError too
    anyio.BrokenResourceError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)
"""All that a request may raise, apart from ProbeError."""

# X509_V_ERR_* of https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_CERTIFICATES = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "was issued by an authority that is not trusted here",
    20: "was issued by an authority that is not trusted here",
    21: "was issued by an authority that is not trusted here",
    23: "was revoked",
    62: "was issued for another name",
    64: "was issued for another address",
}
_REMEDIES = {
    9: "compare the clock of this machine with the certificate's dates",
    18: "give the certificate as ca_file where it is meant to be trusted",
    19: "give the authority's certificate as ca_file where it is meant to be trusted",
    20: "give the authority's certificate as ca_file where it is meant to be trusted, or let the server send its whole chain",
    21: "let the server send its whole chain, or give the authority's certificate as ca_file",
}
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})


def explained(error: BaseException, timeline: Timeline) -> ProbeError:  # noqa: C901 - a table of errors
    """The reason why there is no answer. Never repeats the URL, which may hold a secret."""
    where = timeline.where
    match error:
        case ssl.SSLCertVerificationError():
            words = _CERTIFICATES.get(error.verify_code, f"is not accepted: {error.verify_message}")
            remedy = _REMEDIES.get(error.verify_code, "")
            return ProbeError(ErrorKind.TLS, f"the certificate of {where} {words}", remedy=remedy)
        case ssl.SSLEOFError():
            return ProbeError(ErrorKind.TLS, f"{where} closed the connection during the TLS handshake")
        case ssl.SSLError(reason=None):  # the system's word that the connection is gone, by way of OpenSSL
            return ProbeError(ErrorKind.TLS, f"{where} closed the connection during the TLS handshake")
        case ssl.SSLError():
            if error.reason in _NOT_TLS:
                return ProbeError(ErrorKind.TLS, f"{where} does not speak TLS", remedy="try the URL with http://")
            reason = error.reason.replace("_", " ").lower()
            return ProbeError(ErrorKind.TLS, f"the TLS connection to {where} failed: {reason}")
        case httpcore.LocalProtocolError():
            return ProbeError(ErrorKind.OTHER, f"this request cannot be sent to {where}: it is not valid HTTP")
        case httpcore.RemoteProtocolError():
            return _malformed(timeline)
        case anyio.BrokenResourceError() | httpcore.NetworkError():
            return _broken_off(timeline, "reset")
        case httpcore.TimeoutException():
            return ProbeError(ErrorKind.TIMEOUT, timeline.missed)
        case OSError():
            return not_connected(error, timeline.target.host, timeline.target.port)
    return ProbeError(ErrorKind.OTHER, f"the request to {where} failed: {type(error).__name__}")


def _malformed(timeline: Timeline) -> ProbeError:
    opening = timeline.opening
    if not opening:
        return _broken_off(timeline, "closed")
    if opening.startswith((b"\x15\x03", b"\x16\x03")):
        return ProbeError(ErrorKind.MALFORMED, f"{timeline.where} speaks TLS", remedy="try the URL with https://")
    if not opening.startswith(b"HTTP/"):
        said = "".join(letter if letter.isprintable() else "." for letter in opening[:32].decode("ascii", "replace"))
        return ProbeError(ErrorKind.MALFORMED, f"{timeline.where} does not speak HTTP: its answer begins with {said!r}")
    return ProbeError(ErrorKind.MALFORMED, f"the answer of {timeline.where} breaks off or is not valid HTTP")


def _broken_off(timeline: Timeline, how: str) -> ProbeError:
    if timeline.opening:
        return ProbeError(ErrorKind.MALFORMED, f"{timeline.where} {how} the connection in the middle of its answer")
    return ProbeError(ErrorKind.REFUSED, f"{timeline.where} accepted the connection and {how} it without an answer")
