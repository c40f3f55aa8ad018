"""Commands of a procedure: each whole, with what was said of it, and with what it depends on."""

import re
from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from runbook_engine.authoring.blocks import Piece, pieces
from runbook_engine.authoring.measurement import Measurement
from runbook_engine.authoring.recognition import recognise
from runbook_engine.authoring.secrecy import is_open, masked
from runbook_engine.authoring.shell import Call, Statement

_CONTINUED = re.compile(r"[ \t]*\\\n\s*")
_LOG_IN = frozenset({"ssh", "mosh", "tsh"})
_SHELLS = frozenset({"bash", "sh", "ash", "zsh", "dash"})
_INSIDE = frozenset({"kubectl", "oc", "docker", "podman", "crictl", "nerdctl", "nsenter", "machinectl"})
_SSH_ALONE = re.compile(r"-[46AaCfGgKkMNnqsTtVvXxYy]+\Z")


class Command(Struct, frozen=True):
    """A command as it was written, and the comment above it.

    ``program`` is empty for the shell, and else says in which language it is. ``before`` are commands that set what it
    uses. ``elsewhere`` is the command after which it no longer runs on the machine that the procedure began on.
    """

    text: str
    comment: str = ""
    lines: int = 1
    statement: Statement | None = None
    program: str = ""
    before: tuple[str, ...] = ()
    elsewhere: str = ""
    output: tuple[str, ...] = ()
    """What the procedure shows as what the command says."""

    @property
    def shown(self) -> str:
        """As it is to be pasted, without passwords. Only lines that a backslash joins are made one."""
        return masked(_CONTINUED.sub(" ", "\n".join((*self.before, self.text))))

    @property
    def measured(self) -> Measurement | None:
        """The probe that measures the same; none where a secret would be copied into the runbook."""
        if self.statement is None or self.elsewhere or self.before:
            return None
        found = recognise(self.statement)
        return found if found is not None and is_open(found.given) else None


class Code(Struct):
    """What stands in blocks of code. ``texts`` are remarks and data that belong to no command; ``shown`` counts the lines
    that no command has. ``elsewhere`` is the command that has led to another machine, where the last of them runs.
    """

    commands: list[Command] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    shown: int = 0
    elsewhere: str = ""


def commands(block: str, language: str = "bash") -> Sequence[Command]:
    """The commands of a block, in their order."""
    return read(block, language).commands


def read(block: str, language: str, elsewhere: str = "") -> Code:
    """All that stands in a block. ``elsewhere``: a command of an earlier block that has led to another machine."""
    code = Code()
    settings: list[Command] = []
    known: list[tuple[str, frozenset[str]]] = []
    for piece in pieces(block, language):
        if piece.kind in ("output", "remark"):
            code.shown += piece.lines
            _show(piece, code, settings)
            continue
        statement = piece.statement
        made = Command(piece.text, masked(piece.comment), piece.lines, statement, piece.program, (), elsewhere)
        if statement is not None and statement.kind == "setting":
            settings.append(made)
            known.append((piece.text, statement.sets))
            continue
        code.commands.append(_with(made, settings, known))
        settings = []
        if statement is not None:
            elsewhere = _leads(statement, elsewhere)
    code.elsewhere = elsewhere
    if settings:
        # They are for whoever reads on: one command, which sets all of it.
        text = "\n".join(each.text for each in settings)
        comment = " ".join(each.comment for each in settings if each.comment)
        code.commands.append(Command(text, comment, sum(each.lines for each in settings)))
    return code


def _with(command: Command, settings: Sequence[Command], known: Sequence[tuple[str, frozenset[str]]]) -> Command:
    """The command with what was set for it: right before it, or anywhere above where it uses that."""
    near = {each.text for each in settings}
    uses = command.statement.uses if command.statement is not None else frozenset()
    before = tuple(dict.fromkeys(text for text, sets in known if text in near or sets & uses))
    comment = " ".join(filter(None, (*(each.comment for each in settings), command.comment)))
    lines = command.lines + sum(each.lines for each in settings)
    return replace(command, before=before, comment=comment, lines=lines)


def _show(piece: Piece, code: Code, settings: Sequence[Command]) -> None:
    text = masked(piece.text.strip("\n"))
    if piece.kind == "output" and code.commands and not settings:
        last = code.commands[-1]
        code.commands[-1] = replace(last, output=(*last.output, text))
    else:
        code.texts.append(text)


def _leads(statement: Statement, elsewhere: str) -> str:
    """The command that has led to another shell, after this one."""
    if len(statement.calls) != 1:
        return elsewhere
    call = statement.calls[0]
    values = [each.value or "" for each in call.words]
    if call.name in ("exit", "logout"):
        return ""
    return statement.text if _opens_shell(call, values) else elsewhere


def _opens_shell(call: Call, values: Sequence[str]) -> bool:
    if call.name in _LOG_IN:
        rest = [each for each in values[1:] if not _SSH_ALONE.match(each)]
        options = sum(each.startswith("-") for each in rest)
        # Every other option has a word of its own; a host without a command is what is left.
        return len(rest) - 2 * options <= 1
    if call.name in _INSIDE:
        return len(values) > 2 and values[-1].rpartition("/")[2] in _SHELLS
    if call.name == "su" or (call.name == "sudo" and values[1:2] and values[1] in ("-i", "-s", "su", "bash", "sh")):
        return "-c" not in values
    return call.name in _SHELLS and len(values) == 1
