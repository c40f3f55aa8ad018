"""What is proven of a step's branches: that they cover every value, and that each of them can win."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from runbook_engine.conditions import Expression, Name, Not, names
from runbook_engine.conditions.regions import Analysis, analyse
from runbook_engine.conditions.tree import both
from runbook_engine.document import DiagnosticLevel
from runbook_engine.document.models import ProbeStep
from runbook_engine.graph.divisions import without_result
from runbook_engine.graph.known_before import known_before
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.graph.plan import PlannedStep, Way
from runbook_engine.ids import StepId
from runbook_engine.quantity import MetricType

Types = Callable[[Name], MetricType | None]
_MOST_TOLD = 4


def analysed(ways: Sequence[Way], types: Types) -> Analysis:
    """What is known of a step's conditions; steps that ask the same, one after the other, share it."""
    return _analysed(
        expressions := expressions_of(ways), tuple(types(name) for each in expressions for name in names(each))
    )


def expressions_of(ways: Sequence[Way]) -> tuple[Expression, ...]:
    return tuple(way.expression for way in ways if way.expression is not None)


@lru_cache(maxsize=128)
def _analysed(expressions: tuple[Expression, ...], types: tuple[MetricType | None, ...]) -> Analysis:
    """``types`` of all names, in their order."""
    known = dict(zip((name for each in expressions for name in names(each)), types, strict=True))
    return analyse(expressions, known.get)


def check_coverage(step: StepId, ways: Sequence[Way], types: Types, mistakes: Mistakes) -> None:
    """Report values that no branch covers; also where it cannot be proven that there are none."""
    _report_gap(step, ways, types, analysed(ways, types), mistakes)


def _report_gap(step: StepId, ways: Sequence[Way], types: Types, found: Analysis, mistakes: Mistakes) -> None:
    if found.is_covered:
        return
    if found.gap is not None:
        message = f'no branch of step "{step}" covers {found.gap.shown(types, only=found.gap_names)} ({_covered(ways)})'
    else:
        message = f'it cannot be proven that the branches of step "{step}" cover every value: {found.unprovable}'
    mistakes.add(
        "RB301",
        message,
        ("steps", step, "branches"),
        key=True,
        help="say what happens then: end them with {else: end} or {else: another_step}, or cover it by a branch",
    )


def _covered(ways: Sequence[Way]) -> str:
    texts = [way.text for way in ways]
    shown = texts if len(texts) <= _MOST_TOLD else [*texts[: _MOST_TOLD - 1], f"{len(texts) - _MOST_TOLD + 1} more"]
    if len(shown) == 1:
        return f"its branch covers {shown[0]}"
    return f"branches cover {', '.join(shown[:-1])} and {shown[-1]}"


