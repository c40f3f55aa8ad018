"""Running what alerts have triggered, one runbook after the other; what cannot run keeps none of the others from it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from runbook_engine.cli.asked import Asked
from runbook_engine.cli.streams import note as tell
from runbook_engine.cli.streams import out
from runbook_engine.engine.events import Outcome
from runbook_engine.errors import InputsError, InvalidDocumentError, JournalError, RunbookError, UsageError

if TYPE_CHECKING:
    from runbook_engine.alerting.jobs import Job
    from runbook_engine.alerting.log import AlertLog, Entry
    from runbook_engine.engine.inputs import Resolved
    from runbook_engine.engine.trace import Trace
    from runbook_engine.graph.plan import Plan

INTERRUPTED = 130
_WORST = (0, 3, 1, 2, 78, 70, INTERRUPTED)


class Ran(Struct, frozen=True):
    """What came of a job: the ``trace`` of its run, or why there was none. ``before``: it had ended earlier already."""

    job: "Job"
    code: int
    trace: "Trace | None" = None
    problem: str = ""
    before: bool = False

    @property
    def is_done(self) -> bool:
        """Whether it has said something, and need not be run again.

        What was cut, and what saw nothing for want of a secret, a grant or an answer, is tried when the alert is sent again.
        """
        return self.trace is not None and self.code != INTERRUPTED and self.trace.outcome is not Outcome.INCONCLUSIVE


def worst(codes: Sequence[int]) -> int:
    """Of exit codes the one to end with: 130 before 70, 78, 2, 1, 3 and 0."""
    return max(codes, key=lambda code: _WORST.index(code) if code in _WORST else len(_WORST), default=0)


def run_all(
    jobs: "Sequence[Job]", asked: Asked, log: "AlertLog", entries: "Mapping[str, Entry | None]", *, silent: bool
) -> "Sequence[Ran]":
    """Run them in their order. After an interruption the others are not begun."""
    found: list[Ran] = []
    for job in jobs:
        made = _ended_before(job, entries) or _run(job, asked, silent=silent, first=not found)
        found.append(made)
        if made.problem:
            tell(f"error: {job.match.runbook} was not run: {made.problem}")
        elif not made.is_done and not asked.quiet:
            tell(f"{job.match.runbook} could not see enough; it is run again when the alert is sent again")
        if made.trace is not None and made.is_done:
            _remember(log, job, made.trace.run_id)
        if made.code == INTERRUPTED:
            found += [Ran(each, INTERRUPTED, problem="interrupted") for each in jobs[len(found) :]]
            break
    return found


def _remember(log: "AlertLog", job: "Job", run_id: str) -> None:
    try:
        log.ran(job.keys, job.id, run_id)
    except JournalError as error:
        tell(f"warning: {error}; {job.match.runbook} is run again when the alert is sent again")


def _ended_before(job: "Job", entries: "Mapping[str, Entry | None]") -> Ran | None:
    """The run that ended for all of its alerts before the process did that had taken them."""
    ids = {entry.runs.get(job.id) if (entry := entries.get(key)) is not None else None for key in job.keys}
    run_id = ids.pop()
    if ids or run_id is None:
        return None
    from runbook_engine.cli.carrying_out import CODES
    from runbook_engine.engine.sqlite import SqliteJournal, default_file
    from runbook_engine.engine.trace import fold

    try:
        with SqliteJournal(default_file(), reading=True) as journal:
            trace = fold(journal.events(run_id))
    except (JournalError, ValueError):
        return None
    tell(f"{job.match.runbook} has run for this already: {run_id}")
    return Ran(job, CODES[trace.outcome.value], trace, before=True)


def _run(job: "Job", asked: Asked, *, silent: bool, first: bool) -> Ran:
    from runbook_engine.api import load
    from runbook_engine.cli.carrying_out import carry_out

    kept: list[Trace] = []
    if not asked.quiet:
        several = f" for {len(job.alerts)} alerts" if len(job.alerts) > 1 else ""
        tell(f"running {job.match.runbook}{several}")
    try:
        plan = load(job.match.file)
        handed = _handed(job, plan)
        given = {name: value for name, value in asked.inputs.items() if name in plan.runbook.inputs}
        if not (silent or first):
            out("\n")
        code = carry_out(
            plan,
            replace(asked, inputs=given),
            keep=kept.append,
            handed=handed,
            approve=lambda inputs: _approve(job, plan, inputs),
            silent=silent,
        )
    except InvalidDocumentError as error:
        from runbook_engine.cli.screen import colored
        from runbook_engine.document import render_all

        tell(render_all(error.diagnostics, error.sources, color=colored(sys.stderr)), painted=True)
        return Ran(job, error.exit_code, problem="it has mistakes")
    except InputsError as error:
        return Ran(job, error.exit_code, problem="; ".join(error.problems))
    except RunbookError as error:
        return Ran(job, error.exit_code, problem=str(error))
    except click.ClickException as error:
        return Ran(job, error.exit_code, problem=error.format_message())
    except KeyboardInterrupt:
        return Ran(job, INTERRUPTED, problem="interrupted")
    return Ran(job, code, kept[0] if kept else None)


def _handed(job: "Job", plan: "Plan") -> "Mapping[str, Resolved]":
    """What labels fill. Raises UsageError where one does not fit its input."""
    from runbook_engine.document.models import InputType
    from runbook_engine.engine.inputs import Resolved, read_value

    found: dict[str, Resolved] = {}
    for name, value in job.match.inputs:
        label = job.match.trigger.inputs[name]
        if value.startswith("-") and plan.runbook.inputs[name].type is InputType.STRING:
            raise UsageError(f"the label {label} begins with a hyphen, so that a program would take it for an option")
        try:
            found[name] = Resolved(read_value(plan.runbook.inputs[name], value, name=name), _source(label))
        except ValueError as error:
            raise UsageError(
                f"the label {label} of {job.alerts[0].shown} does not fit input {name!r}: {error}"
            ) from None
    return found


def _approve(job: "Job", plan: "Plan", inputs: "Mapping[str, Resolved]") -> None:
    """Raises UsageError where a label would choose who gets a secret. What was given otherwise counts before labels."""
    trigger = job.match.trigger
    filled = {
        name for name, label in trigger.inputs.items() if name in inputs and inputs[name].source == _source(label)
    }
    if not filled:
        return
    from runbook_engine.graph.label_hosts import refused
    from runbook_engine.secret import Secret

    values = {name: each.filled.value for name, each in inputs.items() if not isinstance(each.filled.value, Secret)}
    known = {name: None if value is None else str(value) for name, value in values.items()}
    problems = refused(plan, trigger, filled, known)
    if problems:
        raise UsageError("; ".join(problems))


def _source(label: str) -> str:
    return f"label {label}"
