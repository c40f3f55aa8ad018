"""Names under which secrets are kept: of environment variables, query parameters, keys of JSON, headers and labels.

A name is read by its words: ``DB_PASSWORD``, ``dbPassword`` and ``db-password`` are one. The words are those that AWS, Azure,
GitHub and the clients of databases use for what they keep secret; https://docs.sentry.io/security-legal-pii/scrubbing/ and
the generic rule of https://github.com/gitleaks/gitleaks list the most frequent.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

_SHORTEST = 4
"""Values of variables that are shorter are no secrets: hiding every "a" would hide the diagnosis."""


class Sense(IntEnum):
    """What a name says of its value. What is ``PERHAPS`` a secret is one where it looks like nothing that people write."""

    NO = 0
    PERHAPS = 1
    YES = 2


_YES = frozenset(
    {
        "authorization", "bearer", "cookie", "cookies", "credential", "credentials", "creds", "cred", "dsn", "jwt",
        "mnemonic", "otp", "totp", "passcode", "passphrase", "passwd", "password", "passwords", "pwd", "sas", "secret",
        "secrets", "sig", "signature", "token", "webhook",
    }
)  # fmt: skip
_ENDINGS = (
    "password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey",
    "accountkey", "connectionstring", "credential", "credentials", "sessid", "sessionid", "webhook",
)  # fmt: skip
"""Of words that are written as one: ``PGPASSWORD``, ``authtoken``, ``JSESSIONID``."""
_PERHAPS = frozenset(
    {"auth", "code", "hmac", "nonce", "pass", "pat", "pin", "salt", "seed", "session", "sid", "tokens"}
)
_PAIRS = {
    **dict.fromkeys(
        [
            ("access", "key"), ("account", "key"), ("api", "key"), ("api", "keys"), ("app", "key"), ("auth", "key"),
            ("client", "key"), ("conn", "str"), ("connection", "string"), ("deploy", "key"), ("encryption", "key"),
            ("integration", "key"), ("license", "key"), ("master", "key"), ("private", "key"), ("secret", "key"),
            ("service", "key"), ("shared", "key"), ("signing", "key"), ("ssh", "key"), ("storage", "key"),
            ("subscription", "key"), ("webhook", "url"), ("x", "api"), ("secret", "string"), ("secret", "binary"),
        ],
        Sense.YES,
    ),
    **dict.fromkeys([("routing", "key"), ("session", "id"), ("session", "key"), ("secret", "id")], Sense.PERHAPS),
}  # fmt: skip
_ABOUT = frozenset(
    {
        "age", "alg", "algorithm", "arn", "at", "audience", "bucket", "changed", "class", "count", "created", "date",
        "days", "dir", "disabled", "enabled", "endpoint", "error", "expired", "expires", "expiration", "expiry", "field",
        "file", "folder", "format", "header", "hint", "host", "id", "ids", "issuer", "kind", "last", "len", "length",
        "limit", "manager", "max", "message", "method", "min", "mode", "ms", "name", "names", "path", "policy", "port",
        "prefix", "present", "provider", "reason", "ref", "region", "required", "rotated", "rotation", "s", "scope",
        "scopes", "seconds", "service", "size", "sock", "socket", "state", "status", "store", "suffix", "time", "timeout",
        "ttl", "type", "updated", "uri", "url", "usage", "used", "user", "username", "valid", "vault", "version",
    }
)  # fmt: skip
"""Last words of names that say something about a secret and hold none: ``token_expires``, ``PASSWORD_FILE``."""
_OPEN_KEYS = frozenset(
    {
        "cache", "config", "foreign", "group", "hash", "idempotency", "index", "lookup", "map", "object", "partition",
        "primary", "public", "range", "row", "sort", "tag",
    }
)  # fmt: skip
_OPEN_TOKENS = frozenset(
    {
        "backward", "caller", "client", "continuation", "creation", "forward", "idempotency", "next", "page", "pagination",
        "request", "sequence", "unexpected",
    }
)  # fmt: skip
"""Tokens that say where a list goes on, or which request is a repetition."""
_HARMLESS = frozenset(
    {
        "", "...", "active", "allow", "any", "default", "degraded", "denied", "deny", "disabled", "down", "enabled", "error",
        "expired", "fail", "failed", "failing", "failure", "false", "found", "green", "healthy", "invalid", "missing", "n/a",
        "never", "no", "none", "not_found", "null", "off", "ok", "on", "optional", "pass", "passed", "passing", "password",
        "present", "red", "required", "secret", "set", "skip", "skipped", "success", "token", "true", "unhealthy", "unknown",
        "unset", "up", "valid", "value", "warn", "warning", "yes", "…",
    }
)  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_RANDOM = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w+~=-]{16,}\Z", re.ASCII)
_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]{1,40}://[^/?#\s:@]*:[^/?#\s@]+@[^/\s]", re.IGNORECASE)
_STANDS_FOR = ("$", "{{", "***", "<", "%(", "%s", "@{", "env:", "vault:", "arn:")
_IN_FILE = frozenset({"file", "path", "dir", "folder", "sock", "socket"})
_FOLDERS = frozenset({"PWD", "OLDPWD"})


@lru_cache(maxsize=4096)
def names_secret(name: str, *, query: bool = False) -> Sense:
    """What the name says of its value. ``query``: it is one of a URL's, where a bare ``key`` is an API key."""
    words = tuple(word.lower() for word in _WORDS.findall(name[-200:]))
    if not words:
        return Sense.NO
    pair = max((_PAIRS.get(each, Sense.NO) for each in pairwise(words)), default=Sense.NO)
    if words[-1] in _ABOUT and words[-2:] not in _PAIRS:
        return Sense.NO
    if pair:
        return pair
    if words[-1] in ("token", "tokens") and words[-2:-1] and words[-2] in _OPEN_TOKENS:
        return Sense.NO
    if any(word in _YES or word.endswith(_ENDINGS) for word in words):
        return Sense.YES
    if words[-1] == "key" and (len(words) > 1 or query) and words[-2:-1] != ("public",):
        return Sense.PERHAPS
    return Sense.PERHAPS if any(word in _PERHAPS for word in words) else Sense.NO