class Prover(Struct, frozen=True):
    """Checks all steps of one runbook, each with the types of names as it sees them. ``steps`` have sound conditions."""

    steps: Mapping[StepId, PlannedStep]
    start: frozenset[StepId]
    types: Callable[[StepId], Types]
    mistakes: Mistakes
    notes: bool = True

    def check(self) -> None:
        """Values that no branch covers, branches that cannot win, conditions that do not vary, dead elses, overlaps."""
        known = known_before(self.steps, self.start)
        for step_id, step in self.steps.items():
            ways = [way for way in step.ways if way.expression is not None]
            if not ways:
                continue
            types = self.types(step_id)
            found = analysed(ways, types)
            if len(ways) == len(step.ways):
                _report_gap(step_id, ways, types, found, self.mistakes)
            self._constant(step_id, ways, found)
            self._shadowed(step_id, ways, found)
            self._else(step_id, step, found)
            if self.notes:
                self._overlaps(step_id, ways, found, types)
            self._excluded(step_id, ways, found, known.get(step_id, ()))
            self._divisions(step_id, ways, types)

    def _divisions(self, step: StepId, ways: Sequence[Way], types: Types) -> None:
        """Divisors that may be zero; a note where a runbook's own extract makes one, which may well leave zero out."""
        found = without_result(expressions_of(ways), types)
        if found is None:
            return
        way, witness = ways[found[0]], found[1]
        extracted = any(value == 0 and self._is_extracted(name, step) for name, value in witness.items())
        self.mistakes.add(
            "RB310",
            f'"{way.text}" divides by zero at {witness.shown(types)}: step "{step}" is not decided there',
            ("steps", step, *way.place, "when"),
            help="say what happens then, in a branch before it or in front of the division, joined with and",
            level=DiagnosticLevel.NOTE if extracted else DiagnosticLevel.WARNING,
        )

    def _is_extracted(self, name: Name, step: StepId) -> bool:
        owner = self.steps.get(StepId(name.scope or step))
        return owner is not None and isinstance(owner.model, ProbeStep) and name.name in owner.model.extract

    def _constant(self, step: StepId, ways: Sequence[Way], found: Analysis) -> None:
        for way, facts in zip(ways, found.branches, strict=True):
            if facts.always or facts.never:
                told = "true" if facts.always else "false"
                hint = (
                    "write else for what is left"
                    if facts.always
                    else "delete the branch, or compare with another value"
                )
                self._warn("RB308", f'"{way.text}" is always {told}, whatever is measured', step, way, hint)

    def _shadowed(self, step: StepId, ways: Sequence[Way], found: Analysis) -> None:
        for way, facts in zip(ways, found.branches, strict=True):
            if facts.shadowed_by and not facts.never:
                before = ", ".join(f'"{ways[index].text}"' for index in facts.shadowed_by)
                verb = "takes" if len(facts.shadowed_by) == 1 else "take"
                message = f'the branch "{way.text}" can never win: {before} before it {verb} everything that it covers'
                self._warn("RB305", message, step, way, "put the narrower condition first, or delete it")

    def _else(self, step_id: StepId, step: PlannedStep, found: Analysis) -> None:
        otherwise = next((way for way in step.ways if way.expression is None), None)
        if otherwise is not None and found.is_covered:
            message = f'nothing is left for the else of step "{step_id}": its branches cover every value'
            self._warn("RB307", message, step_id, otherwise, "delete the else, or one of the branches")

    def _overlaps(self, step: StepId, ways: Sequence[Way], found: Analysis, types: Types) -> None:
        for way, facts in zip(ways, found.branches, strict=True):
            if facts.shadowed_by or facts.never:
                continue
            for overlap in facts.overlaps[:1]:
                first = ways[overlap.earlier]
                self.mistakes.add(
                    "RB306",
                    f'at {overlap.witness.shown(types)} both "{first.text}" and "{way.text}" hold, and the first wins',
                    ("steps", step, *way.place),
                    help="their order matters; that is how a ladder of thresholds is written, from the worst down",
                    level=DiagnosticLevel.NOTE,
                )

    def _excluded(self, step: StepId, ways: Sequence[Way], found: Analysis, known: Sequence[Expression]) -> None:
        """Branches that what an earlier step measured leaves nothing to."""
        if not known:
            return
        given = analyse([Not(both(known)), *expressions_of(ways)], self.types(step))
        for way, alone, led in zip(ways, found.branches, given.branches[1:], strict=True):
            if led.shadowed_by and not (alone.shadowed_by or alone.never):
                message = (
                    f'the branch "{way.text}" can never win: the steps before lead here only where it does not hold'
                )
                self._warn("RB309", message, step, way, "delete it, or let another way lead to this step")

    def _warn(self, code: str, message: str, step: StepId, way: Way, hint: str) -> None:
        path: Path = ("steps", step, *way.place)
        if way.expression is not None:
            self.mistakes.warn(code, message, (*path, "when"), help=hint)
        else:
            self.mistakes.warn(code, message, (*path, "else"), help=hint, key=True)
