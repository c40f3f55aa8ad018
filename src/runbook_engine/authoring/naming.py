"""Which parameters say whose system is measured, and the inputs that ask for it.

A procedure may be somebody else's. The system that it names is therefore no default of what is made of it: a run would
measure a stranger, and report it as the team's own.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from runbook_engine.authoring.options import here
from runbook_engine.authoring.secrecy import masked
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.templates import literal

_NAMING = frozenset(
    {"url", "host", "server_name", "cluster", "log_group", "db_instance_id", "target_group_arn", "certificate_arn",
     "domain", "resource_id"}
)  # fmt: skip
_NAMING_THERE = frozenset({("dns.resolve", "name"), ("aws.ecs_service", "service")})
_REMARK = re.compile(r"(, for example |;).*", re.DOTALL)


def names_a_system(probe: AnyProbe, key: str, value: object) -> bool:
    """Whether a parameter with this value says whose system is measured; the machine itself is nobody else's."""
    if not isinstance(value, str) or not (key in _NAMING or (probe.name, key) in _NAMING_THERE):
        return False
    try:
        host = urlsplit(value).hostname if "://" in value else value
    except ValueError:
        host = value
    return not here(host or value)


def without_system(definition: Mapping[str, Any], named: str) -> dict[str, Any]:
    """The definition of an input that has to be given, and says in its help which system the procedure names."""
    kept = {key: each for key, each in definition.items() if key not in ("default", "optional", "help")}
    if "://" in named:
        kept["type"] = "url"
    if masked(named) != named:
        kept["type"] = "secret"  # a secret of the procedure is never copied: whoever runs it has one
        named = masked(named)
    told = _REMARK.sub("", str(definition.get("help", ""))).rstrip(".")
    return {**kept, "help": literal(f"{told}; the procedure names {named}" if told else f"The procedure names {named}")}
