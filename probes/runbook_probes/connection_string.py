"""Connection strings as people have them: copied from files, and written for other clients of the same server.

What a string means is read, whoever it was written for. What cannot be read is told by the part that is meant, and never
repeated: any part may be a piece of a password.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from runbook_engine.errors import did_you_mean
from runbook_engine.probe import ErrorKind, ProbeError, Secret
from runbook_engine.secret import without_password

ESCAPES = "in user names and passwords write %40 for @, %2F for /, %3F for ?, %23 for # and %25 for %"

_VARIABLE = re.compile(r"(export\s+)?[A-Z_][A-Z0-9_]*=(?=['\"a-z])")
_SCHEME = re.compile(r"(?:jdbc:)?(?P<scheme>[A-Za-z][A-Za-z0-9.+-]{0,30})://")
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the URLs of one kind of server may be written.

    ``name`` is what messages call such a string, ``server`` whose it is. ``schemes`` are those that mean it, each with the
    one that its client knows; what stands behind a ``+``, as in ``postgresql+psycopg://``, names a driver and is dropped.
    ``reads`` are the parameters that say whom to reach, and how; ``idle`` those that other clients have for themselves, for
    their pools, patience and caches.
    """

    name: str
    server: str
    schemes: Mapping[str, str]
    reads: Collection[str]
    idle: Collection[str]
    example: str

    def unreadable(self, why: str, remedy: str = "") -> ProbeError:
        return ProbeError(ErrorKind.MALFORMED, f"the {self.name} {why}", remedy=remedy or self.example)


@dataclass(frozen=True, slots=True)
class Url:
    """``authority`` and ``path`` are as they were written, with their escapes; ``parameters`` too, without the idle ones."""

    scheme: str
    authority: str
    path: str
    parameters: Sequence[tuple[str, str]]


def unwrapped(secret: Secret) -> str:
    """The string without what came along when it was copied: blanks and line breaks around it, quotes, ``DATABASE_URL=``."""
    text = secret.reveal().strip()
    text = text[found.end() :] if (found := _VARIABLE.match(text)) else text
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    return text


def is_url(text: str) -> bool:
    return _SCHEME.match(text) is not None


def read_url(text: str, dialect: Dialect) -> Url:
    """Takes a URL apart. Raises ProbeError of kind malformed, which names the part that cannot be read."""
    found = _SCHEME.match(text)
    if found is None:
        raise dialect.unreadable("cannot be read: it does not begin with a scheme such as " + _first(dialect))
    scheme = _scheme(found["scheme"].lower(), dialect)
    rest = text[found.end() :]
    if re.search(r"[\s\x00-\x1f\x7f]", rest):
        raise dialect.unreadable("cannot be read: it has a blank or a line break in it")
    # Else the end of a password would be taken for the host or the database, and looked up or shown.
    authority, path, query = re.fullmatch(r"([^/?#]*)([^?#]*)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    if authority.count("@") > 1 or "@" in path + query or "#" in query:
        raise dialect.unreadable("cannot be read: it has an @, / or # where none can stand", ESCAPES)
    if re.search(r"%(?![0-9A-Fa-f]{2})", authority + path):
        raise dialect.unreadable("cannot be read: it has a % that two hexadecimal digits do not follow", ESCAPES)
    host = authority.rpartition("@")[2]
    if not re.fullmatch(r"(\[[^\[\]]*\]|[^\[\]:,]*)(:\d*)?(,(\[[^\[\]]*\]|[^\[\]:,]*)(:\d*)?)*", host):
        raise dialect.unreadable("cannot be read: its host, or a port behind it, is none", ESCAPES)
    return Url(
        scheme, authority, path, [each for each in _parameters(query[1:], dialect) if each[0] not in dialect.idle]
    )


def _scheme(written: str, dialect: Dialect) -> str:
    base, _, _driver = written.partition("+")
    known = dialect.schemes.get(written) or dialect.schemes.get(base)
    if known is None:
        raise dialect.unreadable(f"begins with {written}://, which is not {dialect.server}")
    return known


def _first(dialect: Dialect) -> str:
    return f"{next(iter(dialect.schemes))}://"


def _parameters(query: str, dialect: Dialect) -> list[tuple[str, str]]:
    found = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if not part:
            continue
        if not equals or not _PARAMETER.fullmatch(name):
            raise dialect.unreadable("cannot be read: what stands behind its ? is not a list of name=value", ESCAPES)
        if name not in dialect.reads and name not in dialect.idle:
            guess = did_you_mean(name, dialect.reads)
            raise dialect.unreadable(
                f"has the parameter {name}, which says nothing to {dialect.server}{guess}",
                "leave that parameter out, or correct its name",
            )
        found.append((name, value))
    return found


def as_typed(secret: Secret, readable: str) -> Secret:
    """For a command line that people paste: its variable, where the command's client reads the value as it is.

    Else ``readable``, a URL that the client does read, without its password.
    """
    return secret if readable == secret.reveal() else Secret(secret.reveal(), without_password(readable))
