"""Names beyond ASCII: every probe asks for the one that browsers ask for (IDNA 2008 after UTS 46)."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from runbook_probes.aws.acm import covers
from runbook_probes.dns import resolve
from runbook_probes.http import get, latency
from runbook_probes.http_params import read_url
from runbook_probes.network import ascii_name, lookup
from runbook_probes.prometheus import query
from runbook_probes.tcp import connect
from runbook_probes.tls import certificate

pytestmark = pytest.mark.anyio

NAMES = [
    ("faß.test", "xn--fa-hia.test"),  # and not fass.test, as in IDNA 2003
    ("βόλος.test", "xn--nxasmm1c.test"),
    ("BÜCHER.test", "xn--bcher-kva.test"),
    ("日本。test", "xn--wgv71a.test"),
    ("ﬁ.test", "fi.test"),
]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Lets this machine find these names on 127.0.0.1 and no other, in place of its resolver; gives what it was asked."""

    def known(*known: str) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, *_: object, **__: object) -> list[Any]:
            asked.append(host)
            if host in known:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
            raise socket.gaierror(socket.EAI_NONAME, "not known")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return known


@pytest.mark.parametrize(("name", "asked"), NAMES)
async def test_every_probe_asks_for_the_same_name(
    servers: Any, response: Any, measure: Any, names: Callable[..., list[str]], name: str, asked: str
) -> None:
    nothing = b'{"status": "success", "data": {"resultType": "vector", "result": []}}'
    plain = await servers.http(response(body=nothing))
    secure = await servers.http(response(), tls=servers.tls(asked))
    zone = await servers.zone(f"{asked}. 60 IN A 10.0.0.7")
    looked_up = names(asked)

    assert (await measure(get, url=plain.named(name))).ok
    assert (await measure(get, url=secure.named(name), ca_file=servers.ca_file)).ok
    await measure(latency, url=plain.named(name), samples=1)
    await measure(query, url=f"http://{name}:{plain.port}", query="up")
    await measure(connect, host=name, port=plain.port)
    assert (await measure(certificate, host=name, port=secure.port)).name_matches
    assert looked_up == [asked] * 6
    assert plain.requests[0].headers["host"] == f"{asked}:{plain.port}"

    resolved = await measure(resolve, name=name, resolvers=zone)
    assert resolved.evidence["resolvers"][zone]["records"] == ["10.0.0.7"]


async def test_a_look_up_of_a_name_that_cannot_be_one_says_that_it_is_not_known(names: Any) -> None:
    asked = names()
    with pytest.raises(socket.gaierror):
        await lookup("☃.test")
    assert asked == []


def test_a_certificate_of_aws_is_the_one_for_the_name_that_browsers_ask_for() -> None:
    assert covers(["xn--fa-hia.test"], "faß.test")
    assert not covers(["fass.test"], "faß.test")


def test_labels_in_ascii_stay_as_they_are_beside_others() -> None:
    assert ascii_name("_dmarc.bücher.test") == "_dmarc.xn--bcher-kva.test"
    assert ascii_name("API.Example.com.") == "API.Example.com."


@pytest.mark.parametrize("name", ["☃.test", "a\u200db.test", "a／b.test", "user＠host.test", "ü" * 64 + ".test"])
def test_letters_that_no_name_has_are_refused_with_what_to_write(name: str) -> None:
    for probe, params in (
        (resolve, {"name": name}),
        (connect, {"host": name, "port": 1}),
        (certificate, {"host": name}),
    ):
        with pytest.raises(
            ValidationError, match=r"has letters that no (host )?name has; write it as it is registered"
        ):
            probe.params.model_validate(params)
    with pytest.raises(ValueError, match="host"):
        read_url(f"https://{name}/")