def holds_secret(name: str, value: str, *, query: bool = False) -> bool:
    """Whether a text that stands under this name is a secret: ``password: hunter2``, not ``token: expired``."""
    sense = names_secret(name, query=query)
    return bool(sense) and _is_secret(value.strip(" \t\"'"), sense)


def _is_secret(value: str, sense: Sense) -> bool:
    if value.lower() in _HARMLESS or value.startswith(_STANDS_FOR):
        return False
    if _WITH_PASSWORD.match(value):
        return False  # its password alone is hidden: of a connection string the host tells something
    return sense is Sense.YES or _RANDOM.match(value) is not None


def hidden_members(members: Mapping[Any, Any]) -> frozenset[Any]:
    """The keys of an object under which a secret stands; also of a pair such as ``{"name": "TOKEN", "value": "…"}``."""
    found = {key for key, each in members.items() if isinstance(each, str) and holds_secret(str(key), each)}
    if 1 < len(members) <= _MOST_OF_PAIR:
        folded = {str(key).lower(): key for key in members}
        value = next((folded[each] for each in _VALUES if each in folded), None)
        name = next((members[folded[each]] for each in _LABELS if each in folded), None)
        if isinstance(name, str) and value is not None and isinstance(members[value], str):
            found |= {value} if holds_secret(name, members[value]) else set()
    return frozenset(found)


_LABELS = ("name", "key", "parametername", "variable", "header")
_VALUES = ("value", "parametervalue", "val")
_MOST_OF_PAIR = 8


def variable_holds_secret(name: str, value: str) -> bool:
    """Whether a variable of the environment holds a secret. A variable is more often one than a key of JSON is."""
    if len(value) < _SHORTEST or value.lower() in _HARMLESS or name in _FOLDERS:
        return False
    if value.isdecimal() and len(value) < _SHORTEST + 2:
        return False  # a port, a time-out, a number of tokens
    words = tuple(word.lower() for word in _WORDS.findall(name[-200:]))
    if not words or words[-1] in _IN_FILE or (value.startswith(("/", "file:", "unix:", "~/")) and _is_path(value)):
        return False
    sense = names_secret(name)
    if words[-1] in ("key", "keys"):
        return not (set(words) & _OPEN_KEYS)
    if sense is Sense.PERHAPS:
        return words[-1] not in _ABOUT
    return sense is Sense.YES


def _is_path(value: str) -> bool:
    """A key of AWS may begin with "/" as well: a path is one that leads somewhere, or that has a scheme."""
    if not value.startswith("/"):
        return True
    folder = Path(value).parent
    try:
        return folder.is_dir() and folder != Path("/")
    except (OSError, ValueError):
        return False
