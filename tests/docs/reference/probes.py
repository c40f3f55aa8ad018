"""The reference of the probes that come with the engine, from what they declare and from a step that uses each."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby, takewhile
from typing import Any

import click
from pydantic import ValidationError, create_model
from tests.docs.reference.formats import EXAMPLES, Shown
from tests.docs.reference.markdown import code, fence, page, prose, sentence, table

from runbook_engine.api import load
from runbook_engine.cli.show_command import page as show_page
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe.registry import AnyProbe, Registry
from runbook_engine.probe.shape import written
from runbook_engine.quantity import Dimension, MetricType

PROVIDER = "runbook-engine"
STEPS = EXAMPLES / "probes.yaml"
"""A runbook with a step for each probe, which is named after it."""

FAMILIES: Mapping[str, str] = {
    "aws": "AWS",
    "dns": "DNS",
    "host": "This machine",
    "http": "HTTP",
    "postgres": "PostgreSQL",
    "prometheus": "Prometheus",
    "redis": "Redis",
    "shell": "Shell",
    "tcp": "TCP",
    "tls": "TLS",
}


def pages() -> Iterator[tuple[str, str]]:
    registry = Registry()
    found = own(registry)
    yield "probes/index.md", _index(found)
    for family, members in groupby(found, key=_family):
        yield f"probes/{family}.md", _page(family, list(members))


def own(registry: Registry) -> Sequence[AnyProbe]:
    """Those that come with the engine; whatever else is installed beside it is no part of its reference."""
    return [registry.get(name) for name in registry.names() if registry.provider(name) == PROVIDER]


def _family(each: AnyProbe) -> str:
    return each.name.partition(".")[0]


def _index(probes: Sequence[AnyProbe]) -> str:
    rows = [
        (f"[`{each.name}`]({_family(each)}.md#{anchor(each)})", prose(_summary(each)), _reads(each, short=True))
        for each in probes
    ]
    kinds = [(code(each.value), each.meaning) for each in ErrorKind]
    return page(
        "Probes",
        "A probe measures one thing. A step names it in `probe:` and gives it parameters in `with:`; what it measures are the "
        "metrics that conditions and texts use. `runbook probes NAME` prints what stands here, for probes of other packages, "
        "too. [How to write one](../../how-to/own-probe.md)",
        table(["probe", "what it does", "only reads"], rows),
        "*Only reads* is what a probe declares: that it changes nothing, whatever its parameters. With it `runbook check` "
        "proves that a whole runbook only reads.",
        "## Why nothing could be measured",
        "A probe that fails is not a reading. `on_error` leads on by the kind of the error:",
        table(["kind", "meaning"], kinds),
        "## Metrics of one's own",
        "Probes with a document let a step take metrics out of it with `extract:`. A `path` in "
        "[JMESPath](https://jmespath.org), the query language of the AWS CLI, leads to a value; a `match`, a pattern with one "
        "group, takes a value out of a text. [The keys of an extract](../formats/runbook.md#extract)",
        fence(
            "text",
            'extract:\n  waiting: {path: queue.waiting, type: count}\n  lag: {match: "lag: (\\\\d+)", type: duration, unit: s}',
        ),
        "What the document of a probe is stands with the probe, and `check` holds paths against it. `runbook measure PROBE` shows a "
        "real one. Where there is nothing at a path, or something of another type, the metric is missing, and the reason says "
        "what is there instead. Nothing is taken out of a document that was cut: its metrics are missing, with the parameter "
        "that widens it.",
        "Patterns are those of `matches` in [conditions](../conditions.md): they cannot hang, whatever the text is. `^` and `$` "
        "are the beginning and the end of the whole text, and `.` is any character but a line break.",
    )


def _page(family: str, probes: Sequence[AnyProbe]) -> str:
    parts = [part for each in probes for part in _probe(each)]
    return page(FAMILIES.get(family, family), *parts)


def _probe(each: AnyProbe) -> Iterator[str]:
    yield f"## {each.name} {{ #{anchor(each)} }}"
    yield prose(each.doc)
    facts = [_reads(each)]
    if each.grants:
        facts.append(
            f"Refused unless the run allows it: {', '.join(code(f'--allow {grant}') for grant in sorted(each.grants))}."
        )
    if each.extracts:
        facts.append("A step may take metrics of its own out of its document with `extract:`.")
    yield " ".join(facts)
    yield from _parameters(each)
    yield "**Metrics**"
    rows = [
        (
            code(name),
            _value(metric) + ("\nmay be missing" if metric.optional else ""),
            sentence(prose(metric.doc)),
        )
        for name, metric in each.metrics.items()
    ]
    yield table(["metric", "value", "what it is"], rows) if rows else "Those that `extract:` takes out of its document."
    if each.document is not None:
        yield "**Document**, out of which `extract:` takes metrics"
        yield f"{sentence(prose(each.document.says))} For example:"
        yield fence("json", written(each.document.example))
    step, command = example(each.name)
    yield "**Example**, and the command that reports show beside it"
    yield fence("yaml", step)
    yield fence("console", "\n".join(f"{'$' if number == 0 else ' '} {line}" for number, line in enumerate(command)))


def _value(metric: MetricType) -> str:
    if metric.members:
        return f"one of {', '.join(map(code, metric.members))}"
    return metric.describe().replace("bool", "`true` or `false`")


def _parameters(each: AnyProbe) -> Iterator[str]:
    yield "**Parameters**"
    schema = each.params.model_json_schema(by_alias=True)
    if not schema.get("properties"):
        yield "None."
        return
    properties = {key: _measured(each, key, spec) for key, spec in schema["properties"].items()}
    yield Shown(schema.get("$defs", {}), {}).keys("", {**schema, "properties": properties}, "parameter")


_QUANTITIES = (("1min", Dimension.DURATION, 60.0), ("50%", Dimension.PERCENT, 50.0), ("1KiB", Dimension.BYTES, 1024.0))


def _measured(each: AnyProbe, name: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with its dimension, where the parameter is a quantity: JSON Schema has no word for it."""
    kinds = {arm.get("type") for arm in spec.get("anyOf", (spec,))}
    if "number" not in kinds:
        return spec
    field = each.params.model_fields[name]
    accepts = create_model("Accepts", value=(field.annotation, field))
    for text, dimension, expected in _QUANTITIES:
        try:
            if accepts.model_validate({"value": text}).model_dump()["value"] == expected:
                return {**{key: value for key, value in spec.items() if key != "anyOf"}, "dimension": dimension}
        except ValidationError:
            continue
    return spec


