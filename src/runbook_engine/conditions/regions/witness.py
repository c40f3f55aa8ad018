"""Values that show what was found: as an author reads them."""

from collections.abc import Collection, Iterator, Mapping

from runbook_engine.conditions.explaining import Types
from runbook_engine.conditions.showing import shown
from runbook_engine.conditions.tree import Name
from runbook_engine.quantity import BASE_UNIT, Dimension, Value
from runbook_engine.quantity import parse as read


class Witness(Mapping[Name, Value | None]):
    """A value for every name in the conditions, in its base unit; None where it is missing."""

    __slots__ = ("_found", "_values")

    def __init__(self, values: Mapping[Name, Value | None]) -> None:
        self._values = dict(values)
        self._found = {(name.scope, name.name): value for name, value in values.items()}

    def look_up(self, name: Name) -> Value | None:
        """As conditions are evaluated with; a name that is not in them is missing."""
        return self._found.get((name.scope, name.name))

    def __getitem__(self, name: Name) -> Value | None:
        return self._values[name]

    def __iter__(self) -> Iterator[Name]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Witness({ {str(name): value for name, value in self._values.items()} })"

    def shown(self, types: Types, only: Collection[Name] | None = None) -> str:
        """``p95 = 1 s, error_rate = 5 %`` — exactly: what is shown, written as a literal, is the value. ``only`` are the
        names to be told.
        """
        told = [name for name in self._values if only is None or name in only]
        return ", ".join(_told(name, self._values[name], types) for name in told) or "any value"


def _told(name: Name, value: Value | None, types: Types) -> str:
    if value is None:
        return f"{name} is missing"
    known = types(name)
    return f"{name} = {_exactly(value, known.dimension if known is not None else Dimension.NUMBER)}"


def _exactly(value: Value, dimension: Dimension) -> str:
    text = shown(value, dimension)
    if isinstance(value, bool | str):
        return text
    try:
        same = read(text.replace("µ", "u"))[0] == value
    except ValueError:
        return text
    return text if same else f"{value!r} {BASE_UNIT[dimension]}".rstrip().replace(" /", "/")
