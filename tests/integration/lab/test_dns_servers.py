"""The name server of the lab knows what it is told, over UDP and TCP."""

import socket
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from runbook_engine.lab.dns_servers import DnsServer


def resolver(server: DnsServer) -> dns.resolver.Resolver:
    host, _, port = server.address.partition(":")
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port, made.lifetime = [host], int(port), 5.0
    return made


def ask(server: DnsServer, name: str, kind: str = "A", *, tcp: bool = False) -> list[str]:
    return sorted(each.to_text() for each in resolver(server).resolve(name, kind, tcp=tcp, search=False))


@pytest.mark.parametrize("tcp", [False, True])
def test_a_name_has_the_records_that_it_was_given(tcp: bool) -> None:
    records = {"api.test": ["10.0.0.7", "10.0.0.8", "fd00::7"], "shop.test": ["MX 10 mail.shop.test.", 'TXT "v=1"']}
    with DnsServer(records) as server:
        assert ask(server, "API.test", tcp=tcp) == ["10.0.0.7", "10.0.0.8"]
        assert ask(server, "api.test", "AAAA", tcp=tcp) == ["fd00::7"]
        assert ask(server, "shop.test", "MX", tcp=tcp) == ["10 mail.shop.test."]
        assert ask(server, "shop.test", "TXT", tcp=tcp) == ['"v=1"']


def test_a_name_that_it_was_not_given_does_not_exist_and_one_without_such_a_record_does() -> None:
    with DnsServer({"api.test": ["10.0.0.7"]}) as server:
        with pytest.raises(dns.resolver.NXDOMAIN):
            ask(server, "absent.test")
        with pytest.raises(dns.resolver.NoAnswer):
            ask(server, "api.test", "MX")
    with DnsServer() as server, pytest.raises(dns.resolver.NXDOMAIN):
        ask(server, "api.test")


def test_an_alias_is_followed_and_one_that_leads_nowhere_or_round_is_not_the_end() -> None:
    records = {
        "www.test": ["CNAME api.test."],
        "api.test": ["10.0.0.7"],
        "lost.test": ["CNAME absent.test."],
        "round.test": ["CNAME round.test."],
    }
    with DnsServer(records) as server:
        assert ask(server, "www.test") == ["10.0.0.7"]
        assert ask(server, "www.test", "CNAME") == ["api.test."]
        with pytest.raises(dns.resolver.NXDOMAIN):
            ask(server, "lost.test")
        with pytest.raises(dns.resolver.NoNameservers, match="chain is too long"):
            ask(server, "round.test")


def test_an_answer_that_is_too_long_for_udp_is_had_over_tcp() -> None:
    many = [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(500)]
    with DnsServer({"many.test": many}) as server:
        host, _, port = server.address.partition(":")
        cut = dns.query.udp(dns.message.make_query("many.test", "A"), host, timeout=5, port=int(port))
        assert cut.flags & dns.flags.TC
        assert len(ask(server, "many.test")) == 500


def test_it_can_be_told_otherwise_while_it_answers() -> None:
    with DnsServer({"api.test": ["10.0.0.7"]}) as server:
        assert ask(server, "api.test") == ["10.0.0.7"]
        server.tell({"api.test": ["10.0.0.9"]})
        assert ask(server, "api.test") == ["10.0.0.9"]
        server.tell({})
        with pytest.raises(dns.resolver.NXDOMAIN):
            ask(server, "api.test")


def test_what_is_no_question_is_not_answered_and_ends_nothing() -> None:
    with DnsServer({"api.test": ["10.0.0.7"]}) as server:
        host, _, port = server.address.partition(":")
        answer = dns.message.make_response(dns.message.make_query("api.test", "A"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for wrong in (b"", b"garbage", answer.to_wire()):
                client.sendto(wrong, (host, int(port)))
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"\x00\x07garbage")
            assert client.recv(1) == b""
        assert ask(server, "api.test") == ["10.0.0.7"]


def test_a_server_that_is_closed_answers_nobody() -> None:
    with DnsServer({"api.test": ["10.0.0.7"]}) as server:
        host, _, port = server.address.partition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


@pytest.mark.parametrize("wrong", ["api.test", "A", "A ten", "NONSENSE 1", "10.0.0.256"])
def test_what_is_no_record_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="are not records"):
        DnsServer({"api.test": [wrong]})
