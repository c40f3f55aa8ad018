"""What is typed, killed and typed again; each scene in a folder of its own."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from runbook_engine.engine.events import RunFinished
from runbook_engine.engine.sqlite import SqliteJournal
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident, State
from runbook_engine.incidents.messages import MessageState, Outgoing

RUNBOOK = """\
runbook: shop-down
title: Is the shop there?
triggers: [{alert: ShopDown}]
start: port
steps:
  port:
    probe: tcp.connect
    with: {host: 127.0.0.1, port: 1}
    on_error: [{kind: refused, finding: api_down, goto: [second, third]}]
  second: {probe: tcp.connect, with: {host: 127.0.0.2, port: 1}, on_error: [{kind: refused, goto: end}]}
  third: {probe: tcp.connect, with: {host: 127.0.0.3, port: 1}, on_error: [{kind: refused, goto: end}]}
findings:
  api_down: {level: critical, title: Nothing listens on the port of the shop, cause: The process is gone, resolution: up}
resolutions:
  up: {title: Start it, steps: [Start it]}
"""
Arguments = tuple[str, ...]


class After(NamedTuple):
    """What there is when somebody went on after a kill: the incidents, and their messages with the incidents' numbers."""

    incidents: Sequence[Incident]
    messages: Sequence[tuple[int, Outgoing]]

    def states(self, channel: str, kind: str = "opened") -> list[MessageState]:
        return [
            each.state
            for _, each in self.messages
            if (each.message.destination.name, each.message.kind) == (channel, kind)
        ]


class Scene(NamedTuple):
    """``before`` is typed undisturbed, then ``killed``; ``after`` is what somebody types who goes on.

    ``left`` tells what must not be in its folder after the kill, beside the folder as it was before; ``again``, whether
    somebody who looks at what there is types it once more; ``wrong`` tells what must not be at the end.
    """

    name: str
    killed: Arguments
    before: Sequence[Arguments] = ()
    after: Sequence[Arguments] = ()
    left: Callable[[Path, Path], Iterator[str]] = lambda _folder, _before: iter(())
    again: Callable[[Sequence[Incident]], bool] = lambda _: False
    wrong: Callable[[After], Iterator[str]] = lambda _: iter(())


def prepare(folder: Path) -> None:
    """A team's runbook, and the bodies that Alertmanager sends."""
    (folder / "runbooks").mkdir(parents=True)
    (folder / "runbooks" / "shop-down.yaml").write_text(RUNBOOK)
    write_body(folder, "alert", "ShopDown")
    write_body(folder, "other", "CacheDown")


def write_body(folder: Path, name: str, alert: str) -> None:
    """An alert that begins to fire now, in a group of its own."""
    labels = {"alertname": alert, "severity": "critical"}
    starts = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    each = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": starts, "fingerprint": alert}
    (folder / f"{name}.json").write_text(json.dumps({"version": "4", "groupKey": alert, "alerts": [each]}))


def _alert(body: str = "alert") -> Arguments:
    return ("alert", f"{body}.json", "--open", "--send")


def _lacks(kind: type) -> Callable[[Sequence[Incident]], bool]:
    return lambda found: not any(isinstance(event, kind) for each in found for event in each.events)


def _called(after: After, alerts: int = 1) -> Iterator[str]:
    """An alert has one incident, with one run where a runbook is for it; its people were called, or may have been."""
    if len(after.incidents) != alerts:
        yield f"{alerts} alerts opened {len(after.incidents)} incidents"
    for each in after.incidents:
        runs = 1 if "ShopDown" in each.title else 0
        if len(each.alerts) != 1 or len(each.runs) != runs:
            yield f"incident {each.id} has {len(each.alerts)} alerts and {len(each.runs)} runs"
    yield from _were_called(after, alerts)


def _were_called(after: After, times: int = 1) -> Iterator[str]:
    if after.states("pagerduty") != [MessageState.SENT] * times:
        yield f"PagerDuty was not called: {after.states('pagerduty')}"
    slack = [each for each in after.states("slack") if each is not MessageState.OBSOLETE]
    if len(slack) != times or not set(slack) <= {MessageState.SENT, MessageState.UNCERTAIN}:
        yield f"Slack was not told: {slack}"


