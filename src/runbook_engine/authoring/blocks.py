"""Blocks of code in procedures, taken apart: commands, what they print, remarks, and text for other programs."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from runbook_engine.authoring.known_commands import COMMANDS, ENGLISH
from runbook_engine.authoring.shell import Statement, statements
from runbook_engine.hostile import lines_of

SHELLS = frozenset(
    {"bash", "sh", "shell", "console", "zsh", "ksh", "shell-session", "sh-session", "shellsession", "bash-session",
     "terminal", "shellscript"}
)  # fmt: skip
_PROGRAMS = {
    "sql": "SQL", "pgsql": "SQL", "psql": "SQL", "postgresql": "SQL", "postgres": "SQL", "plpgsql": "SQL", "mysql": "SQL",
    "promql": "PromQL", "logql": "LogQL", "ruby": "Ruby", "rb": "Ruby", "python": "Python", "py": "Python",
    "powershell": "PowerShell", "ps1": "PowerShell", "javascript": "JavaScript", "js": "JavaScript", "redis": "redis-cli",
    "kusto": "KQL", "kql": "KQL", "cql": "CQL", "batch": "cmd", "cmd": "cmd",
}  # fmt: skip
_DATA = frozenset(
    {"yaml", "yml", "json", "toml", "ini", "conf", "nginx", "text", "txt", "log", "logs", "output", "plaintext", "plain",
     "xml", "html", "diff", "csv", "mermaid", "http", "none", "properties", "hcl", "terraform", "markdown", "md"}
)  # fmt: skip

_HOST = (
    r"(?:\([\w.-]+\)\s*)?"
    r"(?:[\w.+-]+@[\w.-]+(?::?\s?[~/][\w./~-]*|:)?\s?|\[[^\]\n]*[@ ][^\]\n]*\]\s?|(?:ba|z|k)?sh-[\d.]+)"
)
_PROMPT = re.compile(rf"\s*(?:{_HOST}[$#%>]|\$|%|#>)[ \t]+(?=\S)")
"""What a shell writes before a command: ``$ ``, ``% ``, ``user@host:~$ ``, ``[root@host ~]# ``, ``bash-5.1$ ``."""
_ANGLE = re.compile(r"\s*>[ \t]+(?=[a-z][\w-]*[ \t]+\S)")
_ROOT = re.compile(r"\s*#[ \t]+(?=\S)")
_MORE = re.compile(r"\s*>[ \t]")
_OTHERS: Sequence[tuple[re.Pattern[str], re.Pattern[str], str]] = (
    (re.compile(r"\s*(?:mysql|mariadb)(?: \[[^\]]*\])?> *"), re.compile(r"\s*['\"`]?-> ?"), "SQL"),
    (re.compile(r"\s*\w+=[#>] *"), re.compile(r"\s*\w+[-('\"$][#>] ?"), "SQL"),
    (re.compile(r"\s*(?:redis )?[\w.-]*:\d+(?:\[\d+\])?> *"), re.compile(r"\Z."), "redis-cli"),
    (re.compile(r"\s*>>> ?"), re.compile(r"\s*\.\.\. ?"), "Python"),
    (re.compile(r"\s*(?:irb\([^)]*\):\d+:\d+|\[\d+\] pry\([^)]*\)|[\w-]+\(\w+\))> *"), re.compile(r"\Z."), "Ruby"),
    (re.compile(r"\s*PS(?: [A-Z]:\\[^>]*)?> *"), re.compile(r"\s*>> ?"), "PowerShell"),
)  # fmt: skip
"""Prompts of other programs: at the beginning, on lines that go on, and how the program is called."""
_SQL = re.compile(
    r"\s*(?:SELECT|WITH|EXPLAIN|INSERT INTO|UPDATE \w+ SET|DELETE FROM|ALTER|CREATE|DROP|VACUUM|ANALYZE|REINDEX|GRANT|SHOW"
    r"|TRUNCATE|KILL \d|FLUSH|BEGIN|COMMIT)\b|\s*select\s.*\sfrom\s|\s*select\s+(?:\d|\w+\()|\s*\\[a-z]+\+?(?:\s|;|\Z)"
)
_GAP = re.compile(r"\S(?: {2,}|\t+)\S")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_SAYS = re.compile(
    r"\s*(?:[^\w./~$({\[!\"'\\:]|[{\[(](?![ a-z(\[])|[}\])]|\d|[\"'(]"
    r"|[A-Z][\w.-]*(?![\w.-]*=)|[\w./-]+:(?:\s|\Z)|[d-][rwxsStT-]{9})"
)
"""How what programs print begins, and commands do not: a bar, a brace, a digit, a capital letter, ``error:``."""
_GOES_ON = re.compile(r"\s*(?:\|\s*[a-z][\w-]*(?:\s+[^|]*)?|&&.*|\s--?[A-Za-z].*)\Z")
_OPENS = re.compile(r"\s*(?:for|while|until|if|case|function)\s|.*(?:\bdo|\bthen|\{|<<-?\s*['\"]?\w+['\"]?)\s*\Z")
_MOST_LINES = 300
"""Lines that one command may have."""

