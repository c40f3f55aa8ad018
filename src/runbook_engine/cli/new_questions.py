"""The questions that ``runbook new`` asks on a terminal."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import note

if TYPE_CHECKING:
    from runbook_engine.authoring.starting import Answers
    from runbook_engine.probe.registry import Registry


def asked(known: "Answers", registry: "Registry", *, ask: bool) -> "Answers":
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
        legal(known.name)
    title = known.title or known.name.replace("-", " ").capitalize() or _about(known.probes)
    if ask:
        return _questions(known, title, registry)
    return replace(known, title=title, name=legal(known.name or name_of(title) or "new-runbook"))


def _questions(known: "Answers", title: str, registry: "Registry") -> "Answers":
    from runbook_engine.authoring.starting import Answers, name_of
    from runbook_engine.incidents.policy import load_policy

    title = known.title or _until("What is the runbook for, in one line?", title, _something)
    name = known.name or _until("What is it called?", name_of(title), legal)
    symptoms = known.symptoms or tuple(_lines("What do people see? One symptom a line, an empty one when that is all."))
    asked_for = f"How bad is it? ({', '.join(load_policy().order)}, or nothing)"
    severity = known.severity or _until(asked_for, "", severity_named) or None
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


def severity_named(text: str) -> str:
    """A priority of the team's policy, as that writes it; nothing stays nothing. Raises UsageError where there is none."""
    from runbook_engine.errors import UsageError
    from runbook_engine.incidents.policy import load_policy

    order = load_policy().order
    known = {"": "", **{each.casefold(): str(each) for each in order}}
    if text.casefold() not in known:
        raise UsageError(f"{text!r} is none of {', '.join(order)}")
    return known[text.casefold()]


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


def legal(name: str) -> str:
    from runbook_engine.authoring.starting import name_of
    from runbook_engine.errors import UsageError
    from runbook_engine.ids import KEBAB_CASE

    if KEBAB_CASE.match(name) and len(name) <= 64:
        return name
    better = name_of(name)
    hint = f"; write {better}" if better else ", for example slow-search"
    raise UsageError(f"{name!r} is not a name for a runbook: lower-case words joined by hyphens{hint}")
