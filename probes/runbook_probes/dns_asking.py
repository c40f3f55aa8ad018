"""One question to one name server. Importing this module loads dnspython."""

from dataclasses import dataclass
from typing import Any

import anyio
import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdata
import dns.resolver
import dns.reversename

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.dns_failure import ADDRESS, SYSTEM, Question, explained
from runbook_probes.network import is_address

_SHARE = 0.98
"""Of the time that there is: what remains is for saying why there was no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``records`` are compared as DNS compares them: names in them without case. ``ttl`` and ``time`` are in seconds."""

    records: frozenset[dns.rdata.Rdata]
    ttl: float
    time: float

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(sorted(each.to_text() for each in self.records))


async def ask(name: str, wanted: str, resolver: str, seconds: float) -> Answer:
    """``wanted`` is a type of record, or ``ADDRESS`` for A and AAAA. Raises ProbeError where there is none of it."""
    client = _client(resolver)
    servers = [_Server(str(each), client.port) for each in client.nameservers]
    client.nameservers = servers
    started = anyio.current_time()

    def failed(error: Exception | None) -> ProbeError:
        cut = any(each.cut for each in servers)
        return explained(error or TimeoutError(), Question(name, wanted, resolver, seconds, cut=cut))

    with anyio.move_on_after(seconds * _SHARE):
        try:
            records, ttl = await _look_up(client, name, wanted, seconds)
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise failed(error) from error
        return Answer(records, ttl, anyio.current_time() - started)
    raise failed(None)


async def _look_up(
    client: dns.asyncresolver.Resolver, name: str, wanted: str, seconds: float
) -> tuple[frozenset[dns.rdata.Rdata], float]:
    """The records, and the shortest of their times. Raises NoAnswer where there is none."""
    asked = dns.reversename.from_address(name) if is_address(name) else dns.name.from_text(name)
    records: set[dns.rdata.Rdata] = set()
    ttl, none = float("inf"), None
    for kind in ("A", "AAAA") if wanted == ADDRESS else (wanted,):
        try:
            answer = await client.resolve(asked, kind, lifetime=seconds, search=False)
        except dns.resolver.NoAnswer as error:
            none = error
            continue
        records.update(answer)
        ttl = min(ttl, float(answer.chaining_result.minimum_ttl))
    if none is not None and not records:
        raise none
    return frozenset(records), ttl


class _Server(dns.nameserver.Do53Nameserver):
    """Notes that an answer over UDP was cut short: the client then asks again over TCP, and does not say so."""

    cut = False

    async def async_query(self, *args: Any, **kwargs: Any) -> dns.message.Message:
        try:
            return await super().async_query(*args, **kwargs)
        except dns.message.Truncated:
            self.cut = True
            raise


def _client(resolver: str) -> dns.asyncresolver.Resolver:
    if resolver == SYSTEM:
        try:
            return dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration as error:
            raise ProbeError(
                ErrorKind.UNAVAILABLE,
                "this machine has no name servers configured",
                remedy="give some as resolvers, for example 1.1.1.1",
            ) from error
    host, _, port = resolver.rpartition(":")
    client = dns.asyncresolver.Resolver(configure=False)
    client.nameservers = [host.strip("[]")]
    client.port = int(port)
    return client
