"""``runbook show``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import RunbookName
from runbook_engine.cli.streams import say

if TYPE_CHECKING:
    from runbook_engine.document.models import AnyStep
    from runbook_engine.graph.plan import Plan, PlannedStep
    from runbook_engine.ids import FindingId, StepId


@click.command("show", epilog=examples("runbook show high-latency", "runbook show ./my-runbook.yaml | less"))
@click.argument("runbook", type=RunbookName())
def command(runbook: str) -> None:
    """Show a RUNBOOK as a page: symptoms, decisions, a command to paste for each step, resolutions, prevention."""
    from runbook_engine.api import load
    from runbook_engine.report.ready import Ready

    for line in page(load(runbook)):
        say(line, painted=isinstance(line, Ready))


def page(plan: "Plan") -> Iterator[str]:
    """The page, line by line. What only a run knows stands in it as ``<name>``."""
    plan = _readable(plan)
    document = plan.runbook
    facts = [document.runbook, f"version {document.version}", document.severity or "", document.owner]
    yield _strong(document.title)
    yield " · ".join(each for each in facts if each)
    if document.description:
        yield ""
        yield from _wrapped(document.description)
    yield ""
    yield from _wrapped(_promised(plan))
    yield from _listed("Symptoms", document.symptoms)
    yield from _listed("Triggers", [each.shown for each in document.triggers])
    yield from _inputs(plan)
    yield from _secrets(plan)
    yield from _decisions(plan)
    yield from _findings(plan)
    yield from _resolutions(plan)
    yield from _listed("Prevention", document.prevention)
    yield from _listed("References", [f"{each.title}: {each.url}" for each in document.references])


def _readable(plan: "Plan") -> "Plan":
    """The same plan, with what its texts name in a form to be read before a run."""
    from msgspec.structs import replace

    from runbook_engine.document.told import filled
    from runbook_engine.templates import readable

    runbook = filled(plan.runbook, lambda text, _mark: readable(text))
    if runbook is plan.runbook:
        return plan
    steps = {name: replace(step, model=runbook.steps[name]) for name, step in plan.steps.items()}
    return replace(plan, runbook=runbook, steps=steps)


def _promised(plan: "Plan") -> str:
    """What is proven of a run before it begins: what it changes, and how long it may take."""
    from runbook_engine.cli.shown_secrets import sent
    from runbook_engine.graph.advice import unproven
    from runbook_engine.graph.duration import longest
    from runbook_engine.quantity import Dimension, prose

    doubtful, sends = unproven(plan), ", ".join(sent(plan))
    if doubtful:
        changes = f"Whether it only reads cannot be proven of {', '.join(doubtful)}."
        changes += f" It sends {sends}." if sends else ""
    elif sends:
        changes = f"Changes nothing, and sends {sends}."
    else:
        changes = "Only reads: every probe that it can reach changes nothing."
    seconds = longest(plan).seconds
    takes = (
        "waits for a person as long as it takes"
        if seconds is None
        else f"takes at most {prose(seconds, Dimension.DURATION)}"
    )
    return f"{changes} A run {takes}."


def _inputs(plan: "Plan") -> Iterator[str]:
    from runbook_engine.engine.inputs import how_to_set

    inputs = plan.runbook.inputs
    if not inputs:
        return
    yield from _heading("Inputs")
    wide = max(map(len, inputs))
    for name, spec in inputs.items():
        default = f"default {spec.default}" if spec.default not in (None, "") else ""
        variable = f"or {spec.env}" if spec.env else ""
        needed = "needed" if how_to_set(name, spec) and spec.default is None and not spec.optional else ""
        told = ", ".join(each for each in (str(spec.type), default, variable, needed) if each)
        yield f"  {name:<{wide}}  {spec.help}{' ' if spec.help else ''}({told})"


def _secrets(plan: "Plan") -> Iterator[str]:
    """Which of them go where; also variables of the environment that go to a host which the runbook names."""
    from runbook_engine.cli.shown_secrets import listed

    lines = listed(plan)
    if lines:
        yield from _heading("Secrets")
        for each in lines:
            yield from _wrapped(each, "  ", "    ")


def _decisions(plan: "Plan") -> Iterator[str]:
    """The steps in the order of the document, which is that of its author."""
    from runbook_engine.engine.once import sharing

    yield from _heading("Decisions")
    yield f"  Start with {', '.join(plan.runbook.start)}."
    shared = sharing(plan)
    numbers = {step_id: index for index, step_id in enumerate(plan.steps, 1)}
    for step_id, step in plan.steps.items():
        title = step.model.title or step_id.replace("_", " ")
        yield ""
        yield _painted("  ", _strong(f"{numbers[step_id]}. {title}"), f"  [{step_id}]")
        if step.model.description:
            yield from _wrapped(step.model.description, "     ")
        if step_id in shared:
            yield f"     (the answer of step {numbers[shared[step_id]]})"
        else:
            yield from _asked(plan, step)
        for line in _ways(plan, step.model):
            yield from _wrapped(line, "     ", "       ")


def _asked(plan: "Plan", step: "PlannedStep") -> Iterator[str]:
    for number, line in enumerate(_command(plan, step).splitlines()):
        yield f"     {_sign(step.model) if number == 0 else ' '} {line}"
    if step.child is not None:
        yield f"       {_readable(step.child).runbook.title}"


def _ways(plan: "Plan", step: "AnyStep") -> Iterator[str]:
    from runbook_engine.document.models import Branch, ErrorRoute

    for way in step.branches:
        if isinstance(way, Branch):
            yield _way(f"if {_with_defaults(plan, way.when)}", way.finding, way.goto)
        else:
            yield _way("else" if len(step.branches) > 1 else "then", way.finding, way.otherwise)
    for route in step.on_error:
        if isinstance(route, ErrorRoute):
            yield _way(f"if it fails ({', '.join(route.kind)})", route.finding, route.goto)
        else:
            yield _way("if it fails otherwise", route.finding, route.otherwise)


def _way(condition: str, finding: "FindingId | None", targets: "tuple[StepId, ...]") -> str:
    leads = f"go on with {', '.join(targets)}" if targets else "end"
    return f"{condition}: {f'finding {finding}, ' if finding else ''}{leads}"


def _with_defaults(plan: "Plan", condition: str) -> str:
    """Each input with its default behind it: ``p95 > inputs.slow (500ms)``."""
    import re

    def told(name: "re.Match[str]") -> str:
        spec = plan.runbook.inputs.get(name[1])
        return f"{name[0]} ({spec.default})" if spec is not None and spec.default is not None else name[0]

    return re.sub(r"\binputs\.(\w+)", told, " ".join(condition.split()))


def _sign(step: "AnyStep") -> str:
    """``$`` before what is pasted into a shell, ``?`` before what a person answers."""
    return "?" if hasattr(step, "ask") else "$"


def _command(plan: "Plan", step: "PlannedStep") -> str:
    """The command that a person would paste: inputs as they are by default, secrets and unknown values as variables."""
    from runbook_engine.cli.call_commands import call_command
    from runbook_engine.cli.stand_ins import StandIns
    from runbook_engine.document.models import AskStep
    from runbook_engine.engine.measure import fill

    if isinstance(step.model, AskStep):
        return step.model.ask
    stand_ins = StandIns(plan.runbook.inputs, plan.metrics)
    if step.child is not None:
        return call_command(plan, step, step.child, stand_ins)
    if step.probe is None:
        return ""
    try:
        params = step.params or step.probe.params.model_validate(fill(step.filling, stand_ins.look_up))
        return stand_ins.filled_in(step.probe.command(params))
    except Exception:  # noqa: BLE001 - one step's command, of whosever probe, must not take the page with it
        return f"(its command depends on the run: {step.probe.name})"


def _findings(plan: "Plan") -> Iterator[str]:
    findings = plan.runbook.findings
    if not findings:
        return
    raised: dict[str, StepId] = {}
    for step in plan.steps.values():
        for way in (*step.ways, *step.routes):
            if way.finding:
                raised.setdefault(way.finding, step.id)
    yield from _heading("Findings")
    for name, each in findings.items():
        resolution = f" → {plan.runbook.resolutions[each.resolution].title}" if each.resolution else ""
        yield _painted(f"  {each.level:<8}  {each.kind:<7}  ", _strong(name), resolution)
        yield f"            {each.title}"


def _resolutions(plan: "Plan") -> Iterator[str]:
    if not plan.runbook.resolutions:
        return
    yield from _heading("Resolutions")
    for each in plan.runbook.resolutions.values():
        yield _painted("  ", _strong(each.title))
        yield from (f"    {number}. {text}" for number, text in enumerate(each.steps, 1))


def _listed(title: str, texts: "tuple[str, ...] | list[str]") -> Iterator[str]:
    if texts:
        yield from _heading(title)
        yield from (f"  - {each}" for each in texts)


def _heading(title: str) -> Iterator[str]:
    yield ""
    yield _strong(title)


def _painted(*parts: str) -> str:
    """A line in which only what is painted already may command a terminal."""
    from runbook_engine.cli.screen import visible
    from runbook_engine.report.ready import Ready

    return Ready("".join(each if isinstance(each, Ready) else visible(each) for each in parts))


def _strong(text: str) -> str:
    from runbook_engine.cli.screen import visible
    from runbook_engine.report.ready import Ready

    return Ready(click.style(visible(text), bold=True))


def _wrapped(text: str, indent: str = "", hanging: str | None = None) -> list[str]:
    import textwrap

    from runbook_engine.cli.screen import width

    following = indent if hanging is None else hanging
    return textwrap.wrap(
        text,
        width(),
        initial_indent=indent,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
