"""Commands that are killed with SIGKILL at random moments, and what there is after somebody went on.

``python -m tests.integration.kills.killing COUNT SEED FOLDER`` prints what came of it as JSON. The commands are typed in
processes that are forked off one that has imported everything, so that most kills hit their work, and not their imports.
"""

import io
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from tests.integration.kills.receiver import Arrived, Receiver
from tests.integration.kills.scenes import SCENES, After, Arguments, Scene, prepare, write_body

from runbook_engine.cli.ending import ended
from runbook_engine.engine.sqlite import SqliteJournal
from runbook_engine.engine.trace import fold
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.messages import MessageState, Outgoing, outbox
from runbook_engine.incidents.policy import of_document
from runbook_engine.incidents.store import IncidentStore

CHANNELS = frozenset({"pagerduty", "slack", "status_page"})
SETTLED = frozenset({MessageState.SENT, MessageState.UNCERTAIN, MessageState.OBSOLETE, MessageState.DROPPED})
_TOLD_SENT = re.compile(r"^sent (\S+) \(", re.MULTILINE)
_TOLD_OPENED = re.compile(r"^opened incident (\d+), ", re.MULTILINE)


class Typed(NamedTuple):
    """What a command said, and its exit code; None where it was killed."""

    code: int | None
    out: str
    err: str


class State(NamedTuple):
    """The events of a journal as they are written, by ``run …`` and ``incident …``."""

    events: Mapping[str, tuple[str, ...]]

    @property
    def size(self) -> int:
        return sum(map(len, self.events.values()))

    @property
    def sent(self) -> int:
        """How many messages are known to be sent."""
        return sum('"event":"message_sent"' in each for events in self.events.values() for each in events)

    def lost_in(self, later: "State") -> Iterator[str]:
        """What is not there any more, or changed."""
        for of, events in self.events.items():
            if later.events.get(of, ())[: len(events)] != events:
                yield f"events of {of} were lost"


class Killed(NamedTuple):
    """A kill: whether the command was still at work, and had written something."""

    scene: str
    moment: float
    midway: bool
    wrote: bool
    uncertain: int
    wrong: Sequence[str]


