"""``runbook policy``."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from runbook_engine.cli.examples import examples
from runbook_engine.cli.streams import data, out

if TYPE_CHECKING:
    from runbook_engine.document.incident_policy import IncidentPolicy
    from runbook_engine.document.policy import Policy


class Table(Struct, frozen=True):
    """Rows of cells below their headings."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


TABLES: Mapping[str, str] = MappingProxyType(
    {
        "classification": "The priorities: impact, response time, escalation, examples",
        "roles": "Who is there for what, and how they are reached",
        "escalation": "Who is called after what time",
        "channels": "Where people are told: internal, external, regulatory",
        "metrics": "The key metrics with their thresholds",
        "alerts": "The services that carry alerts",
        "post-incident": "What is done afterwards",
    }
)


@click.command(
    "policy",
    epilog=examples("runbook policy", "runbook policy escalation", "runbook policy classification --format markdown"),
)
@click.argument("table", type=click.Choice(list(TABLES)), required=False)
@click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A policy of yours  [default: policy/incidents.yaml of the library]",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For people, for a wiki, or for programs.",
)
def command(table: str | None, file: Path | None, format_: str) -> None:
    """Show the policy of incidents as tables: who is called when, who is told, what is done afterwards.

    Without a TABLE, list the tables.
    """
    if table is None:
        wide = max(map(len, TABLES))
        out("".join(f"{name:<{wide}}  {told}\n" for name, told in TABLES.items()))
        return
    made = _metrics(_metric_policy(file)) if table == "metrics" else _MAKERS[table](_incident_policy(file))
    data(_FORMATS[format_](made))


def _incident_policy(file: Path | None) -> "IncidentPolicy":
    from runbook_engine.incidents.policy import load_policy

    return load_policy(file)


def _metric_policy(file: Path | None) -> "Policy":
    from runbook_engine.document.policy_load import load_policy_file
    from runbook_engine.errors import InvalidDocumentError
    from runbook_engine.library import Library

    loaded = load_policy_file(file or Library.default().policy_file("metrics"))
    if loaded.policy is None:
        raise InvalidDocumentError(loaded.diagnostics, {loaded.source.file: loaded.source.text})
    return loaded.policy


def _classification(policy: "IncidentPolicy") -> Sequence[Table]:
    rows = [
        (
            f"{name} - {each.title}",
            each.impact,
            words(each.response),
            _escalates(each.escalation),
            ", ".join(each.examples),
        )
        for name, each in policy.priorities.items()
    ]
    return [
        Table(
            "Incident Classification Matrix",
            _headings("Priority", "Impact", "Response Time", "Escalation", "Examples"),
            rows,
        )
    ]


def _headings(*names: str) -> Sequence[str]:
    return names


def _escalates(value: float | str) -> str:
    text = value if isinstance(value, str) else words(value) if value else "immediate"
    return text[:1].upper() + text[1:]


def _roles(policy: "IncidentPolicy") -> Sequence[Table]:
    rows = [(each.title, each.responsibilities, each.contact) for each in policy.roles.values()]
    return [Table("Response Team Roles", _headings("Role", "Responsibilities", "Contact"), rows)]


def _escalation(policy: "IncidentPolicy") -> Sequence[Table]:
    names = [f"{name} {each.title}" for name, each in policy.priorities.items()]
    rows = [
        [
            words(row.after),
            *(" + ".join(policy.roles[role].title for role in row.roles(each)) for each in policy.priorities),
        ]
        for row in policy.escalation
    ]
    return [Table("Escalation Matrix", _headings("Time Elapsed", *names), rows)]


def _channels(policy: "IncidentPolicy") -> Sequence[Table]:
    groups = {
        "Internal Communication": policy.communication.internal,
        "External Communication": policy.communication.external,
        "Regulatory Communication": policy.communication.regulatory,
    }
    return [
        Table(
            title,
            _headings("Channel", "Address", "Note"),
            [
                (each.title, each.address or (f"${each.url_env}" if each.url_env else ""), each.note)
                for each in channels
            ],
        )
        for title, channels in groups.items()
    ]


