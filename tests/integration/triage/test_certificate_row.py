"""The row of the certificate over the lab's TLS servers, each wrong in its one way."""

from typing import Any

import pytest

import runbook_engine as rb
from runbook_engine.lab.tls_servers import KINDS, TlsServer
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.report import build

ROWS: dict[str, tuple[str, str]] = {
    "fresh": ("ok", "< 30 days"),
    "expiring": ("warning", "< 30 days"),
    "expired": ("critical", "has expired"),
    "wrong_name": ("critical", "is for another name"),
    "incomplete_chain": ("critical", "lacks its chain"),
    "expiring_chain": ("warning", "has a chain that does not last (expires in 9 days)"),
    "expired_chain": ("critical", "has an expired chain"),
    "self_signed": ("critical", "is self-signed"),
    "untrusted": ("critical", "is not trusted"),
    "old_protocol": ("ok", "< 30 days"),
}
"""Old protocols are no fault of the certificate; tls-certificate looks for them."""


@pytest.fixture(scope="module")
def probes() -> rb.Registry:
    """The real probe of certificates; the other rows are not looked at here."""
    known = rb.Registry()
    unseen = ("http.latency", "aws.cloudwatch", "postgres.activity", "aws.rds_instance")
    fakes = [rb.FakeProbe(name, ProbeError(ErrorKind.OTHER, "not here"), like=known.get(name)) for name in unseen]
    return rb.Registry.of(known.get("tls.certificate"), *(each.probe for each in fakes))


@pytest.mark.parametrize("kind", KINDS)
def test_the_row_says_what_is_wrong_with_the_certificate(kind: Any, probes: rb.Registry) -> None:
    with TlsServer(kind) as server:
        inputs = {
            "api_url": "https://api.example.com",
            "tls_host": "127.0.0.1",
            "tls_port": server.port,
            "tls_name": server.name,
            "ca_file": server.ca_file,
        }
        trace = rb.triage(probes=probes, inputs=inputs, environ={})
    row = next(each for each in build(trace).metrics if each.step == "certificate")
    assert (row.level, row.threshold) == ROWS[kind]
    assert row.runbook == "tls-certificate"
