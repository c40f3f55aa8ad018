"""What certificate does a TLS server show, is it good, and how long is it still?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import anyio
from pydantic import AfterValidator, Field

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import (
    Count,
    Dimension,
    Duration,
    ErrorKind,
    Params,
    ProbeContext,
    ProbeError,
    Reading,
    bounded,
    in_thread,
    probe,
)
from runbook_engine.quantity import show
from runbook_probes.network import allowance, is_address, lookup, not_connected, where, within
from runbook_probes.tcp import host_name
from runbook_probes.trust import CA_FILE

if TYPE_CHECKING:
    from runbook_probes.tls_handshake import Handshake

MOST_SECOND_S = 5.0
"""Seconds that the question for old protocols may take: some firewalls swallow it, and the certificate is known by then."""


def _server_name(text: str) -> str:
    return host_name(text) if text else text


class CertificateParams(Params):
    CONNECTS_TO = ("host",)

    host: Annotated[str, AfterValidator(host_name)] = Field(description="A host name or an IP address")
    port: int = Field(443, ge=1, le=65535)
    server_name: Annotated[str, AfterValidator(_server_name)] = Field(
        "", description="The name to ask for (SNI) and to find in the certificate; without it, the host"
    )
    ca_file: str = Field("", description=CA_FILE)

    @property
    def name(self) -> str:
        """The name that the certificate must be for."""
        return self.server_name or self.host


class CertificateReading(Reading):
    expires_in: Annotated[float, bounded(Dimension.DURATION)] = Field(
        description="Time until the certificate expires; below zero, how long it has been expired"
    )
    chain_expires_in: Annotated[float, bounded(Dimension.DURATION)] = Field(
        description="Time until the first certificate of the chain expires: the server's own, or that of an authority above "
        "it, up to the one that is trusted here; below zero, how long it has been expired"
    )
    expires_first: str = Field(description="Whose certificate that is: its subject")
    expired: bool
    not_yet_valid: bool
    name_matches: bool = Field(description="Whether the certificate is for the name that was asked for")
    trusted: bool = Field(
        description="Whether a chain leads to an authority that is trusted here; the certificate's own dates and names "
        "do not count, those of the authorities do"
    )
    self_signed: bool = Field(description="Whether the certificate vouches for itself")
    chain_complete: bool = Field(
        description="Whether the server sends all certificates between its own and the authority, whose own it need not send"
    )
    chain_length: Count = Field(description="Certificates that the server sends, its own among them")
    stapled: bool = Field(description="Whether the server sends its authority's word on the certificate along (OCSP)")
    protocol: Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] = Field(
        description="What server and probe agree on when each offers all it has"
    )
    old_protocol: bool | None = Field(
        None, description="Whether the server also accepts TLS 1.0 or 1.1, which RFC 8996 forbids"
    )
    time: Duration = Field(description="Time of the handshake, without the look-up of the name and the TCP connection")


_EACH_CERTIFICATE = (
    'awk \'/BEGIN CERT/ {c = "openssl x509 -noout -subject -issuer -dates -ext subjectAltName"}'
    ' c {print | c} /END CERT/ {close(c); c = ""}\''
)
"""Names and dates of every certificate that the server sends; ``openssl x509`` alone reads but the first."""


def _command(params: CertificateParams) -> str:
    words = ["openssl", "s_client", "-connect", where(params.host, params.port)]
    words += ["-noservername"] if is_address(params.name) else ["-servername", params.name]
    words += ["-CAfile", params.ca_file] if params.ca_file else []
    return f"{pasteable(*words, '-showcerts', '-status')} </dev/null | {_EACH_CERTIFICATE}"


@probe("tls.certificate", command=_command, reads_only=True)
async def certificate(params: CertificateParams, ctx: ProbeContext) -> CertificateReading:
    """Shakes hands as a client that accepts any certificate, and judges what the server showed.

    Whatever is wrong with the certificate is in the reading; ProbeError says that no handshake came about. No request is
    sent. The handshake is tried a second time with TLS 1.0 and 1.1 alone, where the first did not end with one of them.
    """
    from runbook_probes.tls_handshake import Progress, shake_hands
    from runbook_probes.tls_trust import trusting

    target = where(params.host, params.port)
    progress = Progress(f"the name {params.host} could not be looked up")

    def gave_up(seconds: float) -> ProbeError:
        return ProbeError(ErrorKind.TIMEOUT, f"{progress.missed} within {show(seconds, Dimension.DURATION)}")

    with within(ctx, gave_up):
        context = await in_thread(lambda: trusting(params.ca_file))
        try:
            addresses = await lookup(params.host)
        except OSError as error:
            raise not_connected(error, params.host, params.port) from error
        progress.missed = f"{target} did not answer the attempt to connect"
        shown = await shake_hands(context, addresses, params.host, params.port, params.name, progress)
        old, unknown = await _old_protocol(params, (shown.address,), shown, min(MOST_SECOND_S, allowance(ctx) * 0.7))
        return await in_thread(lambda: _reading(params, shown, old, unknown))


async def _old_protocol(
    params: CertificateParams, addresses: Sequence[str], shown: "Handshake", seconds: float
) -> tuple[bool | None, str]:
    """Whether TLS 1.0 or 1.1 is accepted, or None and why that is not known."""
    from runbook_probes.tls_handshake import UnknownAnswerError, accepts_old

    if shown.protocol in ("TLSv1", "TLSv1.1"):
        return True, ""
    with anyio.move_on_after(seconds):
        try:
            return await accepts_old(addresses, params.host, params.port, params.name), ""
        except UnknownAnswerError as error:
            return None, str(error)
    return (
        None,
        f"the server did not answer a handshake with TLS 1.0 and 1.1 within {show(seconds, Dimension.DURATION)}",
    )


def _reading(params: CertificateParams, shown: "Handshake", old: bool | None, unknown: str) -> CertificateReading:  # noqa: FBT001
    from runbook_probes.tls_evidence import evidence
    from runbook_probes.tls_evidence import name as shown_name
    from runbook_probes.tls_judgement import STAPLED, judged, left

    verdict = judged(shown, params.name, ca_file=params.ca_file)
    return CertificateReading(
        expires_in=verdict.expires_in,
        chain_expires_in=left(verdict.first_to_expire, verdict.at),
        expires_first=shown_name(verdict.first_to_expire.subject),
        expired=verdict.expires_in <= 0,
        not_yet_valid=verdict.begins_in > 0,
        name_matches=verdict.name_matches,
        trusted=not verdict.distrust,
        self_signed=verdict.self_signed,
        chain_complete=verdict.chain_complete,
        chain_length=len(shown.chain),
        stapled=verdict.stapled_status in STAPLED,
        protocol=shown.protocol,
        old_protocol=old,
        time=shown.time,
        missing={"old_protocol": unknown} if old is None else {},
        evidence=evidence(shown, verdict),
    )
