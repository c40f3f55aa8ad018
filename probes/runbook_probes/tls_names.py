"""For which names a certificate is. The rules are those of RFC 9525."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeVar

from cryptography import x509

from runbook_probes.network import is_address

_UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)

E = TypeVar("E", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Names:
    """What a certificate is for: names, as they stand there, and addresses.

    An address that is written as a name is for nobody: a client that asks for an address looks at the addresses alone.
    """

    hosts: tuple[str, ...]
    addresses: tuple[str, ...]

    @property
    def listed(self) -> tuple[str, ...]:
        return (*self.hosts, *self.addresses)


def extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """None where the certificate has no such extension, or one of its extensions breaks the rules of them all."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return None


def is_readable(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions is not None
    except _UNREADABLE:
        return False


def names(certificate: x509.Certificate) -> Names:
    """The names and addresses that the certificate is for. Its common name is none: no client looks at it any more."""
    found = extension(certificate, x509.SubjectAlternativeName)
    if found is None:
        return Names((), ())
    addresses = found.get_values_for_type(x509.IPAddress)
    return Names(tuple(found.get_values_for_type(x509.DNSName)), tuple(str(each) for each in addresses))


def matches(found: Names, name: str) -> bool:
    """Whether the certificate is for this name, which is as ``asked_name`` gives it, or for this address."""
    if is_address(name):
        wanted = ip_address(name)
        return any(ip_address(each) == wanted for each in found.addresses)
    return any(_is(each.lower(), name) for each in found.hosts)


def _is(pattern: str, name: str) -> bool:
    """``*`` stands for one whole label, the first, of three or more. A dot at the end, as in zone files, matches no name."""
    first, _, rest = pattern.partition(".")
    if first != "*":
        return pattern == name
    host, _, domain = name.partition(".")
    return bool(host) and "." in rest and domain == rest
