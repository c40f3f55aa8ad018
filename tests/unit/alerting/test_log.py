"""What is known of alerts that were taken."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_engine.alerting import log as module
from runbook_engine.alerting.alerts import Alert, Status
from runbook_engine.alerting.log import KEPT_S, LEASE_S, AlertLog, Standing
from runbook_engine.document.models import AlertSource
from runbook_engine.errors import JournalError

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
    entry = log.known([ALERT], NOW + 3)[KEY]
    assert (entry.first_at, entry.last_at, entry.sent, entry.incident) == (NOW, NOW + 2, 3, 3)


def test_an_alert_that_is_twice_in_a_body_is_taken_once(log: AlertLog) -> None:
    found = log.take([ALERT, ALERT], NOW)
    assert [each.standing for each in found.values()] == [Standing.NEW]
    assert log.entries(NOW)[0].sent == 1


def test_what_was_left_is_taken_up_with_the_runs_that_had_ended(log: AlertLog) -> None:
    log.take([ALERT], NOW)
    log.ran([KEY], "shop", "run-1")
    log.release([KEY])
    found = log.take([ALERT], NOW + 1)[KEY]
    assert found.standing is Standing.UNFINISHED
    assert found.runs == {"shop": "run-1"}


def test_a_lease_that_nobody_renews_ends(log: AlertLog) -> None:
    log.take([ALERT], NOW)
    assert standing(log, NOW + LEASE_S - 1) is Standing.RUNNING
    assert standing(log, NOW + LEASE_S + 1) is Standing.UNFINISHED


def test_a_lease_is_renewed_as_long_as_it_is_held(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE_S", 0.2)
    with AlertLog(file) as log:
        at = time.time()
        log.take([ALERT], at)
        with log.held():
            time.sleep(0.5)
            assert standing(log, at + 0.4) is Standing.RUNNING
        assert standing(log, at + 5) is Standing.UNFINISHED


def test_who_lost_an_alert_settles_it_no_more(file: Path, log: AlertLog) -> None:
    log.take([ALERT], NOW)
    with AlertLog(file) as other:
        assert standing(other, NOW + LEASE_S + 1) is Standing.UNFINISHED
        log.release([KEY])
        assert standing(log, NOW + LEASE_S + 2) is Standing.RUNNING


def test_what_was_not_sent_for_thirty_days_is_forgotten(log: AlertLog) -> None:
    log.take([ALERT], NOW)
    log.ran([KEY], "shop", "run-1")
    log.finish([KEY])
    assert standing(log, NOW + KEPT_S - 1) is Standing.AGAIN
    assert standing(log, NOW + 2 * KEPT_S) is Standing.NEW
    assert log.entries(NOW + 2 * KEPT_S)[0].runs == {}


def test_knowing_takes_nothing(log: AlertLog) -> None:
    assert log.known([ALERT], NOW) == {}
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
