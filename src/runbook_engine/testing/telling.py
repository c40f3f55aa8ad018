"""A failed case, for a person to read: what was expected, what came, and why."""

from collections.abc import Iterator
from pathlib import Path

from runbook_engine.document.diagnostics import visible
from runbook_engine.document.load import ReadText, read_text
from runbook_engine.document.source import Path as Place
from runbook_engine.document.source import Source
from runbook_engine.engine.trace import StepTrace, child_scope
from runbook_engine.graph.plan import Plan
from runbook_engine.quantity import Dimension, show
from runbook_engine.testing.running import CaseResult


class Places:
    """Where things stand in runbooks, as ``file:line``. A file is read once."""

    def __init__(self) -> None:
        self._sources: dict[Path, Source | None] = {}

    def of(self, plan: Plan, place: Place, *, key: bool = False) -> str:
        """Empty for a runbook without a file."""
        source = self._source(plan.file) if plan.file is not None else None
        return "" if source is None else f"{source.file}:{source.span(place, key=key).line}"

    def _source(self, file: Path) -> Source | None:
        if file not in self._sources:
            read = read_text(file)
            self._sources[file] = Source(read.file, read.text) if isinstance(read, ReadText) else None
        return self._sources[file]


def told(result: CaseResult, places: Places | None = None) -> str:
    """The whole block of a failed case."""
    title = f": {result.case.title}" if result.case.title else ""
    head = f"FAILED {result.file}:{result.span.line} {result.name}{title}"
    lines = [head, *(f"  {line}" for line in _body(result, places or Places()))]
    return "\n".join(visible(line) for line in lines)


def _body(result: CaseResult, places: Places) -> Iterator[str]:
    for lack in result.lacks:
        yield lack.told
        if lack.hint:
            yield f"  help: {lack.hint}"
    for each in result.differences:
        line = result.source.span(("cases", result.name, *each.key), key=True).line
        place = f"  ({result.file}:{line})" if line != result.span.line else ""
        yield f"{each.told}{place}"
        yield from (f"  {line}" for line in each.lines)
    ran = [result.trace.steps[key] for key in result.trace.path]
    if ran:
        yield "what happened:"
        width = max(len(child_scope(each.scope, each.id)) for each in ran)
        for step in ran:
            yield from (f"  {line}" for line in _step(result, step, width, places))
    if result.rehearsal.unused:
        yield f"given, and not run: {', '.join(result.rehearsal.unused)}"


def _step(result: CaseResult, step: StepTrace, width: int, places: Places) -> Iterator[str]:
    """``page  branch 2, "status >= 400": status 404 >= 400 -> finding client_error; website-down.yaml:34``"""
    path = child_scope(step.scope, step.id).ljust(width)
    plan = _plan(result, step.scope)
    if step.branch is None:
        why = f"{step.error.kind}: {step.error.message}" if step.error else step.why
        place = places.of(plan, ("steps", step.id), key=True)
        yield f"{path}  {'no route for ' + why if why else 'done'}{f'  ({place})' if place else ''}"
        return
    part, index = step.branch
    noun = "branch" if part == "branches" else "error route"
    chosen = "else" if step.when == "else" else f'"{step.when}"'
    then = [*([f"finding {step.finding}"] if step.finding else []), f"goto {', '.join(step.goto) or 'end'}"]
    place = places.of(plan, ("steps", step.id, part, index))
    yield f"{path}  {noun} {index + 1}, {chosen} -> {'; '.join(then)}{f'  ({place})' if place else ''}"
    if step.why:
        yield f"{' ' * width}  {step.why}"
    elif step.metrics:
        shown = (
            f"{name} = {show(value, Dimension(step.dimensions[name]))}"
            for name, value in step.metrics.items()
            if value is not None
        )
        yield f"{' ' * width}  {', '.join(shown)}"


def _plan(result: CaseResult, scope: str) -> Plan:
    return result.plan.plans[result.trace.runbooks[scope].runbook]
