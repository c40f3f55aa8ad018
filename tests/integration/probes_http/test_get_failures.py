"""What http.get says when there is no answer."""

import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import anyio
import httpcore
import pytest
import trustme

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.http import get

pytestmark = pytest.mark.anyio


@pytest.fixture
def failure(measure: Any) -> Any:
    """The ProbeError of one measurement."""

    async def once(**params: object) -> ProbeError:
        with pytest.raises(ProbeError) as caught:
            await measure(get, **params)
        return caught.value

    return once


async def test_a_closed_port_refuses(servers: Any, failure: Any) -> None:
    port = servers.refusing_port()
    error = await failure(url=f"http://127.0.0.1:{port}/")
    assert str(error) == f"refused: 127.0.0.1:{port} refuses connections: nothing listens there"
    assert isinstance(error.__cause__, ConnectionRefusedError)


async def test_every_address_of_a_name_is_tried_before_it_refuses(servers: Any, failure: Any) -> None:
    port = servers.refusing_port()
    error = await failure(url=f"http://localhost:{port}/")
    assert str(error) == f"refused: localhost:{port} refuses connections: nothing listens there"


async def test_an_unknown_name_does_not_resolve(failure: Any) -> None:
    error = await failure(url="https://api.invalid/health")
    assert str(error) == "dns: the name api.invalid does not resolve"
    assert isinstance(error.__cause__, socket.gaierror)


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..b.example"])
async def test_a_name_that_cannot_be_one_is_a_dns_error(failure: Any, name: str) -> None:
    error = await failure(url=f"http://{name}/")
    assert error.kind is ErrorKind.DNS


async def test_an_untrusted_authority_is_named(servers: Any, response: Any, failure: Any) -> None:
    server = await servers.http(response(), tls=servers.tls("127.0.0.1"))
    error = await failure(url=server.url)
    assert str(error) == (
        f"tls: the certificate of 127.0.0.1:{server.port} was issued by an authority that is not trusted here"
    )
    assert "ca_file" in error.remedy
    assert isinstance(error.__cause__, ssl.SSLCertVerificationError)


async def test_a_certificate_of_another_authority_is_not_trusted(servers: Any, response: Any, failure: Any) -> None:
    server = await servers.http(response(), tls=servers.tls("127.0.0.1", authority=trustme.CA()))
    error = await failure(url=server.url, ca_file=servers.ca_file)
    assert "an authority that is not trusted here" in error.message


async def test_a_certificate_for_another_name_is_told_apart(servers: Any, response: Any, failure: Any) -> None:
    server = await servers.http(response(), tls=servers.tls("other.example"))
    error = await failure(url=server.named("localhost"), ca_file=servers.ca_file)
    assert str(error) == f"tls: the certificate of localhost:{server.port} was issued for another name"


async def test_a_certificate_for_another_address_is_told_apart(servers: Any, response: Any, failure: Any) -> None:
    server = await servers.http(response(), tls=servers.tls("10.0.0.1"))
    error = await failure(url=server.url, ca_file=servers.ca_file)
    assert str(error) == f"tls: the certificate of 127.0.0.1:{server.port} was issued for another address"


async def test_an_expired_certificate_is_told_apart(servers: Any, response: Any, failure: Any) -> None:
    server = await servers.http(response(), tls=servers.tls("127.0.0.1", expired=True))
    error = await failure(url=server.url, ca_file=servers.ca_file)
    assert str(error) == f"tls: the certificate of 127.0.0.1:{server.port} has expired"


async def test_a_self_signed_certificate_is_told_apart(servers: Any, response: Any, failure: Any) -> None:
    server = await servers.http(response(), tls=servers.self_signed())
    error = await failure(url=server.url)
    assert str(error) == f"tls: the certificate of 127.0.0.1:{server.port} is self-signed"


