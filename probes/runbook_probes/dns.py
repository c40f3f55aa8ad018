"""What do name servers say about a name, and do they agree?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self, cast, get_args

import anyio
from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from runbook_engine.hostile import one_line
from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Count, Duration, ErrorKind, Params, ProbeContext, ProbeError, Reading, probe
from runbook_engine.quantity import Dimension, show
from runbook_probes.dns_here import Family, Found, Source, known_here, not_asked
from runbook_probes.network import AS_ASCII, allowance, ascii_name, is_address, where

if TYPE_CHECKING:
    from runbook_probes.dns_asking import Answer

MOST_RECORDS = 50
MOST_HERE_S = 3.0
"""Seconds for this machine's own look-up, once the name servers have said that there is no such name."""
PORT = 53

RecordType = Literal["A", "AAAA", "ADDRESS", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]


def _name(text: str) -> str:
    """In ASCII, as it is asked for. Raises ValueError."""
    try:
        name = ascii_name(text).removesuffix(".")
    except UnicodeError:
        raise ValueError(f"{text!r} has letters that no name has; {AS_ASCII}") from None
    if (
        not name
        or name.startswith("-")
        or len(name) > 253
        or any(not 0 < len(label) <= 63 for label in name.split("."))
    ):
        raise ValueError(f"{text!r} is not a name; write for example api.example.com")
    if any(letter.isspace() or letter in "/@:" for letter in name) and not is_address(name):
        raise ValueError("this is not a name; write it alone, without scheme, port or path: api.example.com")
    return name


def _resolver(text: str) -> str:
    """``1.1.1.1``, ``127.0.0.1:5353``, ``[::1]:5353``, ``::1`` -> with its port. Raises ValueError."""
    if is_address(text):
        return where(text, PORT)
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not is_address(host) or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not the address of a name server; write for example 1.1.1.1 or 127.0.0.1:5353")
    return where(host, int(port))


