"""Which metrics a triage judges, and how: read off the runbook that its policy became."""

from msgspec import Struct

from runbook_engine.conditions import Comparison, ConditionSyntaxError, Constant, Name, Operator, parse
from runbook_engine.document.models import Else, Level, ProbeStep, Runbook
from runbook_engine.ids import TRIAGE, StepId

NEXT = "runbook run "
"""How the second step of a resolution begins: the first is what to do, the second which runbook finds out why."""


class Limit(Struct, frozen=True):
    """``> inputs.very_slow`` is critical, and the action to take. ``bound`` is a literal or an input."""

    level: Level
    operator: Operator
    bound: Constant | Name
    action: str


class JudgedMetric(Struct, frozen=True):
    """A row of the table: ``step`` measures ``metric``. ``limits`` are in the order of their levels, the lightest first."""

    step: StepId
    title: str
    metric: str
    limits: tuple[Limit, ...]
    runbook: str


def judged_metrics(runbook: Runbook) -> tuple[JudgedMetric, ...]:
    """The rows of a runbook that ``runbook_of`` made, read off the document alone; none for any other runbook."""
    if runbook.runbook != TRIAGE:
        return ()
    rows = []
    for step_id, step in runbook.steps.items():
        row = _row(runbook, step_id, step) if isinstance(step, ProbeStep) else None
        if row is None:
            return ()
        rows.append(row)
    return tuple(rows)


def _row(runbook: Runbook, step_id: StepId, step: ProbeStep) -> JudgedMetric | None:
    limits: list[Limit] = []
    metrics: set[str] = set()
    runbooks: set[str] = set()
    for branch in step.branches:
        if isinstance(branch, Else):
            continue
        try:
            expression = parse(branch.when)
        except ConditionSyntaxError:  # somebody else's runbook of that name
            return None
        finding = runbook.findings.get(branch.finding) if branch.finding else None
        resolution = runbook.resolutions.get(finding.resolution) if finding and finding.resolution else None
        match expression:
            case Comparison(operator=operator, left=Name(scope=None, name=name), right=Constant() | Name() as bound):
                metrics.add(name)
            case _:
                return None
        if finding is None or resolution is None or len(resolution.steps) != 2:
            return None
        action, following = resolution.steps
        runbooks.add(following.removeprefix(NEXT))
        limits.append(Limit(finding.level, operator, bound, action))
    if len(metrics) != 1 or len(runbooks) != 1:
        return None
    return JudgedMetric(step_id, step.title, metrics.pop(), tuple(reversed(limits)), runbooks.pop())
