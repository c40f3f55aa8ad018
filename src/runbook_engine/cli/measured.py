"""What ``runbook measure`` shows."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.screen import visible

if TYPE_CHECKING:
    from pydantic import JsonValue

    from runbook_engine.engine.judgement import Reading
    from runbook_engine.engine.measuring import MeasuredByHand

SCHEMA = "runbook.measure/v1"
MOST_LINES = 40


def as_text(measured: "MeasuredByHand", step: str) -> str:
    """For people: everything that came, and the lines of a runbook that would use it."""
    return "".join(f"{line}\n" for line in _lines(measured, step))


def _lines(measured: "MeasuredByHand", step: str) -> Iterator[str]:
    from runbook_engine.engine.events import Failure
    from runbook_engine.quantity import Dimension, show

    result = measured.result
    took = show(measured.seconds, Dimension.DURATION)
    if isinstance(result, Failure):
        yield click.style(f"{measured.probe.name} measured nothing", bold=True) + f"  (after {took})"
        yield from _shell(measured.command)
        yield ""
        yield visible(f"{result.kind}: {result.message}")
        if result.remedy:
            yield visible(f"what to do: {result.remedy}")
        yield f"on_error: may branch on the kind, {{kind: {result.kind}, finding: …}}"
        return
    yield click.style(measured.probe.name, bold=True) + f"  (in {took})"
    yield from _shell(measured.command)
    yield from _metrics(result)
    if measured.probe.document is not None:
        yield from _heading("Document, out of which extract: takes metrics")
        if measured.incomplete:
            yield visible(f"  Nothing is taken out of it: {measured.incomplete}")
        document = measured.document
        is_text = isinstance(document, dict) and document.keys() == {"text"}
        yield from _bounded(_shown(document["text"] if is_text and isinstance(document, dict) else document))
    if result.evidence:
        yield from _heading("Evidence")
        yield from _bounded([line for key, value in result.evidence.items() for line in _entry(key, value)])
    yield from _heading("In a runbook")
    yield from (f"  {visible(line)}" for line in step.splitlines())


def _shell(command: str) -> Iterator[str]:
    yield from (f"{'$' if number == 0 else ' '} {visible(line)}" for number, line in enumerate(command.splitlines()))


def _metrics(reading: "Reading") -> Iterator[str]:
    from runbook_engine.quantity import show

    yield from _heading("Metrics")
    rows = [(name, value, reading.types[name]) for name, value in reading.metrics.items()]
    if not rows:
        yield "  none"
        return
    wide = max(len(name) for name, _, _ in rows)
    for name, value, type_ in rows:
        shown = show(value, type_.dimension).splitlines() or [""]
        why = f" ({reading.missing[name]})" if value is None and name in reading.missing else ""
        more = f" … ({len(shown)} lines)" if len(shown) > 1 else ""
        yield f"  {name:<{wide}}  {visible(shown[0])}{more}{visible(why)}"


def _shown(value: "JsonValue") -> list[str]:
    """A text line by line, anything else as JSON."""
    from runbook_engine.probe.shape import written

    return value.splitlines() if isinstance(value, str) else written(value).splitlines()


def _entry(key: str, value: "JsonValue") -> list[str]:
    first, *rest = _shown(value) or [""]
    if isinstance(value, str) and rest:
        return [f"{key}:", *(f"  {line}" for line in (first, *rest))]
    return [f"{key}: {first}", *rest]


def _bounded(lines: list[str]) -> Iterator[str]:
    yield from (f"  {visible(line)}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"  … ({len(lines) - MOST_LINES} more lines; --format json shows them)"


def _heading(title: str) -> Iterator[str]:
    yield ""
    yield click.style(title, bold=True)


def as_json(measured: "MeasuredByHand", step: str) -> str:
    """One object. ``metrics`` are in base units; ``error`` is null where something was measured."""
    from runbook_engine.engine.events import Failure
    from runbook_engine.quantity import show

    result = measured.result
    whole: dict[str, object] = {
        "schema": SCHEMA,
        "probe": measured.probe.name,
        "command": measured.command,
        "duration_ms": round(measured.seconds * 1000, 3),
        "metrics": {},
        "document": measured.document,
        "incomplete": measured.incomplete,
        "evidence": {},
        "error": None,
        "yaml": step,
    }
    if isinstance(result, Failure):
        whole["error"] = {"kind": str(result.kind), "message": result.message, "remedy": result.remedy}
    else:
        whole["metrics"] = {
            name: {
                "value": value,
                "unit": result.types[name].unit,
                "shown": show(value, result.types[name].dimension),
                "missing": result.missing.get(name, ""),
            }
            for name, value in result.metrics.items()
        }
        whole["evidence"] = result.evidence
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
