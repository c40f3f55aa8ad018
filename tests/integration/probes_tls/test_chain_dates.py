"""Every certificate of a chain has its time, and the first to expire ends the time of all."""

import datetime as dt
from typing import Any

import pytest

from runbook_probes.tls import certificate

pytestmark = pytest.mark.anyio

DAY = 86400
NAME = "api.shop.test"


def chain(servers: Any, root: float, intermediate: float, leaf: float) -> tuple[Any, Any, Any]:
    """The server's certificate, the intermediate and the root, each with its days."""
    made = servers.make("root", authority=True, begins=dt.timedelta(days=-900), ends=dt.timedelta(days=root))
    below = servers.make(
        "intermediate",
        issuer=made,
        authority=True,
        begins=dt.timedelta(days=-900),
        ends=dt.timedelta(days=intermediate),
    )
    own = servers.make(NAME, issuer=below, names=[NAME], begins=dt.timedelta(days=-900), ends=dt.timedelta(days=leaf))
    return own, below, made


@pytest.mark.parametrize(
    ("root", "intermediate", "leaf", "first", "trusted"),
    [
        (900, 9, 200, "intermediate", True),
        (900, 400, 20, "own", True),
        (5, 400, 200, "root", True),
        (900, -1, 200, "intermediate", False),
        (-1, 400, 200, "root", False),
    ],
)
async def test_the_certificate_that_expires_first_is_found_wherever_it_stands_in_the_chain(
    servers: Any, measure: Any, root: float, intermediate: float, leaf: float, first: str, trusted: bool
) -> None:
    own, below, above = chain(servers, root, intermediate, leaf)
    ca_file = servers.file("root.pem", above.pem)
    reading = await measure(certificate, port=servers.tls(own, below), server_name=NAME, ca_file=ca_file)
    assert reading.expires_in == pytest.approx(leaf * DAY, abs=120)
    assert reading.chain_expires_in == pytest.approx(min(root, intermediate, leaf) * DAY, abs=120)
    assert reading.expires_first == ("CN=api.shop.test" if first == "own" else f"CN={first}")
    assert (reading.expired, reading.trusted) == (False, trusted)


async def test_each_certificate_is_shown_with_its_days_and_so_is_the_authority_that_is_not_sent(
    servers: Any, measure: Any
) -> None:
    own, below, above = chain(servers, 900, 9.5, 200.5)
    ca_file = servers.file("root.pem", above.pem)
    reading = await measure(certificate, port=servers.tls(own, below), server_name=NAME, ca_file=ca_file)
    shown = {each["subject"]: each["expires_in"] for each in reading.evidence["chain"]}
    assert shown == {"CN=api.shop.test": "200 d", "CN=intermediate": "9.5 d"}
    assert reading.evidence["authority"]["subject"] == "CN=root"
    whole = await measure(certificate, port=servers.tls(own, below, above), server_name=NAME, ca_file=ca_file)
    assert [each["subject"] for each in whole.evidence["chain"]][2:] == ["CN=root"]
    assert "authority" not in whole.evidence


async def test_an_old_certificate_that_is_sent_for_nothing_does_not_count(servers: Any, measure: Any) -> None:
    # As the cross-signed roots are that servers went on sending: clients find a shorter way.
    own, below, above = chain(servers, 900, 400, 200)
    older = servers.make("older root", authority=True, ends=dt.timedelta(days=900))
    crossed = servers.make(
        "root", issuer=older, authority=True, key=above.key, begins=dt.timedelta(days=-9), ends=dt.timedelta(days=-1)
    )
    ca_file = servers.file("root.pem", above.pem)
    reading = await measure(certificate, port=servers.tls(own, below, crossed), server_name=NAME, ca_file=ca_file)
    assert reading.trusted
    assert (reading.chain_length, reading.expires_first) == (3, "CN=api.shop.test")
    assert reading.chain_expires_in == pytest.approx(200 * DAY, abs=120)


async def test_of_a_chain_that_leads_nowhere_what_was_found_counts(servers: Any, measure: Any) -> None:
    own, below, _ = chain(servers, 900, 9, 200)
    reading = await measure(certificate, port=servers.tls(own, below), server_name=NAME)
    assert (reading.trusted, reading.expires_first) == (False, "CN=intermediate")
    alone = await measure(certificate, port=servers.tls(own), server_name=NAME)
    assert (alone.trusted, alone.expires_first) == (False, "CN=api.shop.test")


async def test_a_certificate_that_vouches_for_itself_is_its_whole_chain(servers: Any, measure: Any) -> None:
    made = servers.make(NAME, names=[NAME], ends=dt.timedelta(days=7))
    reading = await measure(certificate, port=servers.tls(made), server_name=NAME)
    assert reading.chain_expires_in == reading.expires_in
    assert reading.expires_first == "CN=api.shop.test"
