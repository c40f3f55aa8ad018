"""What the language server says while somebody writes: choices, and what a word means."""

from typing import TYPE_CHECKING

from lsprotocol import types

from runbook_engine.cli import lsp_shapes as shapes
from runbook_engine.editor.completion import Item, ItemKind, complete
from runbook_engine.editor.hover import hover
from runbook_engine.editor.positions import Positions

if TYPE_CHECKING:
    from runbook_engine.cli.lsp_server import RunbookServer

_KINDS = {
    ItemKind.KEY: types.CompletionItemKind.Property,
    ItemKind.VALUE: types.CompletionItemKind.EnumMember,
    ItemKind.REFERENCE: types.CompletionItemKind.Reference,
    ItemKind.METRIC: types.CompletionItemKind.Field,
    ItemKind.INPUT: types.CompletionItemKind.Variable,
    ItemKind.UNIT: types.CompletionItemKind.Unit,
    ItemKind.OPERATOR: types.CompletionItemKind.Operator,
    ItemKind.FUNCTION: types.CompletionItemKind.Function,
}
_TRIGGERS = [".", ":", " ", "{", "|", "-"]


def register(server: "RunbookServer") -> None:
    """Teach a server to complete, and to explain words."""

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=_TRIGGERS))
    def completion(params: types.CompletionParams) -> types.CompletionList:
        document = server.documents.get(params.text_document.uri)
        if document is None or not server.documents.is_ours(document):
            return types.CompletionList(is_incomplete=False, items=[])
        offset = document.positions.offset(shapes.from_position(params.position))
        found = complete(document.index, offset, server.documents.around(document))
        items = [_item(each, rank, document.positions) for rank, each in enumerate(found)]
        return types.CompletionList(is_incomplete=False, items=items)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(params: types.HoverParams) -> types.Hover | None:
        document = server.documents.get(params.text_document.uri)
        if document is None or not server.documents.is_ours(document):
            return None
        offset = document.positions.offset(shapes.from_position(params.position))
        found = hover(document.index, offset, server.documents.around(document))
        if found is None:
            return None
        told = types.MarkupContent(types.MarkupKind.Markdown, found.told)
        return types.Hover(told, shapes.range_(document.positions.extent(found.start, found.end)))


def _item(item: Item, rank: int, positions: Positions) -> types.CompletionItem:
    return types.CompletionItem(
        item.label,
        kind=_KINDS[item.kind],
        detail=item.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, item.told) if item.told else None,
        sort_text=f"{rank:05}",
        filter_text=item.label,
        text_edit=types.TextEdit(shapes.range_(positions.extent(item.start, item.end)), item.written or item.label),
    )
