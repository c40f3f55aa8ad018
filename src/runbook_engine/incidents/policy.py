"""The policy that holds for incidents: where it is found, and what follows from it."""

from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from runbook_engine.document import DiagnosticLevel
from runbook_engine.document.incident_policy import IncidentPolicy, Weekday
from runbook_engine.document.incident_policy_load import load_incident_policy_file
from runbook_engine.document.playbook import Playbook
from runbook_engine.document.playbook_load import load_playbook_file
from runbook_engine.errors import InvalidDocumentError, JournalError, UsageError, did_you_mean
from runbook_engine.graph.incident_policy import check_incident_policy
from runbook_engine.graph.playbook import check_playbook
from runbook_engine.incidents.business import Calendar
from runbook_engine.incidents.escalation import Ladder, Rung
from runbook_engine.library import Library

NAME = "incidents"


def load_policy(file: Path | None = None, library: Library | None = None) -> IncidentPolicy:
    """The policy in a file, or the first that the library has.

    Raises InvalidDocumentError where it has mistakes, UsageError where there is none.
    """
    loaded = load_incident_policy_file(file or (library or Library.default()).policy_file(NAME))
    found = check_incident_policy(loaded)
    if loaded.document is None or any(each.level is DiagnosticLevel.ERROR for each in found):
        raise InvalidDocumentError(found, {loaded.source.file: loaded.source.text})
    return loaded.document


def load_playbook_named(name: str, library: Library | None = None) -> Playbook:
    """A playbook by name or file. Raises UsageError where there is none, InvalidDocumentError where it has mistakes."""
    library = library or Library.default()
    loaded = load_playbook_file(library.playbook_file(name))
    found = check_playbook(loaded, library)
    if loaded.document is None or any(each.level is DiagnosticLevel.ERROR for each in found):
        raise InvalidDocumentError(found, {loaded.source.file: loaded.source.text})
    return loaded.document


def playbook_of(policy: IncidentPolicy, priority: str, library: Library | None = None) -> Playbook | None:
    """The playbook that leads through a priority, if the policy names one. Raises as ``load_playbook_named``."""
    name = policy.priorities[priority].playbook
    return load_playbook_named(name, library) if name is not None else None


def priority_named(policy: IncidentPolicy, name: str) -> str:
    """A priority as the policy writes it, whatever the case of ``name``. Raises UsageError where there is none."""
    known = {each.casefold(): str(each) for each in policy.priorities}
    found = known.get(name.casefold())
    if found is None:
        guess = did_you_mean(name, policy.order)
        raise UsageError(f"there is no priority {name!r}{guess}; priorities: {', '.join(policy.order)}")
    return found


def as_document(policy: IncidentPolicy) -> Mapping[str, Any]:
    """The policy as an incident keeps it."""
    return policy.model_dump(mode="json", by_alias=True)


def of_document(document: Mapping[str, Any]) -> IncidentPolicy:
    """The policy that an incident keeps. Raises JournalError where another version of runbook-engine wrote it."""
    try:
        return IncidentPolicy.model_validate(document)
    except ValidationError as error:
        raise unreadable("policy", error) from error


def unreadable(what: str, error: ValidationError) -> JournalError:
    """What to say of a document that an incident keeps and that is none here."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    message = f"the {what} that the incident keeps cannot be read by this version of runbook-engine"
    return JournalError(f"{message} ({where}: {first['msg']}); use the version that opened it")


def calendar(policy: IncidentPolicy) -> Calendar:
    hours = policy.business_hours
    return Calendar(
        ZoneInfo(policy.timezone),
        frozenset(list(Weekday).index(each) for each in hours.days),
        time.fromisoformat(hours.begin),
        frozenset(date.fromisoformat(each) for each in hours.holidays),
    )


def ladders(policy: IncidentPolicy) -> Mapping[str, Ladder]:
    """The columns of the escalation matrix."""
    days = calendar(policy)
    return {
        priority: Ladder(
            tuple(Rung(after, roles) for after, roles in policy.rungs(priority)),
            days if isinstance(each.escalation, str) else None,
        )
        for priority, each in policy.priorities.items()
    }
