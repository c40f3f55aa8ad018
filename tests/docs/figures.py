"""What the long targets measured, kept in docs/figures/ and shown in docs/promises.md.

A target calls ``keep`` at its end. ``python -m tests.docs.figures`` writes the tables of the page anew.
"""

import json
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "promises.md"
FIGURES = DOCS / "figures"

_TABLE = re.compile(r"(?<=<!-- figures: )([a-z]+)( -->\n).*?(?=<!-- end of figures -->)", re.DOTALL)


class Figure(NamedTuple):
    """One line of a table: what was counted or timed, what is promised of it, and what was measured. Texts for people."""

    what: str
    promised: str
    measured: str


def keep(name: str, figures: Sequence[Figure], *, made_by: str) -> Path:
    """Write the figures of one target, with the day and the machine, in place of those of its last run."""
    FIGURES.mkdir(exist_ok=True)
    path = FIGURES / f"{name}.json"
    content = {
        "made_by": made_by,
        "day": datetime.now(UTC).date().isoformat(),
        "machine": f"CPython {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores",
        "figures": [figure._asdict() for figure in figures],
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def page(text: str) -> str:
    """The page with its tables as the kept figures are."""
    return _TABLE.sub(lambda found: f"{found[1]}{found[2]}{table(found[1])}", text)


def table(name: str) -> str:
    """The table of one target's figures, in Markdown."""
    content = json.loads((FIGURES / f"{name}.json").read_text(encoding="utf-8"))
    lines = [
        "| what | promised | measured |",
        "|---|---|---|",
        *("| {what} | {promised} | {measured} |".format(**_escaped(figure)) for figure in content["figures"]),
        "",
        f"`{content['made_by']}`, {content['day']}, {content['machine']}.",
    ]
    return "\n" + "\n".join(lines) + "\n\n"


def _escaped(figure: dict[str, str]) -> dict[str, str]:
    return {key: text.replace("|", "\\|") for key, text in figure.items()}


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