Kind = Literal["command", "unclear", "other", "output", "remark"]


class Piece(Struct, frozen=True):
    """A part of a block. ``lines`` are its lines in the document without empty ones.

    A command has its statement; what is unclear may be one; ``program`` says whose language the others are in.
    """

    kind: Kind
    text: str
    lines: int
    comment: str = ""
    statement: Statement | None = None
    program: str = ""


def pieces(block: str, language: str = "bash") -> Sequence[Piece]:
    """All that stands in a block, in its order. ``language`` is what its fence says, empty for none."""
    language = language.lower()
    lines = textwrap.dedent(block).split("\n")
    if not any(map(str.strip, lines)):
        return ()
    if language in _PROGRAMS and not any(_PROMPT.match(line) for line in lines):
        return [_whole("other", lines, _PROGRAMS[language])]
    if language in _DATA and not _is_session(lines):
        return [_whole("output", lines)]
    if language and language not in SHELLS and language not in _PROGRAMS and language not in _DATA:
        return [_whole("other", lines, language)]
    if not language and not _is_shell(lines):
        return [_whole("output", lines)]
    return list(_Block(lines).read())


def _whole(kind: Kind, lines: Sequence[str], program: str = "") -> Piece:
    return Piece(kind, _joined(lines), sum(bool(line.strip()) for line in lines), program=program)


def _is_session(lines: Sequence[str]) -> bool:
    return any(_PROMPT.match(line) for line in lines)


def _is_shell(lines: Sequence[str]) -> bool:
    """Whether a block that does not say what it is begins as shell, or as what is typed into another program."""
    if _is_session(lines) or _is_root(lines) or _is_angled(lines):
        return True
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    return _is_known(first) or _SQL.match(first) is not None or any(each.match(first) for each, _, _ in _OTHERS)


def _is_known(line: str) -> bool:
    """Whether a line begins with a command that everybody knows, a path to one, or an assignment."""
    words = line.split()
    while words and re.match(r"[A-Za-z_]\w*=\S*\Z", words[0]):
        if len(words) == 1:
            return True
        words.pop(0)
    if not words:
        return False
    first = words[0]
    if re.match(r"(?:\.{1,2}|~)?/[\w./-]+\Z", first) or re.match(r"\$\{?[A-Z_]+\}?(?:/|\Z)", first):
        return _GAP.search(line.strip()) is None
    return first in COMMANDS and (first not in ENGLISH or _is_told_apart(line, words))


def _is_told_apart(line: str, words: Sequence[str]) -> bool:
    """Whether a word that is English, too, is followed by what only a command has."""
    return len(words) == 1 or re.search(r"\s-{1,2}[A-Za-z]|[/|$=>*:]|\S\.\S|\s\d", line) is not None


def _is_root(lines: Sequence[str]) -> bool:
    """Whether ``# `` is the prompt of root: it stands before commands, and no command stands without it."""
    marked = [_ROOT.sub("", line) for line in lines if _ROOT.match(line)]
    bare = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return (
        any(map(_is_known, marked))
        and not any(_is_known(line) for line in bare)
        and not _is_session(lines)
        and not any(_SQL.match(line) for line in bare)
    )


def _is_angled(lines: Sequence[str]) -> bool:
    """Whether ``> `` is the prompt: it stands before the first command."""
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    found = _ANGLE.match(first)
    return found is not None and _is_known(first[found.end() :]) and not _is_session(lines)


