"""Templates that a team writes: Jinja's full language, in its sandbox, and mistakes told with file and line.

The sandbox keeps a template from the program, and not from work without end: ``{{ 9**9**9 }}``, ``{{ 'a' * 10**9 }}`` and a
loop in a loop are all it takes. What others wrote is therefore rendered in a process of its own, with bounds on its time and
its memory, and without the environment of this one.
"""

import importlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

import msgspec
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from runbook_engine.errors import UsageError


def sandbox(folders: Sequence[Path], *, autoescape: bool = False) -> SandboxedEnvironment:
    """Where templates are found, by the first folder that has them; a name that nobody gave is a mistake."""
    return SandboxedEnvironment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


class Bounds(msgspec.Struct, frozen=True):
    """What rendering one template may take: processor time in seconds, memory in bytes, characters of what comes of it.

    Memory is bounded where the system can do that for one process, as Linux can.
    """

    seconds: float = 5.0
    memory: int = 512 * 1024 * 1024
    characters: int = 10_000_000


BOUNDS = Bounds()
_PATIENCE_S = 30.0
"""A busy machine may take so much longer than the processor time."""


class _Work(msgspec.Struct):
    """What the process is told. ``filters`` are functions by name: ``package.module:function``."""

    template: str
    folders: list[str]
    variables: dict[str, object]
    filters: dict[str, str]
    autoescape: bool
    bounds: Bounds


class _Done(msgspec.Struct):
    text: str = ""
    problem: str = ""


def fill_bounded(
    template: Path,
    folders: Sequence[Path],
    variables: Mapping[str, object],
    *,
    autoescape: bool = False,
    filters: Mapping[str, str] | None = None,
    bounds: Bounds = BOUNDS,
) -> str:
    """Render what others wrote, in a process of its own. ``variables`` are what JSON can say.

    Raises UsageError that names the file, and the line where that can be told: also where it takes more than its bounds.
    """
    work = _Work(
        str(template.absolute()), [str(each.absolute()) for each in folders], {**variables}, {**(filters or {})},
        autoescape, bounds,
    )  # fmt: skip
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environ["PYTHONPATH"] = os.pathsep.join(each for each in sys.path if each)
    try:
        ended = subprocess.run(  # noqa: S603 - this very program
            [sys.executable, "-P", "-m", __name__],
            input=msgspec.json.encode(work),
            capture_output=True,
            timeout=bounds.seconds + _PATIENCE_S,
            env=environ,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{template}: {_too_long(bounds)}") from None
    if ended.returncode < 0:
        # The system has ended it: what it did listens to no signal, or was too deep for the interpreter.
        raise UsageError(f"{template}: it takes more time or memory to render than a template may take")
    if ended.returncode > 0:
        raise RuntimeError(
            f"the process that renders templates failed: {ended.stderr.decode(errors='replace')[-2000:]}"
        )
    done = msgspec.json.decode(ended.stdout, type=_Done)
    if done.problem:
        raise UsageError(done.problem)
    return done.text


_KEPT = ("SYSTEMROOT", "LANG", "LC_ALL", "TZ", "PYTHONHOME", "LD_LIBRARY_PATH")
"""Of the environment, what an interpreter may need to start; nothing of what holds secrets."""


def _too_long(bounds: Bounds) -> str:
    return f"it takes more than {bounds.seconds:g} s to render, and is ended"


class _TooLongError(Exception):
    pass


def _rendered(work: _Work) -> _Done:
    template, bounds = Path(work.template), work.bounds
    env = sandbox([Path(each) for each in work.folders], autoescape=work.autoescape)
    for name, where in work.filters.items():
        module, _, function = where.partition(":")
        env.filters[name] = getattr(importlib.import_module(module), function)
    _bound(bounds)
    try:
        text = fill(env, template, work.variables)
    except UsageError as error:
        cause, place = error.__cause__, _place(error.__cause__ or error, template)
        if isinstance(cause, _TooLongError):
            return _Done(problem=f"{place}: {_too_long(bounds)}")
        if isinstance(cause, MemoryError):
            most = bounds.memory // 1024**2
            return _Done(problem=f"{place}: it takes more than {most} MiB of memory to render, and is ended")
        return _Done(problem=str(error))
    if len(text) > bounds.characters:
        return _Done(problem=f"{template}: what it makes is longer than {bounds.characters} characters")
    return _Done(text)


def _bound(bounds: Bounds) -> None:
    """From here on the time counts. A signal tells the line; what does not listen to it is ended by the system."""

    def too_long(_signal: int, _frame: FrameType | None) -> None:
        raise _TooLongError

    with suppress(ImportError, ValueError, OSError, AttributeError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        most = int(used + bounds.seconds) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
    with suppress(AttributeError, ValueError):
        signal.signal(signal.SIGPROF, too_long)
        signal.setitimer(signal.ITIMER_PROF, bounds.seconds)


def fill(env: SandboxedEnvironment, template: Path, variables: Mapping[str, object]) -> str:
    """Render the template of that file's name. Raises UsageError that names file and line."""
    try:
        return env.get_template(template.name).render(variables)
    except TemplateSyntaxError as error:
        where = Path(error.filename) if error.filename else template
        raise UsageError(f"{where}:{error.lineno}: {error.message}") from error
    except TemplateNotFound as error:
        missing = template.parent / (error.name or "")
        where = template if missing == template else missing
        if where == template:
            raise UsageError(f"there is no template {template}") from error
        raise UsageError(f"{_place(error, template)}: there is no template {missing}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the template {template} cannot be read: {error}") from error
    except TemplateError as error:
        raise UsageError(f"{_place(error, template)}: {error.message or type(error).__name__}") from error
    except Exception as error:  # a template can raise whatever an expression can
        raise UsageError(f"{_place(error, template)}: {type(error).__name__}: {error}") from error


def _place(error: BaseException, template: Path) -> str:
    """``file:line`` of the template's innermost frame; Jinja rewrites tracebacks so that they name its lines."""
    folder = template.parent.resolve()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.resolve().is_relative_to(folder) and file.suffix != ".py":
            return f"{file}:{frame.lineno}"
    return str(template)


if __name__ == "__main__":
    done = _rendered(msgspec.json.decode(sys.stdin.buffer.read(), type=_Work))
    with suppress(AttributeError, ValueError):
        signal.setitimer(signal.ITIMER_PROF, 0)
    sys.stdout.buffer.write(msgspec.json.encode(done))
