"""dns.resolve asks real name servers, on loopback."""

import shlex
import time
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from pydantic import ValidationError

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.dns import resolve

pytestmark = pytest.mark.anyio


async def test_records_and_the_shortest_time_to_live_are_read(servers: Any, measure: Any) -> None:
    zone = await servers.zone(
        "api.test. 300 IN A 10.0.0.1", "api.test. 300 IN A 10.0.0.2", "api.test. 60 IN MX 10 mx.test."
    )
    reading = await measure(resolve, name="api.test", resolvers=zone)
    assert (reading.records, reading.ttl, reading.agree, reading.failed) == (2, 300.0, True, 0)
    assert 0 < reading.time < 1
    assert reading.evidence["resolvers"][zone]["records"] == ["10.0.0.1", "10.0.0.2"]
    mail = await measure(resolve, name="api.test.", type="MX", resolvers=[zone])
    assert (mail.records, mail.ttl) == (1, 60.0)
    assert mail.evidence["resolvers"][zone]["records"] == ["10 mx.test."]


async def test_name_servers_that_give_the_same_records_in_another_order_agree(servers: Any, measure: Any) -> None:
    first = await servers.zone("api.test. 300 IN A 10.0.0.1", "api.test. 300 IN A 10.0.0.2")
    second = await servers.zone("api.test. 30 IN A 10.0.0.2", "api.test. 30 IN A 10.0.0.1")
    reading = await measure(resolve, name="api.test", resolvers=[first, second])
    assert (reading.records, reading.ttl, reading.agree) == (2, 30.0, True)


async def test_name_servers_that_give_different_records_do_not_agree(servers: Any, measure: Any) -> None:
    first, second = await servers.zone("api.test. 9 IN A 10.0.0.1"), await servers.zone("api.test. 9 IN A 10.0.0.9")
    reading = await measure(resolve, name="api.test", resolvers=[first, second])
    assert (reading.records, reading.agree, reading.failed) == (2, False, 0)
    assert reading.evidence["resolvers"][second]["records"] == ["10.0.0.9"]


async def test_several_name_servers_may_be_given_in_one_text(servers: Any, measure: Any) -> None:
    first, second = await servers.zone("api.test. 9 IN A 10.0.0.1"), await servers.zone("api.test. 9 IN A 10.0.0.9")
    reading = await measure(resolve, name="api.test", resolvers=f"{first}, {second},")
    assert set(reading.evidence["resolvers"]) == {first, second}
    assert (reading.records, reading.agree) == (2, False)


@pytest.mark.parametrize("nobody", ["", " ", ","])
def test_a_text_that_names_no_name_server_means_those_of_this_machine(nobody: str) -> None:
    params = resolve.params.model_validate({"name": "api.test", "resolvers": nobody})
    assert params.resolvers == ()
    assert resolve.command(params) == "dig api.test A"


async def test_a_name_server_without_an_answer_does_not_agree(servers: Any, measure: Any) -> None:
    knows, knows_not = await servers.zone("api.test. 9 IN A 10.0.0.1"), await servers.zone()
    reading = await measure(resolve, name="api.test", resolvers=[knows, knows_not])
    assert (reading.records, reading.agree, reading.failed) == (1, False, 1)
    assert reading.evidence["resolvers"][knows_not]["error"] == (
        f"dns: the name api.test does not exist, says the name server {knows_not}"
    )


async def test_a_name_server_that_stays_silent_holds_up_nobody_beyond_the_deadline(servers: Any, measure: Any) -> None:
    knows, silent = await servers.zone("api.test. 9 IN A 10.0.0.1"), await servers.dns(lambda _query: None)
    begun = time.monotonic()
    reading = await measure(resolve, timeout=0.5, name="api.test", resolvers=[silent, knows])
    assert time.monotonic() - begun < 5.0
    assert (reading.records, reading.agree, reading.failed) == (1, False, 1)
    assert reading.time < 0.4


async def test_a_name_that_does_not_exist_is_a_dns_error(servers: Any, measure: Any) -> None:
    zone = await servers.zone()
    with pytest.raises(ProbeError) as caught:
        await measure(resolve, name="absent.test", resolvers=zone)
    assert str(caught.value) == f"dns: the name absent.test does not exist, says the name server {zone}"
    assert isinstance(caught.value.__cause__, dns.resolver.NXDOMAIN)


async def test_a_name_without_such_a_record_is_told_apart(servers: Any, measure: Any) -> None:
    zone = await servers.zone("api.test. 9 IN A 10.0.0.1")
    with pytest.raises(ProbeError) as caught:
        await measure(resolve, name="api.test", type="AAAA", resolvers=zone)
    assert str(caught.value) == f"dns: the name api.test has no AAAA record, says the name server {zone}"


