"""How the language server finds its way: definitions, uses, other names, quick fixes, the graph."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from runbook_engine.cli import check_fixing
from runbook_engine.cli import lsp_shapes as shapes
from runbook_engine.cli.lsp_documents import HeldDocument
from runbook_engine.document.fixes import Edit
from runbook_engine.editor.index import SECTIONS, Definition, Index, NameKind, Use
from runbook_engine.editor.preview import preview
from runbook_engine.editor.renaming import occurrences, rename
from runbook_engine.errors import RunbookError, UsageError

if TYPE_CHECKING:
    from runbook_engine.cli.lsp_server import RunbookServer

GRAPH = "runbook/graph"
GRAPH_COMMAND = "runbook.graph"
_FIX_ALL = types.CodeActionKind.SourceFixAll
_SYMBOLS = {
    NameKind.STEP: types.SymbolKind.Function,
    NameKind.INPUT: types.SymbolKind.Variable,
    NameKind.FINDING: types.SymbolKind.Event,
    NameKind.RESOLUTION: types.SymbolKind.Method,
}


def register(server: "RunbookServer") -> None:
    """Teach a server to find its way."""
    _register_names(server)
    _register_renaming(server)
    _register_actions(server)
    _register_preview(server)


class _Here:
    """A document at a position, with the name that stands there."""

    def __init__(self, server: "RunbookServer", uri: str, position: types.Position | None = None) -> None:
        held = server.documents.get(uri)
        self.document: HeldDocument | None = held if held is not None and server.documents.is_ours(held) else None
        self.index: Index | None = self.document.index if self.document is not None else None
        self.name: Definition | Use | None = None
        if self.document is not None and self.index is not None and position is not None:
            self.name = self.index.at(self.document.positions.offset(shapes.from_position(position)))

    def range(self, start: int, end: int) -> types.Range:
        assert self.document is not None  # noqa: S101 - asked only of names, which stand in a document
        return shapes.range_(self.document.positions.extent(start, end))

    def occurrences(self, *, defined: bool = True) -> Sequence[Definition | Use]:
        return occurrences(self.index, self.name, defined=defined) if self.index and self.name else ()


def _register_names(server: "RunbookServer") -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        here = _Here(server, params.text_document.uri, params.position)
        if here.document is None or here.index is None or here.name is None:
            return None
        if here.name.kind is NameKind.RUNBOOK:
            try:
                file = server.documents.library.find(here.name.name, near=here.document.path)
            except RunbookError:
                return None
            start = types.Position(0, 0)
            return types.Location(server.documents.uri(file), types.Range(start, start))
        found = here.index.find(here.name.kind, here.name.name)
        return types.Location(here.document.uri, here.range(found.start, found.end)) if found is not None else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        here = _Here(server, params.text_document.uri, params.position)
        found = here.occurrences(defined=params.context.include_declaration)
        return [types.Location(params.text_document.uri, here.range(each.start, each.end)) for each in found]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlights(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        here = _Here(server, params.text_document.uri, params.position)
        return [types.DocumentHighlight(here.range(each.start, each.end)) for each in here.occurrences()]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        here = _Here(server, params.text_document.uri)
        return _symbols(here) if here.index is not None else []


def _symbols(here: _Here) -> list[types.DocumentSymbol]:
    found: list[types.DocumentSymbol] = []
    for section, kind in SECTIONS.items():
        names = here.index.names(kind) if here.index is not None else ()
        if names:
            below = [
                types.DocumentSymbol(
                    each.name,
                    _SYMBOLS[kind],
                    here.range(each.start, each.stop),
                    here.range(each.start, each.end),
                    detail=each.title or None,
                )
                for each in names
            ]
            whole = here.range(names[0].start, names[-1].stop)
            found.append(types.DocumentSymbol(section, types.SymbolKind.Namespace, whole, whole, children=below))
    return found


def _register_renaming(server: "RunbookServer") -> None:
    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(params: types.PrepareRenameParams) -> types.Range | None:
        here = _Here(server, params.text_document.uri, params.position)
        if here.index is None or here.name is None or here.index.find(here.name.kind, here.name.name) is None:
            return None
        return here.range(here.name.start, here.name.end)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def renamed(params: types.RenameParams) -> types.WorkspaceEdit | None:
        here = _Here(server, params.text_document.uri, params.position)
        if here.document is None or here.index is None or here.name is None:
            return None
        try:
            edits = rename(here.index, here.name, params.new_name)
        except UsageError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        return _workspace_edit(here.document, edits)


def _workspace_edit(document: HeldDocument, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    made: list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit] = [
        types.TextEdit(shapes.range_(document.positions.extent(each.start, each.end)), each.text) for each in edits
    ]
    identified = types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identified, made)])


def _register_actions(server: "RunbookServer") -> None:
    kinds = [types.CodeActionKind.QuickFix, _FIX_ALL]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=kinds))
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not server.documents.is_ours(document):
            return []
        wanted = [str(each.value if hasattr(each, "value") else each) for each in params.context.only or ()]
        found: list[types.CodeAction] = []
        if _is_wanted("quickfix", wanted):
            found += _quick_fixes(server, document, params)
        if _is_wanted("source.fixAll", wanted) and (wanted or found):
            found += _fix_all(server, document)
        return found


def _is_wanted(kind: str, wanted: Sequence[str]) -> bool:
    return not wanted or any(kind == each or kind.startswith(f"{each}.") for each in wanted)


def _quick_fixes(
    server: "RunbookServer", document: HeldDocument, params: types.CodeActionParams
) -> list[types.CodeAction]:
    checked = server.documents.checked(document)
    asked = shapes.from_range(params.range)
    return [
        types.CodeAction(
            f"{each.fix.description} [{each.code}]",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shapes.diagnostic(each, document)],
            is_preferred=True,
            edit=_workspace_edit(document, each.fix.edits),
        )
        for each in shapes.shown(checked.file.diagnostics)
        if each.fix is not None and document.positions.extent_of(each.span).touches(asked)
    ]


def _fix_all(server: "RunbookServer", document: HeldDocument) -> list[types.CodeAction]:
    """The same as ``runbook check --fix``."""
    checked = server.documents.checked(document)
    made = check_fixing.fix(checked.file, document.path, server.documents.checker())
    if not made.done:
        return []
    edit = _workspace_edit(document, [Edit(0, len(checked.file.text), made.after.text)])
    return [types.CodeAction("Fix all that can be fixed", kind=_FIX_ALL, edit=edit)]


def _register_preview(server: "RunbookServer") -> None:
    @server.feature(GRAPH)
    def graph(params: Any) -> Mapping[str, str]:
        return _drawn(server, getattr(params, "uri", None), getattr(params, "format", None))

    @server.command(GRAPH_COMMAND)
    def graph_command(*arguments: Any) -> Mapping[str, str]:
        first = arguments[0] if arguments else None
        asked = first if isinstance(first, Mapping) else {"uri": first}
        return _drawn(server, asked.get("uri"), asked.get("format"))


def _drawn(server: "RunbookServer", uri: object, drawing: object) -> Mapping[str, str]:
    document = server.documents.get(uri) if isinstance(uri, str) else None
    if document is None:
        raise JsonRpcInvalidParams(f"{uri!r} is not open; give the uri of an open runbook")
    try:
        return {"text": preview(document.text, drawing if isinstance(drawing, str) else "mermaid")}
    except RunbookError as error:
        raise JsonRpcInvalidParams(str(error)) from error
