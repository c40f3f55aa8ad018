"""Why no TLS handshake came about, in words."""

from typing import Literal, Self

from cryptography import x509
from OpenSSL import SSL

from runbook_engine.hostile import one_line
from runbook_engine.probe import ErrorKind, ProbeError

How = Literal["closed", "reset", "said"]

_RECORD_TYPES = frozenset({20, 21, 22, 23})


class RefusedHandshakeError(Exception):
    """The handshake ended without success; ``reason`` is OpenSSL's, in lower case, where either side said why."""

    def __init__(self, how: How, reason: str = "") -> None:
        super().__init__(reason or how)
        self.how = how
        self.reason = reason

    @classmethod
    def of(cls, error: SSL.Error) -> Self:
        if isinstance(error, SSL.SysCallError | SSL.ZeroReturnError):
            return cls("closed")
        queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
        reasons = [str(entry[-1]).lower() for entry in queue if entry]
        return cls("said", "; ".join(dict.fromkeys(reasons)) or type(error).__name__.lower())


# What is in the reason, what is then the matter, and what to do. The first match counts.
_REASONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("protocol version", "unsupported protocol", "version too low", "unknown protocol", "inappropriate fallback"),
        "{where} shares no version of TLS with this probe, which offers TLS 1.0 to 1.3",
        "see which versions the server is set to accept",
    ),
    (
        ("handshake failure", "insufficient security", "no shared cipher", "no ciphers available"),
        "{where} refuses the handshake: it shares no cipher with this probe, or has no certificate for the name",
        "see which ciphers the server is set to accept, and for which names it has certificates",
    ),
    (
        ("unrecognized name",),
        "{where} refuses the handshake: it does not know the name that was asked for",
        "check server_name, and for which names the server has certificates",
    ),
    (("internal error",), "{where} refuses the handshake with an internal error of its own", "see the server's log"),
    (
        ("access denied",),
        "{where} refuses the handshake: access denied",
        "check from which addresses and for which names the server may be reached",
    ),
    (
        ("excessive message size",),
        "{where} sends more certificates than a client takes",
        "let the server send its own certificate and the intermediate ones alone",
    ),
)
_NOT_WORKING_HERE = ("no protocols available", "no ciphers available", "version too low", "no suitable")


def explained(
    refusal: RefusedHandshakeError, where: str, opening: bytes, *, asked: bool, shown: x509.Certificate | None
) -> ProbeError:
    """``opening`` is how the server's answer begins, ``asked`` whether it wants the client's certificate.

    ``shown`` is its own, where it came as far as that.
    """
    if opening and not _is_tls(opening):
        return _not_tls(where, opening)
    if asked and refusal.how in ("closed", "reset", "said"):
        valid = f"; its own is valid until {shown.not_valid_after_utc:%Y-%m-%d %H:%M} UTC" if shown is not None else ""
        return ProbeError(
            ErrorKind.TLS,
            f"{where} demands a certificate of the client, and this probe has none{valid}",
            remedy="probe the server where it asks for no certificate, for example behind its gateway",
        )
    match refusal.how:
        case "closed":
            return ProbeError(ErrorKind.TLS, f"{where} closed the connection during the TLS handshake")
        case "reset":
            return ProbeError(ErrorKind.TLS, f"{where} reset the connection during the TLS handshake")
    for parts, message, remedy in _REASONS:
        if any(part in refusal.reason for part in parts):
            return ProbeError(ErrorKind.TLS, message.format(where=where), remedy=remedy)
    return ProbeError(ErrorKind.TLS, f"the TLS handshake with {where} failed: {one_line(refusal.reason)}")


def malformed(where: str) -> ProbeError:
    return ProbeError(ErrorKind.MALFORMED, f"what {where} shows as a certificate cannot be read")


def is_unable(refusal: RefusedHandshakeError) -> bool:
    """Whether it was this machine's OpenSSL that did not want to, and not the server."""
    return any(part in refusal.reason for part in _NOT_WORKING_HERE)


def _is_tls(opening: bytes) -> bool:
    """A record of TLS: its type, then 3 for the version (RFC 8446, section 5.1)."""
    return opening[0] in _RECORD_TYPES and opening[1:2] in (b"", b"\x03")


def _not_tls(where: str, opening: bytes) -> ProbeError:
    said = "".join(letter if letter.isprintable() else "." for letter in opening[:32].decode("ascii", "replace"))
    if opening.startswith(b"HTTP/") or opening.lstrip()[:1] == b"<":
        return ProbeError(
            ErrorKind.TLS,
            f"{where} speaks plain HTTP, and no TLS",
            remedy="give the port on which the server speaks HTTPS, usually 443",
        )
    remedy = "check host and port"
    if opening[:3] in (b"220", b"* O", b"+OK"):
        remedy += (
            "; mail servers speak TLS at once on the ports 465, 993 and 995, and elsewhere only when asked (STARTTLS)"
        )
    return ProbeError(ErrorKind.TLS, f"{where} does not speak TLS: its answer begins with {said!r}", remedy=remedy)
