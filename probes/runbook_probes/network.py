"""Names and TCP connections under a deadline that holds, and what went wrong with them in words."""

import errno
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address

import anyio
from anyio import aclose_forcefully
from anyio.abc import SocketStream

from runbook_engine.probe import ErrorKind, ProbeContext, ProbeError, in_thread

NEXT_ADDRESS_AFTER = 0.25
"""Seconds after which the next address is tried beside one that does not answer (RFC 8305, section 5)."""


AS_ASCII = "write it as it is registered, in ASCII: xn--…"
_NOT_IN_A_NAME = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")
"""Forbidden host code points of https://url.spec.whatwg.org/#host-miscellaneous: some letters are written as these."""


def where(host: str, port: int) -> str:
    """``db.example.com:5432``, ``[::1]:5432``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_this_machine(host: str) -> bool:
    """Whether the host is ``localhost``, a name below it, or a loopback address."""
    return ip_address(host).is_loopback if is_address(host) else is_localhost(host)


def ascii_name(name: str) -> str:
    """The name as it is asked for: ``faß.example`` -> ``xn--fa-hia.example``. A name in ASCII stays as it is.

    IDNA 2008 after the mapping of UTS 46, without its transition, as browsers have it: the codec of Python knows IDNA 2003
    alone, by which ``faß.example`` is ``fass.example``, and somebody else's. Labels in ASCII may be what no host is called,
    such as ``_dmarc``. Raises UnicodeError.
    """
    if name.isascii():
        return name
    import idna

    mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
    if _NOT_IN_A_NAME.search(mapped):
        raise UnicodeError("a letter of the name stands for a sign that no name has")
    labels = mapped.split(".")
    return ".".join(label if label.isascii() else idna.alabel(label).decode("ascii") for label in labels)


def is_localhost(name: str) -> bool:
    """``localhost`` and every name below it, which mean this machine: https://www.rfc-editor.org/rfc/rfc6761#section-6.3."""
    return name.lower().removesuffix(".").rpartition(".")[2] == "localhost"


async def lookup(host: str) -> tuple[str, ...]:
    """The addresses of a host, in the order in which this machine prefers them.

    Asks the system (hosts file, search domains, mDNS, VPN resolvers ...), so that the answer is the one that applications
    get. Raises socket.gaierror.
    """
    if is_address(host):
        return (host,)
    try:
        name = "localhost" if is_localhost(host) else ascii_name(host)
        found = await in_thread(lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


async def connect(addresses: Sequence[str], port: int) -> SocketStream:
    """A TCP connection to the first of the addresses that answers. Raises OSError, of the most telling of the addresses.

    An address that stays silent does not hold up the others: the next one is tried beside it.
    """
    connected: list[SocketStream] = []
    failures: list[OSError] = []

    async def attempt(address: str, done: anyio.Event) -> None:
        try:
            connected.append(await anyio.connect_tcp(address, port))
            group.cancel_scope.cancel()
        except OSError as error:
            failures.append(_root(error))
        finally:
            done.set()

    try:
        async with anyio.create_task_group() as group:
            for address in addresses:
                done = anyio.Event()
                group.start_soon(attempt, address, done)
                with anyio.move_on_after(NEXT_ADDRESS_AFTER):
                    await done.wait()
    except BaseException:
        for each in connected:
            await aclose_forcefully(each)
        raise
    if not connected:
        raise min(failures, key=lambda error: error.errno != errno.ECONNREFUSED)
    for each in connected[1:]:
        await aclose_forcefully(each)
    return connected[0]


def _root(error: OSError) -> OSError:
    """Of anyio's error, which says "all connection attempts failed", the reason that it keeps as its cause."""
    return error.__cause__ if isinstance(error.__cause__, OSError) else error


def not_connected(error: OSError, host: str, port: int) -> ProbeError:
    """What an error of ``lookup`` or ``connect`` means for whoever wanted to reach ``host``."""
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return ProbeError(
                ErrorKind.DNS,
                f"the name {host} could not be looked up: the name server does not answer",
                remedy="check the network and the name servers of this machine",
            )
        return ProbeError(ErrorKind.DNS, f"the name {host} does not resolve")
    target = where(host, port)
    match error.errno:
        case errno.ECONNREFUSED:
            return ProbeError(ErrorKind.REFUSED, f"{target} refuses connections: nothing listens there")
        case errno.ECONNRESET | errno.ECONNABORTED | errno.EPIPE:
            return ProbeError(ErrorKind.REFUSED, f"{target} reset the connection")
        case errno.ETIMEDOUT:
            return ProbeError(ErrorKind.TIMEOUT, f"{target} did not answer the attempt to connect")
        case errno.EHOSTUNREACH | errno.ENETUNREACH | errno.EHOSTDOWN | errno.ENETDOWN | errno.EADDRNOTAVAIL:
            return ProbeError(
                ErrorKind.OTHER,
                f"{target} cannot be reached from here: {_reason(error)}",
                remedy="check the network, VPN and firewall between this machine and the target",
            )
    return ProbeError(ErrorKind.OTHER, f"{target} cannot be connected to: {_reason(error)}")


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


@contextmanager
def within(ctx: ProbeContext, gave_up: Callable[[float], ProbeError]) -> Iterator[None]:
    """Give up a moment before the deadline, so that the error can say what the probe was waiting for.

    ``gave_up`` is given the seconds that were waited.
    """
    seconds = allowance(ctx)
    with anyio.move_on_after(seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise gave_up(seconds)


def allowance(ctx: ProbeContext) -> float:
    """The seconds that a probe may take: until its deadline, less what it needs to tidy up and report."""
    remaining = ctx.remaining()
    return remaining - min(0.05, remaining * 0.1)
