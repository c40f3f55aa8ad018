"""For which names a certificate is. The rules are those of RFC 9525."""

from ipaddress import ip_address
from typing import TypeVar

from cryptography import x509

from runbook_probes.network import is_address

_UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)

E = TypeVar("E", bound=x509.ExtensionType)


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


def names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses that the certificate is for. Its common name is none: no client looks at it any more."""
    found = extension(certificate, x509.SubjectAlternativeName)
    if found is None:
        return ()
    addresses = (str(each) for each in found.get_values_for_type(x509.IPAddress))
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def matches(listed: tuple[str, ...], name: str) -> bool:
    """Whether one of the names is this one, which is as ``ascii_name`` gives it."""
    if is_address(name):
        wanted = ip_address(name)
        return any(is_address(each) and ip_address(each) == wanted for each in listed)
    return any(_is(each.lower().removesuffix("."), name) for each in listed if not is_address(each))


def _is(pattern: str, name: str) -> bool:
    """``*`` stands for one whole label, the first, of three or more."""
    first, _, rest = pattern.partition(".")
    if first != "*":
        return pattern == name
    host, _, domain = name.partition(".")
    return bool(host) and "." in rest and domain == rest
