"""``runbook new``."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import ProbeName
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import note, out

if TYPE_CHECKING:
    from runbook_engine.authoring.markdown import Procedure
    from runbook_engine.authoring.starting import Answers, Started
    from runbook_engine.cli.check_files import CheckedFile
    from runbook_engine.library import Library
    from runbook_engine.probe.registry import Registry

SEVERITIES = ("P0", "P1", "P2", "P3")
_MOST_MARKDOWN = 5_000_000


@click.command(
    "new",
    epilog=examples(
        "runbook new slow-search",
        "runbook new --from-probe postgres.activity",
        "runbook new --from-markdown docs/troubleshooting.md --section 'Memory Issues'",
    ),
)
@click.argument("name", required=False)
@click.option(
    "--from-probe",
    "probes",
    multiple=True,
    type=ProbeName(),
    help="Measure with this probe, and judge it as is usual; may be given again.",
)
@click.option(
    "--from-markdown",
    "markdown",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True),
    help="Take a written procedure: Symptoms, Diagnostic Steps, Resolution, Prevention.",
)
@click.option("--section", metavar="TITLE", help="The procedure, where the Markdown has several.")
@click.option("--all", "every", is_flag=True, help="Write a runbook for each procedure of the Markdown.")
@click.option("--title", help="What the runbook is for, in one line.")
@click.option("--owner", help="The team that keeps it.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="How bad an incident is to which it applies.")
@click.option("--symptom", "symptoms", multiple=True, help="What people see; may be given again.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file, or - for stdout  [default: NAME.yaml in runbooks/]",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--no-input", is_flag=True, help="Ask nothing.")
def command(  # each is an option
    *,
    name: str | None,
    probes: tuple[str, ...],
    markdown: Path | None,
    section: str | None,
    every: bool,
    title: str | None,
    owner: str | None,
    severity: str | None,
    symptoms: tuple[str, ...],
    output: Path | None,
    force: bool,
    no_input: bool,
) -> int:
    """Write a runbook to begin with: from answers to a few questions, from probes, or from a procedure in Markdown.

    Thresholds and what they mean come from the runbooks that there are. Commands in the Markdown become the probes that
    measure the same; what no probe measures becomes a question. The result passes runbook check.
    """
    from runbook_engine.authoring.customs import Customs
    from runbook_engine.library import Library
    from runbook_engine.probe.registry import Registry

    library, registry = Library.default(), Registry()
    customs = Customs(library)
    if markdown is None:
        if section is not None or every:
            raise click.UsageError("--section and --all choose from a procedure; give --from-markdown FILE too")
        from runbook_engine.authoring.starting import Answers, from_answers

        known = Answers(name or "", title or "", owner or "", severity, symptoms, probes)
        answers = _asked(known, registry, ask=not no_input and sys.stdin.isatty())
        started = [from_answers(answers, registry, customs)]
    else:
        if probes or symptoms:
            raise click.UsageError(
                "--from-probe and --symptom are for a runbook of one's own; leave out --from-markdown"
            )
        from runbook_engine.authoring.procedure import from_procedure
        from runbook_engine.authoring.starting import name_of

        chosen = _chosen(markdown, section, every=every)
        if name is not None and len(chosen) > 1:
            raise click.UsageError("NAME is for one runbook; with --all each is named after its heading")
        names = _apart([name or name_of(each.title) or markdown.stem for each in chosen])
        pairs = zip(chosen, names, strict=True)
        more = {"owner": owner, "severity": severity, "title": title}
        started = [from_procedure(each, _legal(one), registry, customs, **more) for each, one in pairs]
    return _write(started, output, library, registry, force=force)


def _chosen(file: Path, section: str | None, *, every: bool) -> "Sequence[Procedure]":
    """The procedures of a document that are asked for."""
    from runbook_engine.authoring.markdown import procedures
    from runbook_engine.errors import UsageError, did_you_mean

    try:
        raw = sys.stdin.buffer.read(_MOST_MARKDOWN + 1) if str(file) == "-" else file.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not in UTF-8: byte {error.start} cannot be read") from None
    if len(raw) > _MOST_MARKDOWN:
        raise UsageError(f"{file} has more than {_MOST_MARKDOWN // 1_000_000} MB; give the part with the procedure")
    found = procedures(text)
    if not found:
        raise UsageError(
            f"there is no procedure in {file}: a heading with Symptoms and Diagnostic Steps below it is looked for, as in\n"
            "\n  # Slow pages\n  ## Symptoms\n  - Pages take seconds\n  ## Diagnostic Steps\n  1. Check the database\n"
            "  ## Resolution\n  - Restart it"
        )
    if section is not None:
        titles = [each.title for each in found]
        fitting = [each for each in found if section.casefold() in each.title.casefold()]
        exact = [each for each in fitting if each.title.casefold() == section.casefold()]
        if len(exact or fitting) != 1:
            which = "several procedures" if fitting else "no procedure"
            guess = "" if fitting else did_you_mean(section, titles)
            raise UsageError(f"{file} has {which} called {section!r}{guess}; it has:\n{_listed(found)}")
        return exact or fitting
    if len(found) > 1 and not every:
        raise UsageError(
            f"{file} has {len(found)} procedures; choose one with --section, or take --all:\n{_listed(found)}"
        )
    return found


def _listed(found: "Iterable[Procedure]") -> str:
    return "\n".join(f"  line {each.line}: {visible(each.title)}" for each in found)


def _apart(names: Sequence[str]) -> Sequence[str]:
    """Names of which none is there twice."""
    found: list[str] = []
    for name in names:
        number = 2
        one = name
        while one in found:
            one = f"{name}-{number}"
            number += 1
        found.append(one)
    return found


def _legal(name: str) -> str:
    from runbook_engine.authoring.starting import name_of
    from runbook_engine.errors import UsageError
    from runbook_engine.ids import KEBAB_CASE

    if KEBAB_CASE.match(name) and len(name) <= 64:
        return name
    better = name_of(name)
    hint = f"; write {better}" if better else ", for example slow-search"
    raise UsageError(f"{name!r} is not a name for a runbook: lower-case words joined by hyphens{hint}")


def _asked(known: "Answers", registry: "Registry", *, ask: bool) -> "Answers":
    """The answers that are given, and those to the questions that are left. Raises UsageError where that is too little."""
    from msgspec.structs import replace

    from runbook_engine.authoring.starting import name_of
    from runbook_engine.errors import UnknownProbeError, UsageError

    for each in known.probes:
        if each not in registry.names():
            raise UnknownProbeError(each, registry.names())
    if not (known.name or known.title or known.probes or ask):
        raise UsageError(
            "there is nothing to begin with: give a NAME, --from-probe PROBE or --from-markdown FILE, or answer questions on"
            " a terminal"
        )
    if known.name:
        _legal(known.name)
    title = known.title or known.name.replace("-", " ").capitalize() or _about(known.probes)
    if ask:
        return _questions(known, title, registry)
    return replace(known, title=title, name=_legal(known.name or name_of(title) or "new-runbook"))


def _questions(known: "Answers", title: str, registry: "Registry") -> "Answers":
    from runbook_engine.authoring.starting import Answers, name_of

    title = known.title or _until("What is the runbook for, in one line?", title, _something)
    name = known.name or _until("What is it called?", name_of(title), _legal)
    symptoms = known.symptoms or tuple(_lines("What do people see? One symptom a line, an empty one when that is all."))
    severity = known.severity or _until(f"How bad is it? ({', '.join(SEVERITIES)}, or nothing)", "", _severity) or None
    owner = known.owner or _line("Which team keeps it?", "")
    probes = known.probes
    if not probes:
        note("What shall it measure? One probe a line, an empty one when that is all; ? lists them.")
        probes = tuple(_probes(registry))
    return Answers(name, title, owner, severity, symptoms, probes)


def _something(text: str) -> str:
    from runbook_engine.errors import UsageError

    if not text:
        raise UsageError("write a few words, for example: Find out why the search is slow")
    return text


def _about(probes: Sequence[str]) -> str:
    return f"Look at {' and '.join(each.replace('.', ' ').replace('_', ' ') for each in probes)}" if probes else ""


def _line(question: str, default: str) -> str:
    return str(click.prompt(question, default=default, show_default=bool(default), err=True)).strip()


def _until(question: str, default: str, legal: Callable[[str], str]) -> str:
    from runbook_engine.errors import UsageError

    while True:
        try:
            return legal(_line(question, default))
        except UsageError as error:
            note(f"  {visible(str(error))}")


def _severity(text: str) -> str:
    from runbook_engine.errors import UsageError

    if text.upper() in ("", *SEVERITIES):
        return text.upper()
    raise UsageError(f"{text!r} is none of {', '.join(SEVERITIES)}")


def _lines(question: str) -> Iterable[str]:
    note(question)
    while line := _line("-", ""):
        yield line


def _probes(registry: "Registry") -> Iterable[str]:
    from runbook_engine.errors import UnknownProbeError

    names = registry.names()
    for line in iter(lambda: _line("-", ""), ""):
        if line in names:
            yield line
        elif any(each.startswith(line.rstrip("?")) for each in names):
            note("  " + ", ".join(each for each in names if each.startswith(line.rstrip("?"))))
        else:
            note(f"  {visible(str(UnknownProbeError(line, names)))}")


def _write(
    started: "Sequence[Started]", output: Path | None, library: "Library", registry: "Registry", *, force: bool
) -> int:
    from runbook_engine.cli.check_files import Checker
    from runbook_engine.errors import UsageError

    to_stdout = str(output) == "-"
    if to_stdout and len(started) > 1:
        raise UsageError("-o - is for one runbook; with --all give a directory")
    places = [_place(each, output, several=len(started) > 1) for each in started]
    if not to_stdout:
        for place in places:
            if place.exists() and not force:
                raise UsageError(
                    f"{place} is there already; --force replaces it, -o FILE writes another, -o - prints it"
                )
    checker = Checker(registry, library)
    failed = False
    for each, place in zip(started, places, strict=True):
        checked = checker.text(each.text, str(place), place)
        failed = failed or bool(checked.errors)
        if to_stdout:
            out(each.text)
        else:
            _save(each.text, place)
        _tell(each, place, checked, library, to_stdout=to_stdout)
    return 78 if failed else 0


def _place(started: "Started", output: Path | None, *, several: bool) -> Path:
    name = f"{started.document['runbook']}.yaml"
    if output is None:
        return Path("runbooks", name) if Path("runbooks").is_dir() else Path(name)
    return output / name if several or output.is_dir() else output


def _save(text: str, place: Path) -> None:
    from runbook_engine.errors import UsageError

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{place} cannot be written: {error.strerror}") from error


def _tell(started: "Started", place: Path, checked: "CheckedFile", library: "Library", *, to_stdout: bool) -> None:
    """What was written, what is wrong with it, and what to do next."""
    from runbook_engine.document import render_all
    from runbook_engine.document.models import STEP_KINDS

    document = started.document
    steps = document["steps"]
    assert isinstance(steps, dict)  # noqa: S101 - narrows the type
    counts = {kind: sum(kind in each for each in steps.values()) for kind in STEP_KINDS}
    asked = f", {counts['ask']} of them questions to a person" if counts["ask"] else ""
    findings = document.get("findings")
    count = len(findings) if isinstance(findings, dict) else 0
    note(f"{'' if to_stdout else f'{place}: '}{_plural(len(steps), 'step')}{asked}, {_plural(count, 'finding')}")
    known = library.files().get(str(document["runbook"]))
    if known is not None and known.resolve() != place.resolve():
        note(f"There is a runbook of that name already: {known}; which one is run depends on the directory.")
    wrong = checked.without_notes().diagnostics
    if wrong:
        note(render_all(wrong, {checked.file: checked.text}).rstrip())
    if not to_stdout:
        note(f"Next: runbook show {place}, runbook test --generate {place}, runbook run {place}")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
