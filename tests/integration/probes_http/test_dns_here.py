"""A name that this machine finds without a name server does resolve, and the reading says by which way."""

import socket
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes import dns_here
from runbook_probes.dns import resolve
from runbook_probes.network import lookup
from runbook_probes.tcp import connect

pytestmark = pytest.mark.anyio


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A machine with these lines in its hosts file, that finds the name ``known.test`` at 10.0.0.9.

    Its look-up and its file are stand-ins: the real ones are this machine's own.
    """

    def made(hosts: str = "") -> None:
        (tmp_path / "hosts").write_text(hosts)
        monkeypatch.setattr(dns_here, "HOSTS", tmp_path / "hosts")

        def getaddrinfo(host: str, _port: object, family: int, *_: object, **__: object) -> list[Any]:
            if host == "known.test" and family != socket.AF_INET6:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "known.corp.test", ("10.0.0.9", 0))]
            raise socket.gaierror(socket.EAI_NONAME, "not known")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return made


@pytest.mark.parametrize(
    ("hosts", "source", "found"),
    [
        ("10.0.0.9 other.test Known.test. # ours\n", "hosts_file", "the hosts file of this machine"),
        ("# 10.0.0.9 known.test\n10.0.0.9 unknown.test\n", "machine", "another way than by these name servers"),
    ],
)
async def test_a_name_that_no_name_server_knows_and_this_machine_finds_is_found_there(
    servers: Any, measure: Any, machine: Any, hosts: str, source: str, found: str
) -> None:
    machine(hosts)
    empty = [await servers.zone(), await servers.zone()]
    reading = await measure(resolve, name="known.test", resolvers=empty)
    assert (reading.source, reading.records, reading.agree, reading.failed) == (source, 1, False, 2)
    assert reading.missing == {"ttl": "no name server gave a record"}
    here = reading.evidence["resolvers"]["this machine"]
    assert here == {"records": ["10.0.0.9"], "found": found, "name": "known.corp.test"}
    for each in empty:
        assert reading.evidence["resolvers"][each]["error"].startswith("dns: the name known.test does not exist")


async def test_what_a_name_server_knows_is_not_looked_for_elsewhere(servers: Any, measure: Any, machine: Any) -> None:
    machine("10.0.0.9 known.test\n")
    zone = await servers.zone("known.test. 9 IN A 10.0.0.1")
    reading = await measure(resolve, name="known.test", resolvers=[zone, await servers.zone()])
    assert (reading.source, reading.records, reading.failed) == ("name_servers", 1, 1)


@pytest.mark.parametrize("params", [{"name": "known.test", "type": "AAAA"}, {"name": "known.test", "type": "MX"}])
async def test_another_type_of_record_is_not_made_up(
    servers: Any, measure: Any, machine: Any, params: dict[str, str]
) -> None:
    machine("10.0.0.9 known.test\n")
    with pytest.raises(ProbeError) as caught:
        await measure(resolve, resolvers=await servers.zone(), **params)
    assert caught.value.kind is ErrorKind.DNS


async def test_a_name_server_that_says_nothing_has_not_said_that_the_name_does_not_exist(
    servers: Any, measure: Any, machine: Any
) -> None:
    machine("10.0.0.9 known.test\n")
    with pytest.raises(ProbeError) as caught:
        await measure(resolve, timeout=0.5, name="known.test", resolvers=await servers.dns(lambda _query: None))
    assert caught.value.kind is ErrorKind.TIMEOUT


async def test_the_hosts_file_of_this_machine_is_read(servers: Any, measure: Any) -> None:
    name = next(
        name
        for line in dns_here.HOSTS.read_text().splitlines()
        for name in line.partition("#")[0].split()[1:]
        if not name.endswith("localhost")
    )
    reading = await measure(resolve, name=name, type="ADDRESS", resolvers=await servers.zone())
    assert reading.source == "hosts_file"
    assert reading.evidence["resolvers"]["this machine"]["records"] == list(await lookup(name))


@pytest.mark.parametrize(
    ("name", "type_", "source", "records"),
    [
        ("10.0.0.7", "A", "address", ["10.0.0.7"]),
        ("::1", "A", "address", ["::1"]),
        ("::1", "ADDRESS", "address", ["::1"]),
        ("localhost", "A", "reserved", ["127.0.0.1"]),
        ("LocalHost.", "AAAA", "reserved", ["::1"]),
        ("api.localhost", "ADDRESS", "reserved", ["127.0.0.1", "::1"]),
    ],
)
async def test_nobody_is_asked_for_an_address_or_for_localhost(
    servers: Any, measure: Any, name: str, type_: str, source: str, records: list[str]
) -> None:
    asked: list[object] = []
    server = await servers.dns(asked.append)
    reading = await measure(resolve, name=name, type=type_, resolvers=server)
    assert (reading.source, reading.records, reading.agree, reading.failed) == (source, len(records), True, 0)
    assert reading.evidence["resolvers"]["this machine"]["records"] == records
    assert set(reading.missing) == {"ttl", "time"}
    assert asked == []


async def test_names_below_localhost_are_connected_to_as_localhost_is(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(response())
    reading = await measure(connect, host="api.localhost", port=server.port)
    assert reading.evidence["address"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("name", ["notlocalhost", "localhost.test"])
async def test_what_only_looks_like_localhost_is_asked_for(servers: Any, measure: Any, name: str) -> None:
    zone = await servers.zone(f"{name}. 9 IN A 10.0.0.1")
    assert (await measure(resolve, name=name, resolvers=zone)).source == "name_servers"