class Killing:
    """Plays scenes in folders below ``folder``; ``receiver`` takes their messages."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.folder, self.receiver = folder, receiver
        self.lasts: dict[str, float] = {}

    def rehearse(self, scene: Scene) -> None:
        """Make the folder of what was before, and measure how long the command takes that is to be killed."""
        template = self.template(scene)
        prepare(template)
        for arguments in scene.before:
            self._must(self.typed(arguments, template, "rehearsal"))
        write_body(template, "again", "ShopDown")
        times = []
        for number in range(3):
            copy = self._copy(scene, f"rehearsal{number}")
            begun = time.monotonic()
            self._must(self.typed(scene.killed, copy, "rehearsal"))
            times.append(time.monotonic() - begun)
        self.lasts[scene.name] = statistics.median(times)

    def template(self, scene: Scene) -> Path:
        return self.folder / f"{SCENES.index(scene)}"

    def kill(self, scene: Scene, number: int, part: float) -> Killed:
        """Kill its command after a ``part`` of the time that it takes, and go on."""
        place = f"kill{number}"
        folder = self._copy(scene, place)
        before = read_state(folder)
        moment = part * self.lasts[scene.name]
        killed = self.typed(scene.killed, folder, place, kill_after=moment)
        wrong = list(self._after_the_kill(killed, before, folder))
        wrong += scene.left(folder, self.template(scene))
        halfway = read_state(folder)
        said = [self.typed(scene.killed, folder, place)] if scene.again(incidents_of(folder)) else []
        said += [self.typed(arguments, folder, place) for arguments in scene.after]
        wrong += [f"exit code {each.code}: {each.err}" for each in said if each.code not in (0, 1)]
        after = read_state(folder)
        wrong += halfway.lost_in(after)
        incidents = incidents_of(folder)
        messages = [(each.id, message) for each in incidents for message in messages_of(each)]
        wrong += told_once(before, after, messages, self.receiver.arrived(place), midway=killed.code is None)
        wrong += told_of_the_uncertain(messages, said)
        wrong += scene.wrong(After(incidents, messages))
        uncertain = sum(each.state is MessageState.UNCERTAIN for _, each in messages)
        if not wrong:
            shutil.rmtree(folder)
        wrote = killed.code is None and halfway.size > before.size
        return Killed(scene.name, moment, killed.code is None, wrote, uncertain, wrong)

    def typed(self, arguments: Arguments, folder: Path, place: str, *, kill_after: float | None = None) -> Typed:
        """Type a command in a process of its own, which is killed after so many seconds, if it is."""
        files = [folder / ".out", folder / ".err"]
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            self._child(arguments, folder, place, files)
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        code = None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
        return Typed(code, *(each.read_text() for each in files))

    def _child(self, arguments: Arguments, folder: Path, place: str, files: Sequence[Path]) -> None:
        code = 70
        try:
            for number, file in enumerate(files, start=1):
                os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            os.chdir(folder)
            os.environ |= {"RUNBOOK_STATE": str(folder / "state"), **self.receiver.variables(place)}
            sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), write_through=True)
            sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), write_through=True)
            code = ended(arguments)
        finally:
            os._exit(code)

    def _after_the_kill(self, killed: Typed, before: State, folder: Path) -> Iterator[str]:
        """What it had said before it was killed is so."""
        yield from before.lost_in(read_state(folder))
        incidents = incidents_of(folder)
        sent = {each.key for incident in incidents for each in incident.events if isinstance(each, e.MessageSent)}
        yield from (f"{key} was told to be sent, and is not" for key in set(_TOLD_SENT.findall(killed.err)) - sent)
        numbers = {str(each.id) for each in incidents}
        yield from (f"incident {key} was told to be opened" for key in set(_TOLD_OPENED.findall(killed.err)) - numbers)

    def _copy(self, scene: Scene, name: str) -> Path:
        copy = self.folder / "copies" / name
        if copy.exists():
            shutil.rmtree(copy)
        shutil.copytree(self.template(scene), copy)
        return copy

    def _must(self, typed: Typed) -> None:
        if typed.code not in (0, 1):
            raise SystemExit(f"undisturbed: {typed}")


def read_state(folder: Path) -> State:
    """All of a journal. Raises where it is damaged, or an event cannot be read."""
    file = folder / "state" / "journal.sqlite3"
    if not file.exists():
        return State({})
    found: dict[str, list[str]] = {}
    with closing(sqlite3.connect(file)) as connection:
        ((whole,),) = connection.execute("pragma integrity_check").fetchall()
        if whole != "ok":
            raise SystemExit(f"{file} is damaged: {whole}")
        tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        for of, table, key in (("run", "events", "run_id"), ("incident", "incident_events", "incident")):
            rows = f"select {key}, event from {table} order by {key}, seq"
            for number, event in connection.execute(rows) if table in tables else ():
                found.setdefault(f"{of} {number}", []).append(event)
    with SqliteJournal(file, reading=True) as journal:
        for of in found:
            kind, _, run_id = of.partition(" ")
            if kind == "run":
                fold(journal.events(run_id))
    return State({of: tuple(events) for of, events in found.items()})


def incidents_of(folder: Path) -> list[Incident]:
    file = folder / "state" / "journal.sqlite3"
    if not file.exists():
        return []
    with IncidentStore(file) as store:
        return [store.load(number) for number in sorted(store.numbers())]


def messages_of(incident: Incident) -> list[Outgoing]:
    """Those for which there is a service here."""
    found = outbox(incident, of_document(incident.policy_document), max(time.time(), incident.last_at))
    return [each for each in found if each.message.destination.name in CHANNELS]


def told_once(
    before: State, after: State, messages: Sequence[tuple[int, Outgoing]], arrived: Sequence[Arrived], *, midway: bool
) -> Iterator[str]:
    """What is sent has arrived, once; twice only where the service knows it by a key and somebody was killed."""
    for number, each in messages:
        if each.state not in SETTLED:
            yield f"message {each.message.key} of incident {number} is {each.state}: {each.delivery.error}"
    counts = Counter((each.service, each.what) for each in arrived)
    for (service, what), count in counts.items():
        if count > (2 if service == "pagerduty" and midway else 1):
            yield f"{service} got {count} times: {what}"
    uncertain = [each for _, each in messages if each.state is MessageState.UNCERTAIN]
    if len(uncertain) > midway or any(each.message.may_be_repeated for each in uncertain):
        yield f"of {len(uncertain)} messages nobody knows: {[each.message.key for each in uncertain]}"
    sent = after.sent - before.sent
    if not sent <= len(counts) <= sent + len(uncertain):
        yield f"{len(counts)} messages arrived, {sent} are sent, and {len(uncertain)} may have been"


def told_of_the_uncertain(messages: Sequence[tuple[int, Outgoing]], said: Sequence[Typed]) -> Iterator[str]:
    """Of each message of which nobody knows, whoever went on was told."""
    text = "\n".join(each.err for each in said)
    for _, each in messages:
        if each.state is MessageState.UNCERTAIN and f"{each.message.key}: nobody knows whether it was sent" not in text:
            yield f"nobody was told that nobody knows of {each.message.key}"


def chosen(count: int, choice: random.Random) -> Sequence[Scene]:
    """All scenes, or some where there are few kills: that of an alert is always among them."""
    return SCENES if count >= 5 * len(SCENES) else (SCENES[0], *choice.sample(SCENES[1:], 2))


def warm_up(scenes: Sequence[Scene], folder: Path, receiver: Receiver) -> None:
    """Type everything once in this process, so that it is imported in all that are forked off."""
    for name in [name for name in os.environ if name.startswith("RUNBOOK_")]:
        del os.environ[name]
    os.environ["RUNBOOK_USER"] = "ann"
    variables = receiver.variables("rehearsal")
    for number, scene in enumerate(scenes):
        place = folder / "warm" / str(number)
        prepare(place)
        write_body(place, "again", "ShopDown")
        os.chdir(place)
        os.environ |= {"RUNBOOK_STATE": str(place / "state"), **variables}
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            for arguments in (*scene.before, scene.killed, *scene.after):
                ended(arguments)
    for name in ("RUNBOOK_STATE", *variables):
        del os.environ[name]
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(30)


def main(count: int, seed: int, folder: Path) -> None:
    """Kill so many times; what is printed is one document."""
    receiver = Receiver(folder / "arrived")
    choice = random.Random(seed)
    scenes = chosen(count, choice)
    warm_up(scenes, folder, receiver)
    killing = Killing(folder, receiver)
    for scene in scenes:
        killing.rehearse(scene)
    killed = [killing.kill(scenes[number % len(scenes)], number, choice.random()) for number in range(count)]
    told = {
        "kills": len(killed),
        "midway": sum(each.midway for each in killed),
        "wrote": sum(each.wrote for each in killed),
        "uncertain": sum(each.uncertain for each in killed),
        "lasts_ms": {name: round(seconds * 1000) for name, seconds in killing.lasts.items()},
        "wrong": [
            f"{each.scene}, killed after {each.moment * 1000:.1f} ms: {wrong}"
            for each in killed
            for wrong in each.wrong
        ],
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
