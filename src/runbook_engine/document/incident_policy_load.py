"""From a file to a policy of incidents and a list of everything that is wrong with its shape."""

from pathlib import Path as FilePath

from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.draft import Mistake
from runbook_engine.document.incident_policy import INCIDENTS, IncidentPolicy
from runbook_engine.document.load import SAVED, ReadText, Unsaved, read_text
from runbook_engine.document.nodes import Raw
from runbook_engine.document.plain_load import LoadedDocument, load_plain
from runbook_engine.document.wording import shown

LoadedIncidentPolicy = LoadedDocument[IncidentPolicy]


def load_incident_policy_file(file: FilePath | str, unsaved: Unsaved = SAVED) -> LoadedIncidentPolicy:
    """Read a file in UTF-8. Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file, unsaved)
    if isinstance(read, ReadText):
        return load_incident_policy(read.text, read.file)
    return LoadedDocument(None, None, read.diagnostics, read.source)


def load_incident_policy(text: str, file: str) -> LoadedIncidentPolicy:
    """Read the text of ``file``. Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text."""
    return load_plain(text, file, IncidentPolicy, "the policy", _foreign)


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
