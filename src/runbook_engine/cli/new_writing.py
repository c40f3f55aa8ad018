"""Where ``runbook new`` writes, and what it says of it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_engine.cli.streams import data, note
from runbook_engine.pasteable import operands, pasteable

if TYPE_CHECKING:
    from runbook_engine.authoring.procedure import Count
    from runbook_engine.authoring.starting import Started
    from runbook_engine.cli.check_files import CheckedFile
    from runbook_engine.library import Library
    from runbook_engine.probe.registry import Registry


def write(
    started: "Sequence[Started]",
    counts: "Sequence[Count]",
    output: Path | None,
    library: "Library",
    registry: "Registry",
    *,
    several: bool,
    force: bool,
) -> int:
    """Write each to its place; with ``several`` the place is a directory."""
    from runbook_engine.cli.check_files import Checker
    from runbook_engine.errors import UsageError

    to_stdout = str(output) == "-"
    if to_stdout and len(started) > 1:
        raise UsageError("-o - is for one runbook; with --all give a directory")
    places = [_place(each, output, several=several and not to_stdout) for each in started]
    if not to_stdout:
        for place in places:
            refuse_to_replace(place, force=force)
    checker = Checker(registry, library)
    failed = False
    for index, (each, place) in enumerate(zip(started, places, strict=True)):
        checked = checker.text(each.text, str(place), place)
        failed = failed or bool(checked.errors)
        if to_stdout:
            data(each.text)
        else:
            save(each.text, place)
        _tell(each, place, checked, library, counts[index] if counts else None, to_stdout=to_stdout)
    return 78 if failed else 0


def _place(started: "Started", output: Path | None, *, several: bool) -> Path:
    from runbook_engine.library import FOLDER, project

    name = f"{started.document['runbook']}.yaml"
    if output is None:
        return near(project() / FOLDER / name)
    return output / name if several or output.is_dir() else output


def near(path: Path) -> Path:
    """A path of the project as one would type it from here."""
    return Path(os.path.relpath(path))


def refuse_to_replace(place: Path, *, force: bool) -> None:
    from runbook_engine.errors import UsageError

    if place.exists() and not force:
        raise UsageError(f"{place} is there already; --force replaces it, -o FILE writes another, -o - prints it")


def save(text: str, place: Path) -> None:
    from runbook_engine.errors import UsageError
    from runbook_engine.files import write_whole

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, text)
    except OSError as error:
        raise UsageError(f"{place} cannot be written: {error.strerror}") from error


def _tell(
    started: "Started",
    place: Path,
    checked: "CheckedFile",
    library: "Library",
    count: "Count | None",
    *,
    to_stdout: bool,
) -> None:
    """What was written, what is wrong with it, and what to do next."""
    from runbook_engine.document import render_all
    from runbook_engine.document.models import STEP_KINDS

    document = started.document
    steps = document["steps"]
    assert isinstance(steps, dict)  # noqa: S101 - narrows the type
    counts = {kind: sum(kind in each for each in steps.values()) for kind in STEP_KINDS}
    asked = f", {counts['ask']} of them questions to a person" if counts["ask"] else ""
    findings = document.get("findings")
    found = len(findings) if isinstance(findings, dict) else 0
    note(f"{'' if to_stdout else f'{place}: '}{plural(len(steps), 'step')}{asked}, {plural(found, 'finding')}")
    if count is not None:
        note(
            f"Lines of code in the procedure: {count.measured} measured by probes, {count.asked} asked of whoever runs it,"
            f" {count.told} told in its texts"
        )
    known = library.files().get(str(document["runbook"]))
    if known is not None and known.resolve() != place.resolve():
        note(f"There is a runbook of that name already: {known}; which one is run depends on the directory.")
    wrong = checked.without_notes().diagnostics
    if wrong:
        note(render_all(wrong, {checked.file: checked.text}).rstrip())
    if not to_stdout:
        name = str(document["runbook"])
        called = name if library.files().get(name, Path()).resolve() == place.resolve() else str(place)
        commands = (("show",), ("test", "--generate"), ("run",))
        note(f"Next: {', '.join(pasteable('runbook', *each, *operands(called)) for each in commands)}")


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
