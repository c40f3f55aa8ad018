"""Jinja, as reports use it. Every value that a template prints passes ``escape`` first, unless it is ``Ready``."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from runbook_engine.quantity import counted
from runbook_engine.report import view
from runbook_engine.report.ready import Ready

_TEMPLATES = Path(__file__).parent / "templates"


def environment(escape: Callable[[str], str], templates: Path = _TEMPLATES) -> Environment:
    """For formats that Jinja has no escaping of its own for. Templates that ``templates`` lacks are those of reports."""

    def finalize(value: object) -> object:
        return value if isinstance(value, Ready) or not isinstance(value, str) else escape(value)

    return _environment(finalize, templates)


def html_environment(templates: Path = _TEMPLATES) -> Environment:
    """With Jinja's own escaping. Templates that ``templates`` lacks are those of reports."""
    env = _environment(None, templates)
    env.autoescape = True
    return env


def _environment(finalize: Callable[[object], object] | None, templates: Path) -> Environment:
    env = Environment(  # noqa: S701 - what is printed is escaped by finalize, or by html_environment
        loader=FileSystemLoader([templates, _TEMPLATES]),
        undefined=StrictUndefined,
        optimized=False,  # folding constants would cost more than it saves
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=finalize,
    )
    env.filters["duration"] = view.duration
    env.filters["reason"] = view.reason
    env.filters["seen"] = view.seen
    env.filters["limit"] = view.limit
    env.filters["depth"] = view.depth
    env.filters["counted"] = counted
    return env
