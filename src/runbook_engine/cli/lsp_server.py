"""The language server: what an editor asks, answered by what knows documents."""

import asyncio
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lsprotocol import types
from pygls.exceptions import JsonRpcException, PyglsError
from pygls.lsp.server import LanguageServer

from runbook_engine.cli import lsp_navigation, lsp_writing
from runbook_engine.cli import lsp_shapes as shapes
from runbook_engine.cli.lsp_documents import HeldDocument, HeldDocuments, path_of
from runbook_engine.editor.positions import Unit
from runbook_engine.probe.registry import Registry
from runbook_engine.version import VERSION

PAUSE_S = 0.15
"""How long nobody must have typed before a document is checked again."""


class RunbookServer(LanguageServer):
    """Holds the open documents and checks them one after the other, beside the loop that answers."""

    def __init__(self) -> None:
        # Whole texts: what counts as the end of a line cannot be taken for something else by either side.
        super().__init__("runbook", VERSION, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.documents = HeldDocuments(Registry())
        self.may_end = False
        """Whether the editor said that it needs nothing more."""
        self._worker = ThreadPoolExecutor(1, "check")
        self._waiting: asyncio.TimerHandle | None = None
        self._checking: asyncio.Task[None] | None = None

    def report_server_error(self, error: Exception, source: type[PyglsError | JsonRpcException]) -> None:
        """Into the log of the editor: nothing that is typed opens a window."""
        logging.getLogger(__name__).error("%s: %s", source.__name__, error)

    def take(self, uri: str, version: int | None, *, pause: float) -> None:
        """Hold a document as it is now, and check it after a pause in which it did not change again."""
        text = self.workspace.get_text_document(uri).source
        self.documents.hold(HeldDocument(uri, path_of(uri), text, version, self._unit))
        self.check_soon(uri, pause)

    def check_soon(self, uri: str, pause: float) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = asyncio.get_running_loop().call_later(pause, self._begin, uri)

    def _begin(self, uri: str) -> None:
        if self._checking is not None:
            self._checking.cancel()
        self._checking = asyncio.get_running_loop().create_task(self._check_all(uri))

    async def _check_all(self, first: str) -> None:
        """What is held, and what may depend on it; given up where something changes meanwhile."""
        checker = self.documents.checker()
        for uri in self.documents.in_turn(first):
            document = self.documents.get(uri)
            if document is None:
                continue
            work = partial(self.documents.check, document, checker)
            try:
                checked = await asyncio.get_running_loop().run_in_executor(self._worker, work)
            except Exception as error:  # noqa: BLE001 - a mistake of ours must not end the server
                self.report_server_error(error, PyglsError)
                continue
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri, shapes.diagnostics(checked), document.version)
            )

    @property
    def _unit(self) -> Unit:
        chosen = self.server_capabilities.position_encoding
        return Unit(chosen.value if isinstance(chosen, types.PositionEncodingKind) else chosen or Unit.UTF_16)


def server() -> RunbookServer:
    """A server that was not spoken to yet."""
    made = RunbookServer()

    @made.feature(types.INITIALIZED)
    def initialized(_params: types.InitializedParams) -> None:
        made.documents.folders = tuple(path_of(each) for each in made.workspace.folders)

    @made.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        made.take(params.text_document.uri, params.text_document.version, pause=0)

    @made.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        made.take(params.text_document.uri, params.text_document.version, pause=PAUSE_S)

    @made.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        made.documents.release(uri)
        made.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        made.check_soon(uri, PAUSE_S)

    @made.feature(types.SHUTDOWN)
    def shut_down(_params: None) -> None:
        made.may_end = True

    lsp_writing.register(made)
    lsp_navigation.register(made)
    return made


def serve() -> int:
    """Speak with the editor until it says exit, or is gone; 0 where it had said shutdown before."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    made = server()
    # Whatever else is written to stdout would be taken for the protocol.
    own = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with os.fdopen(own, "wb") as stdout:
        made.start_io(sys.stdin.buffer, stdout)
    return 0 if made.may_end else 1
