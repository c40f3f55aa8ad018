"""Alerts and runbooks held against each other: each alert has a runbook, and each runbook an alert."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from runbook_engine.alerting.rules import URL, Rule, Rules, load_rules_file
from runbook_engine.document import Diagnostic, DiagnosticLevel, globs
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.load import ReadText, kind_of_text, load, read_text
from runbook_engine.document.models import CallStep, Runbook
from runbook_engine.document.source import Source
from runbook_engine.document.suppression import suppressed
from runbook_engine.document.triggers import AlertSource, Trigger
from runbook_engine.errors import did_you_mean
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.library import Library, is_file, shipped_directory

_ENDINGS = (".yaml", ".yml", ".md", ".html", ".htm")
_ELSEWHERE = (AlertSource.GRAFANA, AlertSource.CLOUDWATCH)
"""Whose alerts stand in no file of rules."""


class AuditedFile(Struct, frozen=True):
    """A file of rules or a runbook, and what is to be said of it, in its order."""

    file: str
    text: str
    diagnostics: tuple[Diagnostic, ...]


class _Known(Struct, frozen=True):
    """A runbook that was read."""

    runbook: Runbook
    file: Path
    source: Source


def audit(files: Sequence[Path], library: Library, urls: Sequence[str] = ()) -> Sequence[AuditedFile]:
    """What is to be said of files of rules, and of the runbooks of the library.

    ``urls`` are the beginnings of addresses of runbooks; without them, every ``runbook_url`` should lead to one. Where there
    are runbooks beside the shipped ones, each of those needs an alert; else each of the shipped ones does.
    """
    loaded = {file: load_rules_file(str(file)) for file in files}
    known = _runbooks(library)
    rules = [rule for each in loaded.values() for rule in each.rules]
    led: set[str] = set()
    for file, each in loaded.items():
        for rule in each.rules:
            led |= _rule(rule, each, file, known, urls)
    shipped = shipped_directory().resolve()
    others: list[AuditedFile] = []
    # Nobody can mend a shipped runbook where it lies: what is to be said of it is said of the rules.
    of_shipped = [Mistakes(each.found.source, []) for each in loaded.values()][:1]
    for name in _of_interest(known):
        mistakes = Mistakes(known[name].source, [])
        _triggers(known[name].runbook, rules, mistakes)
        if name not in _with_called(led, known) and not _is_led_from_elsewhere(known[name].runbook):
            message = f"no alert leads to the runbook {quoted(name)}"
            hint = f"name it as {URL} of an alert, or give it a trigger"
            mistakes.warn("RB764", message, ("runbook",), help=hint)
        told = _audited(mistakes, only=("RB764", "RB765"))
        if known[name].file.resolve().parent == shipped and of_shipped:
            told = _said_of_rules(told, name, of_shipped[0])
        others.append(told)
    said = [_audited(each) for each in of_shipped if each.diagnostics]
    return [*(_audited(each.found) for each in loaded.values()), *said, *others]


def _said_of_rules(told: AuditedFile, name: str, found: Mistakes) -> AuditedFile:
    """What is left to say of a shipped runbook in its own place: what a comment in it suppresses."""
    for each in told.diagnostics:
        if each.suppressed is None:
            trigger = each.code == "RB765"
            message = f"{each.message}: it is of the shipped runbook {quoted(name)}" if trigger else each.message
            hint = f"copy {name} to your runbooks, and correct the pattern there" if trigger else each.help
            found.warn(each.code, message, (), help=hint, key=True)
    return AuditedFile(told.file, told.text, tuple(each for each in told.diagnostics if each.suppressed is not None))


def _rule(rule: Rule, rules: Rules, file: Path, known: Mapping[str, _Known], urls: Sequence[str]) -> set[str]:
    """The names of the runbooks to which an alert leads."""
    triggered = {name for name, each in known.items() if any(_may_match(one, rule) for one in each.runbook.triggers)}
    at = (*rule.path, "annotations", URL)
    if rule.url is None:
        if not triggered:
            message = f"the alert {quoted(rule.alert)} has no runbook"
            hint = f"name one in its annotations: {URL}, or give a runbook the trigger {{alert: {rule.alert}}}"
            rules.found.warn("RB763", message, (*rule.path, "alert"), help=hint)
        return triggered
    if "{{" in rule.url:
        message = f"nobody can say where {quoted(rule.url)} leads before the alert fires"
        rules.found.warn("RB767", message, at, help="write the address without a template")
        return triggered
    if urls and not any(rule.url.startswith(each) for each in urls):
        message = f"{quoted(rule.url)} is an address of others, of which nobody here knows where it leads"
        hint = f"addresses of runbooks begin with {' or '.join(urls)}"
        rules.found.add("RB767", message, at, help=hint, level=DiagnosticLevel.NOTE)
        return triggered
    name = _named(rule.url, file, known)
    if name is None:
        meant = _names(rule.url)
        message = f"{quoted(rule.url)} leads to no runbook{did_you_mean(meant[0] if meant else '', known)}"
        hint = f"runbooks: {', '.join(known) or 'none'}; say with --url which addresses are those of runbooks"
        rules.found.add("RB762", message, at, help=hint)
        return triggered
    if name not in triggered:
        message = f"the alert {quoted(rule.alert)} names the runbook {quoted(name)}, and does not trigger it"
        hint = f"runbook alert would not run it; add to its triggers: {{alert: {rule.alert}}}"
        rules.found.add("RB766", message, at, help=hint, level=DiagnosticLevel.NOTE)
    return {*triggered, name}


def _triggers(runbook: Runbook, rules: Iterable[Rule], found: Mistakes) -> None:
    listed = list(rules)
    for index, trigger in enumerate(runbook.triggers):
        if trigger.source not in _ELSEWHERE and not any(_may_match(trigger, rule) for rule in listed):
            message = f"trigger {index + 1} matches no alert of these rules"
            hint = "correct the pattern, or say who else sends such alerts: source"
            found.warn("RB765", message, ("triggers", index, "alert"), help=hint)


def _may_match(trigger: Trigger, rule: Rule) -> bool:
    """Whether an alert of the rule may match. Labels that the rule does not give come from the measured series."""
    return (
        trigger.source not in _ELSEWHERE
        and globs.matches(trigger.alert, rule.alert)
        and all(
            "{{" in rule.labels.get(name, "{{") or globs.matches(pattern, rule.labels[name])
            for name, pattern in trigger.labels.items()
        )
    )


def _is_led_from_elsewhere(runbook: Runbook) -> bool:
    return any(each.source in _ELSEWHERE for each in runbook.triggers)


def _with_called(names: Iterable[str], known: Mapping[str, _Known]) -> set[str]:
    """Those, and the runbooks that they call."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or name not in known:
            continue
        found.add(name)
        waiting += [step.call for step in known[name].runbook.steps.values() if isinstance(step, CallStep)]
    return found


