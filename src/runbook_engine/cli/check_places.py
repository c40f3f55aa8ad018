"""Where a file is, as other programs read it."""

from pathlib import Path
from urllib.parse import quote


def relative(file: str) -> str:
    """The path from the current directory, with forward slashes; absolute where the file lies elsewhere."""
    path = Path(file)
    try:
        below = path.absolute().relative_to(Path.cwd()) if ".." not in path.parts else path.resolve()
        return (below.relative_to(Path.cwd()) if below.is_absolute() else below).as_posix()
    except (ValueError, OSError):
        return path.absolute().as_posix()


def uri(file: str) -> str:
    """The same as a URI: relative, or a ``file:`` URL."""
    path = relative(file)
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path)
