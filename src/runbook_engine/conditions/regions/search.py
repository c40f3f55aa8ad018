"""Looks for values in a combination of cells, and hands out only those that the evaluation of a run confirms."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from runbook_engine.conditions.evaluation import evaluator
from runbook_engine.conditions.regions.cells import (
    LESS,
    MORE,
    NO,
    NO_ANSWER,
    NO_RELATION,
    SAME,
    YES,
    Choices,
    Grid,
    bits,
)
from runbook_engine.conditions.regions.line import Line, Number, Span
from runbook_engine.conditions.regions.monotone import is_monotone_in, pieces
from runbook_engine.conditions.regions.order import Pair
from runbook_engine.conditions.regions.space import Space
from runbook_engine.conditions.regions.texts import texts_for
from runbook_engine.conditions.regions.witness import Witness
from runbook_engine.conditions.tree import Expression, Name, names
from runbook_engine.quantity import Value

Values = dict[Name, Value | None]
Confirm = Callable[[Witness], bool]

MOST_BOXES = 20
MOST_STEPS = 150
MOST_STEPS_EACH = 40
"""In one box, with the names in one order; and one more for each name."""
_MOST_CELLS = 6
_MOST_TEXTS = 80


def find(space: Space, regions: Iterable[int], confirm: Confirm) -> Witness | None:
    """Values in the first of the regions that can be had, for which ``confirm`` holds; None where none was found, which
    proves nothing.
    """
    least = len(space.survey.unknowns)
    steps = MOST_STEPS + 3 * least
    for region in regions:
        for box in islice(space.diagrams.boxes(region), MOST_BOXES):
            for order in _orders(space):
                search = _Search(space, box, order, confirm, min(steps, MOST_STEPS_EACH + least))
                found = search.found()
                steps -= search.spent
                if found is not None or steps <= 0:
                    return found
    return None


def essential(space: Space, region: int, witness: Witness, possible: int) -> tuple[Name, ...]:
    """Names that keep the witness in the region, whatever the others are as long as they are not missing; at least one."""
    cells = _combination(space, witness)
    free = list(space.domains)
    kept: list[Name] = list(witness)
    for name in reversed(tuple(witness)):
        loose = {level for level, node in space.asked() if name in node}
        own = space.level[name]
        trial = [free[level] if level in loose else cell for level, cell in enumerate(cells)]
        if cells[own] != space.cells[name].absent:
            trial[own] = free[own] & space.cells[name].present
        if len(kept) > 1 and not space.diagrams.without(_box(space, possible, trial), region):
            cells = trial
            kept.remove(name)
    return tuple(kept)


def _box(space: Space, region: int, box: Sequence[int]) -> int:
    for level in range(len(box) - 1, -1, -1):
        region = space.diagrams.both(region, space.diagrams.where(level, box[level]))
    return region


def _combination(space: Space, witness: Witness) -> list[int]:
    """The cells in which the values are."""
    found = list(space.domains)
    for node, level in space.level.items():
        if isinstance(node, Pair):
            found[level] = _relation(evaluator(node.left)(witness.look_up), evaluator(node.right)(witness.look_up))
            continue
        cells, value = space.cells[node], evaluator(node)(witness.look_up)
        if value is None:
            found[level] = cells.absent
        elif isinstance(cells, Choices):
            found[level] = 1 << cells.at(value)
        elif not isinstance(value, str):
            found[level] = 1 << cells.place(value)
    for node, level in space.open_level.items():
        value = evaluator(node)(witness.look_up)
        found[level] = NO_ANSWER if value is None else YES if value else NO
    return found


def _orders(space: Space) -> Iterator[list[Name]]:
    """Names first that are calculated with, and then the other way round."""
    every = [node for node in space.survey.unknowns if isinstance(node, Name)]
    inside = {name for node in space.survey.unknowns if not isinstance(node, Name) for name in names(node)}
    first = sorted(every, key=lambda name: name not in inside)
    yield first
    if inside:
        yield first[::-1]


class _Search:
    """Depth first over the names, one box."""

    def __init__(self, space: Space, box: tuple[int, ...], order: list[Name], confirm: Confirm, steps: int) -> None:
        self._space = space
        self._order = order
        self._confirm = confirm
        self._values: Values = {}
        self._steps = steps
        self.spent = 0
        self._allowed = {node: box[space.level[node]] for node in space.survey.unknowns}
        self._related = {
            pair: mask for pair in space.pairs if (mask := box[space.level[pair]]) != space.domains[space.level[pair]]
        }
        place = {name: index for index, name in enumerate(order)}
        self._due: dict[Name, list[Expression | Pair]] = {}
        """What can be told once a name has a value, as the last of those in it."""
        for each in (*self._related, *(node for node in self._allowed if not isinstance(node, Name))):
            inside = (*names(each.left), *names(each.right)) if isinstance(each, Pair) else names(each)
            self._due.setdefault(max(inside, key=place.__getitem__), []).append(each)

    def found(self) -> Witness | None:
        return self._below(0)

    def _look_up(self, name: Name) -> Value | None:
        return self._values.get(name)

    def _below(self, index: int) -> Witness | None:
        if index == len(self._order):
            witness = Witness(
                {name: self._values[name] for name in self._space.survey.unknowns if isinstance(name, Name)}
            )
            try:
                return witness if self._confirm(witness) else None
            except TypeError:  # a condition that mixes its types has no truth
                return None
        name = self._order[index]
        for value in self._candidates(name):
            self.spent += 1
            if self.spent > self._steps:
                return None
            self._values[name] = value
            if all(self._agrees(each) for each in self._due.get(name, ())):
                found = self._below(index + 1)
                if found is not None:
                    return found
        self._values.pop(name, None)
        return None

    def _agrees(self, each: Expression | Pair) -> bool:
        """Whether a calculation or a relation came out in the cells of the box."""
        if isinstance(each, Pair):
            one, other = evaluator(each.left)(self._look_up), evaluator(each.right)(self._look_up)
            return bool(self._related[each] & _relation(one, other))
        cells, value = self._space.cells[each], evaluator(each)(self._look_up)
        if value is None or isinstance(value, str) or not isinstance(cells, Grid):
            return bool(self._allowed[each] & cells.absent)
        return bool(self._allowed[each] & 1 << cells.place(value))

    def _candidates(self, name: Name) -> Iterator[Value | None]:
        cells, allowed = self._space.cells[name], self._allowed[name]
        if isinstance(cells, Grid):
            yield from self._numbers(name, cells, allowed)
        else:
            yield from self._choices(name, cells, allowed)
        if allowed & cells.absent:
            yield None

    def _choices(self, name: Name, cells: Choices, allowed: int) -> Iterator[Value]:
        named = allowed & (cells.other - 1)
        yield from (cells.values[cell] for cell in bits(named))
        if allowed & cells.other:
            known = [value for value in self._values.values() if isinstance(value, str)]
            searches = [node for node in self._space.survey.open if name in names(node)]
            for text in islice((*known, *texts_for(searches)), _MOST_TEXTS):
                if cells.at(text) == len(cells.values):
                    yield text

    def _numbers(self, name: Name, grid: Grid, allowed: int) -> Iterator[Number]:
        """From the inside of cells, then from their ends, then from further away."""
        line = self._space.survey.unknowns[name].line
        inner = list(islice((cell for cell in bits(allowed & grid.present) if cell % 2 == 0), _MOST_CELLS))
        points = list(islice((cell for cell in bits(allowed & grid.present) if cell % 2), _MOST_CELLS))
        spans = [grid.span(line, cell) for cell in (*inner, *points)]
        for each in self._due.get(name, ()):
            spans = self._narrowed(spans, each, name, line)
        for span in spans:
            yield line.pleasant(span)
        for first, last in spans:
            if first < last:
                yield line.value(first)
                yield line.value(last)
        for span in spans:
            yield from line.spread(span)

    def _narrowed(self, spans: list[Span], each: Expression | Pair, name: Name, line: Line) -> list[Span]:
        """What is left of the spans when all but this one name are known."""
        if isinstance(each, Pair):
            narrowed = self._narrowed_by_pair(spans, each, name, line)
            return [*narrowed, *spans] if self._related[each] & NO_RELATION else narrowed
        grid, allowed = self._space.cells[each], self._allowed[each]
        if not isinstance(grid, Grid) or not is_monotone_in(each, name):
            return spans
        narrowed = spans
        for point in grid.points:
            sides = grid.sides(point)
            if all(side & allowed for side in sides):
                continue
            found = pieces(each, name, line, point, self._look_up)
            narrowed = _common(narrowed, [span for span, side in found if sides[side] & allowed])
        return [*narrowed, *spans] if allowed & grid.absent else narrowed

    def _narrowed_by_pair(self, spans: list[Span], pair: Pair, name: Name, line: Line) -> list[Span]:
        for side, other, relations in (
            (pair.left, pair.right, (LESS, SAME, MORE)),
            (pair.right, pair.left, (MORE, SAME, LESS)),
        ):
            if is_monotone_in(side, name) and name not in names(other):
                threshold = evaluator(other)(self._look_up)
                if threshold is None or isinstance(threshold, str):
                    return spans
                found = pieces(side, name, line, threshold, self._look_up)
                return _common(spans, [span for span, sign in found if relations[sign] & self._related[pair]])
        return spans


def _common(some: list[Span], others: list[Span]) -> list[Span]:
    found = []
    for first, last in some:
        for start, end in others:
            if max(first, start) <= min(last, end):
                found.append((max(first, start), min(last, end)))
    return found


def _relation(one: Value | None, other: Value | None) -> int:
    if one is None or other is None:
        return NO_RELATION
    if one == other:
        return SAME
    if isinstance(one, str | bool) or isinstance(other, str | bool):
        return LESS
    return LESS if one < other else MORE
