"""How incidents went over months: pure, of the incidents and the time.

A mean is of what was recorded; beside it stands of how many incidents. Where nothing was recorded there is none.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean, median
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from runbook_engine.document.models import FindingKind
from runbook_engine.engine.events import Outcome
from runbook_engine.hostile import one_line
from runbook_engine.incidents.action_list import defused
from runbook_engine.incidents.effectiveness import Times, times_of
from runbook_engine.incidents.events import RunAttached
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.moments import iso
from runbook_engine.report.model import Part

SCHEMA: Literal["runbook.incident-stats/v1"] = "runbook.incident-stats/v1"
NAMES = ("acknowledge", "diagnose", "mitigate", "resolve")


class Took(Part, frozen=True, kw_only=True):
    """``n`` is of how many incidents it was recorded."""

    n: int
    mean_s: float | None
    median_s: float | None


class Group(Part, frozen=True, kw_only=True):
    """Incidents of one month, one priority, or in which one runbook ran."""

    by: Literal["all", "month", "priority", "runbook"]
    name: str
    incidents: int
    acknowledge: Annotated[Took, Meta(description="MTTA")]
    diagnose: Annotated[Took, Meta(description="MTTD: until the cause was known")]
    mitigate: Annotated[Took, Meta(description="MTTM")]
    resolve: Annotated[Took, Meta(description="MTTR")]


class Blindness(Part, frozen=True, kw_only=True):
    """Why runs of a runbook did not see something, what would make it visible, and how many runs that was."""

    kind: str
    remedy: str
    steps: tuple[str, ...]
    runs: int
    inconclusive: Annotated[int, Meta(description="How many of them were inconclusive")]


class RunbookStats(Part, frozen=True, kw_only=True):
    """How often a runbook ran in incidents, and what came of it: each run counts once."""

    runbook: str
    runs: int
    found_cause: int
    found_symptom: Annotated[int, Meta(description="Something was wrong, and no cause was found")]
    healthy: int
    inconclusive: int
    blind_spots: tuple[Blindness, ...]


class Stats(Part, frozen=True, kw_only=True):
    schema_: Literal["runbook.incident-stats/v1"] = field(default=SCHEMA, name="schema")
    months: int
    since: str
    until: str
    groups: tuple[Group, ...]
    runbooks: tuple[RunbookStats, ...]

    @property
    def incidents(self) -> int:
        return self.groups[0].incidents


def stats(incidents: Iterable[Incident], now: float, months: int = 3) -> Stats:
    """Of the incidents that were opened within so many months before ``now``. Months are counted in UTC."""
    since = _months_before(now, months)
    found = sorted((each for each in incidents if since <= each.opened_at <= now), key=lambda each: each.opened_at)
    by_month: dict[str, list[Incident]] = {}
    by_priority: dict[str, list[Incident]] = {}
    by_runbook: dict[str, list[Incident]] = {}
    for each in found:
        by_month.setdefault(datetime.fromtimestamp(each.opened_at, UTC).strftime("%Y-%m"), []).append(each)
        by_priority.setdefault(min((phase.priority for phase in each.phases), key=each.rank), []).append(each)
        for name in dict.fromkeys(run.runbook for run in each.runs):
            by_runbook.setdefault(one_line(name), []).append(each)
    return Stats(
        months=months,
        since=iso(since),
        until=iso(now),
        groups=(
            _group("all", "all", found),
            *(_group("month", name, among) for name, among in by_month.items()),
            *(_group("priority", name, among) for name, among in _worst_first(by_priority)),
            *(_group("runbook", name, among) for name, among in sorted(by_runbook.items())),
        ),
        runbooks=tuple(_runbooks([run for each in found for run in each.runs])),
    )


def _worst_first(by_priority: Mapping[str, Sequence[Incident]]) -> Sequence[tuple[str, Sequence[Incident]]]:
    """By the order of the policy of the newest incident of each."""
    return sorted(by_priority.items(), key=lambda each: each[1][-1].rank(each[0]))


def _months_before(now: float, months: int) -> float:
    """When the same day of an earlier month began; its last day, where it has no such day."""
    at = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    for day in range(at.day, 27, -1):
        try:
            return at.replace(year=year, month=month + 1, day=day).timestamp()
        except ValueError:
            continue
    return at.replace(year=year, month=month + 1).timestamp()


def _group(by: Literal["all", "month", "priority", "runbook"], name: str, incidents: Sequence[Incident]) -> Group:
    times = [times_of(each) for each in incidents]
    took: Mapping[str, Took] = {each: _took(times, each) for each in NAMES}
    return Group(by=by, name=name, incidents=len(incidents), **took)


def _took(times: Sequence[Times], name: str) -> Took:
    known: list[float] = [value for each in times if (value := getattr(each, name)) is not None]
    return Took(n=len(known), mean_s=fmean(known) if known else None, median_s=median(known) if known else None)


def _runbooks(runs: Sequence[RunAttached]) -> Iterator[RunbookStats]:
    for name in sorted({run.runbook for run in runs}):
        among = [run for run in runs if run.runbook == name]
        kinds = Counter(map(_came_of, among))
        yield RunbookStats(
            runbook=one_line(name),
            runs=len(among),
            found_cause=kinds["cause"],
            found_symptom=kinds["symptom"],
            healthy=kinds["healthy"],
            inconclusive=kinds["inconclusive"],
            blind_spots=tuple(_blind(among)),
        )


def _came_of(run: RunAttached) -> str:
    if any(each.kind == FindingKind.CAUSE for each in run.findings):
        return "cause"
    if run.outcome in (Outcome.HEALTHY, Outcome.INCONCLUSIVE):
        return str(run.outcome)
    return "symptom"


def _blind(runs: Sequence[RunAttached]) -> Iterator[Blindness]:
    """What was wanted most often comes first."""
    found: dict[tuple[str, str], dict[str, RunAttached]] = {}
    steps: dict[tuple[str, str], dict[str, None]] = {}
    for run in runs:
        for each in run.blind_spots:
            what = (one_line(each.kind), one_line(each.remedy))
            found.setdefault(what, {})[run.run_id] = run
            steps.setdefault(what, {})[one_line(each.step)] = None
    for (kind, remedy), among in sorted(found.items(), key=lambda each: (-len(each[1]), each[0])):
        yield Blindness(
            kind=kind,
            remedy=remedy,
            steps=tuple(steps[kind, remedy]),
            runs=len(among),
            inconclusive=sum(_came_of(run) == "inconclusive" for run in among.values()),
        )


def as_json(found: Stats) -> str:
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def as_csv(found: Stats) -> str:
    """The groups, one a row; durations in seconds, empty where nothing was recorded."""
    import csv
    import io

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(
        ["by", "name", "incidents", *(f"{name}_{what}" for name in NAMES for what in ("n", "mean_s", "median_s"))]
    )
    for each in found.groups:
        took = [getattr(each, name) for name in NAMES]
        cells = [cell for one in took for cell in (one.n, _number(one.mean_s), _number(one.median_s))]
        writer.writerow([each.by, defused(each.name), each.incidents, *cells])
    return file.getvalue()


def _number(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"
