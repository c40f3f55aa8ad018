"""Whether a certificate is for a name is judged as clients judge it: held against Python's own client, which is OpenSSL."""

import socket
import ssl
from ipaddress import ip_address
from typing import Any

import anyio
import pytest
from cryptography import x509

from runbook_probes.tls import certificate

pytestmark = pytest.mark.anyio

NAME = "api.shop.test"


def listed(*names: str) -> x509.SubjectAlternativeName:
    """Each written as a name, and those that begin with ``ip:`` as addresses."""
    return x509.SubjectAlternativeName(
        [
            x509.IPAddress(ip_address(each.removeprefix("ip:"))) if each.startswith("ip:") else x509.DNSName(each)
            for each in names
        ]
    )


CASES: list[tuple[list[str], str, bool]] = [
    (["API.Shop.TEST"], NAME, True),
    ([NAME], "shop.test", False),
    ([f"{NAME}."], NAME, False),
    (["*.shop.test"], NAME, True),
    (["*.shop.test."], NAME, False),
    (["*.shop.test"], "shop.test", False),
    (["*.shop.test"], "a.b.shop.test", False),
    (["*.test"], "shop.test", False),
    (["*"], "localhost", False),
    (["api.*.test"], NAME, False),
    (["a*.shop.test"], NAME, False),
    ([".shop.test"], NAME, False),
    (["xn--bcher-kva.test"], "bücher.test", True),
    (["xn--fa-hia.test"], "faß.test", True),
    (["fass.test"], "faß.test", False),
    (["ip:127.0.0.1"], "127.0.0.1", True),
    (["ip:127.0.0.1"], "127.0.0.2", False),
    (["127.0.0.1"], "127.0.0.1", False),
    (["*.0.0.1"], "127.0.0.1", False),
    (["ip:::1"], "0:0:0:0:0:0:0:1", True),
    (["::1"], "::1", False),
    (["localhost"], "127.0.0.1", False),
]


def verdict(port: int, ca_file: str, name: str) -> int:
    """What the client of Python says of it, as X509_V_ERR_*: 0 where it connects, 62 or 64 where the name is another."""
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with socket.create_connection(("127.0.0.1", port)) as plain:
        try:
            context.wrap_socket(plain, server_hostname=name).close()
        except ssl.SSLCertVerificationError as error:
            return error.verify_code
    return 0


@pytest.mark.parametrize(("names", "asked", "right"), CASES, ids=[f"{each[0]}-{each[1]}" for each in CASES])
async def test_a_name_matches_where_a_client_accepts_it(
    servers: Any, measure: Any, names: list[str], asked: str, right: bool
) -> None:
    root = servers.make("root", authority=True)
    leaf = servers.make(asked, issuer=root, extensions=[listed(*names)])  # the common name counts for nothing
    port, ca_file = servers.tls(leaf), servers.file("root.pem", root.pem)
    reading = await measure(certificate, port=port, server_name=asked, ca_file=ca_file)
    assert reading.name_matches == right
    assert reading.evidence["names"] == [each.removeprefix("ip:") for each in names]
    sent = certificate.params.model_validate({"host": "127.0.0.1", "server_name": asked}).name
    assert await anyio.to_thread.run_sync(verdict, port, ca_file, sent) in ({0} if right else {62, 64})


@pytest.mark.parametrize(("asked", "sent"), [("API.Shop.Test.", NAME), (f"{NAME}.", NAME)])
async def test_a_dot_at_the_end_of_the_name_that_is_asked_for_is_not_sent_and_does_not_count(
    servers: Any, measure: Any, asked: str, sent: str
) -> None:
    # As browsers and curl do; https://curl.se/changes.html#7_85_0
    port = servers.by_name(
        servers.make("x", names=["other.test"]), **{sent.replace(".", "_"): servers.make("y", names=[sent])}
    )
    reading = await measure(certificate, port=port, server_name=asked)
    assert (reading.evidence["subject"], reading.name_matches) == ("CN=y", True)


async def test_a_certificate_without_names_is_for_none(servers: Any, measure: Any) -> None:
    reading = await measure(certificate, port=servers.tls(servers.make(NAME)), server_name=NAME)
    assert (reading.name_matches, reading.evidence["names"]) == (False, [])
