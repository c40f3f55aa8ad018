"""What every format for people says beside the report's own fields: sentences, counts, and the order of things."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from msgspec import Struct

from runbook_engine.document.models import FindingKind, Level
from runbook_engine.engine.events import Ending, Outcome, StepStatus
from runbook_engine.pasteable import pasteable
from runbook_engine.quantity import Dimension, counted, prose, show
from runbook_engine.report.evidence import Table, tables
from runbook_engine.report.model import (
    BlindSpotPart,
    FindingPart,
    JudgedPart,
    KnowledgePart,
    Report,
    ResolutionPart,
    StepPart,
)

_ENVIRONMENT = "environment "
"""How the source of an input begins whose value an environment gave; that of a variable goes on with two words."""
NOT_REACHED = "not reached"
_ENDINGS: Mapping[Ending, str] = MappingProxyType(
    {Ending.INTERRUPTED: "The run was interrupted", Ending.DEADLINE: "The run's deadline passed"}
)


class Remedy(Struct, frozen=True):
    """A resolution, once, with all findings that it is for."""

    resolution: ResolutionPart
    findings: tuple[FindingPart, ...]


class Unseen(Struct, frozen=True):
    """Blind spots that have one reason and one remedy."""

    spots: tuple[BlindSpotPart, ...]

    @property
    def first(self) -> BlindSpotPart:
        return self.spots[0]

    @property
    def titles(self) -> str:
        return ", ".join(dict.fromkeys(each.title for each in self.spots))


class Following(Struct, frozen=True):
    """A runbook to run next, and the metrics that call for it, the worst first."""

    runbook: str
    metrics: tuple[JudgedPart, ...]
    environment: str = ""

    @property
    def command(self) -> str:
        """In the environment that the triage was in."""
        return pasteable("runbook", "run", self.runbook, *(("-e", self.environment) if self.environment else ()))

    @property
    def titles(self) -> str:
        return ", ".join(each.title for each in self.metrics)

    @property
    def sentences(self) -> str:
        return "; ".join(each.sentence or each.title for each in self.metrics)

    @property
    def actions(self) -> str:
        return "; ".join(dict.fromkeys(each.action for each in self.metrics))


class Unmeasured(Struct, frozen=True):
    """Metrics that could not be seen for one reason, and that one thing would make visible."""

    metrics: tuple[JudgedPart, ...]

    @property
    def first(self) -> JudgedPart:
        return self.metrics[0]

    @property
    def titles(self) -> str:
        return ", ".join(each.title for each in self.metrics)


class View(Struct, frozen=True, dict=True):
    """A report with what follows from it. Pure: the same report gives the same view."""

    report: Report

    @cached_property
    def causes(self) -> tuple[FindingPart, ...]:
        return tuple(each for each in self.report.findings if each.kind is FindingKind.CAUSE)

    @cached_property
    def symptoms(self) -> tuple[FindingPart, ...]:
        return tuple(each for each in self.report.findings if each.kind is FindingKind.SYMPTOM)

    @cached_property
    def remedies(self) -> tuple[Remedy, ...]:
        """In the order of the findings. The same resolution for several findings is told once."""
        found: dict[ResolutionPart, list[FindingPart]] = {}
        for each in self.report.findings:
            if each.resolution is not None:
                found.setdefault(each.resolution, []).append(each)
        return tuple(Remedy(resolution, tuple(findings)) for resolution, findings in found.items())

    @cached_property
    def unseen(self) -> tuple[Unseen, ...]:
        """The blind spots; those that one thing would make visible stand together."""
        found: dict[tuple[str, str, str], list[BlindSpotPart]] = {}
        for each in self.report.blind_spots:
            found.setdefault((each.kind, each.message, each.remedy), []).append(each)
        return tuple(Unseen(tuple(spots)) for spots in found.values())

    @cached_property
    def exceeded(self) -> tuple[JudgedPart, ...]:
        """Of a triage: the metrics that are beyond a threshold, the worst first."""
        beyond = [each for each in self.report.metrics if each.level in ("warning", "critical")]
        return tuple(sorted(beyond, key=lambda each: each.level != "critical"))

    @cached_property
    def following(self) -> tuple[Following, ...]:
        """Of a triage: what to run next, once each, for the worst first."""
        found: dict[str, list[JudgedPart]] = {}
        for each in self.exceeded:
            found.setdefault(each.runbook, []).append(each)
        sources = (each.source.partition(_ENVIRONMENT) for each in self.report.inputs.values())
        chosen = next((name for before, found, name in sources if found and not before and " " not in name), "")
        return tuple(Following(runbook, tuple(metrics), chosen) for runbook, metrics in found.items())

    @cached_property
    def unmeasured(self) -> tuple[Unmeasured, ...]:
        """Of a triage: the metrics that could not be seen, those with one reason together."""
        found: dict[tuple[str, str], list[JudgedPart]] = {}
        for each in self.report.metrics:
            if each.level == "unknown":
                found.setdefault((each.why, each.remedy), []).append(each)
        return tuple(Unmeasured(tuple(metrics)) for metrics in found.values())

    @cached_property
    def known(self) -> Mapping[str, tuple[KnowledgePart, ...]]:
        """The error messages that are known, by the path of the step at which they are told: of those that saw them, the
        first that raised a finding, else the first that is blind, else the first.
        """
        found: dict[str, tuple[KnowledgePart, ...]] = {}
        for each in self.report.knowledge:
            seen = (each.path, *each.also)
            path = next((one for marked in self._marked for one in seen if one in marked), each.path)
            found[path] = (*found.get(path, ()), each)
        return found

    @cached_property
    def _marked(self) -> tuple[frozenset[str], frozenset[str]]:
        """The paths of steps that raised findings, and of those that are blind; of a triage, none."""
        if self.report.metrics:
            return frozenset(), frozenset()
        raised = frozenset(self.step(each).path for each in self.report.findings)
        return raised, frozenset(each.path for each in self.report.blind_spots)

    def known_of(self, finding: FindingPart) -> tuple[KnowledgePart, ...]:
        """What is known of the messages behind a finding; of two findings of one step it is told at the first."""
        step = self.step(finding)
        first = next(each for each in (*self.causes, *self.symptoms) if self.step(each) is step)
        return self.known.get(step.path, ()) if first is finding else ()

    def known_unseen(self, unseen: Unseen) -> tuple[KnowledgePart, ...]:
        """What is known of the errors that nothing could be seen for."""
        paths = dict.fromkeys(each.path for each in unseen.spots)
        return tuple(each for path in paths for each in self.known.get(path, ()))

    def seen(self, known: KnowledgePart) -> str:
        """The line in which a known message stood; empty where it is told already: as the step's error, or by the message."""
        step = self.steps[known.path]
        return "" if step.error is not None or known.text == known.pattern else known.text

    @cached_property
    def known_besides(self) -> tuple[KnowledgePart, ...]:
        """Messages seen only by steps that raised no finding and were not blind; of a triage, all."""
        raised, blind = self._marked
        return tuple(one for path, told in self.known.items() if path not in raised | blind for one in told)

    @cached_property
    def steps(self) -> Mapping[str, StepPart]:
        return {step.path: step for step in self.report.steps}

    @cached_property
    def walked(self) -> tuple[StepPart, ...]:
        """Steps that ran: in order of decision, then those that were cut short; below a call the steps that it led to."""
        known = frozenset(self.report.path)
        cut_short = (
            step
            for step in self.report.steps
            if step.status not in (None, StepStatus.SKIPPED, StepStatus.NOT_ASKED) and step.path not in known
        )
        return tuple(nested((*(self.steps[path] for path in self.report.path), *cut_short)))

    @cached_property
    def skipped(self) -> tuple[StepPart, ...]:
        return tuple(step for step in self.report.steps if step.status is StepStatus.SKIPPED)

    @cached_property
    def not_asked(self) -> str:
        """What was not configured, and the inputs that would configure it, in one sentence; empty where there is nothing."""
        titles: dict[tuple[str, ...], list[str]] = {}
        for each in self.report.not_asked:
            titles.setdefault(each.inputs, []).append(each.title)
        return "; ".join(f"{', '.join(dict.fromkeys(each))} ({', '.join(inputs)})" for inputs, each in titles.items())

    @property
    def granted(self) -> str:
        """``shell (environment ours)``; empty where nothing was granted."""
        return ", ".join(f"{name} ({source})" for name, source in self.report.grants.items())

    @property
    def overruled(self) -> str:
        """``DATABASE_URL (by environment staging)``; empty where nothing was."""
        return ", ".join(f"{name} (by {source})" for name, source in self.report.overruled.items())

    @cached_property
    def not_reached(self) -> tuple[StepPart, ...]:
        return tuple(step for step in self.report.steps if step.status is None)

    @property
    def healthy(self) -> bool:
        return self.report.outcome is Outcome.HEALTHY

    @property
    def duration(self) -> str:
        return duration(self.report.duration_ms)

    @cached_property
    def verdict(self) -> str:
        """What was found, in a sentence."""
        if self.report.metrics:
            return self._judged()
        blind = len(self.report.blind_spots)
        unseen = f"{counted(blind, 'thing')} could not be seen"
        told = []
        if self.report.ending in _ENDINGS:
            left = len(self.not_reached)
            unreached = f" with {counted(left, 'step')} not reached" if left else ""
            told.append(f"{_ENDINGS[self.report.ending]}{unreached}.")
        if self.healthy:
            told.append("Nothing was found: every step that ran is fine.")
        elif self.report.not_asked and not self.walked:
            told.append("Nothing was asked, because nothing is configured. This does not mean that it is healthy.")
        elif self.report.outcome is Outcome.INCONCLUSIVE:
            but = f", but {unseen}" if blind else ""
            told.append(f"Nothing was found{but}. This does not mean that it is healthy.")
        else:
            told.append(f"{self._found()}{f'; {unseen}' if blind else ''}.")
        if not self.healthy and self._symptom_is_away:
            told.append("The symptom itself was not seen at this moment; it may come and go.")
        return " ".join(told)

    @property
    def _symptom_is_away(self) -> bool:
        """Whether the steps that look for the symptom found nothing at all, rather than a cause."""
        symptom = self.report.symptom
        return (
            symptom is not None
            and not symptom.confirmed
            and not any(
                self.steps[each].branch and self.steps[each].status is StepStatus.FLAGGED for each in symptom.steps
            )
        )

    def _judged(self) -> str:
        """Of a triage: how many metrics are beyond a threshold, and how many could not be seen."""
        told = [f"{_ENDINGS[self.report.ending]}."] if self.report.ending in _ENDINGS else []
        every = sum(each.level != "not asked" for each in self.report.metrics)
        unknown = sum(len(each.metrics) for each in self.unmeasured)
        unseen = f"; {unknown} could not be seen" if unknown else ""
        critical = sum(each.level == "critical" for each in self.exceeded)
        if self.exceeded:
            beyond = len(self.exceeded)
            badly = "" if not critical else f", {critical} of them critically" if critical < beyond else ", critically"
            told.append(f"{beyond} of {counted(every, 'metric')} {_are(beyond)} beyond a threshold{badly}{unseen}.")
        elif unknown:
            told.append(
                f"No metric that could be seen is beyond a threshold{unseen}. This does not mean that it is healthy."
            )
        else:
            told.append(f"No metric is beyond a threshold: all {every} were measured.")
        return " ".join(told)

    def _found(self) -> str:
        causes, symptoms = len(self.causes), len(self.symptoms)
        if not causes:
            return f"{counted(symptoms, 'symptom')} confirmed, and no cause found"
        told = f"{counted(causes, 'cause')} found"
        return f"{told} for {counted(symptoms, 'symptom')}" if symptoms else told

    @cached_property
    def ran(self) -> str:
        """``6 of 7 steps ran in 9.41 s``."""
        took = prose(self.report.duration_ms / 1000, Dimension.DURATION)
        return f"{len(self.walked)} of {counted(len(self.report.steps), 'step')} ran in {took}"

    def step(self, finding: FindingPart) -> StepPart:
        """The step that raised a finding."""
        return self.steps[f"{finding.scope}/{finding.step}" if finding.scope else finding.step]

    def status(self, step: StepPart) -> str:
        """``passed``, ``blind`` … ``not reached``; of a flagged step the worst level of what it raised, or what was raised
        in the runbook that it called.
        """
        if step.status is StepStatus.FLAGGED:
            return Level.CRITICAL if step.path in self._critical else Level.WARNING
        return step.status.replace("_", " ") if step.status else NOT_REACHED

    @cached_property
    def _critical(self) -> frozenset[str]:
        """The paths of steps that raised something critical, and of the calls that led to them."""
        raised = (self.step(each).path for each in self.report.findings if each.level is Level.CRITICAL)
        return frozenset(path.rsplit("/", up)[0] for path in raised for up in range(path.count("/") + 1))

    def tables(self, step: StepPart, most_rows: int = 20) -> tuple[Table, ...]:
        return tables(step.evidence, most_rows)