async def test_a_server_without_tls_is_told_from_a_bad_certificate(servers: Any, response: Any, failure: Any) -> None:
    server = await servers.talker(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    error = await failure(url=server.url.replace("http://", "https://"))
    assert str(error) == f"tls: 127.0.0.1:{server.port} does not speak TLS"
    assert error.remedy == "try the URL with http://"


async def test_a_server_that_closes_during_the_handshake_is_a_tls_error(servers: Any, failure: Any) -> None:
    server = await servers.talker(b"")
    error = await failure(url=server.url.replace("http://", "https://"))
    assert str(error) == f"tls: 127.0.0.1:{server.port} closed the connection during the TLS handshake"


async def test_a_server_that_resets_during_the_handshake_refuses(servers: Any, failure: Any) -> None:
    server = await servers.resetter()
    error = await failure(url=server.url.replace("http://", "https://"))
    assert error.kind is ErrorKind.REFUSED


async def test_a_server_that_wants_a_client_certificate_is_a_tls_error(servers: Any, failure: Any) -> None:
    context = servers.tls("127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    server = servers.handshake_only(context)
    error = await failure(url=server.url, ca_file=servers.ca_file)
    assert error.kind is ErrorKind.TLS
    assert error.message.startswith(f"the TLS connection to 127.0.0.1:{server.port} failed: ")


async def test_a_server_that_speaks_something_else_is_malformed_and_quoted(servers: Any, failure: Any) -> None:
    server = await servers.talker(b"SSH-2.0-OpenSSH_9.6\r\n\x1b[31m")
    error = await failure(url=server.url)
    assert str(error) == (
        f"malformed: 127.0.0.1:{server.port} does not speak HTTP: its answer begins with 'SSH-2.0-OpenSSH_9.6...[31m'"
    )
    assert isinstance(error.__cause__, httpcore.RemoteProtocolError)


async def test_a_tls_server_that_is_asked_without_tls_is_told_apart(servers: Any, response: Any, failure: Any) -> None:
    server = await servers.http(response(), tls=servers.tls("127.0.0.1"))
    error = await failure(url=server.url.replace("https://", "http://"))
    assert error.kind in (ErrorKind.MALFORMED, ErrorKind.REFUSED)


async def test_a_tls_alert_in_place_of_http_says_to_use_https(servers: Any, failure: Any) -> None:
    server = await servers.talker(b"\x15\x03\x01\x00\x02\x02\x46")
    error = await failure(url=server.url)
    assert str(error) == f"malformed: 127.0.0.1:{server.port} speaks TLS"
    assert error.remedy == "try the URL with https://"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 200_000,
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
    ],
    ids=["short body", "bad chunk", "two lengths", "long headers", "long status", "bad header"],
)
async def test_an_answer_that_breaks_http_is_malformed(servers: Any, failure: Any, answer: bytes) -> None:
    server = await servers.talker(answer)
    error = await failure(url=server.url)
    assert error.kind is ErrorKind.MALFORMED
    assert f"127.0.0.1:{server.port}" in error.message


async def test_a_connection_that_is_closed_without_an_answer_counts_as_refused(servers: Any, failure: Any) -> None:
    server = await servers.talker(b"")
    error = await failure(url=server.url)
    assert str(error) == (f"refused: 127.0.0.1:{server.port} accepted the connection and closed it without an answer")


async def test_a_connection_that_is_reset_without_an_answer_counts_as_refused(servers: Any, failure: Any) -> None:
    server = await servers.resetter()
    error = await failure(url=server.url)
    assert error.kind is ErrorKind.REFUSED


async def test_a_connection_that_is_reset_in_the_middle_of_the_answer_is_malformed(servers: Any, failure: Any) -> None:
    server = await servers.resetter(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly")
    error = await failure(url=server.url)
    assert str(error) == f"malformed: 127.0.0.1:{server.port} reset the connection in the middle of its answer"
    assert isinstance(error.__cause__, anyio.BrokenResourceError)


@pytest.mark.parametrize("content", [None, b"no certificates here"], ids=["absent", "not PEM"])
async def test_a_ca_file_that_cannot_be_used_is_said_and_is_not_the_servers_fault(
    tmp_path: Path, failure: Any, content: bytes | None
) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    error = await failure(url="https://127.0.0.1/", ca_file=str(path))
    assert error.kind is ErrorKind.OTHER
    assert error.message.startswith(f"the ca_file {path} cannot be used: ")
    assert error.remedy


async def test_no_failure_and_no_log_repeats_the_password_or_the_query(
    servers: Any, failure: Any, caplog: pytest.LogCaptureFixture, response: Any, measure: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    closed, ssh, hole = servers.refusing_port(), await servers.talker(b"SSH-2.0\r\n"), await servers.talker(b"")
    for port in (closed, ssh.port, hole.port):
        for scheme in ("http", "https"):
            error = await failure(
                url=f"{scheme}://me:hunter2@127.0.0.1:{port}/p?token=s3cret", headers={"X-Key": "k3y"}
            )
            chain = f"{error!r} {error} {error.remedy} {error.__cause__!r} {error.__context__!r}"
            assert not any(secret in chain for secret in ("hunter2", "s3cret", "k3y"))
    fine = await servers.http(response())
    await measure(get, url=f"http://me:hunter2@127.0.0.1:{fine.port}/p?token=s3cret", headers={"X-Key": "k3y"})
    assert not any(secret in caplog.text for secret in ("hunter2", "s3cret", "k3y", "aHVudGVyMg"))
