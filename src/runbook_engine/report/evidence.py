"""Raw evidence as small tables, bounded in every direction, whatever shape a probe gave it."""

import json
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine.hostile import cut, one_line
from runbook_engine.quantity import Dimension, counted, show

MOST_ROWS = 20
MOST_COLUMNS = 12
MOST_CELL = 300


class Table(Struct, frozen=True):
    """``columns`` is empty where each row is a name and a value. ``more`` rows and ``wide`` columns were left out;
    ``numeric`` tells columns of numbers.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int
    numeric: tuple[bool, ...]
    wide: int = 0

    @property
    def caption(self) -> str:
        """What the rows are, in words."""
        return one_line(self.name.replace("_", " "))

    @property
    def left_out(self) -> str:
        return left_out(self.more, self.wide)


def left_out(rows: int, columns: int) -> str:
    """``3 more rows, 1 more column (truncated)``; nothing where nothing is left out."""
    told = [counted(number, f"more {word}") for number, word in ((rows, "row"), (columns, "column")) if number]
    return f"{', '.join(told)} (truncated)" if told else ""


def tables(evidence: Mapping[str, JsonValue], most_rows: int = MOST_ROWS) -> tuple[Table, ...]:
    """A table for each list and each object; what is left stands together in one, first."""
    loose: dict[str, JsonValue] = {}
    found = []
    for name, value in evidence.items():
        match value:
            case list() if value:
                found.append(_listed(name, value, most_rows))
            case dict() if value:
                found.append(_pairs(name, value, most_rows))
            case _:
                loose[name] = value
    return ((_pairs("", loose, most_rows), *found)) if loose else tuple(found)


def _listed(name: str, values: Sequence[JsonValue], most_rows: int) -> Table:
    kept = [each for each in values if not _is_mark(each)]
    more = sum(_left_out(each, len(kept)) for each in values) + max(0, len(kept) - most_rows)
    shown = kept[:most_rows]
    if not all(isinstance(each, dict) for each in shown):
        return Table(name, (name,), tuple((cell(each),) for each in shown), more, (_numeric(shown),))
    records = [each for each in shown if isinstance(each, dict)]
    every = tuple(dict.fromkeys(key for each in records for key in each))
    columns = every[:MOST_COLUMNS]
    rows = tuple(tuple(cell(each.get(column)) for column in columns) for each in records)
    numeric = tuple(_numeric(each.get(column) for each in records) for column in columns)
    wide = len(every) - len(columns)
    return Table(name, tuple(cut(column, MOST_CELL) for column in columns), rows, more, numeric, wide)


def _pairs(name: str, values: Mapping[str, JsonValue], most_rows: int) -> Table:
    shown = list(values.items())[:most_rows]
    rows = tuple((cut(one_line(key), MOST_CELL), cell(value)) for key, value in shown)
    return Table(name, (), rows, max(0, len(values) - most_rows), (False, False))


def _is_mark(value: JsonValue) -> bool:
    """``{"truncated": true, "items": 250}``, as the engine ends a list that it has cut."""
    return isinstance(value, dict) and value.get("truncated") is True and set(value) <= {"truncated", "items"}


def _left_out(value: JsonValue, kept: int) -> int:
    if not (isinstance(value, dict) and _is_mark(value)):
        return 0
    items = value.get("items")
    return max(1, items - kept) if isinstance(items, int) else 1


def _numeric(values: Iterable[JsonValue]) -> bool:
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)


def cell(value: JsonValue) -> str:
    """One value on one line, bounded."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return show(value, Dimension.NUMBER)
        case int():
            return str(value)
        case str():
            return cut(one_line(value), MOST_CELL)
    return cut(one_line(json.dumps(value, ensure_ascii=False)), MOST_CELL)
