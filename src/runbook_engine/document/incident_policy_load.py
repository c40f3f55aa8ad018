"""From a file to a policy of incidents and a list of everything that is wrong with its shape."""

from itertools import islice
from pathlib import Path as FilePath

from msgspec import Struct
from pydantic import ValidationError

from runbook_engine.document import shape
from runbook_engine.document.diagnostics import Diagnostic, quoted
from runbook_engine.document.draft import Draft, Mistake, ToText
from runbook_engine.document.incident_policy import INCIDENTS, IncidentPolicy
from runbook_engine.document.load import MOST_MISTAKES, MOST_ROUNDS, SAVED, ReadText, Report, Unsaved, read_text
from runbook_engine.document.nodes import Raw
from runbook_engine.document.source import Path, Source
from runbook_engine.document.wording import shown
from runbook_engine.document.yaml_text import compose


class LoadedIncidentPolicy(Struct, frozen=True):
    """A policy that was read. ``policy`` is None where any diagnostic is an error; ``partial`` is what remains without the
    broken parts, for further checks.
    """

    policy: IncidentPolicy | None
    partial: IncidentPolicy | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source


def load_incident_policy_file(file: FilePath | str, unsaved: Unsaved = SAVED) -> LoadedIncidentPolicy:
    """Read a file in UTF-8. Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file, unsaved)
    if isinstance(read, ReadText):
        return load_incident_policy(read.text, read.file)
    return LoadedIncidentPolicy(None, None, read.diagnostics, read.source)


def load_incident_policy(text: str, file: str) -> LoadedIncidentPolicy:
    """Read the text of ``file``. Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text."""
    text = text.removeprefix("\ufeff")
    composed = compose(text, file)
    report = Report(Source(file, text, composed.root), composed.diagnostics)
    if not (composed.diagnostics and composed.root is None):
        foreign = _foreign(composed.value)
        if foreign is None and isinstance(composed.value, dict):
            return _salvage(composed.value, report)
        report.add([foreign] if foreign is not None else [])
    return _loaded(report, None)


def _foreign(raw: Raw) -> Mistake | None:
    """Why the document is no policy of incidents, or None where it is one."""
    if not isinstance(raw, dict) or "policy" not in raw:
        found = "the document is empty" if raw is None else "this is not a policy"
        hint = "a policy of incidents begins with policy: incidents, as the shipped policy/incidents.yaml does"
        return Mistake("RB110", found, (), f"begin with policy: {INCIDENTS}", hint, at_key=True)
    kind = raw["policy"]
    if kind != INCIDENTS:
        message = f"this is a policy of {shown(kind)}, and only one of {quoted(INCIDENTS)} can be read here"
        return Mistake("RB110", message, ("policy",))
    return None


def _salvage(raw: dict[str, Raw], report: Report) -> LoadedIncidentPolicy:
    """Validate, take out what is wrong, and validate again until nothing is."""
    draft = Draft(raw)
    for _ in range(MOST_ROUNDS):
        document, moved = draft.build()
        policy, mistakes = _judge(document, ToText(moved))
        if policy is not None and not mistakes:
            report.source = report.source.salvaged(moved)
            return _loaded(report, policy)
        # What follows from an earlier mistake lies on the way to it.
        fresh = [each for each in mistakes if not each.silent and each.about not in draft.touched]
        if not report.add(fresh) or not draft.apply(mistakes):
            break
    return _loaded(report, None)


def _loaded(report: Report, partial: IncidentPolicy | None) -> LoadedIncidentPolicy:
    return LoadedIncidentPolicy(None if report.failed else partial, partial, report.diagnostics, report.source)


def _judge(document: dict[str, Raw], to_text: ToText) -> tuple[IncidentPolicy | None, list[Mistake]]:
    """The policy, if it is sound field by field, and the mistakes in it, at their places in the text."""

    def name(path: Path) -> str:
        return to_text.describe(path) if path else "the policy"

    try:
        return IncidentPolicy.model_validate(document), []
    except ValidationError as error:
        found = shape.mistakes(error, document, name)
        return None, [to_text.mistake(each) for each in islice(found, MOST_MISTAKES + 1)]
