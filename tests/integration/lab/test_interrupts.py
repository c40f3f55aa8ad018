"""Ctrl-C while a lab opens never takes a lock of the interpreter with it, and is never lost."""

import signal
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from runbook_engine.lab import assembly, open_lab
from runbook_engine.lab.certificates import Certificates, make_certificates
from runbook_engine.lab.interrupts import Interrupts


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def test_what_the_main_thread_is_doing_comes_to_its_end_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that does not would keep the interpreter's import lock, for which the lab's threads would wait for ever."""
    ended: list[str] = []

    def interrupted(directory: Path) -> Certificates:
        ctrl_c()
        ended.append("the certificates")
        return make_certificates(directory)

    monkeypatch.setattr(assembly, "make_certificates", interrupted)
    with pytest.raises(KeyboardInterrupt), open_lab(directory=tmp_path):
        ended.append("the lab")
    assert ended == ["the certificates"]
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_is_raised_by_whoever_looks() -> None:
    with Interrupts() as interrupts:
        ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            interrupts.look()
        interrupts.look()


def test_an_interrupt_that_nobody_looked_for_is_raised_in_the_end() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts():
        ctrl_c()


def test_an_interrupt_ends_the_wait_for_a_thread() -> None:
    never: Future[None] = Future()
    with Interrupts() as interrupts:
        threading.Timer(0.05, ctrl_c).start()
        with pytest.raises(KeyboardInterrupt):
            interrupts.result(never)


def test_a_second_interrupt_is_raised_at_once() -> None:
    reached: list[str] = []
    with pytest.raises(KeyboardInterrupt), Interrupts():
        ctrl_c()
        reached.append("after the first")
        ctrl_c()
        reached.append("after the second")
    assert reached == ["after the first"]


def test_interrupts_are_raised_as_ever_once_it_is_left() -> None:
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_whoever_handles_interrupts_already_goes_on_to() -> None:
    handled: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: handled.append(number))
    try:
        with Interrupts():
            ctrl_c()
    finally:
        signal.signal(signal.SIGINT, before)
    assert handled == [signal.SIGINT]


def test_a_thread_that_is_not_the_main_one_takes_no_interrupt_away() -> None:
    found: Future[object] = Future()

    def enter() -> None:
        with Interrupts():
            found.set_result(signal.getsignal(signal.SIGINT))

    threading.Thread(target=enter).start()
    assert found.result(10) is signal.default_int_handler
