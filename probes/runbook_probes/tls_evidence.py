"""What a report shows of a certificate. All of it is somebody else's text."""

import base64
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import JsonValue

from runbook_engine.hostile import one_line
from runbook_engine.quantity import Dimension, show
from runbook_probes.tls_handshake import Handshake
from runbook_probes.tls_judgement import MOST_CHAIN, Verdict, left

MOST_NAMES = 50
MOST_DER = 24_000
_PIECE = 3_000
"""Bytes that are 4000 letters in base64, of which a report keeps no more in one text."""


def evidence(shown: Handshake, verdict: Verdict) -> dict[str, JsonValue]:
    leaf = shown.chain[0]
    return {
        "subject": name(leaf.subject),
        "issuer": name(leaf.issuer),
        "names": [*_bounded(verdict.names, MOST_NAMES)],
        "not_before": leaf.not_valid_before_utc.isoformat(),
        "not_after": leaf.not_valid_after_utc.isoformat(),
        "serial": f"{leaf.serial_number:x}",
        "sha256": leaf.fingerprint(hashes.SHA256()).hex(),
        "distrust": [*verdict.distrust[:MOST_CHAIN]],
        "chain": [_row(each, verdict) for each in shown.chain[:MOST_CHAIN]],
        **({"authority": _row(shown.path[-1], verdict)} if shown.path[-1] not in shown.chain else {}),
        "stapled": verdict.stapled_status or "none",
        "cipher": shown.cipher,
        "address": shown.address,
        "der": _der(leaf),
    }


def name(of: x509.Name) -> str:
    return one_line(of.rfc4514_string())


def _row(certificate: x509.Certificate, verdict: Verdict) -> JsonValue:
    return {
        "subject": name(certificate.subject),
        "issuer": name(certificate.issuer),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "expires_in": show(left(certificate, verdict.at), Dimension.DURATION),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
    }


def _bounded(listed: Sequence[str], most: int) -> list[str]:
    kept = [one_line(each) for each in listed[:most]]
    return [*kept, f"… and {len(listed) - most} more"] if len(listed) > most else kept


def _der(certificate: x509.Certificate) -> JsonValue:
    """In base64: a text, or several to be joined where one would be too long to be kept."""
    der = certificate.public_bytes(Encoding.DER)
    if len(der) > MOST_DER:
        return f"left out: {len(der)} bytes"
    pieces: list[JsonValue] = [
        base64.b64encode(der[begin : begin + _PIECE]).decode() for begin in range(0, len(der), _PIECE)
    ]
    return pieces[0] if len(pieces) == 1 else pieces
