"""Why a name server gave no records, in words. Importing this module loads dnspython."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.quantity import Dimension, show

SYSTEM = "system"
ADDRESS = "ADDRESS"
"""A and AAAA records alike."""


def who(resolver: str) -> str:
    return "the name server of this machine" if resolver == SYSTEM else f"the name server {resolver}"


def silent(resolver: str, seconds: float) -> ProbeError:
    return ProbeError(ErrorKind.TIMEOUT, f"{who(resolver)} did not answer within {show(seconds, Dimension.DURATION)}")


def dominant(failures: Mapping[str, ProbeError], asked: Sequence[str]) -> ProbeError:
    """What a server said counts for more than that another one said nothing."""
    ordered = [failures[resolver] for resolver in dict.fromkeys(asked)]
    first = next((each for each in ordered if each.kind is ErrorKind.DNS), ordered[0])
    more = f" (and {len(ordered) - 1} more gave no answer)" if len(ordered) > 1 else ""
    found = ProbeError(first.kind, first.message + more, remedy=first.remedy)
    found.__cause__ = first.__cause__
    return found


@dataclass(frozen=True, slots=True)
class Question:
    """``wanted`` is a type of record or ``ADDRESS``; ``cut`` whether an answer over UDP was cut short, and TCP was tried."""

    name: str
    wanted: str
    resolver: str
    seconds: float
    cut: bool


def explained(error: Exception, question: Question) -> ProbeError:
    name, resolver = question.name, question.resolver
    says = f"says {who(resolver)}"
    match error:
        case dns.resolver.NXDOMAIN():
            responses = error.kwargs["responses"].values()
            alias = next((found for each in responses if len(found := _aliases(each)) > 1), None)
            told = f"is an alias of {alias[-1]}, which does not exist" if alias else "does not exist"
            return ProbeError(ErrorKind.DNS, f"the name {name} {told}, {says}")
        case dns.resolver.NoAnswer():
            alias = _aliases(error.kwargs["response"])
            which = f"is an alias of {alias[-1]}, which has" if len(alias) > 1 else "has"
            none = "no address" if question.wanted == ADDRESS else f"no {question.wanted} record"
            return ProbeError(ErrorKind.DNS, f"the name {name} {which} {none}, {says}")
        case dns.resolver.YXDOMAIN() | dns.name.LabelTooLong() | dns.name.NameTooLong() | dns.name.EmptyLabel():
            return ProbeError(ErrorKind.DNS, f"{name} is not a name that can be asked for")
        case dns.exception.Timeout() | TimeoutError():
            silence = silent(resolver, question.seconds)
            return _cut_short(question, "it does not answer there") if question.cut else silence
        case dns.resolver.NoNameservers():
            return _refused(error, question)
        case OSError():
            return ProbeError(ErrorKind.REFUSED, f"{who(resolver)} cannot be asked: {_reason(error)}")
    return _not_understood(error, resolver)


def _refused(error: dns.resolver.NoNameservers, question: Question) -> ProbeError:
    """Of a server that answered with an error, could not be reached, or made no sense."""
    name, resolver = question.name, question.resolver
    errors = error.kwargs["errors"]
    last, response = (errors[-1][3], errors[-1][4]) if errors else ("", None)
    match last:
        case dns.message.ChainTooLong():
            return _in_circles(name, _aliases(response), resolver)
        case OSError() | EOFError() if question.cut:
            return _cut_short(question, _reason(last) if isinstance(last, OSError) else "it closes the connection")
        case OSError():
            return ProbeError(ErrorKind.REFUSED, f"{who(resolver)} cannot be asked: {_reason(last)}")
        case Exception():
            return _not_understood(last, resolver)
    return ProbeError(
        ErrorKind.DNS,
        f"{who(resolver)} could not answer for {name}: {last}",
        remedy="ask another name server; if it answers, the fault is in this one",
    )


def _aliases(response: dns.message.Message | None) -> list[str]:
    """The name that was asked for and the names that its aliases lead to, up to the first that comes again."""
    if response is None or not response.question:
        return []
    targets = {each.name: each[0].target for each in response.answer if each.rdtype == dns.rdatatype.CNAME}
    found: list[dns.name.Name] = [response.question[0].name]
    while (following := targets.get(found[-1])) is not None and following not in found:
        found.append(following)
    if following is not None:
        found.append(following)
    return [each.to_text(omit_final_dot=True) for each in found]


def _in_circles(name: str, aliases: Sequence[str], resolver: str) -> ProbeError:
    if aliases and aliases[-1].lower() in (each.lower() for each in aliases[:-1]):
        way = " -> ".join(aliases)
        return ProbeError(ErrorKind.DNS, f"the aliases of {name} lead in a circle ({way}), says {who(resolver)}")
    return ProbeError(
        ErrorKind.DNS,
        f"the name {name} is an alias of an alias and so on, {len(aliases) - 1} times, says {who(resolver)}",
    )


def _cut_short(question: Question, reason: str) -> ProbeError:
    return ProbeError(
        ErrorKind.REFUSED,
        f"{who(question.resolver)} cut its answer for {question.name} short, and cannot be asked for the whole over TCP: "
        f"{reason}",
        remedy="let TCP through to the name server beside UDP: answers that are too long for a packet need it",
    )


def _not_understood(error: Exception, resolver: str) -> ProbeError:
    return ProbeError(
        ErrorKind.MALFORMED, f"the answer of {who(resolver)} could not be understood: {type(error).__name__}"
    )


def _reason(error: OSError) -> str:
    """By its number: the event loop puts words of its own, with the address, into the place of the system's."""
    said = os.strerror(error.errno) if error.errno else error.strerror or str(error) or type(error).__name__
    return said.lower()
