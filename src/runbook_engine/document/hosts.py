"""Which hosts are meant: by names, in which ``*`` and ``?`` stand for text without a dot, by addresses and by networks.

``api-*.shop.example.com``, ``cache``, ``10.2.3.4``, ``10.2.0.0/16``, ``2001:db8::/32``. Case does not count, nor does a dot
at the end. A star does not reach over a dot, so that whoever writes ``*.example.com`` has not allowed
``example.com.other.example``; and where the name has several parts, its last one is written out.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_PART = re.compile(r"[a-z0-9_*?](?:[a-z0-9_*?-]*[a-z0-9_*?])?")
_NUMERIC = re.compile(r"[0-9.]+|0x[0-9a-f]+", re.IGNORECASE)
_WILD = {"*": "[^.]*", "?": "[^.]"}


def misread(pattern: str) -> str:
    """What is wrong with a pattern of hosts, as the end of a sentence about it; empty where nothing is."""
    if _network(pattern) is not None:
        return ""
    parts = pattern.lower().removesuffix(".").split(".")
    if not all(map(_PART.fullmatch, parts)):
        return "is neither the name of a host nor an address; a port, a scheme or a path does not belong to it"
    if not parts[-1].strip("*?"):
        return "is for any host" if len(parts) == 1 else "leaves the end of the name open, so that anybody may own it"
    if len(parts) > 1 and {"*", "?"} & set(parts[-1]):
        return "leaves the end of the name open, so that anybody may own it"
    if _NUMERIC.fullmatch(parts[-1].strip("*?") or "x"):
        return "is an address with a part left open; write a network, such as 10.2.0.0/16"
    return ""


def matches(pattern: str, host: str) -> bool:
    """Whether a host, as a URL names it, is meant. A pattern that cannot be read means none."""
    if misread(pattern):
        return False
    network, address = _network(pattern), _address(host)
    if network is not None or address is not None:
        return network is not None and address is not None and address in network
    expression = "".join(_WILD.get(each, re.escape(each)) for each in _plain(pattern))
    return re.fullmatch(expression, _plain(host)) is not None


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