def _metrics(policy: "Policy") -> Sequence[Table]:
    from runbook_engine.quantity import parse, show

    def value(limit: str | int | float) -> str:
        name = str(limit).removeprefix("inputs.")
        default = policy.inputs[name].default if str(limit).startswith("inputs.") else limit
        return show(*parse(str(default)))

    rows = [
        (
            each.title,
            f"{'>' if one.side == 'above' else '<'} {value(one.limit)}",
            str(one.level).capitalize(),
            one.action,
        )
        for each in policy.metrics.values()
        for one in each.thresholds
    ]
    faults = [
        (each.title, re.sub(r"\{\{.*?\}\}", "…", one.says), str(one.level).capitalize(), one.action)
        for each in policy.metrics.values()
        for one in each.faults
    ]
    tables = [Table("Key Metrics to Monitor", _headings("Metric", "Threshold", "Alert Level", "Action"), rows)]
    if faults:
        tables.append(Table("Wrong at Any Value", _headings("Metric", "Fault", "Alert Level", "Action"), faults))
    return tables


def _alerts(policy: "IncidentPolicy") -> Sequence[Table]:
    rows = [(each.title, each.purpose, f"${each.url_env}" if each.url_env else "") for each in policy.alerts.values()]
    return [Table("Alert Channels", _headings("Channel", "Purpose", "Address"), rows)]


def _post_incident(policy: "IncidentPolicy") -> Sequence[Table]:
    after = policy.post_incident
    process = [(each.title, each.note, item) for each in after.process for item in each.items]
    horizons = [after.horizons.immediate, after.horizons.short_term, after.horizons.long_term]
    return [
        Table("Post-Mortem Process", _headings("Step", "When", "Item"), process),
        Table(
            "Action Item Tracking",
            _headings("Horizon", "Period", "Purpose"),
            [(each.title, each.period, each.purpose) for each in horizons],
        ),
        Table("Documentation Updates", _headings("Update"), [(each,) for each in after.documentation]),
    ]


_MAKERS: Mapping[str, Callable[["IncidentPolicy"], Sequence[Table]]] = MappingProxyType(
    {
        "classification": _classification,
        "roles": _roles,
        "escalation": _escalation,
        "channels": _channels,
        "alerts": _alerts,
        "post-incident": _post_incident,
    }
)


def words(seconds: float) -> str:
    """``15 minutes``, ``1 hour``, ``24 hours``, ``3 days``: as people say it."""
    for unit, length, least in (("day", 86400.0, 172800.0), ("hour", 3600.0, 3600.0), ("minute", 60.0, 0.0)):
        if seconds >= least and seconds % length == 0:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"


def _text(tables: Sequence[Table]) -> str:
    return "\n".join(_aligned(each) for each in tables)


def _aligned(table: Table) -> str:
    rows = [table.headings, *table.rows]
    wide = [max(len(row[column]) for row in rows) for column in range(len(table.headings))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows]
    rule = "  ".join("─" * width for width in wide)
    return "\n".join([table.title, "", lines[0], rule, *lines[1:]]) + "\n"


def _markdown(tables: Sequence[Table]) -> str:
    return "\n".join(_table(each) for each in tables)


def _table(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"

    return (
        "\n".join(
            [f"## {table.title}", "", line(table.headings), line(["---"] * len(table.headings)), *map(line, table.rows)]
        )
        + "\n"
    )


def _json(tables: Sequence[Table]) -> str:
    plain = [
        {"title": each.title, "rows": [dict(zip(each.headings, row, strict=True)) for row in each.rows]}
        for each in tables
    ]
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"


_FORMATS: Mapping[str, Callable[[Sequence[Table]], str]] = MappingProxyType(
    {"text": _text, "markdown": _markdown, "json": _json}
)
