"""The page of each code: what it means, why it matters, a wrong document and a right one, how to suppress it.

Pages are the files ``codes/RBxxx.md``: settings between two lines ``---`` at the top, a heading with the code and its title,
a text, and the sections ``Wrong`` and ``Right`` with documents in them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import yaml
from msgspec import Struct

from runbook_engine.document.diagnostics import CODES, DiagnosticLevel
from runbook_engine.errors import UsageError, did_you_mean


class Example(Struct, frozen=True):
    """A document of a page, with the name of its file. The first of a section is the one that is checked."""

    file: str
    text: str


class Settings(Struct, frozen=True):
    """What a page says of itself at its top.

    ``also`` are codes that the wrong document has besides. Its text is stored in ``encoding``, and the line above a line
    ``# …`` stands ``repeat`` times in it, with its number in place of ``1``.
    """

    level: DiagnosticLevel = DiagnosticLevel.ERROR
    also: tuple[str, ...] = ()
    encoding: str = "utf-8"
    repeat: int = 1


class Page(Struct, frozen=True):
    """``body`` is the page as people read it, in Markdown; ``summary`` its first paragraph, without line breaks."""

    code: str
    title: str
    settings: Settings
    body: str
    wrong: tuple[Example, ...]
    right: tuple[Example, ...]

    @property
    def level(self) -> DiagnosticLevel:
        return self.settings.level

    @property
    def summary(self) -> str:
        paragraphs = self.body.split("\n\n")
        return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else self.title


_PAGE = re.compile(
    r"(?:---\n(?P<settings>.*?)---\n\s*)?(?P<body># (?P<code>RB\d{3}): (?P<title>[^\n]+)\n.*)\Z", re.DOTALL
)
_BLOCK = re.compile(r'^```yaml(?: title="(?P<file>[^"\n]+)")?\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE)


def page(code: str) -> Page:
    """The page of a code, in any case. Raises UsageError where there is no such code."""
    known = code.strip().upper()
    if known not in CODES:
        guess = did_you_mean(known, CODES)
        raise UsageError(
            f"there is no code {code!r}{guess}; codes are RB101 to {max(CODES)}, as runbook check tells them"
        )
    return _page(known)


@lru_cache(maxsize=256)
def _page(code: str) -> Page:
    file = files("runbook_engine.document").joinpath("codes", f"{code}.md")
    return read(file.read_text(encoding="utf-8"))


def read(text: str) -> Page:
    """A page as it is written. Raises ValueError with what it lacks."""
    found = _PAGE.match(text.replace("\r\n", "\n"))
    if found is None:
        raise ValueError('a page begins with "# RB101: its title", perhaps below settings between two lines "---"')
    body = found["body"].rstrip() + "\n"
    wrong, right = _examples(body, "Wrong"), _examples(body, "Right")
    return Page(found["code"], found["title"], _settings(found["settings"] or ""), body, wrong, right)


def _settings(text: str) -> Settings:
    from msgspec import convert

    return convert(yaml.safe_load(text) or {}, Settings)


def _examples(body: str, heading: str) -> tuple[Example, ...]:
    _, _, section = body.partition(f"\n## {heading}\n")
    section = section.partition("\n## ")[0]
    blocks: Sequence[re.Match[str]] = list(_BLOCK.finditer(section))
    if not blocks:
        raise ValueError(f'a page has a section "## {heading}" with a document between ```yaml and ```')
    return tuple(Example(each["file"] or "example.yaml", each["text"]) for each in blocks)
