"""Other names for what a document defines."""

from collections.abc import Sequence

from runbook_engine.document.checks import CONDITION_WORDS, STEP_WORDS
from runbook_engine.document.fixes import Edit
from runbook_engine.editor.index import Definition, Index, NameKind, Use
from runbook_engine.errors import UsageError
from runbook_engine.ids import SNAKE_CASE

_LONGEST = 64
_RESERVED = {NameKind.STEP: STEP_WORDS, NameKind.INPUT: CONDITION_WORDS}


def occurrences(index: Index, name: Definition | Use, *, defined: bool = True) -> Sequence[Definition | Use]:
    """Every place of a name in the document, in the order of the text; without that of its definition, if so wanted."""
    found: list[Definition | Use] = [each for each in index.uses if (each.kind, each.name) == (name.kind, name.name)]
    definition = index.find(name.kind, name.name)
    if defined and definition is not None:
        found.append(definition)
    return sorted(found, key=lambda each: each.start)


def rename(index: Index, name: Definition | Use, new: str) -> Sequence[Edit]:
    """The edits that call it by a new name everywhere. Raises UsageError where that cannot be its name."""
    if index.find(name.kind, name.name) is None:
        raise UsageError(f'"{name.name}" is not defined in this document; rename it where it is')
    if not SNAKE_CASE.match(new) or len(new) > _LONGEST:
        raise UsageError(f'"{new}" is not a name: lower-case letters, digits and underscores, a letter first')
    if new in _RESERVED.get(name.kind, frozenset()):
        raise UsageError(f'"{new}" is a word of conditions or of the format; choose another name')
    if new != name.name and index.find(name.kind, new) is not None:
        raise UsageError(f'there is a {name.kind} "{new}" already; choose another name')
    return [Edit(each.start, each.end, new) for each in occurrences(index, name)]
