"""``runbook new environment``, ``policy``, ``playbook`` and ``knowledge``."""

from pathlib import Path

from runbook_engine.cli.new_writing import near, refuse_to_replace, save
from runbook_engine.cli.streams import data, note
from runbook_engine.pasteable import operands, pasteable

_NAMES = {"policy": "incidents", "playbook": "first-response", "knowledge": "own-errors"}
_TITLES = {
    "incidents": "How we respond to incidents",
    "metrics": "What we look at first",
    "playbook": "What is done in an incident",
    "knowledge": "Error messages that we know",
}
_NEXT = {
    "environment": "runbook run RUNBOOK -e {name} --explain-inputs",
    "incidents": "runbook policy roles",
    "metrics": "runbook triage",
    "playbook": "runbook incident playbook {name}",
    "knowledge": 'runbook explain "queue orders is full"',
}


def write_skeleton(
    kind: str, name: str | None, output: Path | None, *, title: str | None, owner: str | None, force: bool
) -> int:
    """Write a document of a kind, and say what to do with it. 0, or 78 where what surrounds it makes it wrong."""
    from runbook_engine.authoring.skeletons import PLACES, POLICIES, skeleton
    from runbook_engine.cli.check_files import Checker
    from runbook_engine.cli.new_questions import legal
    from runbook_engine.document import render_all
    from runbook_engine.errors import UsageError
    from runbook_engine.library import FOLDER, Library, project
    from runbook_engine.probe.registry import Registry

    if kind == "environment" and name is None:
        raise UsageError("say how the environment is called, for example: runbook new environment production")
    called = legal(name or _NAMES[kind])
    if kind == "policy" and called not in POLICIES:
        raise UsageError(
            f"there is no policy {called!r}; write incidents (how people respond) or metrics (what is measured)"
        )
    library = Library.default()
    key = called if kind == "policy" else kind
    titled = title or _TITLES.get(key, called.replace("-", " ").capitalize())
    text = skeleton(kind, called, title=titled, owner=owner or "", library=library)
    place = near(project() / FOLDER / PLACES[kind].format(name=called)) if output is None else output
    checked = Checker(Registry(), library).text(text, str(place), place).without_notes()
    if str(output) == "-":
        data(text)
    else:
        refuse_to_replace(place, force=force)
        save(text, place)
        following = _NEXT[key].format(name=pasteable(called))
        note(f"{place}: fill it in, then: {pasteable('runbook', 'check', *operands(place))}, {following}")
    if checked.diagnostics:
        note(render_all(checked.diagnostics, {checked.file: checked.text}).rstrip())
    return 78 if checked.errors else 0
