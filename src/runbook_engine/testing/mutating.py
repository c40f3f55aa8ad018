"""Whether tests notice a changed threshold: each is moved by the least that can be told, each operator exchanged.

What no case fails on is told: a threshold that anybody could change without a test noticing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.conditions import Comparison, Constant, Expression, Name, Operator, names, unparse
from runbook_engine.conditions import compile as compile_condition
from runbook_engine.conditions.exchanging import exchanged
from runbook_engine.conditions.tree import walk
from runbook_engine.document.cases_text import literal
from runbook_engine.document.source import Path
from runbook_engine.engine.inputs import read_value
from runbook_engine.engine.rehearsal import rehearse
from runbook_engine.engine.verdict import differences
from runbook_engine.errors import InputsError
from runbook_engine.graph.plan import Plan, PlannedStep, Way
from runbook_engine.graph.scope import INPUTS
from runbook_engine.ids import StepId
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.testing.resolution import shifted
from runbook_engine.testing.running import CheckedFile

Kind = Literal["operator", "threshold", "input"]

_NEAREST: Mapping[Operator, Operator] = {
    Operator.LESS: Operator.AT_MOST,
    Operator.AT_MOST: Operator.LESS,
    Operator.MORE: Operator.AT_LEAST,
    Operator.AT_LEAST: Operator.MORE,
    Operator.EQUAL: Operator.UNEQUAL,
    Operator.UNEQUAL: Operator.EQUAL,
}
"""The operator that differs least."""


_STEPS = (-1, 1)
_WHOLE_STEPS: Mapping[Operator, tuple[int, ...]] = {
    Operator.LESS: (-1,),
    Operator.AT_MOST: (1,),
    Operator.MORE: (1,),
    Operator.AT_LEAST: (-1,),
    Operator.EQUAL: _STEPS,
    Operator.UNEQUAL: _STEPS,
}
"""Of what is counted, one step the other way says the same as the other operator: > 0 and >= 1."""


class Change(Struct, frozen=True):
    """One change of a runbook: what stands at a place, and what it was changed to. ``step`` is empty for an input."""

    kind: Kind
    step: str
    place: Path
    before: str
    after: str
    plan: Plan

    @property
    def told(self) -> str:
        where = f"step {self.step}" if self.step else f"input {self.place[1]}"
        return f"{where}: {self.before} -> {self.after}"


class Mutated(Struct, frozen=True):
    """One runbook with all changes that were tried, and those that no test of it has noticed."""

    plan: Plan
    tried: int
    survivors: tuple[Change, ...]

    @property
    def noticed(self) -> int:
        return self.tried - len(self.survivors)


def mutate(files: Iterable[CheckedFile]) -> tuple[Mutated, ...]:
    """Try every change of each runbook against all its tests, of which none may fail as things are."""
    tests: dict[FilePath | str, list[CheckedFile]] = {}
    for each in files:
        if each.plan is not None:
            tests.setdefault(each.plan.file or each.plan.digest, []).append(each)
    return tuple(_mutated(each) for each in tests.values())


def _mutated(files: Sequence[CheckedFile]) -> Mutated:
    plan = files[0].plan
    assert plan is not None  # noqa: S101 - kept by mutate
    tried = list(changes(plan))
    ran = [(file, name, _steps(file, name)) for file in files for name in file.given]
    survivors = tuple(each for each in tried if not _is_noticed(each, ran))
    return Mutated(plan, len(tried), survivors)


def _steps(file: CheckedFile, name: str) -> frozenset[str]:
    """The steps of the tested runbook that a case walks."""
    return frozenset(step for scope, step in file.run(name).trace.path if not scope)


def _is_noticed(change: Change, ran: Iterable[tuple[CheckedFile, str, frozenset[str]]]) -> bool:
    return any(_fails(change.plan, file, name) for file, name, steps in ran if not change.step or change.step in steps)


def _fails(plan: Plan, file: CheckedFile, name: str) -> bool:
    cases = file.loaded.cases
    assert cases is not None  # noqa: S101 - files with mistakes are not mutated
    rehearsal = rehearse(plan, file.given[name])
    return bool(rehearsal.lacks) or bool(differences(rehearsal.trace, cases.cases[name].expect, plan))


def changes(plan: Plan) -> Iterator[Change]:
    """Every change of a runbook, in the order of the document: inputs with a default first, then the branches."""
    yield from _inputs(plan)
    for step_id, step in plan.steps.items():
        for way in step.ways:
            if way.expression is not None:
                yield from _of_way(plan, step_id, way, way.expression)


def _inputs(plan: Plan) -> Iterator[Change]:
    """The defaults that a condition compares with."""
    asked = {
        name.name
        for step in plan.steps.values()
        for way in step.ways
        if way.expression is not None
        for name in names(way.expression)
        if name.scope == INPUTS
    }
    for name, spec in plan.runbook.inputs.items():
        known = plan.input_types.get(name)
        if name not in asked or spec.default is None or known is None or not known.dimension.is_numeric:
            continue
        try:
            value = read_value(spec, spec.default, name=name).value
        except InputsError:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for steps in (-1, 1):
            moved = shifted(float(value), known.dimension, steps, integer=known.integer)
            after = literal(int(moved) if known.integer else moved, known.dimension)
            changed = {**plan.runbook.inputs, name: spec.model_copy(update={"default": after})}
            runbook = plan.runbook.model_copy(update={"inputs": changed})
            place: Path = ("inputs", name, "default")
            yield Change("input", "", place, str(spec.default), str(after), replace(plan, runbook=runbook))


def _of_way(plan: Plan, step_id: StepId, way: Way, expression: Expression) -> Iterator[Change]:
    for node in walk(expression):
        if not isinstance(node, Comparison):
            continue
        other = replace(node, operator=_NEAREST[node.operator])
        yield _changed(plan, step_id, way, exchanged(expression, node, other), "operator")
        integer = _is_whole(node, plan, step_id)
        for side in (node.left, node.right):
            # What stands deeper only says in what something is told: failed / requests * 100%.
            if isinstance(side, Constant) and side.dimension.is_numeric:
                operator = node.operator if side is node.right else node.operator.flipped
                for steps in _STEPS if not integer else _WHOLE_STEPS[operator]:
                    moved = _moved(side, steps, integer=integer)
                    yield _changed(plan, step_id, way, exchanged(expression, side, moved), "threshold")


def _is_whole(node: Comparison, plan: Plan, step_id: StepId) -> bool:
    """Whether all that is compared is counted."""
    known = [type_of(name, plan, step_id) for name in names(node)]
    return bool(known) and all(each is not None and each.integer for each in known)


def type_of(name: Name, plan: Plan, step_id: StepId) -> MetricType | None:
    """The type of a name as a step sees it."""
    if name.scope == INPUTS:
        return plan.input_types.get(name.name)
    step = plan.steps.get(StepId(name.scope or step_id))
    return step.types.get(name.name) if step is not None else None


def _moved(constant: Constant, steps: int, *, integer: bool) -> Constant:
    value = shifted(float(constant.value), constant.dimension, steps, integer=integer)
    return constant_of(value, constant.dimension, integer=integer)


def constant_of(value: float, dimension: Dimension, *, integer: bool) -> Constant:
    """A literal with this value."""
    whole = integer and dimension is Dimension.NUMBER
    return Constant(value, dimension, str(literal(int(value) if whole else value, dimension)))


def _changed(plan: Plan, step_id: StepId, way: Way, expression: Expression, kind: Kind) -> Change:
    text = unparse(expression)
    changed = replace(way, text=text, expression=expression, condition=compile_condition(expression))
    step: PlannedStep = plan.steps[step_id]
    ways = tuple(changed if each is way else each for each in step.ways)
    steps = {**plan.steps, step_id: replace(step, ways=ways)}
    place: Path = ("steps", step_id, *way.place, "when")
    return Change(kind, step_id, place, way.text, text, replace(plan, steps=steps))
