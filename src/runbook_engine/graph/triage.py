"""A policy of metrics as a runbook: a step for each metric, all side by side.

What a triage judges is a symptom: it says that something hurts, and names the runbook that finds out why. Metrics that one
measurement gives are a chain of steps, one for each, because a step decides once; ``engine.once`` measures such a chain once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from runbook_engine.conditions import Comparison, Constant, Expression, Name, Operator, parse
from runbook_engine.document.models import (
    AnyBranch,
    AnyRoute,
    Branch,
    Else,
    ErrorRoute,
    Finding,
    FindingKind,
    Level,
    ProbeStep,
    Resolution,
    Runbook,
)
from runbook_engine.document.policy import Policy, PolicyMetric, Threshold
from runbook_engine.ids import FindingId, ResolutionId, StepId

TRIAGE = "triage"
"""The name of the runbook that a policy becomes, in the history and in reports."""
_NEXT = "runbook run "
_SIGNS = {"above": ">", "below": "<"}


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


def condition(metric: PolicyMetric, threshold: Threshold) -> str:
    """``p95 > inputs.slow``."""
    return f"{metric.metric} {_SIGNS[threshold.side]} {threshold.limit}"


def runbook_of(policy: Policy) -> Runbook:
    """The runbook. Its steps have the names of the metrics."""
    steps: dict[StepId, ProbeStep] = {}
    findings: dict[FindingId, Finding] = {}
    resolutions: dict[ResolutionId, Resolution] = {}
    chains = tuple(_chains(policy.metrics))
    for chain in chains:
        for step_id, following in zip(chain, (*chain[1:], None), strict=True):
            steps[step_id] = _step(step_id, policy.metrics[step_id], following)
    for step_id, metric in policy.metrics.items():
        for threshold in metric.thresholds:
            resolution = ResolutionId(f"{step_id}_{threshold.level}")
            resolutions[resolution] = Resolution(
                title=metric.title, steps=(threshold.action, f"{_NEXT}{metric.runbook}")
            )
            findings.update(_findings(step_id, metric, threshold, resolution))
    return Runbook(
        runbook=TRIAGE,
        title=policy.title,
        version=policy.version,
        owner=policy.owner,
        description=policy.description,
        references=policy.references,
        inputs=policy.inputs,
        start=tuple(chain[0] for chain in chains),
        steps={step_id: steps[step_id] for step_id in policy.metrics},
        findings=findings,
        resolutions=resolutions,
    )


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


def _chains(metrics: Mapping[StepId, PolicyMetric]) -> Iterator[Sequence[StepId]]:
    """The metrics that one measurement gives stand together."""
    found: dict[str, list[StepId]] = {}
    for step_id, metric in metrics.items():
        found.setdefault(json.dumps([metric.probe, metric.params], sort_keys=True), []).append(step_id)
    yield from found.values()


def _step(step_id: StepId, metric: PolicyMetric, following: StepId | None) -> ProbeStep:
    """The worst threshold is tried first."""
    targets = () if following is None else (following,)
    worst_first = metric.thresholds[::-1]
    branches: list[AnyBranch] = [
        Branch(when=condition(metric, each), finding=_finding(step_id, each), goto=targets) for each in worst_first
    ]
    routes: list[AnyRoute] = [
        ErrorRoute(kind=each.errors, finding=_unmeasured(step_id, each), goto=targets)
        for each in worst_first
        if each.errors
    ]
    if targets:
        routes.append(Else(otherwise=targets))
    step = ProbeStep(
        title=metric.title,
        description=metric.description,
        probe=metric.probe,
        params=metric.params,
        extract=metric.extract,
        branches=(*branches, Else(otherwise=targets)),
        on_error=tuple(routes),
    )
    return step.model_copy(update={"timeout": metric.timeout})  # a text with its unit in documents, seconds here


def _finding(step_id: StepId, threshold: Threshold) -> FindingId:
    return FindingId(f"{step_id}_{threshold.level}")


def _unmeasured(step_id: StepId, threshold: Threshold) -> FindingId:
    return FindingId(f"{step_id}_{threshold.level}_unmeasured")


def _findings(
    step_id: StepId, metric: PolicyMetric, threshold: Threshold, resolution: ResolutionId
) -> Mapping[FindingId, Finding]:
    title = _plain(metric.title)
    limit = str(threshold.limit)
    shown = f"{{{{ {limit} }}}}" if limit.startswith("inputs.") else limit
    found = {
        _finding(step_id, threshold): Finding(
            level=threshold.level,
            kind=FindingKind.SYMPTOM,
            title=f"{title} is {{{{ {step_id}.{metric.metric} }}}}, {threshold.side} {shown}",
            resolution=resolution,
        )
    }
    if threshold.errors:
        found[_unmeasured(step_id, threshold)] = Finding(
            level=threshold.level,
            kind=FindingKind.SYMPTOM,
            title=f"{title} is {threshold.side} {shown}: nothing can be measured ({{{{ error.kind }}}})",
            cause="{{ error.message }}",
            resolution=resolution,
        )
    return found


def _plain(text: str) -> str:
    """A text that no template begins in."""
    for begin in ("{{", "{%", "{#"):
        while begin in text:
            text = text.replace(begin, f"{{ {begin[1]}")
    return text


def _row(runbook: Runbook, step_id: StepId, step: ProbeStep) -> JudgedMetric | None:
    limits: list[Limit] = []
    metrics: set[str] = set()
    runbooks: set[str] = set()
    for branch in step.branches:
        if isinstance(branch, Else):
            continue
        expression: Expression = parse(branch.when)
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
        runbooks.add(following.removeprefix(_NEXT))
        limits.append(Limit(finding.level, operator, bound, action))
    if len(metrics) != 1 or len(runbooks) != 1:
        return None
    return JudgedMetric(step_id, step.title, metrics.pop(), tuple(reversed(limits)), runbooks.pop())
