"""What a stream can show, and texts that are safe to show there."""

import os
import shutil
from typing import IO, Any

__all__ = ["colored", "fancy", "visible", "width"]


def visible(text: str) -> str:
    """What somebody wrote, safe to show on a terminal."""
    from runbook_engine.document.diagnostics import visible as shown

    return shown(text)


def colored(stream: IO[Any]) -> bool:
    """Colours on a terminal, unless NO_COLOR is set or the terminal is dumb."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def fancy(stream: IO[Any]) -> bool:
    """Whether lines may be drawn over: a terminal that is not dumb."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", None)


def width(at_most: int = 110) -> int:
    return max(40, min(at_most, shutil.get_terminal_size((100, 40)).columns))
