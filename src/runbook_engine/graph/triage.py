"""A policy of metrics as a runbook: a step for each metric, all side by side.

What a triage judges is a symptom: it says that something hurts, and names the runbook that finds out why. Metrics that one
measurement gives are a chain of steps, one for each, because a step decides once; ``engine.once`` measures such a chain once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from runbook_engine.document.models import (
    AnyBranch,
    AnyRoute,
    Branch,
    Else,
    ErrorRoute,
    Finding,
    FindingKind,
    ProbeStep,
    Resolution,
    Runbook,
)
from runbook_engine.document.policy import Policy, PolicyMetric, Threshold
from runbook_engine.graph.judged import NEXT
from runbook_engine.ids import TRIAGE, FindingId, ResolutionId, StepId

_SIGNS = {"above": ">", "below": "<"}


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
                title=metric.title, steps=(threshold.action, f"{NEXT}{metric.runbook}")
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
