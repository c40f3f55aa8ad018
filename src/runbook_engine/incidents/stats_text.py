"""How incidents went, for a terminal."""

from collections.abc import Iterator, Sequence

from runbook_engine.incidents.moments import span
from runbook_engine.incidents.stats import NAMES, Group, RunbookStats, Stats, Took

_HEADINGS = {
    "all": "",
    "month": "By month",
    "priority": "By priority, the highest that it had",
    "runbook": "By runbook that ran",
}
_COLUMNS = ("", "incidents", "MTTA", "MTTD", "MTTM", "MTTR")
_RUNBOOK_COLUMNS = ("runbook", "runs", "found the cause", "symptoms only", "healthy", "inconclusive")


def text(found: Stats) -> str:
    """Tables; what was never recorded is a dash."""
    since, until = found.since[:10], found.until[:10]
    count = f"{found.incidents} incident{'' if found.incidents == 1 else 's'}"
    lines = [f"{count} opened from {since} to {until}"]
    lines += [
        "Mean / median (of how many), until it was acknowledged (MTTA), diagnosed (MTTD), mitigated (MTTM), resolved (MTTR)"
    ]
    for by, heading in _HEADINGS.items():
        rows = [_row(each) for each in found.groups if each.by == by]
        if rows:
            lines += ["", *([heading] if heading else []), *_aligned([_COLUMNS, *rows])]
    if found.runbooks:
        lines += ["", "What runbooks found", *_aligned([_RUNBOOK_COLUMNS, *map(_runbook_row, found.runbooks)])]
        lines += [line for each in found.runbooks for line in _blind(each)]
    return "\n".join(lines) + "\n"


def _row(group: Group) -> Sequence[str]:
    return (group.name, str(group.incidents), *(_took(getattr(group, each)) for each in NAMES))


def _took(took: Took) -> str:
    if took.mean_s is None or took.median_s is None:
        return "–"
    return f"{span(took.mean_s)} / {span(took.median_s)} (n={took.n})"


def _runbook_row(found: RunbookStats) -> Sequence[str]:
    counts = (found.runs, found.found_cause, found.found_symptom, found.healthy, found.inconclusive)
    return (found.runbook, *map(str, counts))


def _blind(found: RunbookStats) -> Iterator[str]:
    if found.blind_spots:
        yield ""
        yield f"What {found.runbook} could not see"
    for each in found.blind_spots:
        undecided = f", {each.inconclusive} of them inconclusive" if each.inconclusive else ""
        yield f"  {each.kind} in {each.runs} run{'' if each.runs == 1 else 's'}{undecided} ({', '.join(each.steps)})"
        if each.remedy:
            yield f"    to see it: {each.remedy}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield f"  {'  '.join(f'{cell:<{width}}' for cell, width in zip(row, wide, strict=True))}".rstrip()
