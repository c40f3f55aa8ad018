"""From a file to a playbook and a list of everything that is wrong with its shape."""

from pathlib import Path as FilePath

from runbook_engine.document.draft import Mistake
from runbook_engine.document.load import SAVED, ReadText, Unsaved, read_text
from runbook_engine.document.nodes import Raw
from runbook_engine.document.plain_load import LoadedDocument, load_plain
from runbook_engine.document.playbook import Playbook

LoadedPlaybook = LoadedDocument[Playbook]


def load_playbook_file(file: FilePath | str, unsaved: Unsaved = SAVED) -> LoadedPlaybook:
    """Read a file in UTF-8. Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file, unsaved)
    if isinstance(read, ReadText):
        return load_playbook(read.text, read.file)
    return LoadedDocument(None, None, read.diagnostics, read.source)


def load_playbook(text: str, file: str) -> LoadedPlaybook:
    """Read the text of ``file``. Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text."""
    return load_plain(text, file, Playbook, "the playbook", _foreign)


def _foreign(raw: Raw) -> Mistake | None:
    """Why the document is no playbook, or None where it is one."""
    if isinstance(raw, dict) and "playbook" in raw:
        return None
    found = "the document is empty" if raw is None else "this is not a playbook"
    hint = "a playbook begins with playbook: its-name, as the shipped playbooks/p0-critical.yaml does"
    return Mistake("RB110", found, (), "begin with playbook: its-name", hint, at_key=True)