def example(name: str) -> tuple[str, Sequence[str]]:
    """The step of the probe's example as it is written, and the lines of the command that a person would paste."""
    step = name.replace(".", "_")
    lines = STEPS.read_text("utf-8").splitlines()
    if f"  {step}:" not in lines:
        raise LookupError(f"{STEPS.name} has no step {step}: write one that uses {name}, for its reference")
    written = takewhile(lambda line: line.startswith("    "), lines[lines.index(f"  {step}:") + 1 :])
    return "\n".join(line[4:] for line in written), _commands()[step]


@cache
def _commands() -> Mapping[str, Sequence[str]]:
    """What ``runbook show`` tells to paste, by step."""
    lines = [click.unstyle(line) for line in show_page(load(STEPS))]
    found: dict[str, Sequence[str]] = {}
    for number, line in enumerate(lines):
        heading = re.match(r"  \d+\. .*\[(\w+)\]$", line)
        if heading is None:
            continue
        first = next(index for index in range(number, len(lines)) if lines[index].startswith("     $ "))
        rest = takewhile(lambda line: line.startswith("       "), lines[first + 1 :])
        found[heading[1]] = [lines[first][7:], *(each[7:] for each in rest)]
    return found


def _summary(each: AnyProbe) -> str:
    return " ".join(each.doc.split("\n\n")[0].split())


def _reads(each: AnyProbe, *, short: bool = False) -> str:
    if short:
        return "yes" if each.reads_only else "not proven"
    return "Only reads." if each.reads_only else "That it only reads cannot be proven: it depends on its parameters."


def anchor(each: AnyProbe) -> str:
    return each.name.replace(".", "-")
