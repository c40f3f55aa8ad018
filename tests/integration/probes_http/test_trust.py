"""A ca_file is trusted beside the authorities of the system, and not instead of them."""

from typing import Any

import pytest
import trustme

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.http import get, latency
from runbook_probes.prometheus import query
from runbook_probes.tls import certificate

pytestmark = pytest.mark.anyio

NOTHING = b'{"status": "success", "data": {"resultType": "vector", "result": []}}'
ASKED: dict[Any, dict[str, Any]] = {
    get: {},
    latency: {"samples": 1},
    query: {"query": "up"},
}


@pytest.fixture
async def public(servers: Any, response: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server whose authority is one of the system's; that of ``servers`` is a private one."""
    authority = trustme.CA()
    file = servers.file("system.pem", authority.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", file)
    return await servers.http(response(body=NOTHING), tls=servers.tls("localhost", authority=authority))


@pytest.mark.parametrize("probe", ASKED, ids=lambda probe: probe.name)
async def test_a_private_authority_does_not_make_a_public_server_one_of_an_unknown_authority(
    servers: Any, public: Any, response: Any, measure: Any, probe: Any
) -> None:
    private = await servers.http(response(body=NOTHING), tls=servers.tls("localhost"))
    for server in (private, public):
        url = f"https://localhost:{server.port}"
        await measure(probe, url=url, ca_file=servers.ca_file, **ASKED[probe])
        assert len(server.requests) == 1
    with pytest.raises(ProbeError, match="an authority that is not trusted here") as caught:
        await measure(probe, url=f"https://localhost:{private.port}", **ASKED[probe])
    assert caught.value.kind is ErrorKind.TLS


async def test_a_certificate_of_a_public_authority_is_trusted_beside_a_private_one(
    servers: Any, public: Any, response: Any, measure: Any
) -> None:
    private = await servers.http(response(), tls=servers.tls("localhost"))
    for server, ca_file, trusted in (
        (public, servers.ca_file, True),
        (public, "", True),
        (private, servers.ca_file, True),
        (private, "", False),
    ):
        reading = await measure(certificate, host="localhost", port=server.port, ca_file=ca_file)
        assert reading.trusted == trusted


async def test_an_intermediate_authority_that_is_named_is_trusted_without_its_root(
    servers: Any, response: Any, measure: Any
) -> None:
    below = servers.authority.create_child_ca()
    server = await servers.http(response(), tls=servers.tls("localhost", authority=below))
    named = servers.file("below.pem", below.cert_pem.bytes())
    url = server.named("localhost")
    assert (await measure(get, url=url, ca_file=named)).ok
    assert (await measure(certificate, host="localhost", port=server.port, ca_file=named)).trusted
