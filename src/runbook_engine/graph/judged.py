"""Which metrics a triage judges, and how: read off the runbook that its policy became."""

from msgspec import Struct

from runbook_engine.conditions import Comparison, ConditionSyntaxError, Constant, Name, Operator, parse
from runbook_engine.document.models import Else, ErrorRoute, Finding, Level, ProbeStep, Runbook
from runbook_engine.ids import TRIAGE, FindingId, StepId

UNMEASURED = "_unmeasured"
"""How the finding of a threshold ends that is passed because nothing can be measured."""
NEXT = "runbook run "
"""How the second step of a resolution begins: the first is what to do, the second which runbook finds out why."""


class Limit(Struct, frozen=True):
    """``> inputs.very_slow`` is critical, and the action to take. ``bound`` is a literal or an input."""

    level: Level
    operator: Operator
    bound: Constant | Name
    action: str


class JudgedFault(Struct, frozen=True):
    """What is wrong whatever the metric's value is, as the end of a sentence, with the finding that says so."""

    finding: FindingId
    level: Level
    says: str
    action: str


class JudgedMetric(Struct, frozen=True):
    """A row of the table: ``step`` measures ``metric``. ``limits`` are in the order of their levels, the lightest first."""

    step: StepId
    title: str
    metric: str
    limits: tuple[Limit, ...]
    runbook: str
    faults: tuple[JudgedFault, ...] = ()


def fault_title(title: str, says: str) -> str:
    """``SSL certificate is for another name``."""
    return f"{title} {says}"


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
    faults: list[JudgedFault] = []
    metrics: set[str] = set()
    runbooks: set[str] = set()
    for branch in step.branches:
        if isinstance(branch, Else):
            continue
        finding = runbook.findings.get(branch.finding) if branch.finding else None
        resolution = runbook.resolutions.get(finding.resolution) if finding and finding.resolution else None
        if branch.finding is None or finding is None or resolution is None or len(resolution.steps) != 2:
            return None  # somebody else's runbook of that name
        action, following = resolution.steps
        runbooks.add(following.removeprefix(NEXT))
        if branch.finding != f"{step_id}_{finding.level}":
            faults.append(_fault(step, branch.finding, finding, action))
            continue
        compared = _compared(branch.when)
        if compared is None:
            return None
        metrics.add(compared.left.name)
        limits.append(Limit(finding.level, compared.operator, compared.bound, action))
    for route in step.on_error:
        finding = runbook.findings.get(route.finding) if isinstance(route, ErrorRoute) and route.finding else None
        resolution = runbook.resolutions.get(finding.resolution) if finding and finding.resolution else None
        if finding is None or resolution is None or isinstance(route, Else) or not route.finding:
            continue
        if not route.finding.endswith(UNMEASURED):
            faults.append(_fault(step, route.finding, finding, resolution.steps[0]))
    if len(metrics) != 1 or len(runbooks) != 1:
        return None
    return JudgedMetric(step_id, step.title, metrics.pop(), tuple(reversed(limits)), runbooks.pop(), tuple(faults))


def _fault(step: ProbeStep, name: FindingId, finding: Finding, action: str) -> JudgedFault:
    return JudgedFault(name, finding.level, finding.title.removeprefix(fault_title(step.title, "")), action)


class _Compared(Struct, frozen=True):
    left: Name
    operator: Operator
    bound: Constant | Name


def _compared(when: str) -> _Compared | None:
    """``p95 > inputs.slow``, taken apart; None for any other condition."""
    try:
        expression = parse(when)
    except ConditionSyntaxError:
        return None
    match expression:
        case Comparison(operator=operator, left=Name(scope=None) as left, right=Constant() | Name() as bound):
            return _Compared(left, operator, bound)
    return None