def _opened(after: After) -> Iterator[str]:
    if len(after.incidents) != 1:
        yield f"{len(after.incidents)} incidents instead of one"
    yield from _were_called(after)


def _reopened(after: After) -> Iterator[str]:
    (incident,) = after.incidents
    times = sum(isinstance(each, e.Reopened) for each in incident.events)
    if times != 1 or incident.state is not State.OPEN:
        yield f"it was opened again {times} times, and is {incident.state}"
    if after.states("pagerduty")[-1] is not MessageState.SENT:
        yield "nobody was called anew"


def _once(kind: type) -> Callable[[After], Iterator[str]]:
    def wrong(after: After) -> Iterator[str]:
        times = sum(isinstance(event, kind) for each in after.incidents for event in each.events)
        if times != 1:
            yield f"{kind.__name__} happened {times} times"

    return wrong


def _report(folder: Path, before: Path) -> Iterator[str]:
    """It is whole, and that of a run that has ended in the journal."""
    run_id = json.loads((folder / "report.json").read_text())["run_id"]
    with SqliteJournal(folder / "state" / "journal.sqlite3", reading=True) as journal:
        if not isinstance(journal.events(run_id)[-1], RunFinished):
            yield f"the report is that of a run that never ended: {run_id}"


def _postmortem(folder: Path, before: Path) -> Iterator[str]:
    """It is whole: of the same incident, it says the same but for the time at its end."""
    old, new = ((each / "postmortem.txt").read_text().splitlines() for each in (before, folder))
    if old[:-1] != new[:-1] or old[-1].rpartition(",")[2] != new[-1].rpartition(",")[2]:
        yield f"the postmortem is cut: {new[-1]!r}"


def _acts(name: str, kind: type, *arguments: str) -> Scene:
    """Somebody does something in an incident whose people were called."""
    return Scene(
        f"incident {name}",
        ("incident", name, *arguments),
        before=(OPEN,),
        after=(SEND,),
        again=_lacks(kind),
        wrong=_once(kind),
    )


OPEN: Arguments = ("incident", "open", "Shop down", "-p", "P0", "--no-input", "--send")
SEND: Arguments = ("incident", "messages", "--send")
_RUN: Arguments = ("run", "shop-down", "--no-input", "--format", "json", "-o", "report.json")
_REPORT: Arguments = ("incident", "postmortem", "-o", "postmortem.txt")

SCENES: Sequence[Scene] = (
    Scene("alert --open --send", _alert(), after=(_alert(),), wrong=_called),
    Scene(
        "alert that fires again",
        _alert("again"),
        before=(_alert(), ("incident", "resolve", "Started", "--send")),
        after=(_alert("again"),),
        wrong=_reopened,
    ),
    Scene(
        "alert, then another one",
        _alert(),
        after=(_alert("other"), _alert()),
        wrong=lambda after: _called(after, 2),
    ),
    Scene("run", _RUN, before=(_RUN,), after=(_RUN, ("history",)), left=_report),
    Scene("incident open", OPEN, after=(SEND,), again=lambda found: not found, wrong=_opened),
    Scene("incident messages --send", SEND, before=(OPEN[:-1],), after=(SEND,), wrong=_opened),
    _acts("note", e.Noted, "The process is gone"),
    _acts("update", e.StatusUpdated, "We look for the cause", "--tell", "customers", "--send"),
    _acts("ack", e.Acknowledged, "--send"),
    _acts("escalate", e.Escalated, "--because", "It lasts", "--send"),
    _acts("mitigate", e.Mitigated, "It runs again", "--send"),
    _acts("resolve", e.Resolved, "It starts by itself now", "--send"),
    _acts("priority", e.PriorityChanged, "P1", "--because", "Few people", "--send"),
    _acts("assign", e.RoleAssigned, "technical_lead", "tina"),
    Scene(
        "incident postmortem -o",
        _REPORT,
        before=(OPEN, ("incident", "resolve", "Started", "--send"), _REPORT),
        after=(_REPORT,),
        left=_postmortem,
    ),
)
