"""psql, pg_isready and redis-cli, as the probes that measure the same."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from runbook_engine.authoring.measurement import Measurement, System
from runbook_engine.authoring.options import Options, UnlikeError, text
from runbook_engine.authoring.shell import Word

_PSQL = (
    "h:p:U:d:c:tAqXxwWP:F:R:",
    ["host=", "port=", "username=", "dbname=", "command=", "tuples-only", "no-align", "quiet", "no-psqlrc", "expanded",
     "no-password", "password", "pset=", "csv"],
)  # fmt: skip
_FUNCTIONS = frozenset(
    {"count", "now", "age", "max", "min", "sum", "avg", "round", "extract", "epoch", "coalesce", "left", "substr",
     "substring", "date_trunc", "interval", "clock_timestamp", "filter", "nullif", "pg_backend_pid", "over", "trunc", "in",
     "cast", "current_database", "numeric"}
)  # fmt: skip
"""Functions, and words before a parenthesis, that only say how a value is shown."""
_ACTIVITY = frozenset(
    {"state", "query_start", "xact_start", "state_change", "wait_event", "wait_event_type", "backend_type", "pid",
     "backend_start", "datname", "current_database", "pg_backend_pid", "now", "clock_timestamp", "interval", "count"}
)  # fmt: skip
"""What activity is told apart by: never who it is that is active."""
_SELECT = re.compile(
    r"select (?P<what>.+?) from (?:pg_catalog\.)?(?P<table>pg_stat_activity|pg_stat_statements)(?: (?:as )?[a-z])?"
    r"(?: where (?P<where>.+?))?(?: group by (?P<group>.+?))?(?: order by (?P<order>.+?))?(?: limit \d+)?\Z"
)


def psql(words: Sequence[Word]) -> Measurement:
    options = Options(words, *_PSQL)
    system = _postgres(options)
    sql = " ".join(text(options.one("-c", "--command")).split()).rstrip("; ").lower()
    if sql == "select 1":
        return Measurement("postgres.ping", {"dsn": system})
    if sql == "show max_connections":
        return Measurement("postgres.activity", {"dsn": system})
    bare = re.sub(r"'[^']*'", "''", sql)
    found = _SELECT.fullmatch(bare)
    called = re.findall(r"([a-z_][\w.]*) ?\(", bare)
    if (
        found is None
        or ";" in bare
        or "--" in bare
        or not set(called) <= _FUNCTIONS
        or re.search(r"\b(into|join|from .*from)\b", bare)
    ):
        raise UnlikeError(sql)
    if found["table"] == "pg_stat_statements":
        if re.fullmatch(r"(?:[a-z]\.)?(?:mean|total)_(?:exec_)?time desc", found["order"] or ""):
            return Measurement("postgres.slow_queries", {"dsn": system})
        raise UnlikeError(sql)
    if _names(found["where"]) | _names(found["group"]) <= _ACTIVITY:
        return Measurement("postgres.activity", {"dsn": system})
    raise UnlikeError(sql)


def _names(part: str | None) -> frozenset[str]:
    """The names of columns and functions in a part of a statement."""
    words = re.findall(r"[a-z_]\w*", re.sub(r"\b[a-z]\.", "", part or ""))
    return frozenset(words) - {"and", "or", "not", "is", "null", "in", "like", "true", "false", "between"}


def pg_isready(words: Sequence[Word]) -> Measurement:
    options = Options(words, "h:p:U:d:t:q", ["host=", "port=", "username=", "dbname=", "timeout=", "quiet"])
    if options.operands:
        raise UnlikeError("pg_isready")
    return Measurement("postgres.ready", {"dsn": _postgres(options)})


def _postgres(options: Options) -> System:
    named = {
        "host": options.one("-h", "--host"),
        "port": options.one("-p", "--port"),
        "database": options.one("-d", "--dbname"),
        "user": options.one("-U", "--username"),
    }
    operands = list(options.operands)
    if len(operands) > 2 or (operands and named["database"] is not None):
        raise UnlikeError("psql")
    named |= dict(zip(("database", "user"), operands, strict=False))
    whole = named["database"]
    if whole is not None and whole.variable is not None and re.search(r"(?i)ur[il]|dsn", whole.variable):
        return System({}, whole.variable)
    if whole is not None and "://" in (whole.value or ""):
        return _of_url(whole)
    return System(_parts(named))


def _of_url(word: Word) -> System:
    try:
        url = urlsplit(text(word))
        parts = {"host": url.hostname, "port": str(url.port) if url.port else None, "database": url.path.strip("/")}
    except ValueError:
        raise UnlikeError("url") from None
    return System({key: each for key, each in parts.items() if each})


def _parts(named: dict[str, Word | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, word in named.items():
        if word is not None:
            if word.value is None and word.variable is None:
                raise UnlikeError(key)
            found[key] = word.value if word.value is not None else f"${word.variable}"
    return found


_REDIS_LONG = ["tls", "raw", "no-raw", "no-auth-warning", "user=", "pass=", "json"]
_INFO = frozenset({"all", "default", "everything", "memory", "stats", "clients", "server"})
"""Sections of INFO whose numbers redis.info reads."""


def redis_cli(words: Sequence[Word]) -> Measurement:
    options = Options(words, "h:p:a:n:u:c", _REDIS_LONG)
    url = options.one("-u")
    if url is None:
        named = {"host": options.one("-h"), "port": options.one("-p"), "database": options.one("-n")}
        system = System(_parts(named))
    else:
        system = System({}, url.variable) if url.variable is not None else _of_url(url)
    asked = [text(each).lower() for each in options.operands]
    if asked == ["ping"]:
        return Measurement("redis.ping", {"url": system})
    if asked[:1] == ["info"] and set(asked[1:]) <= _INFO:
        return Measurement("redis.info", {"url": system})
    raise UnlikeError("redis-cli")
