"""What is known of alerts that were taken."""

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from runbook_engine import living
from runbook_engine.alerting import log as log_module
from runbook_engine.alerting.alerts import Alert, Status
from runbook_engine.alerting.log import KEPT_S, LEASE_S, AlertLog, DiscClock, Standing
from runbook_engine.document.triggers import AlertSource
from runbook_engine.errors import JournalError
from runbook_engine.living import this_process

ALERT = Alert(
    source=AlertSource.GRAFANA, name="Slow", status=Status.FIRING, starts_at=1.0, fingerprint="f", group_key="g"
)
KEY = ALERT.key
NOW = 1_000_000.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def log(file: Path) -> Iterator[AlertLog]:
    with AlertLog(file) as opened:
        yield opened


def standing(log: AlertLog, at: float = NOW) -> Standing:
    return log.take([ALERT], at)[KEY].standing


def test_an_alert_is_new_then_worked_on_and_then_sent_again(log: AlertLog) -> None:
    assert standing(log) is Standing.NEW
    assert standing(log, NOW + 1) is Standing.RUNNING
    log.finish([KEY], 3)
    assert standing(log, NOW + 2) is Standing.AGAIN
    entry = log.known([ALERT])[KEY]
    assert (entry.first_at, entry.last_at, entry.sent, entry.incident) == (NOW, NOW + 2, 3, 3)


def test_an_alert_that_is_twice_in_a_body_is_taken_once(log: AlertLog) -> None:
    found = log.take([ALERT, ALERT], NOW)
    assert [each.standing for each in found.values()] == [Standing.NEW]
    assert log.entries()[0].sent == 1


def test_what_was_left_is_taken_up_with_the_runs_that_had_ended(log: AlertLog) -> None:
    log.take([ALERT], NOW)
    log.ran([KEY], "shop", "run-1")
    log.release([KEY])
    found = log.take([ALERT], NOW + 1)[KEY]
    assert found.standing is Standing.UNFINISHED
    assert found.runs == {"shop": "run-1"}


class Disc:
    """The clock of the disc, which stands until it is set."""

    def __init__(self) -> None:
        self.at = 500.0

    def __call__(self) -> float:
        return self.at


def elsewhere(monkeypatch: pytest.MonkeyPatch, **changed: str | int) -> None:
    """From now on, this process is another one."""
    other = structs.replace(this_process(), **changed)
    monkeypatch.setattr(log_module, "this_process", lambda: other)
    monkeypatch.setattr(living, "this_process", lambda: other)


@pytest.mark.parametrize("jump", [-86400.0, 61.0, 86400.0])
def test_a_process_that_lives_keeps_its_alert_whatever_the_clocks_say(file: Path, jump: float) -> None:
    disc = Disc()
    with AlertLog(file, clock=disc) as mine, AlertLog(file, clock=disc) as other:
        assert standing(mine) is Standing.NEW
        disc.at += jump
        assert standing(other, NOW + jump) is Standing.RUNNING


def test_a_process_that_was_killed_gives_its_alert_back_at_once(file: Path) -> None:
    code = f"import os, signal; from tests.unit.alerting.test_log import *; AlertLog(Path({str(file)!r})).take([ALERT], NOW)"
    killed = subprocess.run([sys.executable, "-c", f"{code}; os.kill(os.getpid(), signal.SIGKILL)"], check=False)
    assert killed.returncode == -signal.SIGKILL
    with AlertLog(file) as log:
        assert standing(log) is Standing.UNFINISHED


