"""Names of steps, findings and resolutions: everything that is referred to exists, and everything that exists is used."""

from collections.abc import Iterable

from runbook_engine.document import RawNames
from runbook_engine.document.models import AnyStep, Else, Runbook
from runbook_engine.errors import closest
from runbook_engine.graph.edges import Edge, step_edges
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.ids import FindingId, StepId

_NONE_KNOWN = "none yet"


class NameChecks:
    """Checks of one runbook. ``raw`` are all names that the text defines, broken or not."""

    def __init__(self, runbook: Runbook, raw: RawNames, mistakes: Mistakes) -> None:
        self._runbook = runbook
        self._raw = raw
        self._mistakes = mistakes
        self.dangling = False
        """Whether some branch leads to a step that does not exist."""
        mistakes.runbook = runbook.runbook

    def successors(self) -> dict[StepId, tuple[StepId, ...]]:
        """Each step's targets, once each, in the order of its branches; dangling ones left out."""
        steps = self._runbook.steps
        return {
            step_id: tuple(
                dict.fromkeys(edge.target for edge in step_edges(step_id, step) if edge.target in steps and edge.target)
            )
            for step_id, step in steps.items()
        }

    def check_targets(self) -> None:
        for index, first in enumerate(self._runbook.start):
            self._step_exists(
                first, ("start", index), f'the runbook starts with "{first}", which does not exist', "RB201"
            )
        for step_id, step in self._runbook.steps.items():
            self._check_step(step_id, step)
        for finding_id, finding in self._runbook.findings.items():
            if finding.resolution and finding.resolution not in self._raw.resolutions:
                self._unknown(
                    "RB204",
                    f'finding "{finding_id}" names the resolution "{finding.resolution}", which does not exist',
                    ("findings", finding_id, "resolution"),
                    finding.resolution,
                    self._raw.resolutions,
                    "resolutions of this runbook",
                )

    def check_unused(self, used_inputs: Iterable[str]) -> None:
        """Warn of findings, resolutions and inputs that nothing uses."""
        runbook = self._runbook
        raised = {edge.finding for step_id, step in runbook.steps.items() for edge in step_edges(step_id, step)}
        self._warn_unused("RB208", "findings", (each for each in runbook.findings if each not in raised), "raises it")
        named = {finding.resolution for finding in runbook.findings.values()}
        self._warn_unused(
            "RB208", "resolutions", (each for each in runbook.resolutions if each not in named), "points to it"
        )
        used = set(used_inputs)
        self._warn_unused("RB208", "inputs", (each for each in runbook.inputs if each not in used), "uses it")

    def _warn_unused(self, code: str, section: str, unused: Iterable[str], verb: str) -> None:
        if self._raw.broken and section != "steps":
            return  # what uses it may stand in the part that could not be read
        for each in unused:
            self._mistakes.warn(
                code, f'{section.removesuffix("s")} "{each}" is unused: nothing {verb}', (section, each), key=True
            )

    def _check_step(self, step_id: StepId, step: AnyStep) -> None:
        checked: set[Path] = set()
        for edge in step_edges(step_id, step):
            at: Path = ("steps", step_id, *edge.branch)
            if edge.target is not None:
                message = f'step "{step_id}" goes to "{edge.target}", which does not exist'
                self._step_exists(edge.target, self._target_path(at, step, edge), message, "RB203")
            if edge.finding is not None and at not in checked:
                checked.add(at)
                self._finding_exists(edge.finding, step_id, (*at, "finding"))

    @staticmethod
    def _target_path(at: Path, step: AnyStep, edge: Edge) -> Path:
        way = (step.branches if edge.branch[0] == "branches" else step.on_error)[edge.branch[1]]
        key, targets = ("else", way.otherwise) if isinstance(way, Else) else ("goto", way.goto)
        return (*at, key, targets.index(edge.target)) if edge.target is not None else at

    def _step_exists(self, step: StepId, path: Path, message: str, code: str) -> None:
        if step not in self._raw.steps:
            self.dangling = True
            self._unknown(code, message, path, step, self._raw.steps, "steps of this runbook")

    def _finding_exists(self, finding: FindingId, step: StepId, path: Path) -> None:
        if finding not in self._raw.findings:
            self._unknown(
                "RB202",
                f'step "{step}" raises the finding "{finding}", which does not exist',
                path,
                finding,
                self._raw.findings,
                "findings of this runbook",
            )

    def _unknown(self, code: str, message: str, path: Path, word: str, known: Iterable[str], what: str) -> None:
        names = sorted(known)
        guess = closest(word, names)
        self._mistakes.add(
            code,
            message,
            path,
            label=f'did you mean "{guess}"?' if guess else "",
            help=f"{what}: {', '.join(names) or _NONE_KNOWN}",
            write=guess,
        )
