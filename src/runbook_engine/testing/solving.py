"""Values for readings and inputs at which steps take the branches that they shall take, all at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.conditions import And, Expression, IsMissing, Name, Not, Or, names
from runbook_engine.conditions.regions import Witness, analyse
from runbook_engine.conditions.tree import both, renamed, rescoped
from runbook_engine.document.cases_text import literal
from runbook_engine.document.models import Input, InputType
from runbook_engine.engine.inputs import read_value
from runbook_engine.errors import InputsError
from runbook_engine.graph.known_before import chosen
from runbook_engine.graph.plan import Plan, Way
from runbook_engine.graph.scope import INPUTS, input_type
from runbook_engine.ids import StepId
from runbook_engine.quantity import Dimension, MetricType, Value


class Solved(Struct, frozen=True):
    """Inputs and readings as a test writes them."""

    inputs: Mapping[str, Any]
    steps: Mapping[StepId, Mapping[str, Any]]


Fact = tuple[StepId, Expression]
"""What holds of the readings, as a step sees them."""


class Solver:
    """For one plan. Inputs keep their defaults where that is possible."""

    def __init__(self, plan: Plan, shares: Mapping[StepId, StepId]) -> None:
        self._plan = plan
        self._shares = shares
        self._defaults = dict(_defaults(plan))
        self._solved: dict[object, Solved | None] = {}

    def solve(
        self, ways: Mapping[StepId, Way], missing: Mapping[StepId, str], also: Sequence[Fact] = ()
    ) -> Solved | None:
        """None where no values were found: mostly because there are none. ``missing`` are metrics that shall have none;
        ``also`` is what else shall hold.
        """
        taken = tuple(sorted((step, way.place) for step, way in ways.items()))
        key = taken, tuple(sorted(missing.items())), tuple(also)
        if key not in self._solved:
            self._solved[key] = self._solve(ways, missing, also)
        return self._solved[key]

    def _solve(self, ways: Mapping[StepId, Way], missing: Mapping[StepId, str], also: Sequence[Fact]) -> Solved | None:
        facts = [fact for step, way in ways.items() if (fact := self._fact(step, way)) is not None]
        facts += [self._measured_by(fact, step) for step, fact in also]
        facts += [each for step, metric in missing.items() for each in self._undecided(step, metric)]
        values: dict[Name, Value | None] = {}
        for part in _components(facts, pinned=self._defaults):
            found = next(
                (
                    each
                    for how in self._ways_to_solve(part, fixed=bool(also))
                    if (each := self._witness(part, how)) is not None
                ),
                None,
            )
            if found is None:
                return None
            values.update(found)
        return self._told(values)

    def _fact(self, step: StepId, way: Way) -> Expression | None:
        """When the step takes the way, in the names of the steps that measure: those of shared readings are one step's."""
        fact = chosen(self._plan.steps[step].ways, [way]) if way.place[1] >= 0 else None
        if fact is None:
            return None
        return self._measured_by(fact, step)

    def _measured_by(self, fact: Expression, step: StepId) -> Expression:
        return rescoped(renamed(fact, step), {str(each): str(first) for each, first in self._shares.items()})

    def _undecided(self, step: StepId, metric: str) -> Iterator[Expression]:
        """That the step gets as far as a condition that needs the metric, which has no value, and cannot be told without."""
        yield IsMissing(Name(self._shares.get(step, step), metric), negated=False)
        for way in self._plan.steps[step].ways:
            if way.expression is None:
                continue
            if any(name.scope is None and name.name == metric for name in names(way.expression)):
                yield from (self._measured_by(each, step) for each in _otherwise(way.expression, metric))
                return
            yield self._measured_by(Not(way.expression), step)

    def _ways_to_solve(self, facts: Sequence[Expression], *, fixed: bool) -> Iterator["_How"]:
        """First with all defaults, then with all but one, at last with none; metrics within what people meet first.

        ``fixed``: only with all defaults.
        """
        asked = dict.fromkeys(name.name for fact in facts for name in names(fact) if name.scope == INPUTS)
        given = frozenset(name for name in asked if name in self._defaults)
        others = () if fixed else (*(given - {name} for name in asked), frozenset[str]())
        pins = dict.fromkeys((given, *others))
        yield from (_How(pinned, bounded) for pinned in pins for bounded in (True, False))

    def _witness(self, facts: Sequence[Expression], how: "_How") -> Witness | None:
        known = dict.fromkeys(name for fact in facts for name in names(fact))
        held = [each for name in known if name.name in how.pinned and (each := self._held(name)) is not None]
        return analyse([both([*facts, *held])], self._types(how)).branches[0].witness

    def _held(self, name: Name) -> Expression | None:
        """That a yes-or-no input has its default, which its type cannot say."""
        value = self._defaults.get(name.name) if name.scope == INPUTS else None
        if not isinstance(value, bool):
            return None
        return Name(name.scope, name.name) if value else Not(Name(name.scope, name.name))

    def _types(self, how: "_How") -> Callable[[Name], MetricType | None]:
        def known(name: Name) -> MetricType | None:
            if name.scope != INPUTS:
                step = self._plan.steps.get(StepId(name.scope or ""))
                found = step.types.get(name.name) if step is not None else None
                return _bounded(found) if how.bounded and found is not None else found
            found = self._plan.input_types.get(name.name)
            value = self._defaults.get(name.name)
            if found is None or value is None or name.name not in how.pinned or isinstance(value, bool):
                return found
            if isinstance(value, str):
                return replace(found, members=(value,))
            return replace(found, lower=float(value), upper=float(value))

        return known

    def _told(self, values: Mapping[Name, Value | None]) -> Solved:
        inputs: dict[str, Any] = {}
        steps: dict[StepId, dict[str, Any]] = {}
        types = self._types(_How())
        for name, value in values.items():
            known = types(name)
            dimension = known.dimension if known is not None else Dimension.NUMBER
            written = None if value is None else literal(_whole(value, known), dimension)
            if name.scope != INPUTS:
                steps.setdefault(StepId(name.scope or ""), {})[name.name] = written
            elif value != self._defaults.get(name.name):
                inputs[name.name] = written
        return Solved(inputs, steps)

    @property
    def stand_ins(self) -> Mapping[str, Any]:
        """Values of inputs that may be left out, and without which the steps that take them would measure nothing."""
        specs = self._plan.runbook.inputs.items()
        return {name: _stand_in(spec) for name, spec in specs if spec.optional and spec.default is None}

    def anything(self, step: StepId) -> Mapping[str, Any]:
        """A reading, or an answer, on which nothing depends."""
        types = self._plan.steps[step].types
        if "answer" in types:
            return {"answer": _any(types["answer"])}
        return {}


