"""tls.certificate reads what a server shows, and a certificate that is wrong is a reading."""

import base64
import datetime as dt
import shlex
import ssl
import subprocess
import sys
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID
from pydantic import ValidationError

from runbook_engine.lab.tls_servers import TlsServer
from runbook_engine.probe import metric_types
from runbook_probes.tls import certificate
from runbook_probes.tls_judgement import STAPLED, stapled_status

pytestmark = pytest.mark.anyio

DAY = 86400
NAME = "api.shop.test"


def days(number: float) -> dt.timedelta:
    return dt.timedelta(days=number)


async def test_a_good_certificate_is_good_in_every_respect(servers: Any, measure: Any) -> None:
    leaf = servers.authority.issue_cert(NAME)
    reading = await measure(certificate, port=servers.tls(leaf), server_name=NAME, ca_file=servers.ca_file)
    assert (reading.expired, reading.not_yet_valid, reading.self_signed, reading.stapled) == (False,) * 4
    assert (reading.name_matches, reading.trusted, reading.chain_complete) == (True,) * 3
    assert (reading.chain_length, reading.protocol, reading.old_protocol) == (1, "TLSv1.3", False)
    assert 0 < reading.time < 1
    assert reading.missing == {}
    shown = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    assert x509.load_der_x509_certificate(base64.b64decode(reading.evidence["der"])) == shown
    assert reading.evidence["sha256"] == shown.fingerprint(hashes.SHA256()).hex()
    assert reading.evidence["names"] == [NAME]
    assert reading.evidence["distrust"] == []


@pytest.mark.parametrize("left", [29, 31, 0.01, -0.01, -400])
async def test_the_time_until_it_expires_is_below_zero_when_it_has(servers: Any, measure: Any, left: float) -> None:
    root = servers.make("root", authority=True)
    leaf = servers.make(NAME, issuer=root, names=[NAME], begins=days(-500), ends=days(left))
    ca_file = servers.file("root.pem", root.pem)
    reading = await measure(certificate, port=servers.tls(leaf), server_name=NAME, ca_file=ca_file)
    assert reading.expires_in == pytest.approx(left * DAY, abs=120)
    assert reading.expired == (left < 0)
    assert reading.trusted, "that a certificate has expired is said once, and does not hide who issued it"
    assert not reading.not_yet_valid


async def test_a_certificate_whose_time_has_not_come_is_told_apart(servers: Any, measure: Any) -> None:
    root = servers.make("root", authority=True)
    leaf = servers.make(NAME, issuer=root, names=[NAME], begins=days(1))
    reading = await measure(
        certificate, port=servers.tls(leaf), server_name=NAME, ca_file=servers.file("root.pem", root.pem)
    )
    assert (reading.not_yet_valid, reading.expired, reading.trusted) == (True, False, True)


async def test_the_server_is_asked_for_the_name_and_an_address_is_none(servers: Any, measure: Any) -> None:
    default, shop = servers.make("default", names=["127.0.0.1"]), servers.make("shop", names=[NAME])
    port = servers.by_name(default, api_shop_test=shop)
    named = await measure(certificate, port=port, server_name=NAME)
    assert (named.evidence["subject"], named.name_matches) == ("CN=shop", True)
    by_address = await measure(certificate, port=port)
    assert (by_address.evidence["subject"], by_address.name_matches) == ("CN=default", True)


async def test_the_host_is_the_name_where_no_other_is_given(servers: Any, measure: Any) -> None:
    reading = await measure(certificate, host="localhost", port=servers.tls(servers.make("x", names=["localhost"])))
    assert reading.name_matches


def chain(servers: Any) -> tuple[Any, Any, Any]:
    root = servers.make("root", authority=True, organisation="Shop")
    intermediate = servers.make("intermediate", issuer=root, authority=True, organisation="Shop")
    return servers.make(NAME, issuer=intermediate, names=[NAME]), intermediate, root


