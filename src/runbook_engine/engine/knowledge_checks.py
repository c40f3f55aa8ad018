"""Knowledge held against the library: whether the runbooks that it names are there."""

from pathlib import Path

from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel, quoted
from runbook_engine.document.knowledge import LoadedKnowledge, load_knowledge_file
from runbook_engine.errors import closest
from runbook_engine.library import SUFFIXES, Library


def check_knowledge_file(file: Path, library: Library) -> LoadedKnowledge:
    """The knowledge with all that is wrong with it. Runbooks are looked for in the library and beside the file."""
    return check_knowledge(load_knowledge_file(file), file, library)


def check_knowledge(loaded: LoadedKnowledge, file: Path, library: Library) -> LoadedKnowledge:
    """As ``check_knowledge_file``, for what was read already and stands in ``file``."""
    if loaded.partial is None:
        return loaded
    known = {*library.files(), *(each.stem for suffix in SUFFIXES for each in file.parent.glob(f"*{suffix}"))}
    found = list(loaded.diagnostics)
    for name, entry in loaded.partial.entries.items():
        if entry.runbook is None or entry.runbook in known:
            continue
        guess = closest(entry.runbook, sorted(known))
        found.append(
            Diagnostic(
                "RB210",
                f"entry {quoted(name)} names the runbook {quoted(entry.runbook)}, which does not exist",
                loaded.source.file,
                loaded.source.span(("entries", name, "runbook")),
                f'did you mean "{guess}"?' if guess else "",
                "runbook list names those that there are",
                fix=loaded.source.rewritten(("entries", name, "runbook"), guess) if guess else None,
            )
        )
    whole = None if any(each.level is DiagnosticLevel.ERROR for each in found) else loaded.knowledge
    return LoadedKnowledge(whole, loaded.partial, tuple(sorted(found)), loaded.source)