def _named(url: str, file: Path, known: Mapping[str, _Known]) -> str | None:
    """The runbook that an address or a path leads to: by its last part, or by what stands behind its #."""
    name = next((each for each in _names(url) if each in known), None)
    if name is not None or "://" in url:
        return name
    for path in (Path(url), file.parent / url):
        if is_file(path):
            return next((each for each, one in known.items() if one.file.resolve() == path.resolve()), None)
    return None


def _names(url: str) -> Sequence[str]:
    """What in an address may be the name of a runbook."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ()
    last = parts.path.rstrip("/").rpartition("/")[2]
    found = [unquote(each) for each in (parts.fragment, last) if each]
    return [next((each.removesuffix(end) for end in _ENDINGS if each.endswith(end)), each) for each in found]


def _runbooks(library: Library) -> Mapping[str, _Known]:
    """All that can be read; what is wrong with the others is said by ``runbook check``."""
    found: dict[str, _Known] = {}
    for name, file in sorted(library.files().items()):
        read = read_text(file)
        if isinstance(read, ReadText) and kind_of_text(read.text) == "runbook":
            loaded = load(read.text, read.file)
            if loaded.partial is not None:
                found[name] = _Known(loaded.partial, file, loaded.source)
    return found


def _of_interest(known: Mapping[str, _Known]) -> Sequence[str]:
    shipped = shipped_directory().resolve()
    own = [name for name, each in known.items() if each.file.resolve().parent != shipped]
    return own or list(known)


def _audited(found: Mistakes, only: Sequence[str] = ()) -> AuditedFile:
    """With what comments suppress. Of comments in runbooks, those about other codes are none of this."""
    source = found.source
    told = suppressed(source.text, source.file, found.sorted())
    if only:
        told = tuple(each for each in told if each.code in only)
    return AuditedFile(source.file, source.text, told)
