"""Procedures hold passwords and tokens that somebody pasted. A runbook that is made of one holds none of them."""

import re
from collections.abc import Mapping
from functools import cache

from runbook_engine.document.nodes import Raw
from runbook_engine.masking import Mask

_NAMED_SECRETLY = r"[\w-]*(?:password|passwd|pass|token|secret|api[_-]?key|auth)"
_CALLS = (
    r"://[^/\s:@]*:(?=[^@\s/]+@)",  # a URL with a password
    rf"--?{_NAMED_SECRETLY}\s+",  # an option
    r"\bAuthorization[\"']?\s*:\s*[\"']?(?:\w+\s+)?",
    r"\bredis-cli\b(?:\s+-[^a\s]\S*\s+[^-\s]\S*)*\s+-a\s+",
    r"\b(?:mysql\w*|mariadb\w*|sshpass)\b[^|;&]*?\s-p\s?(?=\S)",
    r"\s(?:-u|--user|--proxy-user)[ =]?[^\s:/]+:(?!/)",
)
_ASSIGNED = rf"\b{_NAMED_SECRETLY}[\"']?\s*[=:]\s*[\"']?(?:(?:Bearer|Basic|Token)\s+)?"  # also a field of JSON
_SET = rf"\b{_NAMED_SECRETLY}=[\"']?"


def _before_secrets(*forms: str) -> re.Pattern[str]:
    return re.compile(rf"(?i)(?P<kept>{'|'.join(forms)})(?!\$)[^\s'\"@]+")


_SECRETS = _before_secrets(*_CALLS, _ASSIGNED)
_SECRETS_IN_PROSE = _before_secrets(*_CALLS, _SET)
"""Without what may be a sentence: the password: it was rotated."""
_ASKED_FOR = frozenset({"url", "dsn"})
"""Parameters that become inputs, secret ones where there is a secret in them."""
_NO_TEXTS = frozenset(
    {
        "runbook", "version", "severity", "start", "goto", "else", "finding", "resolution", "kind", "level", "type", "probe",
        "call", "when", "env", "with", "path", "match", "unit", "on", "values",
    }
)  # fmt: skip


def masked(text: str, *, prose: bool = False) -> str:
    """A text of code without the passwords and tokens in it, or a sentence without those of commands and URLs in it."""
    commands = _SECRETS_IN_PROSE if prose else _SECRETS
    return commands.sub(lambda found: f"{found['kept']}***", _mask().text(text))


@cache
def _mask() -> Mask:
    return Mask()


def is_open(given: Mapping[str, object]) -> bool:
    """Whether the parameters of a measurement hold no secret, but for those that are asked for anyhow."""
    return all(key in _ASKED_FOR or _holds_none(value) for key, value in given.items())


def _holds_none(value: object) -> bool:
    match value:
        case str():
            return masked(value) == value
        case Mapping():
            return all(_holds_none(each) for each in value.values())
        case list() | tuple():
            return all(map(_holds_none, value))
    return True


def without_secrets(document: Mapping[str, Raw]) -> dict[str, Raw]:
    """A runbook's document with every text that is for people masked; names, conditions and parameters stay."""
    return {name: each if name in _NO_TEXTS else _told(each) for name, each in document.items()}


def _told(value: Raw) -> Raw:
    match value:
        case dict():
            return without_secrets(value)
        case list() | tuple():
            return [_told(each) for each in value]
        case str():
            return masked(value, prose=True)
    return value
