"""``runbook explain``."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.streams import data, note, say
from runbook_engine.hostile import one_line
from runbook_engine.pasteable import operands, pasteable

if TYPE_CHECKING:
    from runbook_engine.engine.knowledge import Recognised

MOST_INPUT = 200_000
NOTHING = 1


@click.command(
    "explain",
    epilog=examples(
        'runbook explain "too many connections"',
        "runbook explain < error.log",
        "runbook explain ECONNREFUSED --format json",
    ),
)
@click.argument("words", nargs=-1)
@click.option(
    "-n", "--limit", type=click.IntRange(1, 100), default=3, show_default=True, help="The most entries to show."
)
@click.option("--all", "all_", is_flag=True, help="List every error message that is known.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def command(words: tuple[str, ...], limit: int, *, all_: bool, format_: str) -> int:
    """Explain an error message: its cause, its solution, and where that is said.

    WORDS are an error message as it was seen, or words that it may contain; without WORDS, standard input is read. A team's
    own knowledge.yaml in runbooks/ of the project or on RUNBOOK_PATH comes before the shipped one.

    Ends with 1 where nothing is known.
    """
    from runbook_engine.engine.knowledge import KnowledgeBase
    from runbook_engine.library import Library

    knowledge = KnowledgeBase.of(Library.default())
    if all_:
        found: Sequence[Recognised] = knowledge.listed()
    else:
        found = knowledge.search(_query(words), limit)
    if format_ == "json":
        data(json.dumps([_plain(each) for each in found], indent=2, ensure_ascii=False) + "\n")
    elif all_:
        _list(found)
    else:
        _show(found)
    for file in knowledge.broken:
        seen = pasteable("runbook", "check", *operands(file))
        note(f"{file} has mistakes, and what is wrong in it was left out; see: {seen}")
    if not found and format_ == "text":
        note("No known error matches. Paste the whole line, or list all that are known: runbook explain --all")
    return 0 if found else NOTHING


def _query(words: tuple[str, ...]) -> str:
    from runbook_engine.engine.border import Border
    from runbook_engine.errors import UsageError

    text = " ".join(words) if words and words != ("-",) else ""
    if not text and not sys.stdin.isatty():
        text = sys.stdin.read(MOST_INPUT)
    if not text.strip():
        raise UsageError('give an error message, for example: runbook explain "too many connections"')
    return Border().text(text, MOST_INPUT)


def _show(found: "Sequence[Recognised]") -> None:
    from shutil import get_terminal_size

    from runbook_engine.document.knowledge import GENERAL

    width = min(100, max(40, get_terminal_size().columns))
    for number, each in enumerate(found):
        if number:
            say("")
        error = each.entry.error
        subject = "" if error.subject == GENERAL else f"  {click.style(one_line(error.subject), dim=True)}"
        say(f"{click.style(one_line(error.name), bold=True)}{subject}", painted=True)
        if each.text:
            _field("Seen", each.text, width)
        elif messages := [message for message in error.messages if message != error.name]:
            _field("Messages", "; ".join(messages), width)
        _field("Cause", error.cause, width)
        _field("Solution", error.solution, width)
        if error.runbook:
            _field("Find out", pasteable("runbook", "run", error.runbook), width)
        _field("Source", f"{error.source.title} {error.source.url}".strip(), width)


def _field(label: str, text: str, width: int) -> None:
    from runbook_engine.report.terminal import fill

    first, *rest = fill(text, width - 12) or [""]
    say(f"  {click.style(f'{label:<8}', fg='cyan')}  {first}", painted=True)
    for line in rest:
        say(f"{'':12}{line}")


def _list(found: "Sequence[Recognised]") -> None:
    subjects = dict.fromkeys(each.entry.error.subject for each in found)
    for subject in subjects:
        say(click.style(one_line(subject), bold=True), painted=True)
        for each in found:
            if each.entry.error.subject == subject:
                say(f"  {one_line(each.entry.error.name)}  {click.style(each.entry.name, dim=True)}", painted=True)


def _plain(each: "Recognised") -> dict[str, object]:
    error = each.entry.error
    return {
        "id": each.entry.name,
        "title": error.name,
        "subject": error.subject,
        "messages": list(error.messages),
        "pattern": each.pattern if each.text else "",
        "text": each.text,
        "cause": error.cause,
        "solution": error.solution,
        "source": {"title": error.source.title, "url": error.source.url},
        "runbook": error.runbook or "",
    }
