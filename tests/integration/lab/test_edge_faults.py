"""What is around the API is broken in the one way of the fault: certificates, names, and the service that it depends on."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import dns.resolver
import httpx
import pytest
from cryptography import x509

from runbook_engine.lab.certificates import make_certificates
from runbook_engine.lab.edge import Edge, kept_free
from runbook_engine.lab.faults import PLANS

NAME = "api.pixelatedempathy.com"
DAY_S = 86400.0
API_PORT = 8443
CONNECTS = ("none", "certificate_29_days", "certificate_31_days", "acm_renewal_failed", "acm_expiring")

Around = Callable[[str], Edge]


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Around]:
    """What is around the API of a lab with this fault."""
    opened: list[Edge] = []
    ca_file = make_certificates(tmp_path).ca_file

    def open_edge(fault: str) -> Edge:
        opened.append(Edge(PLANS[fault], ca_file).__enter__())
        return opened[-1]

    yield open_edge
    for each in opened:
        each.__exit__(None, None, None)


def handshake(edge: Edge, context: ssl.SSLContext) -> ssl.SSLSocket:
    place = (edge.inputs["tls_host"], int(edge.inputs["tls_port"]))
    with socket.create_connection(place, 5) as plain:
        return context.wrap_socket(plain, server_hostname=edge.inputs["tls_name"])


def trusting(edge: Edge) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=edge.inputs["ca_file"])


def shown(edge: Edge) -> x509.Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with handshake(edge, context) as secured:
        der = secured.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def days_left(edge: Edge) -> float:
    return (shown(edge).not_valid_after_utc.timestamp() - time.time()) / DAY_S


@pytest.mark.parametrize("fault", CONNECTS)
def test_clients_connect_by_the_name(around: Around, fault: str) -> None:
    edge = around(fault)
    assert edge.inputs["tls_name"] == NAME
    with handshake(edge, trusting(edge)) as secured:
        assert secured.version() == "TLSv1.3"


@pytest.mark.parametrize(
    ("fault", "days"),
    [
        ("none", 200),
        ("certificate_29_days", 29),
        ("certificate_29_days_and_acm_renewal_failed", 29),
        ("certificate_31_days", 31),
        ("certificate_expired", -3),
        ("certificate_wrong_name", 200),
        ("chain_incomplete", 200),
        ("certificate_self_signed", 200),
        ("old_tls", 200),
        ("acm_expiring", 200),
    ],
)
def test_the_certificate_is_valid_for_so_many_days(around: Around, fault: str, days: int) -> None:
    assert days_left(around(fault)) == pytest.approx(days, abs=0.01)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("certificate_expired", "certificate has expired"),
        ("certificate_wrong_name", "Hostname mismatch"),
        ("chain_incomplete", "unable to get local issuer certificate"),
        ("certificate_self_signed", "self-signed certificate"),
    ],
)
def test_clients_refuse_the_certificate(around: Around, fault: str, why: str) -> None:
    edge = around(fault)
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        handshake(edge, trusting(edge))
    assert edge.api_url(API_PORT) == f"https://127.0.0.1:{edge.inputs['tls_port']}"


@pytest.mark.parametrize(("fault", "accepted"), [("old_tls", True), ("none", False)])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_only_the_old_server_speaks_old_protocols(around: Around, fault: str, accepted: bool) -> None:
    edge = around(fault)
    context = trusting(edge)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if accepted:
        with handshake(edge, context) as secured:
            assert secured.version() == "TLSv1.1"
    else:
        with pytest.raises(ssl.SSLError):
            handshake(edge, context)


def test_responders_come_through_the_front_where_it_is_about_the_front(around: Around) -> None:
    edge = around("certificate_31_days")
    url = edge.api_url(API_PORT)
    assert httpx.get(f"{url}/health", verify=trusting(edge), timeout=5).json() == {"status": "ok"}
    assert around("none").api_url(API_PORT) == f"https://127.0.0.1:{API_PORT}"


def addresses(edge: Edge) -> list[set[str]]:
    """Of the API's name, by each of the name servers."""
    found = []
    for each in edge.inputs["dns_resolvers"].split(","):
        host, _, port = each.partition(":")
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [host], int(port), 5.0
        found.append({record.to_text() for record in resolver.resolve(edge.inputs["api_host"], "A", search=False)})
    return found


@pytest.mark.parametrize(
    ("fault", "known"),
    [
        ("none", [{"127.0.0.1"}]),
        ("dns_agreement", [{"127.0.0.1"}, {"127.0.0.1"}]),
        ("dns_disagreement", [{"127.0.0.1"}, {"127.0.0.2"}]),
    ],
)
def test_name_servers_know_the_api(around: Around, fault: str, known: list[set[str]]) -> None:
    edge = around(fault)
    assert edge.inputs["api_host"] == NAME
    assert addresses(edge) == known


def test_the_name_does_not_exist(around: Around) -> None:
    edge = around("dns_not_resolving")
    with pytest.raises(dns.resolver.NXDOMAIN):
        addresses(edge)
    assert urlsplit(edge.api_url(API_PORT)).hostname == edge.inputs["api_host"]
    assert urlsplit(edge.api_url(API_PORT)).port == API_PORT


def test_whoever_has_the_old_address_is_refused(around: Around) -> None:
    url = around("dns_disagreement").api_url(API_PORT)
    assert urlsplit(url).port != API_PORT
    with pytest.raises(httpx.ConnectError, match="refused"):
        httpx.get(url, timeout=5)


def test_the_dependency_answers(around: Around) -> None:
    answer = httpx.get(around("none").inputs["external_api_url"], timeout=5)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("fault", ["dependency_down", "dependency_down_and_errors_after_deployment"])
def test_the_dependency_refuses(around: Around, fault: str) -> None:
    with pytest.raises(httpx.ConnectError, match="refused"):
        httpx.get(around(fault).inputs["external_api_url"], timeout=5)


def test_the_slow_dependency_begins_to_answer_and_comes_to_no_end(around: Around) -> None:
    place = urlsplit(around("dependency_slow_loris").inputs["external_api_url"])
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=5)
    connection.request("GET", place.path)
    answer = connection.getresponse()
    begun = time.monotonic()
    assert answer.status == 200
    assert answer.read(3) == b"   "
    assert 0.7 < time.monotonic() - begun < 4
    assert answer.length is not None
    assert answer.length > 900
    connection.close()


def test_the_slow_dependency_ends_at_once_with_its_lab(around: Around) -> None:
    edge = around("dependency_slow_loris")
    with httpx.stream("GET", edge.inputs["external_api_url"], timeout=10) as answer:
        begun = time.monotonic()
        edge.__exit__(None, None, None)
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()
        assert time.monotonic() - begun < 3


def test_the_port_of_a_server_that_ended_is_refused_and_given_to_nobody_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    with kept_free(port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)
        with pytest.raises(OSError, match="in use"), socket.socket() as other:
            other.bind(("127.0.0.1", port))
