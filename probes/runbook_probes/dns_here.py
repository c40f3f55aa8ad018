"""What this machine finds without a name server: addresses, ``localhost``, and what its hosts file and its networks know."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runbook_engine.probe import in_thread
from runbook_probes.network import is_address, is_localhost

HOSTS = (
    Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "drivers", "etc", "hosts")
    if os.name == "nt"
    else Path("/etc/hosts")
)

Source = Literal["name_servers", "hosts_file", "machine", "reserved", "address"]
Family = Literal["A", "AAAA", "ADDRESS"]

_FAMILIES = {"A": socket.AF_INET, "AAAA": socket.AF_INET6, "ADDRESS": socket.AF_UNSPEC}
_LOOPBACK = {"A": ("127.0.0.1",), "AAAA": ("::1",), "ADDRESS": ("127.0.0.1", "::1")}


@dataclass(frozen=True, slots=True)
class Found:
    """``canonical`` is the name that the machine calls it by, where it says so."""

    source: Source
    addresses: tuple[str, ...]
    canonical: str = ""


def not_asked(name: str, family: Family) -> Found | None:
    """An address is its own, and localhost is this machine: nobody is asked for either."""
    if is_address(name):
        return Found("address", (name,))
    if is_localhost(name):
        return Found("reserved", _LOOPBACK[family])
    return None


async def known_here(name: str, family: Family) -> Found | None:
    """What a connection to the name would be made to, by the system's own look-up; None where it finds nothing."""

    def look_up() -> Found | None:
        try:
            found = socket.getaddrinfo(name, None, _FAMILIES[family], socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
        except OSError:  # gaierror too
            return None
        addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
        return Found("hosts_file" if _in_hosts_file(name) else "machine", addresses, found[0][3])

    return await in_thread(look_up)


def _in_hosts_file(name: str) -> bool:
    """Lines are an address and names; ``#`` begins a comment."""
    try:
        with HOSTS.open(encoding="utf-8", errors="replace", newline="\n") as file:
            lines = (line.partition("#")[0].lower().split() for line in file)
            return any(name.lower() in (each.rstrip(".") for each in line[1:]) for line in lines)
    except OSError:
        return False