@pytest.mark.parametrize(
    ("sent", "known", "trusted", "complete"),
    [
        ("leaf intermediate", "root", True, True),
        ("leaf intermediate root", "root", True, True),
        ("leaf", "root", False, False),
        ("leaf", "intermediate", True, True),
        ("leaf intermediate root", "other", False, True),
        ("leaf intermediate", "other", False, True),
        ("leaf root", "root", False, False),
    ],
)
async def test_an_incomplete_chain_is_told_from_an_authority_that_is_not_known(
    servers: Any, measure: Any, sent: str, known: str, trusted: bool, complete: bool
) -> None:
    leaf, intermediate, root = chain(servers)
    made = {"leaf": leaf, "intermediate": intermediate, "root": root, "other": servers.make("other", authority=True)}
    port = servers.tls(*(made[each] for each in sent.split()))
    ca_file = servers.file("known.pem", made[known].pem)
    reading = await measure(certificate, port=port, server_name=NAME, ca_file=ca_file)
    assert (reading.trusted, reading.chain_complete, reading.self_signed) == (trusted, complete, False)
    assert reading.chain_length == len(sent.split())
    assert reading.evidence["chain"][0]["subject"] == f"CN={NAME}"
    assert bool(reading.evidence["distrust"]) == (not trusted)


async def test_a_certificate_straight_from_an_authority_of_another_organisation_lacks_no_other(
    servers: Any, measure: Any
) -> None:
    leaf = servers.make(NAME, issuer=servers.make("root", authority=True, organisation="Shop"), names=[NAME])
    other = servers.file("other.pem", servers.make("other", authority=True, organisation="Other").pem)
    for ca_file in (other, ""):
        reading = await measure(certificate, port=servers.tls(leaf), server_name=NAME, ca_file=ca_file)
        assert (reading.trusted, reading.chain_complete) == (False, True)
        assert reading.evidence["distrust"] == ["the issuer of the certificate was not sent and is not known here"]


async def test_a_certificate_that_says_where_its_issuer_is_published_lacks_it(servers: Any, measure: Any) -> None:
    place = x509.UniformResourceIdentifier("http://shop.test/intermediate.crt")
    access = x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)])
    public = servers.make("Public authority", authority=True)
    leaf = servers.make(NAME, issuer=public, names=[NAME], extensions=[access])
    reading = await measure(certificate, port=servers.tls(leaf), server_name=NAME)
    assert (reading.trusted, reading.chain_complete) == (False, False)


async def test_an_intermediate_authority_may_leave_out_the_root_that_issued_it(servers: Any, measure: Any) -> None:
    place = x509.UniformResourceIdentifier("http://shop.test/root.crt")
    access = x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)])
    root = servers.make("root", authority=True)
    intermediate = servers.make("intermediate", issuer=root, authority=True, extensions=[access])
    leaf = servers.make(NAME, issuer=intermediate, names=[NAME])
    reading = await measure(certificate, port=servers.tls(leaf, intermediate), server_name=NAME)
    assert (reading.trusted, reading.chain_complete) == (False, True)
    assert reading.evidence["distrust"] == [
        "the issuer of the authority's certificate 1 above it was not sent and is not known here"
    ]


async def test_the_chain_of_a_private_authority_that_leaves_the_intermediate_out_is_incomplete(
    servers: Any, measure: Any
) -> None:
    child = servers.authority.create_child_ca()
    leaf = child.issue_cert(NAME)
    whole = await measure(certificate, port=servers.tls(leaf), server_name=NAME, ca_file=servers.ca_file)
    assert (whole.trusted, whole.chain_complete, whole.chain_length) == (True, True, 2)
    alone = trustme.LeafCert(leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes(), [])
    reading = await measure(certificate, port=servers.tls(alone), server_name=NAME, ca_file=servers.ca_file)
    assert (reading.trusted, reading.chain_complete, reading.chain_length) == (False, False, 1)


