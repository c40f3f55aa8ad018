"""Templates that a team writes: Jinja's full language, in its sandbox, and mistakes told with file and line."""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

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


def _place(error: Exception, template: Path) -> str:
    """``file:line`` of the template's innermost frame; Jinja rewrites tracebacks so that they name its lines."""
    folder = template.parent.resolve()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.resolve().is_relative_to(folder) and file.suffix != ".py":
            return f"{file}:{frame.lineno}"
    return str(template)
