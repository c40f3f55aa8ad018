"""``runbook probes``."""

import json

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import ProbeName
from runbook_engine.cli.streams import data, note, say


@click.command(
    "probes", epilog=examples("runbook probes", "runbook probes postgres", "runbook probes postgres.activity")
)
@click.argument("name", type=ProbeName(), required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def command(name: str | None, format_: str) -> None:
    """List what can be measured. With a NAME show that probe: parameters, metrics with their units, its document.

    The beginning of a name lists the probes that begin so.
    """
    from runbook_engine.errors import UnknownProbeError
    from runbook_engine.probe.registry import Registry

    registry = Registry()
    names = registry.names()
    if name is not None and name in names:
        plain = _described(registry, name)
        if format_ == "json":
            data(json.dumps(plain, indent=2) + "\n")
        else:
            say(_page(plain), painted=True)
        return
    shown = [each for each in names if name is None or each.startswith(name)]
    if not shown and name is not None:
        raise UnknownProbeError(name, names)
    if format_ == "json":
        data(json.dumps([{"name": each, "provider": registry.provider(each)} for each in shown], indent=2) + "\n")
        return
    wide = max((len(each) for each in shown), default=0)
    for each in shown:
        say(f"{each:<{wide}}  {registry.provider(each)}")
    note("\nShow one with: runbook probes NAME")


def _described(registry: object, name: str) -> dict[str, object]:
    from runbook_engine.kinds import ErrorKind
    from runbook_engine.probe.registry import Registry

    assert isinstance(registry, Registry)  # noqa: S101 - imported late, for start-up time
    probe = registry.get(name)
    document = probe.document
    schema = probe.params.model_json_schema()
    required = set(schema.get("required", []))
    params = [
        {
            "name": key,
            "required": key in required,
            "default": spec.get("default"),
            "type": _type(spec),
            "doc": spec.get("description", ""),
        }
        for key, spec in schema.get("properties", {}).items()
    ]
    metrics = [
        {"name": key, "type": each.describe(), "unit": each.unit, "optional": each.optional, "doc": each.doc}
        for key, each in probe.metrics.items()
    ]
    return {
        "name": name,
        "provider": registry.provider(name),
        "doc": probe.doc,
        "params": params,
        "metrics": metrics,
        "errors": [{"kind": each.value, "meaning": each.meaning} for each in ErrorKind],
        "extract": probe.extracts,
        "document": None if document is None else {"says": document.says, "example": document.example},
        "needs": sorted(probe.grants),
    }


def _type(spec: dict[str, object]) -> str:
    arms = spec.get("anyOf")
    if isinstance(arms, list):
        return " or ".join(dict.fromkeys(_type(arm) for arm in arms))
    if "enum" in spec:
        return f"one of {', '.join(map(str, spec['enum']))}" if isinstance(spec["enum"], list) else "enum"
    name = str(spec.get("type", "any"))
    bounds = [f"{word} {spec[key]}" for key, word in _BOUNDS.items() if key in spec]
    return f"{name}, {' and '.join(bounds)}" if bounds else name


_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


def _page(plain: dict[str, object]) -> str:
    lines = [click.style(str(plain["name"]), bold=True) + f"  (from {plain['provider']})", "", str(plain["doc"]), ""]
    lines += ["Parameters", *_rows(plain["params"]), "", "Metrics", *_rows(plain["metrics"])]
    kinds = ", ".join(each["kind"] for each in plain["errors"]) if isinstance(plain["errors"], list) else ""
    lines += ["", *_filled(f"Where nothing can be measured, on_error: may branch on {kinds}.")]
    lines += _document(plain["document"])
    if plain["needs"]:
        lines += ["", f"Needs to be allowed: {plain['needs']}"]
    return "\n".join(lines)


def _document(document: object) -> list[str]:
    """What metrics can be taken out of, with an example of it."""
    if not isinstance(document, dict):
        return []
    from runbook_engine.probe.shape import written

    lines = ["", "Document, out of which extract: takes metrics", *(f"  {line}" for line in _filled(document["says"]))]
    if document["example"] is not None:
        lines += ["", *(f"  {line}" for line in written(document["example"], 98).splitlines())]
    return lines


def _filled(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 100)


def _rows(entries: object) -> list[str]:
    assert isinstance(entries, list)  # noqa: S101 - narrows the type
    if not entries:
        return ["  none"]
    names = [f"{each['name']}" + ("" if each.get("required", True) else "?") for each in entries]
    wide, kinds = max(map(len, names)), max(len(str(each["type"])) for each in entries)
    return [
        f"  {name:<{wide}}  {each['type']!s:<{kinds}}  {each['doc']}{_note(each)}".rstrip()
        for name, each in zip(names, entries, strict=True)
    ]


def _note(entry: dict[str, object]) -> str:
    if entry.get("optional"):
        return " (may be missing)"
    default = entry.get("default")
    return f" [default {default}]" if default not in (None, "", [], {}) else ""
