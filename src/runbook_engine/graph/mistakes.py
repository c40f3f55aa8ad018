"""Diagnostics as they are collected while compiling."""

from msgspec import Struct

from runbook_engine.document import Diagnostic, DiagnosticLevel, Source

Path = tuple[str | int, ...]


class Mistakes(Struct):
    """What is wrong with one document. Positions are given as paths into it."""

    source: Source
    diagnostics: list[Diagnostic]
    runbook: str = ""
    checking: bool = True
    other_sources: dict[str, str] = {}

    def add(
        self,
        code: str,
        message: str,
        path: Path,
        *,
        label: str = "",
        help: str = "",  # noqa: A002 - the word of the page it ends on
        key: bool = False,
        within: tuple[int, int] | None = None,
        level: DiagnosticLevel = DiagnosticLevel.ERROR,
        write: str | None = None,
    ) -> None:
        """``within`` are offsets into the text at ``path``; ``key`` points at the key instead of the value.

        ``write`` is what to write at that very place instead, where that is certain enough to be done by a machine.
        """
        span = self.source.span_within(path, *within) if within else self.source.span(path, key=key)
        fix = None if write is None else self.source.rewritten(path, write, key=key, within=within)
        self.diagnostics.append(Diagnostic(code, message, self.source.file, span, label, help, level, fix))

    def warn(self, code: str, message: str, path: Path, *, help: str = "", key: bool = False) -> None:  # noqa: A002
        self.add(code, message, path, help=help, key=key, level=DiagnosticLevel.WARNING)

    def sorted(self) -> tuple[Diagnostic, ...]:
        return tuple(sorted(dict.fromkeys(self.diagnostics)))
