"""All pages that are made from the code, and the folder in which they lie."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from tests.docs.reference import codes, commands, conditions, formats, probes

FOLDER = Path(__file__).parents[3] / "docs" / "reference"


def pages() -> Mapping[str, str]:
    """The text of each page by its place in the folder."""
    return dict(
        chain(formats.pages(), conditions.pages(), probes.pages(), commands.pages(), codes.pages()),
    )


def stray(made: Mapping[str, str]) -> list[Path]:
    """Files in the folder that are not made, from a code or a probe that is gone."""
    return [each for each in sorted(FOLDER.rglob("*.md")) if each.relative_to(FOLDER).as_posix() not in made]


def write() -> None:
    made = pages()
    for place, text in made.items():
        file = FOLDER / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for each in stray(made):
        each.unlink()
