"""A policy of metrics as a runbook: a step for each metric, all side by side.

What a triage judges is a symptom: it says that something hurts, and names the runbook that finds out why. Metrics that one
measurement gives are a chain of steps, one for each, because a step decides once; ``engine.once`` measures such a chain once.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from runbook_engine import quantity
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
    Reference,
    Resolution,
    Runbook,
)
from runbook_engine.document.policy import Fault, Policy, PolicyMetric, Threshold
from runbook_engine.graph.judged import NEXT, UNMEASURED, fault_title
from runbook_engine.ids import TRIAGE, FindingId, ResolutionId, StepId
from runbook_engine.templates import literal

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
                title=literal(metric.title), steps=(literal(threshold.action), f"{NEXT}{metric.runbook}")
            )
            findings.update(_findings(step_id, metric, threshold, resolution))
        for number, fault in enumerate(metric.faults):
            resolution = ResolutionId(_fault(step_id, number))
            resolutions[resolution] = Resolution(
                title=literal(metric.title), steps=(literal(fault.action), f"{NEXT}{metric.runbook}")
            )
            findings[_fault(step_id, number)] = Finding(
                level=fault.level,
                kind=FindingKind.SYMPTOM,
                title=fault_title(_plain(metric.title), NAMED.sub(f"{{{{ {step_id}.", fault.says)),
                cause="{{ error.message }}" if fault.errors else "",
                resolution=resolution,
            )
    return Runbook(
        runbook=TRIAGE,
        title=literal(policy.title),
        version=policy.version,
        owner=policy.owner,
        description=literal(policy.description),
        references=tuple(Reference(title=literal(each.title), url=literal(each.url)) for each in policy.references),
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


def ways(metric: PolicyMetric) -> tuple[tuple[int, Fault | Threshold], ...]:
    """What may be wrong, in the order in which it is tried: the worst first, of one level the faults first.

    Each with its number among the metric's faults or thresholds. What is wrong where nothing can be measured is none of them.
    """
    judged = [(number, each) for number, each in enumerate(metric.faults) if not each.errors]
    every: list[tuple[int, Fault | Threshold]] = [*judged, *enumerate(metric.thresholds)]
    return tuple(sorted(every, key=lambda each: each[1].level is not Level.CRITICAL))


def _step(step_id: StepId, metric: PolicyMetric, following: StepId | None) -> ProbeStep:
    targets = () if following is None else (following,)
    worst_first = metric.thresholds[::-1]
    branches: list[AnyBranch] = [
        Branch(when=each.when, finding=_fault(step_id, number), goto=targets)
        if isinstance(each, Fault)
        else Branch(when=condition(metric, each), finding=_finding(step_id, each), goto=targets)
        for number, each in ways(metric)
    ]
    routes: list[AnyRoute] = [
        ErrorRoute(kind=each.errors, finding=_fault(step_id, number), goto=targets)
        for number, each in enumerate(metric.faults)
        if each.errors
    ]
    routes += [
        ErrorRoute(kind=each.errors, finding=_unmeasured(step_id, each), goto=targets)
        for each in worst_first
        if each.errors
    ]
    if targets:
        routes.append(Else(otherwise=targets))
    step = ProbeStep(
        title=literal(metric.title),
        description=literal(metric.description),
        probe=metric.probe,
        params=metric.params,
        extract=metric.extract,
        branches=(*branches, Else(otherwise=targets)),
        on_error=tuple(routes),
    )
    return step.model_copy(update={"timeout": metric.timeout})  # a text with its unit in documents, seconds here


def _finding(step_id: StepId, threshold: Threshold) -> FindingId:
    return FindingId(f"{step_id}_{threshold.level}")


def _fault(step_id: StepId, number: int) -> FindingId:
    return FindingId(f"{step_id}_fault_{number + 1}")


def _unmeasured(step_id: StepId, threshold: Threshold) -> FindingId:
    return FindingId(f"{step_id}_{threshold.level}{UNMEASURED}")


def _findings(
    step_id: StepId, metric: PolicyMetric, threshold: Threshold, resolution: ResolutionId
) -> Mapping[FindingId, Finding]:
    title = _plain(metric.title)
    limit = str(threshold.limit)
    shown = f"{{{{ {limit} }}}}" if limit.startswith("inputs.") else _in_words(limit)
    measured = f"{step_id}.{metric.metric}"
    says = VALUE.sub(f"{{{{ {measured}", metric.sentence) if metric.sentence else f"{title} is {{{{ {measured} }}}}"
    found = {
        _finding(step_id, threshold): Finding(
            level=threshold.level,
            kind=FindingKind.SYMPTOM,
            title=f"{says} (threshold {shown})",
            resolution=resolution,
        )
    }
    if threshold.errors:
        found[_unmeasured(step_id, threshold)] = Finding(
            level=threshold.level,
            kind=FindingKind.SYMPTOM,
            title=f"{title} counts as {threshold.side} {shown}, because nothing can be measured ({{{{ error.kind }}}})",
            cause="{{ error.message }}",
            resolution=resolution,
        )
    return found


VALUE = re.compile(r"\{\{\s*value\b")
"""How the sentence of a metric names its value."""
NAMED = re.compile(r"\{\{\s*(?!inputs\s*\.)(?=(\w+))")
"""How what a fault says names a metric of the probe."""


def _in_words(limit: str) -> str:
    try:
        return quantity.prose(*quantity.parse(limit))
    except ValueError:  # a limit that the checks refuse
        return limit


def _plain(text: str) -> str:
    """A text that no template begins in."""
    for begin in ("{{", "{%", "{#"):
        while begin in text:
            text = text.replace(begin, f"{{ {begin[1]}")
    return text
