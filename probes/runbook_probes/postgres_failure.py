"""Why there is no session with PostgreSQL, or no answer in one: in the kinds of a ProbeError, with no password in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.postgres_meanings import Meaning, of_connecting, of_running
from runbook_probes.postgres_target import Target

if TYPE_CHECKING:
    import psycopg

# As libpq writes it where it is asked to be verbose: severity, SQLSTATE, sentence, then lines with a label each.
_VERBOSE = re.compile(r"\w+:  (?P<state>[0-9A-Z]{5}): (?P<told>.*?)(?=\n\S[^\n:]*:  |\nconnection to |\Z)", re.DOTALL)
_PREFIX = re.compile(r"\A(connection to server .*? failed: )?(\w+: +)?", re.DOTALL)
_UNSUITABLE = re.compile(r"session is (not )?read-only|server is (not )?in hot standby mode")
_WANTED = {
    "read-write": "open for writing",
    "read-only": "read-only",
    "primary": "a primary",
    "standby": "a standby",
}
_PROMOTE = (
    "find out which server should be the primary, and promote it once the old one is surely down; or correct the hosts of the"
    " connection string"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one server gave no session.

    ``state`` is the SQLSTATE that it said, and ``told`` its sentence, or the client's. ``role`` is what the server is (a
    standby, a primary, read-only) where it let us in and is not what ``target_session_attrs`` asks for.
    """

    where: str
    told: str
    state: str = ""
    role: str = ""

    @property
    def meaning(self) -> Meaning:
        return of_connecting(self.state, self.told)


def refusal(where: str, text: str, target: Target, *, standby: bool | None) -> Refusal:
    """Of what libpq says when it gives up one server. ``standby`` is what that server called itself, if it did."""
    found = _VERBOSE.search(text)
    told = target.masked(" ".join((found["told"] if found else _PREFIX.sub("", text.strip())).split()))
    if found or not _UNSUITABLE.search(told):
        return Refusal(where, told, found["state"] if found else "")
    if standby is None:
        standby = "server is in hot standby mode" in told
    return Refusal(where, told, role="a standby" if standby else "read-only" if "is read-only" in told else "a primary")


def connection_failure(refusals: Sequence[Refusal], target: Target, attributes: str) -> ProbeError:
    """Why no server of the connection string gave a session. ``attributes`` are the target_session_attrs."""
    if any(each.role for each in refusals):
        return _none_suitable(refusals, target, attributes)
    # Who answered says more than who could not be reached.
    first = next((each for each in refusals if each.state), refusals[0])
    others: dict[str, list[str]] = {}
    for each in refusals:
        if each.meaning != first.meaning or each.told != first.told:
            others.setdefault(_filled(each.meaning.message, target, "{where}", each.told), []).append(each.where)
    alike = dict.fromkeys(each.where for each in refusals if each.meaning == first.meaning and each.told == first.told)
    message = _filled(first.meaning.message, target, ", ".join(alike), first.told)
    rest = [text.replace("{where}", ", ".join(dict.fromkeys(places))) for text, places in others.items()]
    failure = ProbeError(
        first.meaning.kind,
        "; ".join((message, *rest)),
        remedy=_filled(first.meaning.remedy, target, first.where, first.told),
    )
    failure.__cause__ = _error(first)
    return failure


def _none_suitable(refusals: Sequence[Refusal], target: Target, attributes: str) -> ProbeError:
    """Servers answered, and none is what is asked for: after a failover that did not end, say, standbys alone."""
    wanted = _WANTED.get(attributes, attributes)
    answered: dict[str, list[str]] = {}
    for each in refusals:
        said = f"{{where}} is {each.role}" if each.role else _filled(each.meaning.message, target, "{where}", each.told)
        places = answered.setdefault(said, [])
        if each.where not in places:
            places.append(each.where)
    told = "; ".join(text.replace("{where}", " and ".join(places)) for text, places in answered.items())
    message = f"no server is {wanted}, as target_session_attrs={attributes} asks for: {told}"
    failure = ProbeError(ErrorKind.REFUSED, message, remedy=_PROMOTE)
    failure.__cause__ = _error(next(each for each in refusals if each.role))
    return failure


def _error(refused: Refusal) -> "psycopg.Error":
    """The client's own error holds the connection, and with it the password."""
    import psycopg

    try:
        kind = psycopg.errors.lookup(refused.state)
    except KeyError:
        kind = psycopg.OperationalError
    return kind(refused.told)


def query_failure(error: "psycopg.Error", target: Target) -> ProbeError:
    """Why a statement gave no rows."""
    told = target.masked(" ".join((error.diag.message_primary or str(error)).split()))
    state = error.sqlstate or ("" if _is_broken(error) else "??")
    meaning = of_running(state, told)
    failure = ProbeError(
        meaning.kind,
        _filled(meaning.message, target, target.where, told),
        remedy=_filled(meaning.remedy, target, target.where, told),
    )
    keep = error.pgconn is None and target.masked(str(error)) == str(error)
    failure.__cause__ = error if keep else type(error)(target.masked(str(error)))
    return failure


def _is_broken(error: "psycopg.Error") -> bool:
    import psycopg

    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def _filled(template: str, target: Target, where: str, told: str) -> str:
    words = {"{where}": where, "{user}": target.user, "{database}": target.database, "{told}": told}
    return re.sub(r"\{\w+\}", lambda found: words[found.group()], template)
