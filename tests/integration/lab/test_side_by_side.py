"""What is started side by side has ended, or never begins, once the context is left."""

import threading
from collections.abc import Callable

import pytest

from runbook_engine.lab.side_by_side import SideBySide


class OwnError(Exception):
    pass


def fail() -> None:
    raise OwnError


def test_functions_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3)

    def meet() -> None:
        meeting.wait(10)

    with SideBySide() as threads:
        for each in [threads.run(meet) for _ in range(3)]:
            each.result(10)


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    with SideBySide() as threads, pytest.raises(OwnError):
        threads.run(fail).result(10)


def test_leaving_waits_for_what_has_begun() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(10)
        done.set()

    with SideBySide() as threads:
        threads.run(slow)
        assert begun.wait(10)
        threading.Timer(0.05, go_on.set).start()
    assert done.is_set()


def test_nothing_begins_after_the_context_was_left() -> None:
    ran: list[str] = []
    begin: Callable[[], None] = lambda: ran.append("late")  # noqa: E731 - says what it is
    with SideBySide() as threads:
        pass
    threads.run(begin)
    for thread in threading.enumerate():
        if thread.name == "lab-start":
            thread.join(10)
    assert ran == []
