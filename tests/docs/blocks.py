"""The fenced blocks of pages."""

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

DOCS = Path(__file__).parents[2] / "docs"

_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n\s*)?"
    r"^(?P<indent> *)```(?P<language>\w+)(?: title=\"(?P<title>[^\"\n]+)\")?[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)


class Block(Struct, frozen=True):
    """``mark`` is what a comment right above says of it; ``start`` and ``end`` are the offsets of its text."""

    page: str
    line: int
    language: str
    title: str
    mark: str
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(file: Path) -> Sequence[Block]:
    page = file.read_text("utf-8")
    return [
        Block(
            file.relative_to(DOCS).as_posix(),
            page.count("\n", 0, found.start("language")) + 1,
            found["language"],
            found["title"] or "",
            found["mark"] or "",
            found["text"].replace(f"\n{found['indent']}", "\n").removeprefix(found["indent"]),
            found.start("text"),
            found.end("text"),
        )
        for found in _FENCE.finditer(page)
    ]


def all_blocks(*languages: str) -> Sequence[Block]:
    """Those of every page, in these languages."""
    return [each for file in sorted(DOCS.rglob("*.md")) for each in blocks(file) if each.language in languages]
