"""tls.certificate says why no handshake came about, and nothing holds it beyond its deadline."""

import ssl
import time
from typing import Any

import anyio
import pytest

from runbook_engine.probe import ErrorKind
from runbook_probes.tls import certificate

pytestmark = pytest.mark.anyio

NAME = "api.shop.test"
SOON = 5.0
"""Seconds in which a probe with a deadline of half a second has ended."""
A_RECORD_THAT_NEVER_ENDS = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"


def alert(description: int) -> bytes:
    """A server that refuses: https://www.rfc-editor.org/rfc/rfc8446#section-6"""
    return bytes((0x15, 3, 3, 0, 2, 2, description))


@pytest.mark.parametrize(
    ("speech", "message", "remedy"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks plain HTTP, and no TLS", "on which the server speaks HTTPS"),
        (b"<html><head><title>400", "speaks plain HTTP, and no TLS", "on which the server speaks HTTPS"),
        (
            b"SSH-2.0-OpenSSH_9.6\r\n",
            "does not speak TLS: its answer begins with 'SSH-2.0-OpenSSH_9.6..'",
            "host and port",
        ),
        (b"220 mail.shop.test ESMTP\r\n", "does not speak TLS: its answer begins with '220 mail", "STARTTLS"),
        (b"\x00\xff\x1b[31mgarbage", "does not speak TLS: its answer begins with '.�.[31mgarbage'", "host and port"),
        (b"", "closed the connection during the TLS handshake", ""),
        (b"\x16", "closed the connection during the TLS handshake", ""),
        (b"\x16\x03\x03\x00\x04\xff\x00\x00\x00", "the TLS handshake with ", ""),
        (alert(40), "refuses the handshake: it shares no cipher with this probe, or has no certificate", "ciphers"),
        (alert(70), "shares no version of TLS with this probe", "which versions"),
        (alert(71), "refuses the handshake: it shares no cipher", "which ciphers"),
        (alert(80), "refuses the handshake with an internal error of its own", "server's log"),
        (alert(49), "refuses the handshake: access denied", "may be reached"),
        (alert(112), "refuses the handshake: it does not know the name that was asked for", "server_name"),
        (alert(86), "shares no version of TLS", ""),
    ],
)
async def test_what_is_no_handshake_is_said_in_words(
    servers: Any, fails: Any, speech: bytes, message: str, remedy: str
) -> None:
    server = await servers.talker(speech)
    error = await fails(certificate, port=server.port, server_name=NAME)
    assert error.kind is ErrorKind.TLS
    assert f"127.0.0.1:{server.port}" in error.message
    assert message in error.message
    assert remedy in error.remedy


async def test_a_server_that_resets_the_connection_is_told_apart(servers: Any, fails: Any) -> None:
    server = await servers.resetter()
    error = await fails(certificate, port=server.port)
    assert str(error) == f"tls: 127.0.0.1:{server.port} reset the connection during the TLS handshake"


async def test_a_real_server_that_shares_no_cipher_refuses(servers: Any, fails: Any) -> None:
    error = await fails(certificate, port=servers.anonymous(), server_name=NAME)
    assert error.kind is ErrorKind.TLS
    assert "shares no cipher with this probe" in error.message


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_server_that_demands_a_certificate_of_the_client_is_told_with_its_own_dates(
    servers: Any, fails: Any, version: ssl.TLSVersion
) -> None:
    made = servers.make(NAME, names=[NAME])
    error = await fails(
        certificate, port=servers.tls(made, version=version, demand=ssl.CERT_REQUIRED), server_name=NAME
    )
    assert error.kind is ErrorKind.TLS
    assert "demands a certificate of the client, and this probe has none" in error.message
    assert f"its own is valid until {made.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC" in error.message


async def test_a_closed_port_refuses(servers: Any, fails: Any) -> None:
    port = servers.refusing_port()
    error = await fails(certificate, port=port)
    assert str(error) == f"refused: 127.0.0.1:{port} refuses connections: nothing listens there"


async def test_a_name_that_does_not_resolve_is_of_dns(fails: Any) -> None:
    error = await fails(certificate, host="api.invalid")
    assert str(error) == "dns: the name api.invalid does not resolve"


async def test_a_black_hole_is_a_timeout(servers: Any, fails: Any) -> None:
    server = await servers.black_hole()
    begun = time.monotonic()
    error = await fails(certificate, timeout=0.5, port=server.port)
    assert time.monotonic() - begun < SOON
    assert error.kind is ErrorKind.TIMEOUT
    assert error.message.startswith(f"127.0.0.1:{server.port} did not answer the TLS handshake within 4")
    await server.everybody_left()
    assert server.connections == 1


async def test_a_server_that_drips_a_record_is_a_timeout(servers: Any, fails: Any) -> None:
    server = await servers.repeater(A_RECORD_THAT_NEVER_ENDS, b"x", 0.01)
    begun = time.monotonic()
    error = await fails(certificate, timeout=0.5, port=server.port)
    assert time.monotonic() - begun < SOON
    assert error.kind is ErrorKind.TIMEOUT
    assert error.message.startswith(f"127.0.0.1:{server.port} did not finish the TLS handshake within 4")
    await server.everybody_left()


async def test_a_good_server_behind_a_line_that_drips_is_a_timeout(servers: Any, fails: Any) -> None:
    relay = await servers.relay(servers.tls(servers.make(NAME, names=[NAME])), most=1, every=0.02)
    begun = time.monotonic()
    error = await fails(certificate, timeout=0.5, port=relay.port)
    assert time.monotonic() - begun < SOON
    assert error.kind is ErrorKind.TIMEOUT
    await relay.everybody_left()


async def test_a_server_that_pours_without_end_is_given_up(servers: Any, fails: Any) -> None:
    asks_to_begin = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"  # which every client skips, however often it comes
    server = await servers.repeater(b"", asks_to_begin * 5000, 0)
    begun = time.monotonic()
    error = await fails(certificate, port=server.port)
    assert time.monotonic() - begun < 3
    assert str(error) == f"tls: 127.0.0.1:{server.port} sends more and more without finishing the TLS handshake"
    await server.everybody_left()


async def test_a_probe_that_is_cancelled_leaves_the_server(servers: Any, measure: Any) -> None:
    server = await servers.black_hole()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: measure(certificate, timeout=60.0, port=server.port))
        await server.somebody_came()
        group.cancel_scope.cancel()
    await server.everybody_left()


async def test_a_file_of_authorities_that_is_none_is_named(servers: Any, fails: Any, tmp_path: Any) -> None:
    port = servers.tls(servers.make(NAME, names=[NAME]))
    absent, garbage = tmp_path / "absent.pem", servers.file("garbage.pem", b"\x00garbage")
    for file, reason in (
        (absent, "No such file or directory"),
        (tmp_path, "Is a directory"),
        (garbage, "it holds no certificates in PEM"),
    ):
        error = await fails(certificate, port=port, ca_file=str(file))
        assert str(error) == f"other: the ca_file {file} cannot be used: {reason}"
        assert "PEM file" in error.remedy
