"""From a procedure in Markdown to a runbook: commands become probes, what is left becomes questions."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from runbook_engine.authoring.building import Building
from runbook_engine.authoring.commands import Command
from runbook_engine.authoring.customs import Customs
from runbook_engine.authoring.markdown import Group, Procedure
from runbook_engine.authoring.measurement import Measurement
from runbook_engine.authoring.secrecy import masked
from runbook_engine.authoring.starting import Started, document, finished
from runbook_engine.errors import RunbookError
from runbook_engine.probe.registry import AnyProbe, Registry
from runbook_engine.templates import literal

_COMMON = frozenset(
    {"check", "the", "a", "of", "and", "to", "for", "in", "on", "is", "are", "if", "or", "with", "get", "test", "review",
     "analyze", "verify", "steps", "status", "high", "performance", "issues", "consider", "at", "from", "by", "any",
     "needed", "it", "be", "as", "this", "that", "all", "see", "recent"}
)  # fmt: skip
_MOST_QUESTION = 8_000
_MOST_SHOWN = 600
"""Characters of what a command says that its step shows."""


class Count(Struct):
    """Lines of code of a procedure: those that probes measure, those that a person is asked about, and those that the
    runbook tells: in what to do, in descriptions.
    """

    measured: int = 0
    asked: int = 0
    told: int = 0


class FromProcedure(Struct, frozen=True):
    """A runbook from a procedure, and what became of the code in it."""

    started: Started
    count: Count


class _Link(Struct, frozen=True):
    """A step with the findings that it raises, and all words that say what it is about."""

    step: str
    findings: Sequence[str]
    words: frozenset[str]


def from_procedure(  # what is known beside the text has its own words
    procedure: Procedure,
    name: str,
    registry: Registry,
    customs: Customs,
    *,
    title: str | None = None,
    owner: str | None = None,
    severity: str | None = None,
) -> FromProcedure:
    """A runbook that carries out a procedure. Every command, and every item of the text, is in it."""
    building = Building(customs)
    called = title or procedure.title or name.replace("-", " ").capitalize()  # a heading may be empty, or there is none
    count = Count()
    links: list[_Link] = []
    starts: list[str] = []
    for group in procedure.diagnosis:
        before: str | None = None
        for link in _steps(group, registry, building, count):
            if before is None:
                starts.append(link.step)
            else:
                _lead(building, before, link.step)
            before = link.step
            links.append(link)
    if not links:
        step, raised = building.ask(called, _symptoms_question(procedure), called)
        links.append(_Link(step, raised, frozenset()))
        starts.append(step)
    starts.extend(_resolve(procedure.resolution, links, building))
    for group in (*procedure.symptoms, *procedure.resolution, *procedure.prevention, *procedure.about):
        count.told += group.code
    started = finished(
        building,
        document(
            name=name,
            title=literal(called),
            description=literal("\n".join(_lines(procedure.about))),
            owner=owner or "",
            severity=severity,
            symptoms=[literal(each) for each in _lines(procedure.symptoms)],
            start=starts,
            prevention=[literal(each) for each in _lines(procedure.prevention)],
        ),
    )
    return FromProcedure(started, count)


def _steps(group: Group, registry: Registry, building: Building, count: Count) -> Iterable[_Link]:
    about = " ".join([group.title, *group.items])
    count.told += group.shown
    alone = sum(not each.comment for each in group.commands) == 1
    for command in group.commands:
        title = command.comment or (group.title if alone else "") or command.shown.partition("\n")[0]
        words = _words(f"{about} {command.comment}")
        measured = _measured(command, registry, building)
        if measured is not None:
            probe, found = measured
            before = len(building.steps)
            step, raised = building.measure(_shortened(title), probe, found.given, borrow=False)
            building.describe(step, found.remark)
            _describe(building, step, group, command)
            count.measured += command.lines
            words |= _words(" ".join(str(building.findings[each].get("title")) for each in raised))
            if len(building.steps) > before:
                yield _Link(step, raised, words | _words(found.probe.replace(".", " ").replace("_", " ")))
            continue
        count.asked += command.lines
        link = _asked(title, _command_question(command), words, building)
        _describe(building, link.step, group, command)
        yield link
    if not group.commands:
        question = " ".join(f"{each.rstrip('.')}." for each in (group.title, *group.items) if each)
        yield _asked(group.title or "Look", f"{question} Is anything wrong?", _words(about), building)


def _measured(command: Command, registry: Registry, building: Building) -> tuple[AnyProbe, Measurement] | None:
    """The probe that measures what a command does, where it is known from which values on that is bad."""
    found = command.measured
    if found is None or found.probe not in registry.names():
        return None
    try:
        probe = registry.get(found.probe)
    except RunbookError:
        return None
    return (probe, found) if building.is_judged(probe, found.given) else None


def _describe(building: Building, step: str, group: Group, command: Command) -> None:
    """What stands around a command in the procedure stands in its step."""
    for each in (group.title, *group.items):
        building.describe(step, each)
    if command.elsewhere:
        building.describe(step, f"It runs where this has led: {masked(command.elsewhere)}")
    if command.output:
        said = "\n".join(command.output)
        rest = said[_MOST_SHOWN:].count("\n")
        more = f"\n… and {rest} more line{'' if rest == 1 else 's'}" if len(said) > _MOST_SHOWN else ""
        building.describe(step, f"The procedure shows as its output:\n{said[:_MOST_SHOWN]}{more}")


def _asked(title: str, question: str, words: frozenset[str], building: Building) -> _Link:
    title = _shortened(title)
    step, raised = building.ask(title, question[:_MOST_QUESTION], f"Something is wrong: {title}")
    return _Link(step, raised, words)


def _command_question(command: Command) -> str:
    where = f" ({command.program})" if command.program else ""
    if "\n" in command.shown:
        return f"Run this{where}, and look at what it says. Is anything wrong?\n{command.shown}"
    return f"Run this{where}, and look at what it says: {command.shown} - is anything wrong?"


def _symptoms_question(procedure: Procedure) -> str:
    seen = "; ".join(_lines(procedure.symptoms))
    return f"Is this what you see: {seen}?"[:_MOST_QUESTION]


def _lead(building: Building, before: str, after: str) -> None:
    """Every way on from a step leads to the next one: a procedure is gone through whatever was found."""
    for place in ("branches", "on_error"):
        for way in building.steps[before].get(place, ()):
            if "else" in way:
                way["else"] = after
            else:
                way["goto"] = after


def _resolve(groups: Sequence[Group], links: Sequence[_Link], building: Building) -> Iterable[str]:
    """Give each finding the resolution whose words fit it best; one that fits nothing is asked about."""
    wanted = [each for each in groups if each.title or each.items or each.commands]
    ids = [building.resolve(each.title or "Resolution", _what_to_do(each)) for each in wanted]
    titles = [_words(each.title) for each in wanted]
    items = [_words(" ".join(each.items)) for each in wanted]
    used: set[str] = set()
    for number, link in enumerate(links):
        if not ids:
            break
        fits = [3 * len(link.words & titles[each]) + len(link.words & items[each]) for each in range(len(ids))]
        # What fits nothing takes its turn: procedures tell their resolutions in the order of their steps.
        best = fits.index(max(fits)) if max(fits) else min(number * len(ids) // len(links), len(ids) - 1)
        for finding in link.findings:
            building.findings[finding].setdefault("resolution", ids[best])
            used.add(ids[best])
    for name, group in zip(ids, wanted, strict=True):
        if name not in used:
            title = _shortened(group.title or "Resolution")
            question = f"No measurement leads to this resolution: {title}. Is it called for?"
            step, raised = building.ask(f"Is it time for {title}?", question, f"{title} is called for")
            building.findings[raised[0]]["resolution"] = name
            yield step
    if not ids:
        unsolved = [each for each in building.findings.values() if "resolution" not in each]
        if unsolved:
            name = building.resolve("Find out what to do", ["Look at the evidence and write down here what helped"])
            for each in unsolved:
                each["resolution"] = name


def _what_to_do(group: Group) -> Sequence[str]:
    return [each if isinstance(each, str) else _to_run(each) for each in group.parts] or [group.title]


def _to_run(command: Command) -> str:
    told = f"{command.comment}: " if command.comment else ""
    return "\n".join((f"{told}Run: {command.shown}", *command.output))


def _lines(groups: Sequence[Group]) -> list[str]:
    return [
        line
        for each in groups
        for line in (each.title, *(one if isinstance(one, str) else _to_run(one) for one in each.parts))
        if line
    ]


def _shortened(title: str) -> str:
    title = title.rstrip(": ") or title
    return title if len(title) <= 100 else f"{title[:99].rstrip()}…"


def _words(text: str) -> frozenset[str]:
    """What a text is about. Words count by their beginnings: connection and connections are one."""
    found = re.findall(r"[a-z][a-z0-9]+", text.lower())
    return frozenset(each[:7].rstrip("s") for each in found if each not in _COMMON)
