"""How the command ends: exit codes, and what is said when something went wrong."""

import os
import sys
from collections.abc import Sequence

import click

from runbook_engine.cli.app import app
from runbook_engine.errors import InputsError, InvalidDocumentError, RunbookError

OUR_BUG = 70
INTERRUPTED = 130
DEBUG_VARIABLE = "RUNBOOK_DEBUG"


def ended(arguments: Sequence[str]) -> int:
    """Run the command line; the exit code. Nothing that was raised gets past here."""
    try:
        code = app.main(args=list(arguments), prog_name="runbook", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except InvalidDocumentError as error:
        _tell_diagnostics(error)
        return error.exit_code
    except InputsError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        return error.exit_code
    except RunbookError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _our_bug(error, arguments)


def _tell_diagnostics(error: InvalidDocumentError) -> None:
    from runbook_engine.cli.screen import colored
    from runbook_engine.document import render_all

    click.echo(render_all(error.diagnostics, error.sources, color=colored(sys.stderr)), err=True)


def _our_bug(error: Exception, arguments: Sequence[str]) -> int:
    """What happened and where, with nothing in it that was given as a secret."""
    import traceback

    from runbook_engine.engine.border import Border

    border = Border()
    border.learn_environment(os.environ)
    border.learn(*(value for each in arguments if (value := each.partition("=")[2])))
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"  # noqa: PTH119
    told = border.text(f"{type(error).__name__}: {error}".splitlines()[0], 500)
    click.echo(f"error: this is a mistake of runbook itself, not of yours: {told} (at {where})", err=True)
    if os.environ.get(DEBUG_VARIABLE):
        click.echo(border.text("".join(traceback.format_exception(error)), 20_000), err=True)
    else:
        click.echo(f"       {DEBUG_VARIABLE}=1 shows where it came from; please report it with that", err=True)
    return OUR_BUG
