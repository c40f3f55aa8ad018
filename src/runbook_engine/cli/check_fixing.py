"""Fixes carried out: tried on the text, checked again, and written only where nothing became worse."""

import difflib
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from runbook_engine.cli.check_files import CheckedFile, Checker
from runbook_engine.cli.check_places import relative
from runbook_engine.document import Diagnostic
from runbook_engine.document.diagnostics import without_secrets
from runbook_engine.document.fixes import Fix, fixed
from runbook_engine.document.lines import LINE_BREAK
from runbook_engine.document.yaml_text import compose_tree
from runbook_engine.errors import UsageError
from runbook_engine.files import write_whole

MOST_ROUNDS = 50
"""A fix may bring to light what stood behind it, and that has a fix too."""


class FixedFile(Struct, frozen=True):
    """A file before and after; ``done`` are the diagnostics that were fixed, at the places where they stood."""

    before: CheckedFile
    after: CheckedFile
    done: tuple[Diagnostic, ...]


def fix(file: CheckedFile, path: Path, checker: Checker) -> FixedFile:
    """Everything that can be fixed without more errors than before. Writes nothing."""
    here, done = file, list[Diagnostic]()
    seen = {file.text}
    for _ in range(MOST_ROUNDS):

        def check(text: str) -> CheckedFile:
            return checker.text(text, file.file, path)

        found = [each for each in here.diagnostics if each.fix is not None and each.suppressed is None]
        step = _together(here, found, check) or _one_by_one(here, found, check)
        if step is None or step.after.text in seen:
            break
        seen.add(step.after.text)
        here = step.after
        done += step.done
    return FixedFile(file, here, tuple(done))


def _together(file: CheckedFile, found: Iterable[Diagnostic], check: Callable[[str], CheckedFile]) -> FixedFile | None:
    listed = list(found)
    made = fixed(file.text, [each.fix for each in listed if each.fix is not None])
    if not made.done or made.text == file.text:
        return None
    after = check(made.text)
    if _worse(file, after):
        return None
    return FixedFile(file, after, tuple(each for each in listed if each.fix in made.done))


def _one_by_one(
    file: CheckedFile, found: Iterable[Diagnostic], check: Callable[[str], CheckedFile]
) -> FixedFile | None:
    """The first that does no harm alone; the others have their turn in the next round."""
    return next((step for each in found if (step := _together(file, [each], check)) is not None), None)


def _worse(before: CheckedFile, after: CheckedFile) -> bool:
    """What is read for the first time shows mistakes that were there all the time."""
    return after.errors > before.errors and not (_is_unread(before) and not _is_unread(after))


def _is_unread(file: CheckedFile) -> bool:
    return bool(file.text.strip()) and compose_tree(file.text) is None


def told(done: Iterable[Diagnostic]) -> Iterator[str]:
    """A line for each fix."""
    for each in done:
        what = each.fix.description if isinstance(each.fix, Fix) else ""
        yield f"fixed {each.file}:{each.span.line}:{each.span.column}: [{each.code}] {what}"


def unified(file: FixedFile) -> str:
    """What changed, as ``patch -p1`` takes it. Secrets are starred out."""
    name = relative(file.before.file)
    texts = (without_secrets(each.text, each.diagnostics) for each in (file.before, file.after))
    before, after = (_lines(text) for text in texts)
    shown = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in shown)


def _lines(text: str) -> list[str]:
    starts = [0, *(found.end() for found in LINE_BREAK.finditer(text) if found[0] != "\r"), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(starts) if start < end]


def write(path: Path, root: Path, file: FixedFile) -> None:
    """Put the fixed text in the file's place at once, with the file's permissions.

    ``root`` is the directory that was given: raises UsageError for a file that a link leads out of it, for one that changed
    since it was checked, and for one that cannot be written.
    """
    target = path.resolve()
    if not target.is_relative_to(root.resolve()):
        raise UsageError(f"{path} is a link to {target}, outside of what was given; fix that file itself")
    try:
        content = target.read_bytes()
        mark = "\ufeff" if content.startswith(b"\xef\xbb\xbf") else ""
        if content != (mark + file.before.text).encode():
            raise UsageError(f"{path} changed while it was checked; nothing was written to it")
        write_whole(target, (mark + file.after.text).encode())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