class _Block:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0
        self._session = _is_session(lines)
        self._root = _is_root(lines)
        self._angled = _is_angled(lines)
        self._comment: list[str] = []
        self._comment_lines = 0
        self._begun = False

    def read(self) -> Iterator[Piece]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip():
                yield from self._remarks()
                self._at += 1
                continue
            prompt = self._prompt(line)
            if prompt is None and line.lstrip().startswith("#"):
                self._comment.append(line.strip().lstrip("#! ").rstrip())
                self._comment_lines += 1
                self._at += 1
            elif (other := self._other(line)) is not None:
                yield from self._made(other)
            elif prompt is None and self._is_output(line):
                yield from self._remarks()
                yield Piece("output", line.rstrip(), 1)
                self._at += 1
            else:
                for piece in self._shell(prompt or 0):
                    yield from self._made(piece)
        yield from self._remarks()

    def _made(self, piece: Piece) -> Iterator[Piece]:
        """The piece with the comment above it, which the first of a line has."""
        self._begun = True
        comment = " ".join(filter(None, self._comment))
        lines = piece.lines + self._comment_lines
        self._comment, self._comment_lines = [], 0
        yield Piece(piece.kind, piece.text, lines, comment, piece.statement, piece.program)

    def _remarks(self) -> Iterator[Piece]:
        """A comment that nothing follows."""
        if self._comment_lines:
            yield Piece("remark", " ".join(filter(None, self._comment)), self._comment_lines)
            self._comment, self._comment_lines = [], 0

    def _prompt(self, line: str) -> int | None:
        """How long the prompt before a command is, None where there is none."""
        found = _PROMPT.match(line) or (_ANGLE.match(line) if self._angled else None)
        if found is None and self._root:
            found = _ROOT.match(line)
            if found is not None and not _is_known(line[found.end() :]):
                return None
        return found.end() if found is not None else None

    def _is_output(self, line: str) -> bool:
        """Whether a line without a prompt is what a command has printed."""
        if _is_known(line):
            return False
        if self._session or self._root or self._angled:
            return self._begun
        bare = _QUOTED.sub("''", line.strip())
        return self._begun and (_GAP.search(bare) is not None or _SAYS.match(line) is not None)

    def _other(self, line: str) -> Piece | None:
        """What is typed into another program, with all lines that belong to it."""
        for first, more, program in _OTHERS:
            found = first.match(line)
            if found is not None:
                return self._typed(found.end(), more, program)
        prompt = _PROMPT.match(line)
        if _SQL.match(line) and not (prompt or _is_known(line)):
            return self._sql()
        return None

    def _typed(self, start: int, more: re.Pattern[str], program: str) -> Piece:
        begin = self._at
        text = [self._lines[begin][start:].rstrip()]
        self._at += 1
        while self._at < len(self._lines) and (found := more.match(self._lines[self._at])) is not None:
            text.append(self._lines[self._at][found.end() :].rstrip())
            self._at += 1
        return Piece("other", "\n".join(text), self._at - begin, program=program)

    def _sql(self) -> Piece:
        """A statement to its semicolon, or to where an empty line ends it."""
        begin = self._at
        while self._at < len(self._lines) and self._lines[self._at].strip():
            self._at += 1
            if self._lines[self._at - 1].rstrip().endswith(";"):
                break
        text = self._lines[begin : self._at]
        return Piece("other", _joined(text), len(text), program="SQL")

    def _shell(self, prompt: int) -> Iterator[Piece]:
        """The commands that begin here: as many lines as it takes until they are whole."""
        begin = self._at
        text = [self._lines[begin][prompt:]]
        continued = torn = False
        for end in range(begin + 1, min(len(self._lines), begin + _MOST_LINES) + 1):
            source = "\n".join(text)
            found = None if source.rstrip(" \t").endswith("\\") else statements(source)
            following = self._lines[end] if end < len(self._lines) else ""
            if found is not None and not self._goes_on(following):
                self._at = end
                yield from self._commands(source, [] if torn else found, begin)
                return
            torn = torn or found is not None
            if found is None and prompt and end - begin == 1:
                continued = _MORE.match(following) is not None
            text.append(_MORE.sub("", following) if continued else following)
        # It is nowhere whole: what belongs together by its looks is shown as it is.
        self._at = begin + 1
        opens = _OPENS.match(text[0]) is not None
        while self._at < len(self._lines) and (
            self._goes_on(self._lines[self._at]) or (opens and self._lines[self._at].strip())
        ):
            self._at += 1
        lines = [self._lines[begin][prompt:], *self._lines[begin + 1 : self._at]]
        yield Piece("unclear", _joined(lines), len(lines))

    def _goes_on(self, line: str) -> bool:
        """Whether a line cannot begin a command: a pipe, or options below a line that lacks its backslash."""
        return _GOES_ON.match(line) is not None and self._prompt(line) is None

    def _commands(self, source: str, found: Sequence[Statement], begin: int) -> Iterator[Piece]:
        lines = sum(bool(line.strip()) for line in self._lines[begin : self._at])
        if not found:
            yield Piece("unclear", _joined(lines_of(source)), lines)
        for number, each in enumerate(found):
            # Lines are counted once, however many commands stand in them.
            yield Piece("command", _joined(lines_of(each.text)), 0 if number else lines, statement=each)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).strip("\n")