async def test_without_a_file_the_authorities_of_this_machine_are_trusted_or_those_of_certifi(
    servers: Any, measure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = servers.tls(servers.authority.issue_cert(NAME))
    assert not (await measure(certificate, port=port, server_name=NAME)).trusted
    with monkeypatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", servers.ca_file)
        assert (await measure(certificate, port=port, server_name=NAME)).trusted
    places: Any = ssl.get_default_verify_paths()
    nowhere = places._replace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr("certifi.where", lambda: servers.ca_file)
    assert (await measure(certificate, port=port, server_name=NAME)).trusted


async def test_a_certificate_that_vouches_for_itself_is_trusted_only_where_it_is_named(
    servers: Any, measure: Any
) -> None:
    made = servers.make(NAME, names=[NAME])
    reading = await measure(certificate, port=servers.tls(made), server_name=NAME)
    assert (reading.self_signed, reading.trusted, reading.chain_complete) == (True, False, True)
    assert "the certificate vouches for itself" in reading.evidence["distrust"]
    ca_file = servers.file("own.pem", made.pem)
    named = await measure(certificate, port=servers.tls(made), server_name=NAME, ca_file=ca_file)
    assert (named.self_signed, named.trusted) == (True, True)


async def test_a_certificate_with_its_own_issuers_name_and_anothers_signature_does_not_vouch_for_itself(
    servers: Any, measure: Any
) -> None:
    leaf = servers.make(NAME, issuer=servers.make(NAME, authority=True), names=[NAME])
    reading = await measure(certificate, port=servers.tls(leaf), server_name=NAME)
    assert (reading.self_signed, reading.trusted) == (False, False)


async def test_an_authority_that_has_expired_is_not_trusted(servers: Any, measure: Any) -> None:
    root = servers.make("root", authority=True)
    old = servers.make("old", issuer=root, authority=True, begins=days(-9), ends=days(-1))
    leaf = servers.make(NAME, issuer=old, names=[NAME])
    ca_file = servers.file("root.pem", root.pem)
    reading = await measure(certificate, port=servers.tls(leaf, old), server_name=NAME, ca_file=ca_file)
    assert (reading.expired, reading.trusted, reading.chain_complete) == (False, False, True)
    assert reading.evidence["distrust"] == ["the authority's certificate 1 above it has expired"]


async def test_a_certificate_that_is_meant_for_clients_or_has_a_weak_key_is_not_trusted(
    servers: Any, measure: Any
) -> None:
    root = servers.make("root", authority=True)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    leaf = servers.make(NAME, issuer=root, names=[NAME], extensions=[usage], key=weak)
    ca_file = servers.file("root.pem", root.pem)
    reading = await measure(certificate, port=servers.tls(leaf), server_name=NAME, ca_file=ca_file)
    assert not reading.trusted
    assert reading.evidence["distrust"] == [
        "the certificate is not meant for servers",
        "the key of the certificate has 1024 bits only",
    ]


@pytest.mark.parametrize(
    ("version", "protocol", "old"),
    [
        (ssl.TLSVersion.TLSv1, "TLSv1", True),
        (ssl.TLSVersion.TLSv1_1, "TLSv1.1", True),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2", False),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3", False),
        (None, "TLSv1.3", False),
    ],
)
async def test_the_version_of_tls_is_read_and_an_old_one_is_no_obstacle(
    servers: Any, measure: Any, version: ssl.TLSVersion | None, protocol: str, old: bool
) -> None:
    made = servers.make(NAME, names=[NAME])
    reading = await measure(certificate, port=servers.tls(made, version=version), server_name=NAME)
    assert (reading.protocol, reading.old_protocol) == (protocol, old)
    assert reading.name_matches


async def test_a_server_that_also_accepts_an_old_version_is_found_out(servers: Any, measure: Any) -> None:
    # PyOpenSSL's servers accept all versions that OpenSSL has, when their ciphers do.
    made = servers.make(NAME, names=[NAME])
    reading = await measure(certificate, port=servers.every_version(made), server_name=NAME)
    assert (reading.protocol, reading.old_protocol) == ("TLSv1.3", True)


async def test_a_server_that_speaks_an_old_version_alone_is_not_asked_again(servers: Any, measure: Any) -> None:
    port = servers.tls(servers.make(NAME, names=[NAME]), version=ssl.TLSVersion.TLSv1_1)
    relay = await servers.relay(port)
    assert (await measure(certificate, port=relay.port, server_name=NAME)).old_protocol
    assert relay.connections == 1


