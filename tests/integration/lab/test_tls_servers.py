"""Each TLS server of the lab is wrong in its one way, and in no other."""

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import trustme

from runbook_engine.lab.tls_servers import KINDS, NAME, TlsServer
from runbook_engine.probe import ProbeContext
from runbook_probes.tls import certificate

DAY = 86400
GOOD = {
    "expired": False,
    "not_yet_valid": False,
    "name_matches": True,
    "trusted": True,
    "self_signed": False,
    "chain_complete": True,
    "old_protocol": False,
    "protocol": "TLSv1.3",
}
WRONG: dict[str, dict[str, object]] = {
    "fresh": {},
    "expiring": {},
    "expired": {"expired": True},
    "wrong_name": {"name_matches": False},
    "incomplete_chain": {"trusted": False, "chain_complete": False},
    "expiring_chain": {},
    "expired_chain": {"trusted": False},
    "self_signed": {"trusted": False, "self_signed": True},
    "untrusted": {"trusted": False},
    "old_protocol": {"old_protocol": True},
}


def read(server: TlsServer) -> dict[str, Any]:
    """What the probe sees, by the name that the server is for."""

    async def measure() -> dict[str, Any]:
        params = {"host": "127.0.0.1", "port": server.port, "server_name": server.name, "ca_file": server.ca_file}
        ctx = ProbeContext(deadline=anyio.current_time() + 10)
        return (await certificate(certificate.params.model_validate(params), ctx)).model_dump()

    return anyio.run(measure)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_is_wrong_in_its_one_way(kind: Any) -> None:
    with TlsServer(kind) as server:
        reading = read(server)
    assert {name: reading[name] for name in GOOD} == {**GOOD, **WRONG[kind]}
    expected = {"expiring": 29, "expired": -3}.get(kind, 90)
    assert reading["expires_in"] == pytest.approx(expected * DAY, abs=60)
    of_chain = {"expiring_chain": 9, "expired_chain": -3}.get(kind, expected)
    assert reading["chain_expires_in"] == pytest.approx(of_chain * DAY, abs=60)


@pytest.mark.parametrize(("days", "fewer_than_30"), [(29, True), (31, False)])
def test_the_days_until_it_expires_are_chosen(days: float, fewer_than_30: bool) -> None:
    with TlsServer("expiring", days=days, name="shop.test") as server:
        reading = read(server)
    assert (reading["expires_in"] < 30 * DAY) == fewer_than_30
    assert reading["evidence"]["names"] == ["shop.test", "localhost", "127.0.0.1"]


# X509_V_ERR_* of https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("expired", 10),
        ("expired_chain", 10),
        ("wrong_name", 62),
        ("incomplete_chain", 20),
        ("self_signed", 18),
        ("untrusted", 19),
    ],
)
def test_a_client_that_checks_refuses_it_for_that_reason(kind: Any, code: int) -> None:
    with TlsServer(kind) as server, socket.create_connection(("127.0.0.1", server.port)) as plain:
        trust = ssl.create_default_context(cafile=server.ca_file)
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            trust.wrap_socket(plain, server_hostname=NAME)
    assert caught.value.verify_code == code


def test_health_is_answered_over_the_connection_that_its_authority_secures() -> None:
    with TlsServer() as server:
        trust = ssl.create_default_context(cafile=server.ca_file)
        with httpx.Client(base_url=server.url, verify=trust) as client:
            assert client.get("/health").json() == {"status": "ok"}
            assert client.get("/nothing").status_code == 404
            assert client.get("/health?again").status_code == 200


def test_one_file_can_hold_the_authorities_of_two_servers(tmp_path: Path) -> None:
    other = trustme.CA()
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    with TlsServer(trusted_too=tmp_path / "other.pem") as server:
        assert read(server)["trusted"]
        assert other.cert_pem.bytes() in Path(server.ca_file).read_bytes()


def test_a_client_that_says_nothing_holds_up_no_other() -> None:
    with TlsServer() as server, socket.create_connection(("127.0.0.1", server.port)):
        assert read(server)["trusted"]


def test_a_server_that_is_closed_leaves_nothing_behind() -> None:
    before = threading.active_count()
    with TlsServer() as server:
        port, ca_file = server.port, server.ca_file
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert not Path(ca_file).parent.exists()
    assert threading.active_count() <= before


def test_an_unknown_kind_is_refused_with_the_kinds_that_are_known() -> None:
    with pytest.raises(ValueError, match="'rotten' is no kind of TLS server; kinds are fresh, expiring, expired"):
        TlsServer("rotten")  # type: ignore[arg-type] # that is the point