@pytest.mark.parametrize("code", ["SERVFAIL", "REFUSED"])
async def test_a_name_server_that_fails_is_told_from_a_name_that_does_not_exist(
    servers: Any, measure: Any, code: str
) -> None:
    def fail(query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.set_rcode(dns.rcode.from_text(code))
        return answer

    broken = await servers.dns(fail)
    with pytest.raises(ProbeError) as caught:
        await measure(resolve, name="api.test", resolvers=broken)
    assert str(caught.value) == f"dns: the name server {broken} could not answer for api.test: {code}"
    assert "ask another name server" in caught.value.remedy


async def test_silence_of_every_name_server_is_a_timeout(servers: Any, measure: Any) -> None:
    silent = [await servers.dns(lambda _query: None) for _ in range(2)]
    begun = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        await measure(resolve, timeout=0.5, name="api.test", resolvers=silent)
    assert time.monotonic() - begun < 5.0
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert caught.value.message.startswith(f"the name server {silent[0]} did not answer within ")
    assert caught.value.message.endswith(" (and 1 more gave no answer)")


async def test_what_a_name_server_says_counts_for_more_than_the_silence_of_another(servers: Any, measure: Any) -> None:
    silent, knows_not = await servers.dns(lambda _query: None), await servers.zone()
    with pytest.raises(ProbeError) as caught:
        await measure(resolve, timeout=0.5, name="api.test", resolvers=[silent, knows_not])
    assert caught.value.kind is ErrorKind.DNS


async def test_an_alias_is_followed(servers: Any, measure: Any) -> None:
    def answer(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.answer = [
            dns.rrset.from_text("api.test.", 20, "IN", "CNAME", "real.test."),
            dns.rrset.from_text("real.test.", 500, "IN", "A", "10.0.0.7"),
        ]
        return response

    zone = await servers.dns(answer)
    reading = await measure(resolve, name="api.test", resolvers=zone)
    assert reading.evidence["resolvers"][zone]["records"] == ["10.0.0.7"]
    assert reading.ttl == 20.0


async def test_an_answer_that_is_cut_off_is_asked_for_again_over_tcp(servers: Any, measure: Any) -> None:
    def cut(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response

    udp = await servers.dns(cut)
    with pytest.raises(ProbeError) as caught:  # nobody listens on that port's TCP side
        await measure(resolve, name="api.test", resolvers=udp)
    assert caught.value.kind is ErrorKind.REFUSED
    assert caught.value.message == (
        f"the name server {udp} cut its answer for api.test short, and cannot be asked for the whole over TCP: "
        "connection refused"
    )
    assert "let TCP through" in caught.value.remedy


async def test_the_name_of_an_address_is_looked_up(servers: Any, measure: Any) -> None:
    zone = await servers.zone("7.0.0.10.in-addr.arpa. 9 IN PTR api.test.")
    reading = await measure(resolve, name="10.0.0.7", type="PTR", resolvers=zone)
    assert reading.evidence["resolvers"][zone]["records"] == ["api.test."]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "https://api.test/"}, "without scheme, port or path"),
        ({"name": ""}, "is not a name"),
        ({"name": "a" * 64}, "is not a name"),
        ({"name": "10.0.0.7", "type": "MX"}, "give type: PTR"),
        ({"name": "api.test", "resolvers": "ns.test"}, "is not the address of a name server"),
        ({"name": "api.test", "resolvers": "1.1.1.1, ns.test"}, "'ns.test' is not the address of a name server"),
        ({"name": "api.test", "resolvers": "10.0.0.1:99999"}, "is not the address of a name server"),
        ({"name": "api.test", "type": "ANY"}, "Input should be 'A', 'AAAA'"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_with_an_example(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        resolve.params.model_validate(wrong)


@pytest.mark.parametrize(
    ("params", "command"),
    [
        ({"name": "api.test"}, "dig api.test A"),
        ({"name": "api.test", "type": "ADDRESS"}, "dig api.test A api.test AAAA"),
        ({"name": "10.0.0.7"}, "getent ahosts 10.0.0.7"),
        ({"name": "localhost"}, "getent ahosts localhost"),
        ({"name": "api.test", "type": "MX", "resolvers": ["1.1.1.1"]}, "dig @1.1.1.1 api.test MX"),
        ({"name": "api.test", "resolvers": ["[::1]:5353", "::2"]}, "dig @::1 -p 5353 api.test A; dig @::2 api.test A"),
        ({"name": "10.0.0.7", "type": "PTR"}, "dig -x 10.0.0.7"),
        ({"name": "$(reboot)"}, "dig '$(reboot)' A"),
    ],
)
def test_the_command_is_one_to_paste(params: dict[str, Any], command: str) -> None:
    assert resolve.command(resolve.params.model_validate(params)) == command
    assert shlex.split(command)[0] in ("dig", "getent")
