"""Alerts as people and programs see them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from runbook_engine.alerting.alerts import Alert, Body, Status
from runbook_engine.alerting.jobs import jobs
from runbook_engine.alerting.log import Entry, Standing
from runbook_engine.alerting.matching import Match
from runbook_engine.cli.screen import visible
from runbook_engine.pasteable import pasteable

if TYPE_CHECKING:
    from runbook_engine.cli.alert_incidents import Filing
    from runbook_engine.cli.alert_runs import Ran

SCHEMA = "runbook.alert/v1"
MOST_SHOWN = 50


class Seen(Struct, frozen=True):
    """An alert, what is known of it (nothing in a dry run, where it is new), and the runbooks that are for it."""

    alert: Alert
    entry: Entry | None
    matches: tuple[Match, ...]

    @property
    def standing(self) -> Standing:
        return self.entry.standing if self.entry is not None else Standing.NEW

    @property
    def is_mine(self) -> bool:
        """Whether it is to be worked on here and now."""
        return self.standing in (Standing.NEW, Standing.UNFINISHED)

    @property
    def runs(self) -> bool:
        """Whether something is to be run for it now."""
        return self.alert.status is Status.FIRING and self.is_mine


def told(body: Body, seen: Sequence[Seen]) -> str:
    """What is done with each alert and why, and what with all of them."""
    counts = Counter(each.alert.status for each in seen)
    told = " and ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    lines = [f"{_counted(len(seen), 'alert')} of {body.source}{f': {told}' if told else ''}"]
    for each in seen[:MOST_SHOWN]:
        lines += _of(each)
    if len(seen) > MOST_SHOWN:
        lines.append(f"… and {len(seen) - MOST_SHOWN} more; --dry-run --format json tells all of them")
    lines += _sum(seen)
    return "\n".join(map(visible, lines))


def _of(seen: Seen) -> Iterator[str]:
    alert = seen.alert
    since = "firing since" if alert.status is Status.FIRING else "resolved, fired at"
    summary = f": {alert.summary}" if alert.summary else ""
    yield f"{alert.shown} ({since} {_time(alert.starts_at)}){summary}"
    entry = seen.entry
    if entry is not None and entry.standing is Standing.AGAIN:
        runs = f"; see run {', '.join(entry.runs.values())}" if entry.runs else ""
        yield f"  sent again, first at {_time(entry.first_at)}: nothing is run again{runs}"
    elif entry is not None and entry.standing is Standing.RUNNING:
        yield "  sent again, while another process works on it: nothing is run"
    elif alert.status is Status.RESOLVED:
        yield "  nothing is run for what is over"
    else:
        if entry is not None and entry.standing is Standing.UNFINISHED:
            yield f"  sent again, and not finished since {_time(entry.first_at)}"
        for match in seen.matches:
            filled = "".join(f" {pasteable(f'{name}={value}')}" for name, value in match.inputs)
            yield f"  runs {match.runbook}{filled} ({match.because})"
        if not seen.matches:
            yield "  no runbook is for it: give one a trigger"


def _sum(seen: Sequence[Seen]) -> Iterator[str]:
    wanted = jobs((each.alert, each.matches) for each in seen if each.runs)
    if wanted:
        names = Counter(each.match.runbook for each in wanted)
        listed = ", ".join(name if count == 1 else f"{name} ({count} times)" for name, count in names.items())
        yield f"to run: {listed}"
    bare = sorted({each.alert.shown for each in seen if each.runs and not each.matches})
    if bare:
        more = f" and {len(bare) - 10} more" if len(bare) > 10 else ""
        yield f"without a runbook: {', '.join(bare[:10])}{more}"
    if not wanted and not bare:
        yield "nothing is to be run"


def listed(entries: Sequence[Entry]) -> str:
    """A line for each."""
    lines = []
    for each in entries:
        incident = f"  incident {each.incident}" if each.incident is not None else ""
        runs = f"  run {', '.join(each.runs.values())}" if each.runs else ""
        state = "" if each.standing is Standing.AGAIN else f"  {each.standing}"
        lines.append(
            f"{_time(each.last_at)}  {each.name or '(no name)'}  {each.status}  sent {each.sent}×{state}{incident}{runs}"
        )
    return "".join(f"{visible(line)}\n" for line in lines)


def as_document(
    body: Body, seen: Sequence[Seen], ran: "Sequence[Ran]" = (), filing: "Filing | None" = None, code: int = 0
) -> Mapping[str, Any]:
    """Everything, for programs: each alert, each run with its report, each incident with its messages."""
    from runbook_engine.cli.alert_filed import as_document as incidents

    return {
        "schema": SCHEMA,
        "exit_code": code,
        "problem": "",
        "source": body.source,
        "truncated": body.truncated,
        "notes": list(body.notes),
        "set_aside": list(body.odd),
        "unread": body.unread,
        "alerts": [_alert_document(each, {} if filing is None else filing.of) for each in seen],
        "runs": [_run_document(each) for each in ran],
        "incidents": [] if filing is None else incidents(filing.filed),
    }


def problem_document(problem: str, code: int) -> Mapping[str, Any]:
    """What is told to programs where nothing could be done with a body."""
    return {
        "schema": SCHEMA,
        "exit_code": code,
        "problem": problem,
        "source": None,
        "truncated": 0,
        "notes": [],
        "set_aside": [],
        "unread": 0,
        "alerts": [],
        "runs": [],
        "incidents": [],
    }


def entry_document(entry: Entry) -> Mapping[str, Any]:
    return {
        "key": entry.key,
        "name": entry.name,
        "status": entry.status,
        "standing": entry.standing,
        "first_at": entry.first_at,
        "last_at": entry.last_at,
        "sent": entry.sent,
        "incident": entry.incident,
        "runs": list(entry.runs.values()),
    }


def _alert_document(seen: Seen, filed: Mapping[str, int]) -> Mapping[str, Any]:
    alert, entry = seen.alert, seen.entry
    return {
        "key": alert.key,
        "name": alert.name,
        "status": alert.status,
        "standing": seen.standing,
        "starts_at": alert.starts_at,
        "summary": alert.summary,
        "labels": dict(alert.labels),
        "derived": dict(alert.derived),
        "url": alert.url,
        "runbooks": [
            {"runbook": each.runbook, "trigger": each.number, "because": each.because, "inputs": dict(each.inputs)}
            for each in seen.matches
        ],
        "runs_before": list(entry.runs.values()) if entry is not None else [],
        "incident": filed.get(alert.key, entry.incident if entry is not None else None),
    }


def _run_document(ran: "Ran") -> Mapping[str, Any]:
    import json

    from runbook_engine.report import ReportFormat, render

    return {
        "runbook": ran.job.match.runbook,
        "alerts": list(ran.job.keys),
        "exit_code": ran.code,
        "problem": ran.problem,
        "before": ran.before,
        "run_id": ran.trace.run_id if ran.trace is not None else None,
        "report": json.loads(render(ran.trace, ReportFormat.JSON)) if ran.trace is not None else None,
    }


def _time(at: float) -> str:
    if at == 0:
        return "an unknown time"
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return f"{at:.0f}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
