"""``runbook test --mutate``."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runbook_engine.cli.streams import data, out

if TYPE_CHECKING:
    from runbook_engine.testing.mutating import Change, Mutated
    from runbook_engine.testing.telling import Places

SCHEMA = "runbook.mutations/v1"
NOTICED, SURVIVED, INVALID = 0, 1, 78


def mutate_tests(paths: Sequence[str], format_: str) -> int:
    """Say which changed thresholds no test notices; 0 where all are noticed, 1 where not, 78 where a document is wrong.

    Raises UsageError where a test fails already: it notices nothing.
    """
    from runbook_engine.document.diagnostics import render_all
    from runbook_engine.errors import UsageError
    from runbook_engine.library import Library
    from runbook_engine.probe.registry import Registry
    from runbook_engine.testing import check_file, find_files
    from runbook_engine.testing.mutating import mutate

    library, registry = Library.default(), Registry()
    checked = [check_file(each, probes=registry, library=library) for each in find_files(paths, library)]
    wrong = [each for each in checked if each.failed]
    if wrong:
        sources = {name: text for each in wrong for name, text in each.sources.items()}
        out(f"{render_all([one for each in wrong for one in each.diagnostics], sources)}\n")
        return INVALID
    for each in checked:
        failed = next((name for name in each.given if not each.run(name).passed), None)
        if failed is not None:
            raise UsageError(f"{each.loaded.source.file}: the case {failed} fails as things are; see: runbook test")
    found = mutate(checked)
    if format_ == "json":
        data(_as_json(found))
    else:
        out(_as_text(found))
    return SURVIVED if any(each.survivors for each in found) else NOTICED


def _as_text(found: "Sequence[Mutated]") -> str:
    from runbook_engine.cli.screen import visible
    from runbook_engine.testing.telling import Places

    places = Places()
    lines: list[str] = []
    for each in found:
        lines.append(f"{each.plan.runbook.runbook}: {each.noticed} of {each.tried} changes are noticed")
        for change in each.survivors:
            where = _line(change, each, places)
            lines.append(f"  no test notices {visible(change.told)}{f'  ({where})' if where else ''}")
    tried, left = sum(each.tried for each in found), sum(len(each.survivors) for each in found)
    lines.append("")
    lines.append(
        f"{tried - left} of {tried} changed thresholds and operators are noticed"
        + (f", {left} are not: give a case the value at the threshold, or the next one to it" if left else "")
    )
    return "".join(f"{line}\n" for line in lines)


def _line(change: "Change", mutated: "Mutated", places: "Places") -> str:
    return places.of(mutated.plan, change.place)


def _as_json(found: "Sequence[Mutated]") -> str:
    from runbook_engine.testing.telling import Places

    places = Places()
    runbooks = [
        {
            "runbook": each.plan.runbook.runbook,
            "changes": each.tried,
            "noticed": each.noticed,
            "survivors": [
                {
                    "kind": change.kind,
                    "step": change.step or None,
                    "input": None if change.step else str(change.place[1]),
                    "place": _line(change, each, places) or None,
                    "before": change.before,
                    "after": change.after,
                }
                for change in each.survivors
            ],
        }
        for each in found
    ]
    noticed, survived = sum(each.noticed for each in found), sum(len(each.survivors) for each in found)
    return (
        f"{json.dumps({'schema': SCHEMA, 'noticed': noticed, 'survived': survived, 'runbooks': runbooks}, indent=2)}\n"
    )
