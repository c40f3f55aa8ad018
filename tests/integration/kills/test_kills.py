"""Commands that are killed with SIGKILL: nothing is lost, nothing is told twice, and nobody stays uncalled.

The gate kills a few at random moments of one seed; ``KILLS=500`` takes so many at moments of a new one, or of ``SEED``.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.docs.figures import Figure, keep
from tests.integration.kills.killing import incidents_of, messages_of, read_state
from tests.integration.kills.receiver import PAGER_KEY
from tests.integration.kills.scenes import prepare

from runbook_engine.incidents.messages import MessageState

ROOT = Path(__file__).resolve().parents[3]
FEW = 8
COUNT = int(os.environ.get("KILLS", str(FEW)))
LONGEST_S = 120 + 10 * COUNT
PAGER, SLACK = "0/pagerduty", "0/slack"
COMMAND = """
import os, signal, sys
from runbook_engine.cli.ending import ended
from runbook_engine.incidents.store import IncidentStore
opened = IncidentStore.open
def die(self, events):
    opened(self, events)
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv.pop(1) == "opened":
    IncidentStore.open = die
sys.exit(ended(sys.argv[1:]))
"""


def _killed(count: int, seed: int, folder: Path, seconds: float) -> Any:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.kills.killing", str(count), str(seed), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


@pytest.mark.timeout(LONGEST_S + 30)
def test_commands_that_are_killed_at_random_moments_lose_nothing_and_tell_nobody_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = COUNT > FEW
    seed = int(os.environ.get("SEED", str(random.randrange(10**6) if long else 1)))
    told = _killed(COUNT, seed, tmp_path / "kills", LONGEST_S)
    with capsys.disabled():
        sys.stdout.write(
            f"\nseed {seed}: {told['kills']} kills, {told['midway']} of them midway, {told['wrote']} after something was"
            f" written, {told['uncertain']} messages uncertain, {len(told['wrong'])} faults\n"
        )
    assert told["wrong"] == []
    assert told["kills"] == COUNT
    if long:
        # Otherwise most commands had ended before, and nothing was tried.
        assert told["midway"] > COUNT / 2
        assert told["wrote"] > COUNT / 10
        keep("kills", _figures(told, seed), made_by="make kills")


def _figures(told: Mapping[str, Any], seed: int) -> list[Figure]:
    kills = told["kills"]
    return [
        Figure("commands killed with SIGKILL at random moments", "500", f"{kills} (seed {seed})"),
        Figure("of these at work, not ended yet", "more than half", f"{told['midway']}"),
        Figure("of these after they had written something", "more than a tenth", f"{told['wrote']}"),
        Figure("settled events lost, messages sent twice or never, files cut", "0", f"{len(told['wrong'])}"),
        Figure(
            "messages of which nobody knows, each told as such", "at most one for each kill", f"{told['uncertain']}"
        ),
    ]


class Service:
    """Takes messages over HTTP, and kills a process as soon as one is ``connected`` or ``delivered``, once."""

    def __init__(self, moment: str = "") -> None:
        self.bodies: list[Mapping[str, Any]] = []
        self.victim, self.known = 0, threading.Event()
        self.moment = moment
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if outer.kills("delivered"):
                    return
                self.send_response(202)
                self.end_headers()
                self.wfile.write(b'{"status": "success"}')

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                pass

        class Server(HTTPServer):
            def verify_request(self, request: object, client_address: object) -> bool:
                return not outer.kills("connected")

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def kills(self, moment: str) -> bool:
        if moment != self.moment:
            return False
        self.moment = ""
        assert self.known.wait(60)
        os.kill(self.victim, signal.SIGKILL)
        return True

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


@pytest.fixture
def services() -> Iterator[Mapping[str, Service]]:
    made = {"pagerduty": Service(), "slack": Service()}
    yield made
    for each in made.values():
        each.close()


def _send_alert(folder: Path, services: Mapping[str, Service], moment: str = "") -> "tuple[int, str]":
    """The exit code and stderr of ``runbook alert --open --send``."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")} | {
        "RUNBOOK_STATE": str(folder / "state"),
        "RUNBOOK_PAGERDUTY_KEY": f"http://{PAGER_KEY}@127.0.0.1:{services['pagerduty'].port}/v2/enqueue",
        "RUNBOOK_SLACK_URL": f"json://127.0.0.1:{services['slack'].port}/slack",
    }
    arguments = ("alert", "alert.json", "--open", "--send")
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, moment, *arguments],
        cwd=folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for each in services.values():
            each.victim = process.pid
            each.known.set()
        _, err = process.communicate(timeout=120)
    for each in services.values():
        each.known.clear()
    return process.returncode, err


@pytest.mark.parametrize(
    ("moment", "service", "arrived", "states"),
    [
        ("opened", "", (1, 1), (MessageState.SENT, MessageState.SENT)),
        ("connected", "pagerduty", (1, 1), (MessageState.SENT, MessageState.SENT)),
        ("delivered", "pagerduty", (2, 1), (MessageState.SENT, MessageState.SENT)),
        ("connected", "slack", (1, 0), (MessageState.SENT, MessageState.UNCERTAIN)),
        ("delivered", "slack", (1, 1), (MessageState.SENT, MessageState.UNCERTAIN)),
    ],
)
def test_who_is_killed_between_opening_an_incident_and_writing_down_that_people_were_called_is_made_up_for(
    tmp_path: Path,
    services: Mapping[str, Service],
    moment: str,
    service: str,
    arrived: tuple[int, int],
    states: tuple[MessageState, MessageState],
) -> None:
    prepare(tmp_path)
    if service:
        services[service].moment = moment
    code, _ = _send_alert(tmp_path, services, moment)
    assert code == -signal.SIGKILL
    (opened,) = incidents_of(tmp_path)
    assert not {key for key, each in opened.deliveries.items() if each.is_sent} & {f"0/{service}", SLACK}
    before = read_state(tmp_path)

    code, err = _send_alert(tmp_path, services)
    assert code == 1
    assert list(before.lost_in(read_state(tmp_path))) == []
    (incident,) = incidents_of(tmp_path)
    assert (len(incident.alerts), len(incident.runs)) == (1, 1)
    runs = [of for of in read_state(tmp_path).events if of.startswith("run ")]
    assert runs == [of for of in before.events if of.startswith("run ")]
    found = {each.message.key: each.state for each in messages_of(incident)}
    assert (found[PAGER], found[SLACK]) == states
    bodies = services["pagerduty"].bodies, services["slack"].bodies
    assert (len(bodies[0]), len(bodies[1])) == arrived
    assert len({(body["event_action"], body["dedup_key"]) for body in bodies[0]}) == 1
    assert (f"{SLACK}: nobody knows whether it was sent" in err) == (states[1] is MessageState.UNCERTAIN)

    # Whatever comes later tells nobody twice.
    _send_alert(tmp_path, services)
    assert (len(bodies[0]), len(bodies[1])) == arrived
