"""What the conditions of a step ask about: the unknowns, what each is compared with, and which belong together."""

from collections.abc import Iterable, Iterator

from runbook_engine.conditions.explaining import Types
from runbook_engine.conditions.regions.atoms import (
    Absent,
    Cut,
    Joined,
    Open,
    Opposite,
    Question,
    Related,
    Search,
)
from runbook_engine.conditions.regions.line import Line, Number, line_of
from runbook_engine.conditions.regions.monotone import Piece, is_monotone, pieces
from runbook_engine.conditions.regions.order import Pair
from runbook_engine.conditions.tree import Expression, Name, names
from runbook_engine.quantity import Dimension, MetricType, Value

ANY_NUMBER = MetricType(Dimension.NUMBER)


class Unknown:
    """A name, or a calculation that is reasoned about as a whole: ``node``.

    ``values`` are the literals with which it is compared, and the points at which calculations with it alone pass theirs.
    """

    __slots__ = ("known", "line", "may_be_absent", "node", "related", "values")

    def __init__(self, node: Expression, known: MetricType, *, may_be_absent: bool) -> None:
        self.node = node
        self.known = known
        self.line: Line = line_of(known)
        self.may_be_absent = may_be_absent
        self.values: dict[Value, None] = {}
        self.related = False

    @property
    def is_numeric(self) -> bool:
        return self.known.dimension.is_numeric


class Survey:
    """``types`` gives the type of every name in the questions, or they would be open."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self.unknowns: dict[Expression, Unknown] = {}
        self.pairs: dict[Pair, None] = {}
        self.open: dict[Expression, None] = {}
        """Questions without an answer that can be reasoned with."""
        self.cuts: dict[tuple[Expression, Value], tuple[Name, list[Piece]]] = {}
        """Calculations with one name against a literal, as pieces of that name."""

    def read(self, parts: Iterable[Question]) -> None:
        for question in parts:
            match question:
                case Joined(parts=below):
                    self.read(below)
                case Opposite(part=part):
                    self.read((part,))
                case Absent(name=name):
                    self._asked(name)
                case Cut(subject=subject, value=value):
                    self._cut(subject, value)
                case Related(left=left, right=right):
                    self._related(left, right)
                case Search() | Open():
                    self._open(question)

    def _open(self, question: Search | Open) -> None:
        self.open.setdefault(question.node)
        for name in names(question.node):
            self._name(name)

    def _name(self, name: Name) -> Unknown:
        found = self.unknowns.get(name)
        if found is None:
            known = self._types(name)
            absent = known is None or known.optional or (name.scope is not None and not name.is_input)
            found = self.unknowns[name] = Unknown(name, known or ANY_NUMBER, may_be_absent=absent)
        return found

    def _asked(self, name: Name) -> None:
        """A float that is not a number is missing, too, however certain it is that it was measured."""
        found = self._name(name)
        if found.is_numeric and not found.known.integer:
            found.may_be_absent = True

    def _cut(self, subject: Expression, value: Value) -> None:
        if isinstance(subject, Name):
            self._name(subject).values.setdefault(value)
        elif not is_monotone(subject) or isinstance(value, str):
            self._calculation(subject).values.setdefault(value)
        elif (subject, value) not in self.cuts:
            (name,) = names(subject)
            unknown = self._name(name)
            found = pieces(subject, name, unknown.line, value, _nothing)
            self.cuts[subject, value] = (name, found)
            unknown.values.update(dict.fromkeys(starts(unknown.line, found)))

    def _related(self, left: Expression, right: Expression) -> None:
        for node in (left, right):
            unknown = self._name(node) if isinstance(node, Name) else self._calculation(node)
            unknown.related = True
        if not (left == right or Pair(right, left) in self.pairs):
            self.pairs.setdefault(Pair(left, right))

    def _calculation(self, node: Expression) -> Unknown:
        found = self.unknowns.get(node)
        if found is None:
            for name in names(node):
                self._name(name)
            found = self.unknowns[node] = Unknown(node, ANY_NUMBER, may_be_absent=True)
        return found


def starts(line: Line, found: list[Piece]) -> Iterator[Number]:
    """Where a new cell must begin: wherever a piece begins, and behind its end."""
    for (first, last), _ in found:
        for rank in (first, last + 1):
            if line.first < rank <= line.last:
                yield line.value(rank)


def _nothing(_name: Name) -> None:
    return None
