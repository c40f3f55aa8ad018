"""What is found, in the shapes of the Language Server Protocol.

https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

from collections.abc import Iterable, Mapping
from importlib.resources import as_file, files
from types import MappingProxyType

from lsprotocol import types

from runbook_engine.cli.lsp_documents import Checked, HeldDocument
from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel, visible
from runbook_engine.editor.positions import Extent, Position

SOURCE = "runbook"

_SEVERITIES: Mapping[DiagnosticLevel, types.DiagnosticSeverity] = MappingProxyType(
    {
        DiagnosticLevel.ERROR: types.DiagnosticSeverity.Error,
        DiagnosticLevel.WARNING: types.DiagnosticSeverity.Warning,
        DiagnosticLevel.NOTE: types.DiagnosticSeverity.Hint,
    }
)
_UNUSED = frozenset({"RB206", "RB208", "RB305", "RB307"})
"""What has no effect; editors show it faded."""


def position(at: Position) -> types.Position:
    return types.Position(at.line, at.column)


def range_(extent: Extent) -> types.Range:
    return types.Range(position(extent.start), position(extent.end))


def from_position(at: types.Position) -> Position:
    return Position(at.line, at.character)


def from_range(extent: types.Range) -> Extent:
    return Extent(from_position(extent.start), from_position(extent.end))


def diagnostics(checked: Checked) -> list[types.Diagnostic]:
    """All that is not suppressed, in the order of the text."""
    return [diagnostic(each, checked.document) for each in shown(checked.file.diagnostics)]


def shown(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [each for each in found if each.suppressed is None]


def diagnostic(each: Diagnostic, document: HeldDocument) -> types.Diagnostic:
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(document.uri, range_(document.positions.extent_of(one.span))), visible(one.message)
        )
        for one in each.related
    ]
    return types.Diagnostic(
        range=range_(document.positions.extent_of(each.span)),
        message=_message(each),
        severity=_SEVERITIES[each.level],
        code=each.code,
        code_description=types.CodeDescription(_page(each.code)),
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if each.code in _UNUSED else None,
        related_information=related or None,
    )


def _message(each: Diagnostic) -> str:
    label = f" ({each.label})" if each.label else ""
    hint = f"\nhelp: {each.help}" if each.help else ""
    return "\n".join(visible(line) for line in f"{each.message}{label}{hint}".split("\n"))


def _page(code: str) -> str:
    """The page of the code, as it is installed: an editor opens it without a network."""
    with as_file(files("runbook_engine.document").joinpath("codes", f"{code}.md")) as file:
        return file.as_uri()
