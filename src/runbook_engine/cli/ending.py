"""How the command ends: exit codes, and what is said when something went wrong."""

import errno
import io
import os
import sys
from collections.abc import Iterable, Sequence

import click

from runbook_engine.cli.app import app
from runbook_engine.cli.streams import check_output, note
from runbook_engine.errors import InputsError, InvalidDocumentError, RunbookError

OUR_BUG = 70
INTERRUPTED = 130
DEBUG_VARIABLE = "RUNBOOK_DEBUG"


def ended(arguments: Sequence[str]) -> int:
    """Run the command line; the exit code. Nothing that was raised gets past here."""
    secrets: set[str] = set()  # filled in by the command with those that it learns, so that no message shows one
    try:
        code = app.main(args=list(arguments), prog_name="runbook", standalone_mode=False, obj=secrets)
        check_output()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        _tell(shown.getvalue().rstrip("\n") or error.format_message(), arguments, secrets)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        note("interrupted")
        return INTERRUPTED
    except InvalidDocumentError as error:
        _tell_diagnostics(error)
        return error.exit_code
    except InputsError as error:
        for line in (*(f"error: {problem}" for problem in error.problems), *error.hints):
            _tell(line, arguments, secrets)
        return error.exit_code
    except RunbookError as error:
        _tell(f"error: {error}", arguments, secrets)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last line of defence
        cause = _cause(error)
        if isinstance(cause, OSError | MemoryError) and not os.environ.get(DEBUG_VARIABLE):
            _tell(f"error: {_about_the_machine(cause)}", arguments, secrets)
            return RunbookError.exit_code
        return _our_bug(error, arguments, secrets)


def _tell_diagnostics(error: InvalidDocumentError) -> None:
    from runbook_engine.cli.screen import colored
    from runbook_engine.document import render_all

    note(render_all(error.diagnostics, error.sources, color=colored(sys.stderr)), painted=True)


def _tell(text: str, arguments: Sequence[str], secrets: Iterable[str]) -> None:
    """A message that may repeat what was typed, without the passwords in it."""
    from runbook_engine.engine.border import Border, passwords

    border = Border((*secrets, *(password for each in arguments for password in passwords(each))))
    border.learn_environment(os.environ)
    note(border.text(text))


def _cause(error: BaseException) -> BaseException:
    """What went wrong first, below groups of errors and imports that failed for it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ImportError) and isinstance(error.__cause__ or error.__context__, OSError):
        return _cause(error.__cause__ or error.__context__ or error)
    return error


def _about_the_machine(error: OSError | MemoryError) -> str:
    """What the system refused, and what to do about it."""
    if isinstance(error, MemoryError):
        return "there is not enough memory; end something else, or allow more (ulimit -v), and run it again"
    why = error.strerror or str(error) or type(error).__name__
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"no more files can be opened: {why}; allow more of them (ulimit -n 1024) and run it again"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{error.filename or 'a file'} cannot be written: {why}; make room and run it again"
    return f"{error.filename}: {why}" if error.filename else why


def _our_bug(error: Exception, arguments: Iterable[str], secrets: Iterable[str]) -> int:
    """What happened and where, with nothing in it that was given as a secret."""
    import traceback

    from runbook_engine.engine.border import Border

    border = Border(secrets)
    border.learn_environment(os.environ)
    border.learn(*(value for each in arguments if (value := each.partition("=")[2])))
    cause = _cause(error)
    frames = traceback.extract_tb(cause.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"  # noqa: PTH119
    told = border.text(f"{type(cause).__name__}: {cause}").splitlines()[0]
    note(f"error: this is a mistake of runbook itself, not of yours: {told} (at {where})")
    if os.environ.get(DEBUG_VARIABLE):
        note(border.text("".join(traceback.format_exception(error)), 20_000))
    else:
        note(f"       {DEBUG_VARIABLE}=1 shows where it came from; please report it with that")
    return OUR_BUG
