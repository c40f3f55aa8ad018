"""Which runbooks are for an alert: those of which a trigger matches."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from runbook_engine.alerting.alerts import Alert
from runbook_engine.document import globs
from runbook_engine.document.load import ReadText, load, read_text
from runbook_engine.document.models import Runbook
from runbook_engine.document.triggers import Trigger
from runbook_engine.library import Library


class Candidate(Struct, frozen=True):
    """A runbook with triggers. ``severity`` is how bad an incident is to which it applies, where it says so."""

    name: str
    file: Path
    triggers: tuple[Trigger, ...]
    severity: str | None = None


class Match(Struct, frozen=True):
    """A runbook that an alert triggers: by its trigger ``number``, from 1. ``inputs`` are those that labels fill."""

    runbook: str
    file: Path
    number: int
    trigger: Trigger
    inputs: tuple[tuple[str, str], ...] = ()
    severity: str | None = None

    @property
    def because(self) -> str:
        """``trigger 2: alert "Redis*", severity "critical"``."""
        return f"trigger {self.number}: {self.trigger.shown}"


class Candidates(Struct, frozen=True):
    """The runbooks with triggers, in the order of their names. ``unread`` are files that cannot be read."""

    runbooks: tuple[Candidate, ...]
    unread: tuple[Path, ...] = ()

    def matching(self, alert: Alert) -> Sequence[Match]:
        """Each runbook that is for the alert; its first trigger that matches decides what its inputs are filled with."""
        return [found for each in self.runbooks if (found := _first(each, alert)) is not None]


def candidates(library: Library) -> Candidates:
    """Of all runbooks that can be found by name."""
    found: list[Candidate] = []
    unread: list[Path] = []
    for name, file in sorted(library.files().items()):
        read = read_text(file)
        if not isinstance(read, ReadText):
            unread.append(file)
        elif "triggers" in read.text:
            runbook = _of(read)
            if runbook is None:
                unread.append(file)
            elif runbook.triggers:
                found.append(Candidate(name, file, runbook.triggers, runbook.severity))
    return Candidates(tuple(found), tuple(unread))


def matches(trigger: Trigger, alert: Alert) -> bool:
    """Whether the alert's source, name and labels are all as the trigger says; the name of its rule is one, too."""
    labels = alert.every_label
    return (
        trigger.source in (None, alert.source)
        and (globs.matches(trigger.alert, alert.name) or globs.matches(trigger.alert, alert.rule))
        and all(name in labels and globs.matches(pattern, labels[name]) for name, pattern in trigger.labels.items())
    )


def _first(candidate: Candidate, alert: Alert) -> Match | None:
    for number, trigger in enumerate(candidate.triggers, 1):
        if matches(trigger, alert):
            labels = alert.every_label
            filled = tuple((name, labels[label]) for name, label in trigger.inputs.items() if label in labels)
            return Match(candidate.name, candidate.file, number, trigger, filled, candidate.severity)
    return None


def _of(read: ReadText) -> Runbook | None:
    """A runbook with mistakes is for its alerts all the same: whoever is to run it is told of them then."""
    return load(read.text, read.file).partial
