"""Commands of a shell, recognised as the probes that measure the same. Everything in the command must be understood."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from runbook_engine.authoring import aws_commands, database_commands, network_commands
from runbook_engine.authoring.measurement import Measurement
from runbook_engine.authoring.options import Options, UnlikeError, given, text
from runbook_engine.authoring.shell import Call, Statement, Word

_PAGERS = frozenset({"cat", "less", "more", "head", "column"})
_FILTERS = frozenset(
    {"grep", "egrep", "fgrep", "jq", "yq", "sort", "awk", "sed", "cut", "tr", "tail", "uniq", "xmllint"}
)
_NO_MATTER = frozenset({"LC_ALL", "LANG", "TZ", "PAGER", "AWS_PAGER"})


class _Reader(Struct, frozen=True):
    """``filtered``: a filter only looks at what the probe measures, too; else it looks for something in the text."""

    read: Callable[[Sequence[Word]], Measurement]
    filtered: bool = False
    environment: frozenset[str] = frozenset()
    """Variables that may be set for it: the runbook has its own way to log in."""
    fed: bool = False
    """Whether what is put in only ends it."""


def recognise(statement: Statement) -> Measurement | None:
    """The probe that measures what this command shows, or None. Only reading is recognised."""
    if statement.kind != "pipeline" or not statement.calls:
        return None
    calls = list(map(_bare, statement.calls))
    if len(calls) > 1 and calls[0].name in ("echo", "true", "printf") and calls[1].name == "openssl":
        calls = calls[1:]
    first, *viewers = calls
    reader = _READERS.get(first.name)
    if reader is None or any(each not in _NO_MATTER | reader.environment for each in first.assigned):
        return None
    if first.redirects and not (reader.fed and all(each.startswith("<<<") for each in first.redirects)):
        return None
    if not all(_only_looks(each, reader) for each in viewers):
        return None
    try:
        return reader.read(first.words[1:])
    except UnlikeError:
        return None


def _bare(call: Call) -> Call:
    """Without what only says how to start it: ``sudo``, ``time``, ``watch -n 5``."""
    words = list(call.words)
    while words and words[0].value in ("sudo", "time", "watch", "command", "nohup"):
        starter = words.pop(0).value
        if starter == "watch" and len(words) > 2 and words[0].value in ("-n", "--interval"):
            del words[:2]
        elif starter == "watch" and words and (words[0].value or "").startswith("-n"):
            del words[0]
    return Call(tuple(words), call.assigned, call.redirects)


def _only_looks(call: Call, reader: _Reader) -> bool:
    """Whether a command behind a pipe takes nothing away and writes nowhere."""
    if call.redirects:
        return False
    values = [each.value for each in call.words]
    if call.name == "jq" and values[1:] in ([], ["."]):
        return True
    if values[:2] == ["openssl", "x509"] or (call.name.startswith("python") and values[1:] == ["-m", "json.tool"]):
        return True
    return call.name in _PAGERS or (reader.filtered and call.name in _FILTERS)


def _df(words: Sequence[Word]) -> Measurement:
    """One file system. Without a path it would be all of them."""
    operands = Options(words, "hHkmiTP", ["human-readable", "si", "inodes", "print-type", "portability"]).operands
    if len(operands) != 1 or not text(operands[0]).startswith("/"):
        raise UnlikeError("df")
    return Measurement("host.disk", given(path=text(operands[0])), remark=_THIS_MACHINE)


def _free(words: Sequence[Word]) -> Measurement:
    if Options(words, "bkmghtwls:c:", ["human", "mega", "giga", "total", "wide", "si"]).operands:
        raise UnlikeError("free")
    return Measurement("host.memory", {}, remark=_THIS_MACHINE)


_THIS_MACHINE = "Of the machine on which the runbook is run"
_POSTGRES = frozenset({"PGPASSWORD", "PGSSLMODE", "PGCONNECT_TIMEOUT", "PGAPPNAME"})
_READERS: Mapping[str, _Reader] = MappingProxyType(
    {
        "psql": _Reader(database_commands.psql, environment=_POSTGRES),
        "pg_isready": _Reader(database_commands.pg_isready, environment=_POSTGRES),
        "redis-cli": _Reader(database_commands.redis_cli, filtered=True, environment=frozenset({"REDISCLI_AUTH"})),
        "curl": _Reader(network_commands.curl),
        "wget": _Reader(network_commands.wget),
        "openssl": _Reader(network_commands.openssl, filtered=True, fed=True),
        "dig": _Reader(network_commands.dig, filtered=True),
        "host": _Reader(network_commands.host, filtered=True),
        "nslookup": _Reader(network_commands.nslookup, filtered=True),
        "nc": _Reader(network_commands.nc),
        "ncat": _Reader(network_commands.nc),
        "telnet": _Reader(network_commands.telnet),
        "df": _Reader(_df),
        "free": _Reader(_free, filtered=True),
        "aws": _Reader(aws_commands.aws, filtered=True),
    }
)