async def test_a_server_that_shows_its_certificate_in_an_old_version_accepts_it_however_that_ends(
    servers: Any, measure: Any
) -> None:
    port = servers.every_version(servers.make(NAME, names=[NAME]))
    relay = await servers.relay(port, after=(1, "first answer"))
    reading = await measure(certificate, port=relay.port, server_name=NAME)
    assert (reading.protocol, reading.old_protocol, relay.connections) == ("TLSv1.3", True, 2)


async def test_what_the_second_handshake_is_not_told_is_missing_and_costs_no_certificate(
    servers: Any, measure: Any
) -> None:
    relay = await servers.relay(servers.tls(servers.make(NAME, names=[NAME])), after=(1, "black hole"))
    reading = await measure(certificate, timeout=0.8, port=relay.port, server_name=NAME)
    assert reading.name_matches
    assert reading.old_protocol is None
    assert reading.missing["old_protocol"].startswith(
        "the server did not answer a handshake with TLS 1.0 and 1.1 within"
    )
    await relay.everybody_left()


async def test_an_openssl_that_cannot_speak_old_versions_is_not_taken_for_a_server_that_does_not(
    servers: Any, measure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At this level of security OpenSSL itself speaks no version below 1.2, as one does that was built without.
    monkeypatch.setattr("runbook_probes.tls_handshake._OLD_CIPHERS", b"DEFAULT:@SECLEVEL=5")
    port = servers.every_version(servers.make(NAME, names=[NAME]))
    reading = await measure(certificate, port=port, server_name=NAME)
    assert reading.old_protocol is None
    assert "OpenSSL of this machine cannot" in reading.missing["old_protocol"]


@pytest.mark.parametrize(
    ("status", "shown"), [(ocsp.OCSPCertStatus.GOOD, "good"), (ocsp.OCSPCertStatus.REVOKED, "revoked")]
)
async def test_a_stapled_answer_is_read(servers: Any, measure: Any, status: ocsp.OCSPCertStatus, shown: str) -> None:
    root = servers.make("root", authority=True)
    leaf = servers.make(NAME, issuer=root, names=[NAME])
    port = servers.stapling(leaf, leaf.staple(status, root))
    ca_file = servers.file("root.pem", root.pem)
    reading = await measure(certificate, port=port, server_name=NAME, ca_file=ca_file)
    assert reading.stapled
    assert reading.evidence["stapled"] == shown
    assert reading.trusted == (shown == "good")


async def test_a_stapled_answer_that_says_nothing_of_the_certificate_is_none(servers: Any) -> None:
    # OpenSSL's own servers do not send such answers any more; others do.
    root = servers.make("root", authority=True)
    one, other = servers.make("one", issuer=root), servers.make("other", issuer=root)
    later = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    good = one.staple(ocsp.OCSPCertStatus.GOOD, root)
    assert stapled_status(b"", one.certificate) == ""
    assert stapled_status(good, one.certificate) in STAPLED
    for answer, status in (
        (b"garbage", "unreadable"),
        (later.public_bytes(Encoding.DER), "try_later"),
        (other.staple(ocsp.OCSPCertStatus.REVOKED, root), "of another certificate"),
    ):
        assert stapled_status(answer, one.certificate) == status
        assert status not in STAPLED


async def test_a_server_that_would_like_a_certificate_of_the_client_and_does_without_is_read(
    servers: Any, measure: Any
) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        port = servers.tls(servers.make(NAME, names=[NAME]), version=version, demand=ssl.CERT_OPTIONAL)
        reading = await measure(certificate, port=port, server_name=NAME)
        assert reading.name_matches


async def test_texts_of_a_certificate_are_harmless_and_bounded(servers: Any, measure: Any) -> None:
    names = [f"host-{number}.{'a' * 60}.shop.test" for number in range(400)]
    made = servers.make("\x1b[31m<script>\u202e", names=names, organisation="line\nbreak")
    reading = await measure(certificate, port=servers.tls(made), server_name=names[399])
    assert reading.name_matches, "the last of the names counts as the first does"
    assert "\x1b" not in str(reading.evidence)
    assert "\u202e" not in str(reading.evidence)
    assert "\n" not in str(reading.evidence["subject"])
    assert len(reading.evidence["names"]) == 51
    assert reading.evidence["names"][-1] == "… and 350 more"
    left_out = reading.evidence["der"]
    assert isinstance(left_out, str)
    assert left_out.startswith("left out: ")


async def test_a_large_certificate_is_kept_whole_in_pieces_that_a_report_keeps(servers: Any, measure: Any) -> None:
    made = servers.make("large", names=[f"host-{number}.{'a' * 40}.shop.test" for number in range(100)])
    reading = await measure(certificate, port=servers.tls(made))
    pieces = reading.evidence["der"]
    assert all(len(piece) <= 4000 for piece in pieces)
    whole = b"".join(base64.b64decode(piece) for piece in pieces)
    assert x509.load_der_x509_certificate(whole) == made.certificate


async def test_a_certificate_whose_names_cannot_be_read_is_for_no_name(servers: Any, measure: Any) -> None:
    five_bytes = b"\x30\x07\x87\x05\x01\x02\x03\x04\x05"  # an address that is neither IPv4 nor IPv6
    broken = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, five_bytes)
    reading = await measure(certificate, port=servers.tls(servers.make(NAME, extensions=[broken])), server_name=NAME)
    assert (reading.name_matches, reading.trusted) == (False, False)
    assert "the certificate's extensions, its names among them, cannot be read" in reading.evidence["distrust"]


