"""A certificate authority as public ones are: a root, an intermediate that issues, and certificates that say where it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_YEARS = timedelta(days=3650)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """All in PEM. ``chain`` begins with the certificate itself and leaves the root out, as servers do."""

    key: bytes = field(repr=False)
    chain: tuple[bytes, ...]


class Authority:
    """``root`` is what clients trust, in PEM. The intermediate certificate expires in so many days; else in years."""

    def __init__(self, organisation: str, *, intermediate_days: float | None = None) -> None:
        now = datetime.now(UTC)
        self._organisation = organisation
        self._root_key, self._key = _new_key(), _new_key()
        root = _Wanted(f"{organisation} root", self._root_key, now - _HOUR, now + _YEARS, authority=True)
        ends = now + (_YEARS if intermediate_days is None else timedelta(days=intermediate_days))
        begins = min(now, ends) - _HOUR
        below = _Wanted(f"{organisation} intermediate", self._key, begins, ends, authority=True)
        self._root = self._sign(root, issuer=None, key=self._root_key)
        self._intermediate = self._sign(below, issuer=self._root, key=self._root_key)
        self.root = _pem(self._root)

    def issue(self, names: Sequence[str], days: float) -> Issued:
        """A server's certificate for these names and addresses that expires in so many days; below zero, it has."""
        key = _new_key()
        made = self._sign(_for_server(names, days, key), issuer=self._intermediate, key=self._key)
        return Issued(_private(key), (_pem(made), _pem(self._intermediate)))

    def self_signed(self, names: Sequence[str], days: float) -> Issued:
        """One that vouches for itself, and for which this authority does not."""
        key = _new_key()
        return Issued(_private(key), (_pem(self._sign(_for_server(names, days, key), issuer=None, key=key)),))

    def _sign(
        self, wanted: "_Wanted", *, issuer: "x509.Certificate | None", key: "ec.EllipticCurvePrivateKey"
    ) -> "x509.Certificate":
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, wanted.title[:64])]
        if wanted.authority:
            attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, self._organisation))
        subject = x509.Name(attributes)
        public = wanted.key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer is None else issuer.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(wanted.begins)
            .not_valid_after(wanted.ends)
            .add_extension(x509.BasicConstraints(ca=wanted.authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .add_extension(_usage(authority=wanted.authority), critical=True)
        )
        if wanted.names:
            names = [_name(each) for each in wanted.names]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            if issuer is not None:
                place = x509.UniformResourceIdentifier("http://lab.invalid/intermediate.crt")
                access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
                builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        return builder.sign(key, hashes.SHA256())


@dataclass(frozen=True, slots=True)
class _Wanted:
    title: str
    key: "ec.EllipticCurvePrivateKey"
    begins: datetime
    ends: datetime
    names: tuple[str, ...] = ()
    authority: bool = False


def _for_server(names: Sequence[str], days: float, key: "ec.EllipticCurvePrivateKey") -> _Wanted:
    ends = datetime.now(UTC) + timedelta(days=days)
    return _Wanted(names[0], key, min(ends, datetime.now(UTC)) - timedelta(days=30), ends, tuple(names))


def _name(text: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, authority: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _new_key() -> "ec.EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _pem(certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _private(key: "ec.EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
