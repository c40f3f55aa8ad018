"""The table of ``--explain-inputs``."""

from collections.abc import Sequence
from itertools import groupby

from runbook_engine.cli.screen import visible
from runbook_engine.engine.explanation import Explained
from runbook_engine.hostile import cut, one_line

HEADINGS = ("Input", "Value", "Source", "Otherwise")
MOST_VALUE = 80


def as_text(rows: Sequence[Explained]) -> str:
    """One line for each input, in columns; inputs of called runbooks under the name of theirs."""
    lines = [HEADINGS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS) - 1)]
    text = []
    for runbook, group in groupby(rows, key=lambda row: row.runbook):
        if runbook:
            text.append(f"\nInputs that only {runbook}, which is called, has")
        else:
            text.append(_line(HEADINGS, widths))
        text += [_line(_cells(row), widths) for row in group]
    return "\n".join(text) + "\n"


def _cells(row: Explained) -> tuple[str, str, str, str]:
    otherwise = ", then ".join(f"{source}: {_told(value)}" for source, value in row.otherwise)
    return row.name, _told(row.value), visible(row.source), otherwise


def _told(value: str) -> str:
    return visible(cut(one_line(value), MOST_VALUE)) or "(empty)"


def _line(cells: tuple[str, str, str, str], widths: Sequence[int]) -> str:
    *first, last = cells
    return "  ".join([*(cell.ljust(width) for cell, width in zip(first, widths, strict=True)), last]).rstrip()
