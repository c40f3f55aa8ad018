"""What is to be thought of what a server showed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from runbook_probes.network import is_address
from runbook_probes.tls_handshake import ISSUER_UNKNOWN, Handshake, Problem, asked_name
from runbook_probes.tls_names import extension, is_readable, matches, names

NOT_YET_VALID, EXPIRED = 9, 10
STAPLED = frozenset({"good", "revoked", "unknown"})
"""What an authority says of a certificate."""

# X509_V_ERR_* of https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_DISTRUST = {
    2: "the issuer of {which} was not sent and is not known here",
    7: "the signature of {which} is not its issuer's",
    9: "{which} is not valid yet",
    10: "{which} has expired",
    18: "the certificate vouches for itself",
    19: "the chain ends at an authority that is not trusted here",
    20: "the issuer of {which} was not sent and is not known here",
    21: "the issuer of {which} was not sent and is not known here",
    22: "the chain is too long",
    23: "{which} was revoked",
    24: "{which} is not one of an authority",
    25: "the chain is longer than an authority in it allows",
    26: "{which} is not meant for servers",
    27: "the authority is not trusted for servers here",
    28: "the authority is rejected here",
    47: "{which} is for names that its authority may not vouch for",
}
_SHORTEST_RSA = 2048
MOST_CHAIN = 10
"""Certificates that are looked at, of those that a server sends."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Times are in seconds from now. ``distrust`` has a reason for each thing that keeps clients from trusting the chain.

    ``first_to_expire`` is the certificate that ends the chain's time: the server's own, or one of an authority.
    """

    at: datetime
    expires_in: float
    begins_in: float
    first_to_expire: x509.Certificate
    names: tuple[str, ...]
    name_matches: bool
    self_signed: bool
    chain_complete: bool
    distrust: tuple[str, ...]
    stapled_status: str


def judged(shown: Handshake, name: str, *, ca_file: str) -> Verdict:
    """``name`` is the one that was asked for; ``ca_file`` what was trusted, empty for the system's authorities."""
    leaf = shown.chain[0]
    now = datetime.now(UTC)
    listed = names(leaf)
    status = stapled_status(shown.stapled, leaf)
    return Verdict(
        at=now,
        expires_in=left(leaf, now),
        begins_in=(leaf.not_valid_before_utc - now).total_seconds(),
        first_to_expire=min(shown.path, key=lambda each: each.not_valid_after_utc),
        names=listed.listed,
        name_matches=matches(listed, name if is_address(name) else asked_name(name)),
        self_signed=vouches_for_itself(leaf),
        chain_complete=not _lacks(shown, ca_file),
        distrust=_distrust(shown, status),
        stapled_status=status,
    )


def left(certificate: x509.Certificate, at: datetime) -> float:
    """Seconds until it expires; below zero, since when it has."""
    return (certificate.not_valid_after_utc - at).total_seconds()


def vouches_for_itself(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def stapled_status(answer: bytes, certificate: x509.Certificate) -> str:
    """``good``, ``revoked``, ``unknown``; what else an OCSP answer may be; nothing where there is none."""
    if not answer:
        return ""
    try:
        read = ocsp.load_der_ocsp_response(answer)
        if read.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return read.response_status.name.lower()
        if read.serial_number != certificate.serial_number:
            return "of another certificate"
        return read.certificate_status.name.lower()
    except (ValueError, UnsupportedAlgorithm):
        return "unreadable"


def _distrust(shown: Handshake, status: str) -> tuple[str, ...]:
    found = [_worded(each) for each in shown.problems if each.depth > 0 or each.code not in (NOT_YET_VALID, EXPIRED)]
    found += [reason for depth, each in enumerate(shown.chain) for reason in _weak(each, depth)]
    if not is_readable(shown.chain[0]):
        found.append("the certificate's extensions, its names among them, cannot be read")
    if status == "revoked":
        found.append("the certificate was revoked, says its authority in the answer that the server sends along")
    return tuple(dict.fromkeys(found))


def _worded(problem: Problem) -> str:
    which = _which(problem.depth)
    return _DISTRUST.get(problem.code, f"OpenSSL does not accept {{which}} (verification error {problem.code})").format(
        which=which
    )


def _which(depth: int) -> str:
    return "the certificate" if depth == 0 else f"the authority's certificate {depth} above it"


def _weak(certificate: x509.Certificate, depth: int) -> list[str]:
    """What clients of today refuse, though the probe does not. An authority that vouches for itself may sign as it likes."""
    found: list[str] = []
    try:
        digest, key = certificate.signature_hash_algorithm, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return found
    if isinstance(digest, hashes.MD5 | hashes.SHA1) and not vouches_for_itself(certificate):
        found.append(f"{_which(depth)} is signed with {digest.name.upper()}, which no client accepts any more")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SHORTEST_RSA:
        found.append(f"the key of {_which(depth)} has {key.key_size} bits only")
    return found


def _lacks(shown: Handshake, ca_file: str) -> bool:
    """Whether the server leaves out a certificate between its own and the authority, as far as that can be told.

    A chain that ends without a known issuer may lack a certificate, or lead to an authority that is not known here and whose
    own certificate need not be sent. The first is assumed where the last certificate is no authority's and either says where
    its issuer's is published, as those of public authorities do, or has an issuer of the same organisation as an authority
    in ``ca_file``.
    """
    last = next((each.certificate for each in shown.problems if each.code in ISSUER_UNKNOWN), None)
    if last is None or _is_authority(last):
        return False
    return _publishes_issuer(last) or bool(ca_file and _organisation(last.issuer) in _organisations(ca_file))


def _is_authority(certificate: x509.Certificate) -> bool:
    found = extension(certificate, x509.BasicConstraints)
    return found is not None and found.ca


def _publishes_issuer(certificate: x509.Certificate) -> bool:
    found = extension(certificate, x509.AuthorityInformationAccess)
    return found is not None and any(each.access_method == AuthorityInformationAccessOID.CA_ISSUERS for each in found)


def _organisation(name: x509.Name) -> tuple[str, ...]:
    return tuple(str(each.value) for each in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))


def _organisations(ca_file: str) -> Sequence[tuple[str, ...]]:
    try:
        held = x509.load_pem_x509_certificates(Path(ca_file).expanduser().read_bytes())
    except (OSError, ValueError):
        return ()
    return [_organisation(each.subject) for each in held]