class _How(Struct, frozen=True):
    """``pinned``: the inputs that keep their defaults; ``bounded``: metrics stay within what people meet."""

    pinned: frozenset[str] = frozenset()
    bounded: bool = False


_MOST: Mapping[Dimension, float] = {
    Dimension.NUMBER: 100_000,
    Dimension.DURATION: 30 * 86_400,
    Dimension.PERCENT: 100,
    Dimension.BYTES: 2**40,
    Dimension.RATE: 100_000,
}


def _bounded(known: MetricType) -> MetricType:
    most = _MOST.get(known.dimension)
    if most is None:
        return known
    lower = known.lower if known.lower is not None else -most
    return replace(known, lower=lower, upper=known.upper if known.upper is not None else max(most, lower))


def _otherwise(expression: Expression, metric: str) -> Iterator[Expression]:
    """What the rest of a condition has to say so that all depends on the metric."""
    match expression:
        case And() | Or():
            for part in expression.parts:
                if any(name.scope is None and name.name == metric for name in names(part)):
                    yield from _otherwise(part, metric)
                else:
                    yield part if isinstance(expression, And) else Not(part)


def _defaults(plan: Plan) -> Iterator[tuple[str, Value]]:
    for name, spec in plan.runbook.inputs.items():
        if spec.default is None:
            continue
        try:
            value = read_value(spec, spec.default, name=name).value
        except InputsError:
            continue
        if isinstance(value, bool | int | float | str):
            yield name, value


def _components(facts: Sequence[Expression], pinned: Mapping[str, Value]) -> Iterator[list[Expression]]:
    """The facts in groups that have no unknown in common."""
    groups: list[tuple[set[Name], list[Expression]]] = []
    for fact in facts:
        own = {Name(each.scope, each.name) for each in names(fact) if each.scope != INPUTS or each.name not in pinned}
        joined = [group for group in groups if group[0] & own]
        groups = [group for group in groups if not group[0] & own]
        groups.append(
            (own.union(*(group[0] for group in joined)), [*(each for group in joined for each in group[1]), fact])
        )
    yield from (parts for _, parts in groups)


def _whole(value: Value, known: MetricType | None) -> Value:
    return int(value) if known is not None and known.integer and isinstance(value, float) else value


def _stand_in(spec: Input) -> Any:
    if spec.type is InputType.URL:
        return "https://example.com"
    return _any(input_type(spec))


def _any(known: MetricType) -> Any:
    if known.members:
        return known.members[0]
    match known.dimension:
        case Dimension.BOOL:
            return False
        case Dimension.TEXT:
            return "given"
    return literal(1 if known.integer else 1.0, known.dimension)
