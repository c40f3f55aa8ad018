"""A whole P0, from the alert to the last action item, as somebody would type it, on a clock that passes when it is told to.

Run as a program, it plays it in processes that are killed with SIGKILL at every commit of the journal, each once, and goes
on where they were: ``python -m tests.integration.incidents.play before|after FOLDER``.
"""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any, NamedTuple

from runbook_engine.cli import incident_shared
from runbook_engine.cli.ending import ended
from runbook_engine.document.incident_policy import Audience
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident, State
from runbook_engine.incidents.store import IncidentStore
from runbook_engine.incidents.wording import SHIPPED, environment

BEGIN = 1_795_010_400.0
"""2026-11-18 14:00 UTC, a Wednesday."""
MINUTE = 60.0
RUNBOOK = """\
runbook: shop-down
title: Is the shop there?
triggers: [{alert: ShopDown, labels: {severity: critical}}]
start: port
steps:
  port:
    probe: tcp.connect
    with: {host: 127.0.0.1, port: 1}
    on_error: [{kind: refused, finding: api_down}]
findings:
  api_down: {level: critical, title: Nothing listens on the port of the shop, cause: The process is gone, resolution: up}
resolutions:
  up: {title: Start it, steps: [Start it]}
"""
ALERT = {
    "version": "4",
    "groupKey": '{}:{alertname="ShopDown"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "runbook",
    "groupLabels": {"alertname": "ShopDown"},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager.example.com",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "ShopDown", "severity": "critical"},
            "annotations": {"summary": "No request is answered"},
            "startsAt": "2026-11-18T13:58:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.com",
            "fingerprint": "5a3f1c9be2a01d77",
        }
    ],
}


class Step(NamedTuple):
    """What is typed ``minute`` minutes after the beginning, unless the incident says that it was done."""

    minute: float
    arguments: tuple[str, ...]
    is_done: Callable[[Incident], bool] = lambda _: False
    code: int = 0


def _is_over(minute: float) -> Callable[[Incident], bool]:
    """Whether somebody did what comes later, so that there is no need to watch any more."""
    return lambda incident: any(
        each.minute > minute and each.arguments != WATCH and each.is_done(incident) for each in STEPS
    )


def _did(kind: type, times: int = 1) -> Callable[[Incident], bool]:
    return lambda incident: sum(isinstance(each, kind) for each in incident.events) >= times


def _task(name: str, times: int = 1) -> Callable[[Incident], bool]:
    def done(incident: Incident) -> bool:
        record = incident.tasks.get(f"p0-critical/{name}")
        return record is not None and record.times >= times

    return done


def _update(minute: float, times: int, text: str) -> Step:
    return Step(minute, ("incident", "update", text, "--tell", "customers"), _task("update_every_30_minutes", times))


WATCH = ("incident", "watch", "--send", "--once")


def _watch(minute: float) -> Step:
    return Step(minute, WATCH, _is_over(minute))


STEPS: Sequence[Step] = (
    Step(0, ("alert", "alert.json", "--open", "--quiet"), lambda incident: bool(incident.runs), 1),
    _watch(0),
    Step(2, ("incident", "assign", "incident_commander", "carl"), _did(e.RoleAssigned)),
    Step(4, ("incident", "done", "confirm_severity", "Nobody can buy"), _task("confirm_severity")),
    Step(5, ("incident", "done", "assign_incident_commander", "Carl"), _task("assign_incident_commander")),
    Step(8, ("incident", "done", "update_status_page"), _task("update_status_page")),
    _watch(15),
    Step(16, ("incident", "assign", "technical_lead", "tina"), _did(e.RoleAssigned, 2)),
    _update(29, 1, "We look for the cause"),
    _watch(30),
    _update(58, 2, "We found it: the process is gone"),
    _watch(60),
    _update(87, 3, "We start it anew"),
    _watch(88),
    _update(116, 4, "It starts"),
    _watch(120),
    Step(121, ("incident", "ack", "--by", "tina"), _did(e.Acknowledged)),
    _watch(122),
    Step(125, ("incident", "mitigate", "It runs again"), lambda incident: incident.mitigated_at is not None),
    _watch(126),
    Step(140, ("incident", "resolve", "It starts by itself now"), lambda incident: incident.is_over),
    Step(140, ("incident", "done", "update_status_page_resolved"), _task("update_status_page_resolved")),
    _watch(141),
    Step(145, ("incident", "remark", "lesson", "A process that ends is started again"), _did(e.Remarked)),
    Step(146, ("incident", "meeting"), lambda incident: incident.meeting is not None),
    Step(147, ("incident", "done", "schedule_postmortem"), _task("schedule_postmortem")),
    Step(
        148,
        ("incident", "actions", "add", "Start it by a supervisor", "--owner", "tina", "--horizon", "immediate"),
        lambda incident: bool(incident.actions),
    ),
    Step(149, ("incident", "actions", "documentation", "--owner", "ann"), _did(e.ActionAdded, 5)),
    Step(150, WATCH),
    Step(160, ("incident", "close"), lambda incident: incident.state is State.CLOSED),
)


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self, at: float = BEGIN) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def prepare(folder: Path) -> None:
    """A team's runbook, and the body that Alertmanager sends."""
    (folder / "runbooks").mkdir(parents=True)
    (folder / "runbooks" / "shop-down.yaml").write_text(RUNBOOK)
    (folder / "alert.json").write_text(json.dumps(ALERT))


