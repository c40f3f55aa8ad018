"""How the command ends: exit codes, and what is said when something went wrong."""

import io
import os
import sys
from collections.abc import Iterable, Sequence

import click

from runbook_engine.cli.app import app
from runbook_engine.cli.streams import note
from runbook_engine.errors import InputsError, InvalidDocumentError, RunbookError

OUR_BUG = 70
INTERRUPTED = 130
DEBUG_VARIABLE = "RUNBOOK_DEBUG"


def ended(arguments: Sequence[str]) -> int:
    """Run the command line; the exit code. Nothing that was raised gets past here."""
    typed: set[str] = set()
    try:
        code = app.main(args=list(arguments), prog_name="runbook", standalone_mode=False, obj=typed)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        _tell(shown.getvalue().rstrip("\n") or error.format_message(), arguments)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        note("interrupted")
        return INTERRUPTED
    except InvalidDocumentError as error:
        _tell_diagnostics(error)
        return error.exit_code
    except InputsError as error:
        for problem in error.problems:
            _tell(f"error: {problem}", arguments)
        return error.exit_code
    except RunbookError as error:
        _tell(f"error: {error}", arguments)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _our_bug(error, (*arguments, *(f"={each}" for each in typed)))


def _tell_diagnostics(error: InvalidDocumentError) -> None:
    from runbook_engine.cli.screen import colored
    from runbook_engine.document import render_all

    note(render_all(error.diagnostics, error.sources, color=colored(sys.stderr)))


def _tell(text: str, arguments: Sequence[str]) -> None:
    """A message that may repeat what was typed, without the passwords in it."""
    if not arguments:
        note(text)
        return
    from runbook_engine.engine.border import Border, passwords

    border = Border(password for each in arguments for password in passwords(each))
    border.learn_environment(os.environ)
    note(border.text(text))


def _our_bug(error: Exception, arguments: Iterable[str]) -> int:
    """What happened and where, with nothing in it that was given as a secret."""
    import traceback

    from runbook_engine.engine.border import Border

    border = Border()
    border.learn_environment(os.environ)
    border.learn(*(value for each in arguments if (value := each.partition("=")[2])))
    cause: BaseException = error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    frames = traceback.extract_tb(cause.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"  # noqa: PTH119
    told = border.text(f"{type(cause).__name__}: {cause}".splitlines()[0], 500)
    note(f"error: this is a mistake of runbook itself, not of yours: {told} (at {where})")
    if os.environ.get(DEBUG_VARIABLE):
        note(border.text("".join(traceback.format_exception(error)), 20_000))
    else:
        note(f"       {DEBUG_VARIABLE}=1 shows where it came from; please report it with that")
    return OUR_BUG
