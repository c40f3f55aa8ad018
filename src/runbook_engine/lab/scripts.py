"""Small diagnostic scripts, as a team has them beside its application: real ones, each of which can be made to fail."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from runbook_engine.errors import UsageError, did_you_mean

SCRIPTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "health-check": ("ok: api, database, cache at $API_URL", "failed: the cache does not answer PING"),
        "performance-analysis": ("ok: P95 120 ms, CPU 35 %, memory 60 %", "failed: P95 1240 ms is more than 1000 ms"),
        "analyze-errors": ("ok: 3 errors in the last $hours h", "failed: 412 errors in the last $hours h"),
        "db-performance": ("ok: 18 of 100 connections, no lock waits", "failed: 93 of 100 connections are in use"),
        "network-test": ("ok: 5 of 5 targets connect", "failed: db:5432 cannot be connected to"),
    }
)
"""What each script says where all is well, and where it is not."""

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "dbshell": (
            "connected with the settings {settings}",
            "FATAL: password authentication failed for the application",
        ),
        "show_jobs": ("waiting 2, running 1, failed 0", "waiting 340, running 0, failed 12: no worker is alive"),
    }
)
"""The same for the commands of manage.py."""

_SCRIPT = """\
#!/bin/sh
hours=1
[ "${{1:-}}" = --hours ] && hours=$2
echo "{name}: looking"
{rest}
"""
_WELL = 'echo "{said}"'
_ILL = 'echo "{said}" >&2\nexit 1'
_MANAGE = '''\
"""The management commands that diagnosis needs."""

import argparse
import sys

ANSWERS = {answers!r}
FAILING = {failing!r}

parser = argparse.ArgumentParser(prog="manage.py")
parser.add_argument("command", choices=ANSWERS)
parser.add_argument("--settings", default="development")
given = parser.parse_args()
well, ill = ANSWERS[given.command]
if given.command in FAILING:
    sys.exit(ill)
print(well.format(settings=given.settings))
'''


def write_scripts(folder: Path, *, failing: frozenset[str] = frozenset()) -> Path:
    """Write ``scripts/*.sh`` and ``manage.py`` into a folder; gives the path of ``scripts``, for ``scripts_directory``.

    ``failing`` names those that end with an exit code other than 0: of SCRIPTS, and of COMMANDS. Raises UsageError for
    any other name.
    """
    known = (*SCRIPTS, *COMMANDS)
    for name in sorted(failing - set(known)):
        raise UsageError(f"there is no script {name!r}{did_you_mean(name, known)} (known: {', '.join(known)})")
    scripts = folder / "scripts"
    scripts.mkdir(parents=True, exist_ok=True)
    for name, (well, ill) in SCRIPTS.items():
        rest = _ILL.format(said=ill) if name in failing else _WELL.format(said=well)
        file = scripts / f"{name}.sh"
        file.write_text(_SCRIPT.format(name=name, rest=rest), encoding="utf-8")
        file.chmod(0o755)
    text = _MANAGE.format(answers=dict(COMMANDS), failing=sorted(failing & set(COMMANDS)))
    (folder / "manage.py").write_text(text, encoding="utf-8")
    return scripts
