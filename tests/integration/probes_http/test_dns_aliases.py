"""dns.resolve says of aliases, of case and of answers that were cut what is the matter, over the lab's name servers."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import dns.flags
import dns.message
import dns.rrset
import pytest

from runbook_engine.lab.dns_servers import DnsServer
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.dns import resolve

pytestmark = pytest.mark.anyio

Knowing = Callable[[Mapping[str, Sequence[str]]], str]


@pytest.fixture
def knowing() -> Iterator[Knowing]:
    """The address of a name server that knows these records."""
    with ExitStack() as opened:
        yield lambda records: opened.enter_context(DnsServer(records)).address


@pytest.fixture
def told(measure: Any) -> Any:
    """What is said where there is no record: the error."""

    async def once(**params: object) -> ProbeError:
        with pytest.raises(ProbeError) as caught:
            await measure(resolve, **params)
        return caught.value

    return once


async def test_of_an_alias_without_a_target_it_is_the_target_that_does_not_exist(knowing: Knowing, told: Any) -> None:
    server = knowing({"www.test": ["CNAME lb.test."], "lb.test": ["CNAME gone.test."]})
    error = await told(name="www.test", resolvers=server)
    assert str(error) == (
        f"dns: the name www.test is an alias of gone.test, which does not exist, says the name server {server}"
    )


async def test_of_an_alias_whose_target_has_no_such_record_that_is_said(knowing: Knowing, told: Any) -> None:
    server = knowing({"www.test": ["CNAME lb.test."], "lb.test": ["10.0.0.7"]})
    error = await told(name="www.test", type="AAAA", resolvers=server)
    assert str(error) == (
        f"dns: the name www.test is an alias of lb.test, which has no AAAA record, says the name server {server}"
    )


@pytest.mark.parametrize(
    ("records", "way"),
    [
        ({"a.test": ["CNAME b.test."], "b.test": ["CNAME a.test."]}, "a.test -> b.test -> a.test"),
        ({"a.test": ["CNAME a.test."]}, "a.test -> a.test"),
        ({"a.test": ["CNAME B.test."], "b.test": ["CNAME A.test."]}, "a.test -> B.test -> a.test"),
    ],
)
async def test_aliases_in_a_circle_are_told_as_one(
    knowing: Knowing, told: Any, records: Mapping[str, Sequence[str]], way: str
) -> None:
    server = knowing(records)
    error = await told(name="a.test", resolvers=server)
    assert str(error) == f"dns: the aliases of a.test lead in a circle ({way}), says the name server {server}"


async def test_a_chain_of_aliases_that_is_too_long_is_no_circle(servers: Any, told: Any) -> None:
    def long(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.answer = [
            dns.rrset.from_text(
                f"{'a.test' if each == 0 else f'a{each}.test'}.", 9, "IN", "CNAME", f"a{each + 1}.test."
            )
            for each in range(20)
        ]
        return response

    server = await servers.dns(long)
    error = await told(name="a.test", resolvers=server)
    assert (
        str(error) == f"dns: the name a.test is an alias of an alias and so on, 20 times, says the name server {server}"
    )


@pytest.mark.parametrize(
    ("kind", "one", "other", "agree"),
    [
        ("CNAME", "CNAME Lb.Example.test.", "CNAME lb.example.TEST.", True),
        ("MX", "MX 10 MX.test.", "MX 10 mx.test.", True),
        ("NS", "NS NS1.test.", "NS ns1.test.", True),
        ("SRV", "SRV 0 5 443 API.test.", "SRV 0 5 443 api.test.", True),
        ("SRV", "SRV 0 5 443 api.test.", "SRV 0 5 80 api.test.", False),
        ("TXT", 'TXT "Key=A"', 'TXT "key=a"', False),
        ("AAAA", "AAAA 2001:DB8::1", "AAAA 2001:db8:0::1", True),
    ],
)
async def test_names_in_records_are_compared_without_case(
    knowing: Knowing, measure: Any, kind: str, one: str, other: str, agree: bool
) -> None:
    both = [knowing({"x.test": [one]}), knowing({"x.test": [other]})]
    reading = await measure(resolve, name="x.test", type=kind, resolvers=both)
    assert (reading.agree, reading.records) == (agree, 1 if agree else 2)


def cut(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    return response


@pytest.mark.parametrize(
    ("over_tcp", "reason"),
    [("closes", "it closes the connection"), ("is silent", "it does not answer there")],
)
async def test_an_answer_that_is_cut_and_cannot_be_had_over_tcp_is_told_as_such(
    servers: Any, told: Any, over_tcp: str, reason: str
) -> None:
    async def handler(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(12)
        if over_tcp == "is silent":
            await reader.read()

    server = await servers.dns_beside(await servers.start(handler), cut)
    error = await told(timeout=1.0, name="api.test", resolvers=server)
    assert error.kind is ErrorKind.REFUSED
    assert error.message == (
        f"the name server {server} cut its answer for api.test short, and cannot be asked for the whole over TCP: {reason}"
    )
    assert "let TCP through" in error.remedy


async def test_an_answer_that_is_cut_is_had_over_tcp_where_that_works(knowing: Knowing, measure: Any) -> None:
    server = knowing({"many.test": [f"TXT {'x' * 200}{each}" for each in range(30)]})
    reading = await measure(resolve, name="many.test", type="TXT", resolvers=server)
    assert reading.records == 30


async def test_addresses_of_both_families_are_one_type(knowing: Knowing, measure: Any, told: Any) -> None:
    records = {"both.test": ["10.0.0.7", "2001:db8::7"], "new.test": ["2001:db8::7"], "none.test": ["TXT x"]}
    server = knowing(records)
    both = await measure(resolve, name="both.test", type="ADDRESS", resolvers=server)
    assert both.evidence["resolvers"][server]["records"] == ["10.0.0.7", "2001:db8::7"]
    assert (await measure(resolve, name="new.test", type="ADDRESS", resolvers=server)).records == 1
    error = await told(name="none.test", type="ADDRESS", resolvers=server)
    assert str(error) == f"dns: the name none.test has no address, says the name server {server}"