def _listed(value: object) -> object:
    """One text may name several, with commas; an empty one names none."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


class ResolveParams(Params):
    name: Annotated[str, AfterValidator(_name)] = Field(description="A full name; for PTR an address may be given")
    type: RecordType = Field("A", description="The type of record; ADDRESS stands for A and AAAA alike")
    resolvers: Annotated[
        tuple[Annotated[str, AfterValidator(_resolver)], ...],
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    ] = Field(
        (),
        max_length=20,
        description="Name servers to ask, by address, as a list or with commas; without any, those of this machine",
    )

    @model_validator(mode="after")
    def _an_address_has_a_pointer_alone(self) -> Self:
        if is_address(self.name) and self.type != "PTR" and self.family is None:
            raise ValueError(f"{self.name} is an address; give type: PTR to look up its name")
        return self

    @property
    def family(self) -> Family | None:
        """The type, where it is one of addresses: other ways than by name servers lead to these."""
        return cast("Family", self.type) if self.type in get_args(Family) else None


class ResolveReading(Reading):
    LATENCIES = ("time",)
    FAILURES = ("failed", "agree", "records", "source")
    LOGS = ("resolvers",)

    records: Count = Field(description="Different records, over all that were asked")
    source: Source = Field(
        description="Where they come from: name_servers; where no name server knows the name, the hosts_file, or another "
        "way of this machine such as search domains, mDNS or a VPN (machine); reserved for localhost, which nobody is asked "
        "for; address where the name is one itself"
    )
    ttl: Duration | None = Field(
        None, description="The shortest time for which a record, or an alias on the way to it, may be kept"
    )
    time: Duration | None = Field(None, description="How long the slowest answer took")
    agree: bool = Field(description="Whether all that were asked gave an answer, and the same one")
    failed: Count = Field(description="Name servers that gave no records")


def _command(params: ResolveParams) -> str:
    if params.family is not None and not_asked(params.name, params.family):
        return pasteable("getent", "ahosts", params.name)
    kinds = ("A", "AAAA") if params.type == "ADDRESS" else (params.type,)
    question = [word for kind in kinds for word in (params.name, kind)]
    question = ["-x", params.name] if is_address(params.name) else question
    lines = []
    for resolver in params.resolvers or ("",):
        host, _, port = resolver.rpartition(":")
        server = ["@" + host.strip("[]"), *(["-p", port] if port != str(PORT) else [])] if resolver else []
        lines.append(pasteable("dig", *server, *question))
    return "; ".join(lines)


@probe("dns.resolve", command=_command, reads_only=True)
async def resolve(params: ResolveParams, ctx: ProbeContext) -> ResolveReading:
    """Asks name servers, side by side, for the name as it is, without search domains.

    Where none of them knows an address of it, and this machine finds one as its programs do, by its hosts file for example,
    that is the reading, and ``source`` says so. Addresses and localhost are not asked for. Raises ProbeError where there is
    no record of that type.
    """
    from runbook_probes.dns_asking import ask
    from runbook_probes.dns_failure import SYSTEM, dominant, silent

    if params.family is not None and (found := not_asked(params.name, params.family)) is not None:
        return _unasked(found)
    seconds = allowance(ctx)
    answers: dict[str, Answer] = {}
    failures: dict[str, ProbeError] = {}

    async def one(resolver: str) -> None:
        try:
            answers[resolver] = await ask(params.name, params.type, resolver, seconds)
        except ProbeError as failure:
            failures[resolver] = failure

    asked = params.resolvers or (SYSTEM,)
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as group:
            for resolver in dict.fromkeys(asked):
                group.start_soon(one, resolver)
    for resolver in asked:
        if resolver not in answers and resolver not in failures:
            failures[resolver] = silent(resolver, seconds)
    if answers:
        return _reading(answers, failures)
    failure = dominant(failures, asked)
    if failure.kind is ErrorKind.DNS and params.family is not None:
        started = anyio.current_time()
        with anyio.move_on_after(min(MOST_HERE_S, allowance(ctx))):
            here = await known_here(params.name, params.family)
            if here is not None:
                return _found_here(here, failures, anyio.current_time() - started)
    raise failure


def _reading(answers: Mapping[str, "Answer"], failures: Mapping[str, ProbeError]) -> ResolveReading:
    evidence: dict[str, JsonValue] = {}
    for resolver, answer in answers.items():
        evidence[resolver] = {
            "records": list(answer.texts[:MOST_RECORDS]),
            "ttl": show(answer.ttl, Dimension.DURATION),
            "time": show(answer.time, Dimension.DURATION),
        }
    return ResolveReading(
        records=len({record for answer in answers.values() for record in answer.records}),
        source="name_servers",
        ttl=min(answer.ttl for answer in answers.values()),
        time=max(answer.time for answer in answers.values()),
        agree=not failures and len({answer.records for answer in answers.values()}) == 1,
        failed=len(failures),
        evidence={"resolvers": {**evidence, **_told(failures)}},
    )


def _found_here(found: Found, failures: Mapping[str, ProbeError], time: float) -> ResolveReading:
    where = {"hosts_file": "the hosts file of this machine", "machine": "another way than by these name servers"}
    here: dict[str, JsonValue] = {"records": list(found.addresses[:MOST_RECORDS]), "found": where[found.source]}
    if found.canonical:
        here["name"] = one_line(found.canonical)
    return ResolveReading(
        records=len(found.addresses),
        source=found.source,
        time=time,
        agree=False,
        failed=len(failures),
        missing={"ttl": "no name server gave a record"},
        evidence={"resolvers": {**_told(failures), "this machine": here}},
    )


def _unasked(found: Found) -> ResolveReading:
    reason = "the name is an address" if found.source == "address" else "localhost is this machine everywhere"
    return ResolveReading(
        records=len(found.addresses),
        source=found.source,
        agree=True,
        failed=0,
        missing=dict.fromkeys(("ttl", "time"), f"{reason}: nobody was asked"),
        evidence={"resolvers": {"this machine": {"records": list(found.addresses), "found": reason}}},
    )


def _told(failures: Mapping[str, ProbeError]) -> dict[str, JsonValue]:
    return {resolver: {"error": str(failure)} for resolver, failure in failures.items()}
