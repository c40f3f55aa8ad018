"""Standard output for the report, standard error for everything else, also when nobody reads them any more."""

import os
import sys
from contextlib import suppress
from typing import TextIO

import click


def note(text: str) -> None:
    """A line on standard error. Where nobody reads it, the diagnosis goes on without it."""
    try:
        click.echo(text, err=True)
    except OSError:
        _forget(sys.stderr)


def out(text: str) -> None:
    """A whole text on standard output. A reader who has seen enough (``| head -1``) changes no exit code."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        _forget(sys.stdout)


def _forget(stream: TextIO) -> None:
    """The interpreter must not fail at its end because it cannot write what is left."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
