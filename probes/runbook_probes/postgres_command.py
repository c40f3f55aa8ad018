"""The psql command that shows what a probe of PostgreSQL sees."""

import re
import shlex
from collections.abc import Sequence

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Secret
from runbook_probes.postgres_tokens import NotReadError, first_word
from runbook_probes.postgres_url import typed

# All that a shell interprets inside double quotes.
_SPECIAL = re.compile(r'[\\"`$!]')


def psql(dsn: Secret, *statements: str) -> str:
    """``psql "$DATABASE_URL" -c 'SELECT 1'``."""
    quoted = (f'"{each}"' if "'" in each and not _SPECIAL.search(each) else shlex.quote(each) for each in statements)
    return " ".join((pasteable("psql", typed(dsn)), *(f"-c {each}" for each in quoted)))


def on_one_line(statement: str) -> str:
    """For statements of our own, which have no literals with spaces and no ``--`` comments."""
    return " ".join(statement.split())


def only_reads(statement: str) -> str:
    """Raises ValueError unless the statement is of a kind that only reads.

    The read-only transaction refuses to change rows; this refuses COPY … TO PROGRAM, DO, CALL and the like as well.
    """
    try:
        word = first_word(statement)
    except NotReadError:
        word = ""
    if word not in _READING:
        raise ValueError(f"a statement that only reads begins with {', '.join(_READING[:-1])} or {_READING[-1]}")
    return statement


_READING = ("SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN")


def literal_parameters(statement: str, parameters: Sequence[str | int | float | bool | None]) -> str:
    """The statement with its parameters in their places, for people to paste."""
    if not parameters:
        return statement
    values = iter(parameters)

    def fill(found: re.Match[str]) -> str:
        return "%" if found.group() == "%%" else _literal(next(values, "?"))

    return re.sub(r"%%|%[stb]", fill, statement)


def _literal(value: str | float | bool | None) -> str:  # noqa: FBT001 - one of the kinds of values
    match value:
        case None:
            return "NULL"
        case bool() | int() | float():
            return str(value)
    return "'" + value.replace("'", "''") + "'"
