"""What system-health makes of the name of an API, with real look-ups over the lab's name servers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from runbook_engine.lab.dns_servers import DnsServer
from runbook_probes.dns_here import HOSTS

DOWN: Mapping[str, Mapping[str, object]] = {"http.get /health": {"error": "refused"}}
Knowing = Callable[[Mapping[str, Sequence[str]]], str]


@pytest.fixture
def knowing() -> Iterator[Knowing]:
    """The address of a name server that knows these records."""
    with ExitStack() as opened:
        yield lambda records: opened.enter_context(DnsServer(records)).address


@pytest.fixture
def found(walk: Callable[..., Any]) -> Callable[..., Mapping[str, str]]:
    """The findings of a run, each with its title and cause."""

    def run(given: Mapping[str, Mapping[str, object]], **inputs: str) -> Mapping[str, str]:
        trace, _ = walk("system-health", given, inputs, real=("dns.resolve",))
        assert not trace.blind_spots
        return {each.finding: f"{each.title}: {each.cause}" for each in trace.findings}

    return run


def own_name() -> str:
    """A name that stands in the hosts file of this machine, other than localhost."""
    lines = (line.partition("#")[0].split()[1:] for line in HOSTS.read_text("utf-8").splitlines())
    return next(name for names in lines for name in names if not name.endswith("localhost"))


@pytest.mark.parametrize(
    "api_url", ["https://localhost:8443", "https://api.localhost", "http://127.0.0.1:8080", "http://[::1]:8080"]
)
@pytest.mark.parametrize("down", [False, True])
def test_an_address_and_localhost_lead_somewhere_whatever_name_servers_know(
    knowing: Knowing, found: Any, api_url: str, down: bool
) -> None:
    told = found(DOWN if down else {}, api_url=api_url, dns_resolvers=knowing({}))
    assert set(told) == ({"api_down"} if down else set())


@pytest.mark.parametrize("down", [False, True])
def test_a_name_of_the_hosts_file_does_not_lead_nowhere(knowing: Knowing, found: Any, down: bool) -> None:
    server = knowing({})
    told = found(DOWN if down else {}, api_url=f"https://{own_name()}:8443", dns_resolvers=server)
    assert set(told) == {"dns_known_here_alone", *(["api_down"] if down else [])}
    assert f"Whoever asks only {server} does not find the API" in told["dns_known_here_alone"]


def test_a_name_that_has_an_address_of_the_new_family_alone_leads_somewhere(knowing: Knowing, found: Any) -> None:
    server = knowing({"api.example.test": ["2001:db8::7"]})
    assert found({}, api_url="https://api.example.test", dns_resolvers=server) == {}


def test_an_alias_whose_target_is_gone_leads_nowhere_and_the_target_is_named(knowing: Knowing, found: Any) -> None:
    server = knowing({"api.example.test": ["CNAME lb-7.example.test."]})
    told = found(DOWN, api_url="https://api.example.test", dns_resolvers=server)
    assert set(told) == {"api_down", "dns_not_resolving"}
    assert "api.example.test is an alias of lb-7.example.test, which does not exist" in told["dns_not_resolving"]