def test_another_process_with_the_id_of_the_one_that_was_killed_does_not_hold_its_alert(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, AlertLog(file) as log:
        elsewhere(patch, started="1")
        log.take([ALERT], NOW)
    with AlertLog(file) as log:
        assert standing(log) is Standing.UNFINISHED


def test_a_process_of_another_machine_holds_its_alert_by_a_lease_of_the_clock_of_the_disc(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disc = Disc()
    with monkeypatch.context() as patch, AlertLog(file, clock=disc) as log:
        elsewhere(patch, host="elsewhere")
        log.take([ALERT], NOW)
    with AlertLog(file, clock=disc) as log:
        disc.at += LEASE_S - 1
        assert standing(log, NOW + 86400) is Standing.RUNNING
        disc.at += 2
        assert standing(log) is Standing.UNFINISHED


def test_a_lease_is_renewed_as_long_as_it_is_held(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "LEASE_S", 0.04)
    disc = Disc()
    with AlertLog(file, clock=disc) as log, sqlite3.connect(file) as connection:
        log.take([ALERT], NOW)
        disc.at = 900.0
        with log.held():
            for _ in range(3000):
                ((until,),) = connection.execute("select until from alerts").fetchall()
                if until > 900.0:
                    break
                threading.Event().wait(0.01)
        assert until == 900.04
    connection.close()


def test_who_lost_an_alert_settles_it_no_more(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disc = Disc()
    with monkeypatch.context() as patch:
        elsewhere(patch, host="elsewhere")
        log = AlertLog(file, clock=disc)
        log.take([ALERT], NOW)
    disc.at += LEASE_S + 1
    with log, AlertLog(file, clock=disc) as other:
        assert standing(other) is Standing.UNFINISHED
        log.release([KEY])
        assert standing(log) is Standing.RUNNING


def test_the_clock_of_a_disc_is_that_of_what_is_written_there(tmp_path: Path) -> None:
    disc = DiscClock(tmp_path)
    before = disc()
    (tmp_path / "file").write_text("x")
    assert before <= (tmp_path / "file").stat().st_mtime <= disc()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_journal_of_an_earlier_version_is_widened(file: Path) -> None:
    file.parent.mkdir()
    with sqlite3.connect(file) as connection:
        connection.execute(
            "create table alerts (key text primary key, source text not null, name text not null, status text not null,"
            " starts_at real not null, first_at real not null, last_at real not null, sent integer not null,"
            " state text not null, owner text not null, pid integer not null, host text not null, until real not null,"
            " incident integer) without rowid"
        )
        row = (KEY, "grafana", "Slow", "firing", 1.0, NOW, NOW, 1, "taken", "them", 1, "elsewhere", 0.0, 3)
        connection.execute(f"insert into alerts values ({', '.join('?' * 14)})", row)
    connection.close()
    for _ in range(2):
        with AlertLog(file) as log:
            assert log.known([ALERT])[KEY].incident == 3
    with AlertLog(file) as log:
        assert standing(log) is Standing.UNFINISHED


def test_what_was_not_sent_for_thirty_days_is_forgotten(log: AlertLog) -> None:
    log.take([ALERT], NOW)
    log.ran([KEY], "shop", "run-1")
    log.finish([KEY])
    assert standing(log, NOW + KEPT_S - 1) is Standing.AGAIN
    assert standing(log, NOW + 2 * KEPT_S) is Standing.NEW
    assert log.entries()[0].runs == {}


def test_knowing_takes_nothing(log: AlertLog) -> None:
    assert log.known([ALERT]) == {}
    assert standing(log) is Standing.NEW


def test_without_a_file_it_remembers_for_as_long_as_it_lasts() -> None:
    with AlertLog(None) as log:
        assert standing(log) is Standing.NEW
        with log.held():
            log.finish([KEY])
        assert standing(log) is Standing.AGAIN


def test_a_file_that_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"x" * 4096)
    with pytest.raises(JournalError, match="cannot be opened"):
        AlertLog(tmp_path / "journal.sqlite3")


def test_it_lies_beside_the_history_of_runs(file: Path, log: AlertLog) -> None:
    log.take([ALERT], NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(file) as connection:
        assert connection.execute("select count(*) from alerts").fetchone() == (1,)
    connection.close()