def limit(judged: JudgedPart) -> str:
    """``above 500 ms``."""
    sign, _, value = judged.threshold.partition(" ")
    return f"{_SIDES.get(sign, sign)} {value}"


_SIDES: Mapping[str, str] = MappingProxyType({">": "above", "<": "below"})


def duration(milliseconds: float | None) -> str:
    return show(milliseconds / 1000, Dimension.DURATION) if milliseconds is not None else ""


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def reason(step: StepPart) -> str:
    """Why the step chose its way: the condition that held, or those that did not; of a call, how it ended."""
    if step.ended and (step.branch is None or step.branch.finding is None):
        return step.ended
    if step.branch is None:
        return ""
    if step.branch.when == "else":
        return step.branch.why
    return step.branch.why or step.branch.when


def nested(steps: Iterable[StepPart]) -> Iterator[StepPart]:
    """The steps in their order, but those of a called runbook right below the step that called it."""
    within: dict[str, list[StepPart]] = {}
    for step in steps:
        within.setdefault(step.scope, []).append(step)
    waiting = within.get("", [])[::-1]
    while waiting:
        step = waiting.pop()
        yield step
        waiting += within.get(step.path, [])[::-1]


def seen(step: StepPart, status: str) -> str:
    """What to say of a step that ran, in a list of them: of a blind one only the kind, because its reason is told above."""
    if status != StepStatus.BLIND or (step.calls and step.error is None):
        return reason(step) or ("not finished" if step.calls else "")
    return f"{step.error.kind if step.error else 'missing'}, see above"


def depth(step: StepPart) -> int:
    """How many calls deep a step is."""
    return step.scope.count("/") + 1 if step.scope else 0