async def test_the_connection_is_closed(servers: Any, measure: Any) -> None:
    relay = await servers.relay(servers.tls(servers.make(NAME, names=[NAME])))
    await measure(certificate, port=relay.port, server_name=NAME)
    await relay.everybody_left()
    assert relay.connections == 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"host": "https://shop.test"}, "this is not a host"),
        ({"host": ""}, "is not a host name"),
        ({"host": "shop.test", "port": 0}, "greater than or equal to 1"),
        ({"host": "shop.test", "server_name": "a b"}, "is not a host name"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        certificate.params.model_validate(wrong)


@pytest.mark.parametrize(
    ("params", "begins"),
    [
        (
            {"host": "shop.test"},
            "openssl s_client -connect shop.test:443 -servername shop.test -showcerts -status </dev",
        ),
        ({"host": "::1", "port": 8443}, "openssl s_client -connect '[::1]:8443' -noservername -showcerts"),
        (
            {"host": "10.0.0.1", "server_name": NAME, "ca_file": "my ca.pem"},
            "openssl s_client -connect 10.0.0.1:443 -servername api.shop.test -CAfile 'my ca.pem' -showcerts",
        ),
    ],
)
def test_the_command_is_one_to_paste(params: dict[str, object], begins: str) -> None:
    command = certificate.command(certificate.params.model_validate(params))
    assert command.startswith(begins)
    assert shlex.split(command.partition("</dev/null | ")[2])[0] == "awk"


def test_the_command_shows_names_and_dates_of_each_certificate_of_the_chain() -> None:
    with TlsServer("expiring_chain") as server:
        params = {"host": "127.0.0.1", "port": server.port, "server_name": server.name, "ca_file": server.ca_file}
        command = certificate.command(certificate.params.model_validate(params))
        shown = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)

    assert shown.stdout.count("notAfter=") == 2
    assert shown.stdout.count("subject=") == 2
    assert f"DNS:{server.name}" in shown.stdout


def test_the_checker_knows_that_an_old_protocol_may_be_unknown_and_that_time_may_be_below_zero() -> None:
    known = metric_types(certificate.reading)
    assert [name for name, each in known.items() if each.optional] == ["old_protocol"]
    assert known["expires_in"].lower is None
    assert known["protocol"].members == ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


def test_openssl_is_loaded_only_when_the_probe_runs() -> None:
    code = "import sys, runbook_probes.tls; sys.exit(any(each in sys.modules for each in ('OpenSSL', 'cryptography')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
