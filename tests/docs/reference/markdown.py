"""Pieces of Markdown pages that are made from the code."""

import html
import re
from collections.abc import Iterable, Sequence

NOTE = "<!-- Made from the code by: make reference. Changes here are lost. -->"


def page(title: str, *parts: str) -> str:
    """A whole page: its heading, and its parts with an empty line between them."""
    return "\n\n".join([NOTE, f"# {title}", *(each.strip("\n") for each in parts if each.strip())]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. A line break in a cell begins a line in it; what would end a cell is written so that it does not."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, each))} |" for each in lines)


def _cell(text: str) -> str:
    in_code = re.sub(r"(`+)(?! )([^`\n]*\|[^`\n]*)\1", lambda found: _with_bars(found[2]), text)
    return in_code.replace("|", "\\|").replace("\n", "<br>")


def _with_bars(text: str) -> str:
    """Code with a bar in it, which in a table each dialect of Markdown escapes in another way."""
    return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>"


def code(text: str) -> str:
    """A code span, of whatever text."""
    longest = max((len(each) for each in re.findall(r"`+", text)), default=0)
    edge = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{edge}{space}{text}{space}{edge}"


def fence(language: str, text: str, *, title: str = "") -> str:
    shown = f' title="{title}"' if title else ""
    return f"```{language}{shown}\n{text.rstrip()}\n```"


def prose(text: str) -> str:
    """A docstring as Markdown: code between single backticks, and no markup by accident."""
    pieces = re.split(r"(``.+?``|`.+?`)", text, flags=re.DOTALL)
    return "".join(f"`{each.strip('`')}`" if number % 2 else _plain(each) for number, each in enumerate(pieces))


def _plain(text: str) -> str:
    return re.sub(r"([*_\[\]<>]|\{\{|\{%)", lambda found: "".join(f"\\{each}" for each in found[0]), text)


def sentence(text: str) -> str:
    """The text with a full stop at its end, where it ends without a mark."""
    return text if not text or text[-1] in ".!?:" else f"{text}."