def go_on(folder: Path, clock: Clock) -> None:
    """Do what is not done yet."""
    # Held open, so that no command is the last to close the journal, which takes its time.
    with IncidentStore(folder / "state" / "journal.sqlite3") as store:
        incident = store.load(1) if store.numbers() else None
        for each in STEPS:
            clock.at = max(clock.at, BEGIN + each.minute * MINUTE)
            if incident is not None and each.is_done(incident):
                continue
            arguments = (*each.arguments, "--incident", "1") if _takes_number(each.arguments) else each.arguments
            code, said = typed(arguments)
            if each.arguments != WATCH and code != each.code:
                raise SystemExit(f"{arguments}: {code}\n{said}")
            incident = store.load(1)


def typed(arguments: Sequence[str]) -> tuple[int, str]:
    """The exit code, and all that was said."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = ended(arguments)
    return code, said.getvalue()


def _takes_number(arguments: Sequence[str]) -> bool:
    return arguments[0] == "incident"


def _load(folder: Path) -> Incident | None:
    with IncidentStore(folder / "state" / "journal.sqlite3") as store:
        return store.load(1) if store.numbers() else None


def _kill_at_commits(moment: str, killed: Path) -> None:
    """From now on this process is killed at each commit, before or after it, that was not the end of another one yet."""
    connect = sqlite3.connect

    class Connection(sqlite3.Connection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.wrote: list[str] = []

        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            verb = sql.split(maxsplit=1)[0].lower()
            if verb == "commit":
                return self._commit(sql)
            if verb in ("insert", "update", "delete"):
                self._write(sql, parameters)
            return super().execute(sql, parameters)

        def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
            kept = list(rows)
            for each in kept:
                self._write(sql, each)
            return super().executemany(sql, kept)

        def _write(self, sql: str, values: Any) -> None:
            texts = [str(each) for each in (values.values() if isinstance(values, dict) else values)]
            event: dict[str, Any] = next((json.loads(each) for each in texts if each.startswith("{")), {})
            mark = [event.get(name, "") for name in ("event", "key", "task", "part", "role", "text")]
            self.wrote.append(" ".join(map(str, (*sql.split()[:4], *mark, len(texts)))))

        def _commit(self, sql: str) -> sqlite3.Cursor:
            what, self.wrote = "; ".join(self.wrote), []
            known = killed.read_text().splitlines() if killed.exists() else []
            # Before a commit that says what a person did, it is as if the person had not done it.
            of_machine = "incident_events" not in what or "message_" in what
            mortal = bool(what) and what not in known and (moment == "after" or of_machine)
            if mortal:
                with killed.open("a") as file:
                    file.write(what + "\n")
            if mortal and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            done = super().execute(sql)
            if mortal:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

    def mortal_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=Connection, **options)

    sqlite3.connect = mortal_connect  # type: ignore[assignment]


def main(moment: str, folder: Path) -> None:
    """Play it in one process after the other; what is printed is how many were killed."""
    _rehearse(folder / "rehearsal")
    os.environ |= {"RUNBOOK_STATE": str(folder / "state"), "RUNBOOK_USER": "ann"}
    os.chdir(folder)
    deaths, killed = 0, folder / "killed"
    while deaths < 500:
        child = os.fork()
        if child == 0:
            sys.stdout = TextIOWrapper(sys.stdout.buffer, write_through=True)
            _kill_at_commits(moment, killed)
            # Whoever goes on, does so a little later: whoever was sending is known to be dead then.
            clock = Clock(_latest(folder) + 61)
            incident_shared.CLOCK = clock
            go_on(folder, clock)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            deaths += 1
            continue
        sys.stdout.write(json.dumps({"deaths": deaths, "status": os.waitstatus_to_exitcode(status)}) + "\n")
        return
    raise SystemExit("it never ends")


def _rehearse(folder: Path) -> None:
    """Play it once, with nobody told and nobody killed: what is imported and compiled by that is so in every process."""
    prepare(folder)
    services = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("RUNBOOK_")}
    os.environ |= {"RUNBOOK_STATE": str(folder / "state"), "RUNBOOK_USER": "ann"}
    os.chdir(folder)
    clock = Clock()
    incident_shared.CLOCK = clock
    go_on(folder, clock)
    os.environ |= services
    __import__("apprise")
    for audience in Audience:
        environment((SHIPPED,)).get_template(f"{audience}.j2")


def _latest(folder: Path) -> float:
    incident = _load(folder)
    return BEGIN - 61 if incident is None else incident.last_at


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
