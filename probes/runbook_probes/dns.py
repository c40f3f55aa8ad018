"""What do name servers say about a name, and do they agree?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Self

import anyio
from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from runbook_engine.probe import Count, Duration, ErrorKind, Params, ProbeContext, ProbeError, Reading, probe
from runbook_engine.quantity import Dimension, show
from runbook_probes.command_line import pasteable
from runbook_probes.network import allowance, is_address, where

if TYPE_CHECKING:
    import dns.asyncresolver
    import dns.exception

MOST_RECORDS = 50
PORT = 53
SYSTEM = "system"

RecordType = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]


def _name(text: str) -> str:
    name = text.removesuffix(".")
    if not name or len(name) > 253 or any(not 0 < len(label) <= 63 for label in name.split(".")):
        raise ValueError(f"{text[:80]!r} is not a name; write for example api.example.com")
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
    type: RecordType = "A"
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
        if is_address(self.name) and self.type != "PTR":
            raise ValueError(f"{self.name} is an address; give type: PTR to look up its name")
        return self


class ResolveReading(Reading):
    LOGS = ("resolvers",)

    records: Count = Field(description="Different records, over all name servers that were asked")
    ttl: Duration = Field(description="The shortest time for which a record, or an alias on the way to it, may be kept")
    time: Duration = Field(description="How long the slowest answer took")
    agree: bool = Field(description="Whether every name server gave an answer, and all the same one")
    failed: Count = Field(description="Name servers that gave no answer")


@dataclass(frozen=True, slots=True)
class Answer:
    records: tuple[str, ...]
    ttl: float
    time: float


def _command(params: ResolveParams) -> str:
    question = ["-x", params.name] if is_address(params.name) else [params.name, params.type]
    lines = []
    for resolver in params.resolvers or ("",):
        host, _, port = resolver.rpartition(":")
        server = ["@" + host.strip("[]"), *(["-p", port] if port != str(PORT) else [])] if resolver else []
        lines.append(pasteable("dig", *server, *question))
    return "; ".join(lines)


@probe("dns.resolve", command=_command, reads_only=True)
async def resolve(params: ResolveParams, ctx: ProbeContext) -> ResolveReading:
    """Asks name servers, side by side. The hosts file is not looked at, and no search domain is added to the name.

    Raises ProbeError where none of them has a record of that type.
    """
    seconds = allowance(ctx)
    answers: dict[str, Answer] = {}
    failures: dict[str, ProbeError] = {}

    async def ask(resolver: str) -> None:
        try:
            answers[resolver] = await _ask(params, resolver, seconds)
        except ProbeError as failure:
            failures[resolver] = failure

    asked = params.resolvers or (SYSTEM,)
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as group:
            for resolver in dict.fromkeys(asked):
                group.start_soon(ask, resolver)
    for resolver in asked:
        if resolver not in answers and resolver not in failures:
            failures[resolver] = _silent(resolver, seconds)
    if not answers:
        raise _dominant(failures, asked)
    return _reading(answers, failures)


async def _ask(params: ResolveParams, resolver: str, seconds: float) -> Answer:
    import dns.asyncresolver
    import dns.exception
    import dns.reversename

    client = _client(resolver)
    started = anyio.current_time()
    try:
        name = dns.reversename.from_address(params.name) if is_address(params.name) else params.name
        answer = await client.resolve(name, params.type, lifetime=seconds, search=False)
    except (dns.exception.DNSException, OSError, UnicodeError) as error:
        raise _explained(error, params, resolver, seconds) from error
    records = tuple(sorted(record.to_text() for record in answer))
    return Answer(records, float(answer.chaining_result.minimum_ttl), anyio.current_time() - started)


def _client(resolver: str) -> "dns.asyncresolver.Resolver":
    import dns.asyncresolver
    import dns.resolver

    if resolver == SYSTEM:
        try:
            return dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration as error:
            raise ProbeError(
                ErrorKind.UNAVAILABLE,
                "this machine has no name servers configured",
                remedy="give some as resolvers, for example 1.1.1.1",
            ) from error
    host, _, port = resolver.rpartition(":")
    client = dns.asyncresolver.Resolver(configure=False)
    client.nameservers = [host.strip("[]")]
    client.port = int(port)
    return client


def _explained(error: Exception, params: ResolveParams, resolver: str, seconds: float) -> ProbeError:
    import dns.exception
    import dns.rcode
    import dns.resolver

    who = _who(resolver)
    match error:
        case dns.resolver.NXDOMAIN():
            return ProbeError(ErrorKind.DNS, f"the name {params.name} does not exist, says {who}")
        case dns.resolver.NoAnswer():
            return ProbeError(ErrorKind.DNS, f"the name {params.name} has no {params.type} record, says {who}")
        case dns.resolver.YXDOMAIN() | dns.name.LabelTooLong() | dns.name.NameTooLong() | dns.name.EmptyLabel():
            return ProbeError(ErrorKind.DNS, f"{params.name} is not a name that can be asked for")
        case dns.exception.Timeout():
            return _silent(resolver, seconds)
        case dns.resolver.NoNameservers():
            return _refused(error, params, who)
        case OSError():
            return ProbeError(ErrorKind.REFUSED, f"{who} cannot be asked: {(error.strerror or str(error)).lower()}")
    return ProbeError(ErrorKind.MALFORMED, f"the answer of {who} could not be understood: {type(error).__name__}")


def _refused(error: "dns.resolver.NoNameservers", params: ResolveParams, who: str) -> ProbeError:
    """Of a server that answered with an error, could not be reached, or made no sense."""
    reasons = [each[3] for each in error.kwargs["errors"]]
    last = reasons[-1] if reasons else ""
    if isinstance(last, OSError):
        return ProbeError(ErrorKind.REFUSED, f"{who} cannot be asked: {(last.strerror or str(last)).lower()}")
    if isinstance(last, Exception):
        return ProbeError(ErrorKind.MALFORMED, f"the answer of {who} could not be understood: {type(last).__name__}")
    return ProbeError(
        ErrorKind.DNS,
        f"{who} could not answer for {params.name}: {last}",
        remedy="ask another name server; if it answers, the fault is in this one",
    )


def _silent(resolver: str, seconds: float) -> ProbeError:
    return ProbeError(ErrorKind.TIMEOUT, f"{_who(resolver)} did not answer within {show(seconds, Dimension.DURATION)}")


def _who(resolver: str) -> str:
    return "the name server of this machine" if resolver == SYSTEM else f"the name server {resolver}"


def _dominant(failures: Mapping[str, ProbeError], asked: Sequence[str]) -> ProbeError:
    """What a server said counts for more than that another one said nothing."""
    ordered = [failures[resolver] for resolver in dict.fromkeys(asked)]
    first = next((each for each in ordered if each.kind is ErrorKind.DNS), ordered[0])
    more = f" (and {len(ordered) - 1} more gave no answer)" if len(ordered) > 1 else ""
    found = ProbeError(first.kind, first.message + more, remedy=first.remedy)
    found.__cause__ = first.__cause__
    return found


def _reading(answers: Mapping[str, Answer], failures: Mapping[str, ProbeError]) -> ResolveReading:
    evidence: dict[str, JsonValue] = {}
    for resolver, answer in answers.items():
        evidence[resolver] = {
            "records": list(answer.records[:MOST_RECORDS]),
            "ttl": show(answer.ttl, Dimension.DURATION),
            "time": show(answer.time, Dimension.DURATION),
        }
    for resolver, failure in failures.items():
        evidence[resolver] = {"error": str(failure)}
    return ResolveReading(
        records=len({record for answer in answers.values() for record in answer.records}),
        ttl=min(answer.ttl for answer in answers.values()),
        time=max(answer.time for answer in answers.values()),
        agree=not failures and len({answer.records for answer in answers.values()}) == 1,
        failed=len(failures),
        evidence={"resolvers": evidence},
    )
