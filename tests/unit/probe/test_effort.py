"""Documents and paths from outside: what they cost is counted, and given up where it is too much."""

import subprocess
import sys
from typing import Any

import anyio
import pytest

from runbook_engine.document.models import Extract, ExtractType
from runbook_engine.graph.extracting import take
from runbook_engine.probe.effort import FEW_STEPS, Effort, TooMuchWorkError, aside, here_or_aside, weigh
from runbook_engine.probe.extract import ExtractError

NESTED: Any = [[{"a": [i, j, {"b": "x" * 20}]} for i in range(30)] for j in range(30)]
EXPLODING = [
    "@" + " | [@,@]" * 90 + " | to_string(@)",
    "@" + " | [@,@]" * 60 + " | contains(@, @)",
    "@" + " | [@,@]" * 60 + " | [0] == [1]",
    "@" + " | [to_string(@),to_string(@)]" * 30,
    "@" + " | join('', [to_string(@),to_string(@)])" * 24,
    "[*][*]" + " | [@,@][][]" * 50,
    "[]" + " | [*].{a: @, b: @}" * 30 + " | [*].to_string(@)",
    "@" + " | map(&[@,@], [@,@])" * 30 + " | sum([*].length(to_string(@)))",
]


@pytest.mark.parametrize("path", EXPLODING)
def test_a_path_that_multiplies_what_it_is_given_ends_with_a_reason(path: str) -> None:
    with pytest.raises(ExtractError, match="takes more than 3,000,000 steps through this document"):
        take(NESTED, Extract(path=path, type=ExtractType.STRING))


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is bounded on Linux alone")
def test_a_path_that_multiplies_what_it_is_given_does_not_fill_the_memory() -> None:
    program = f"""
import resource
from runbook_engine.document.models import Extract, ExtractType
from runbook_engine.graph.extracting import take
from runbook_engine.probe.extract import ExtractError, find
find({{}}, "type(@)")
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 600 * 2**20,) * 2)
nested = {NESTED!r}
for path in {EXPLODING!r}:
    try:
        take(nested, Extract(path=path, type=ExtractType.STRING))
    except ExtractError:
        continue
    raise AssertionError(path)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_each_path_may_take_all_steps_again() -> None:
    effort = Effort(4_000)
    for _ in range(3):
        assert take(list(range(600)), Extract(path="length([?@ > `598`])", type=ExtractType.COUNT), effort=effort) == 1
    with pytest.raises(TooMuchWorkError):
        effort.spend(4_000)


@pytest.mark.anyio
async def test_much_work_is_done_in_a_thread_and_little_where_it_is() -> None:
    def work(size: int, effort: Effort) -> bool:
        effort.spend(size)
        return effort.brief

    assert await here_or_aside(lambda effort: work(10, effort))
    assert not await here_or_aside(lambda effort: work(FEW_STEPS + 1, effort))


@pytest.mark.anyio
async def test_work_that_nobody_waits_for_any_more_ends() -> None:
    begun, ended = anyio.Event(), anyio.Event()
    token = anyio.lowlevel.current_token()

    def work(effort: Effort) -> None:
        anyio.from_thread.run_sync(begun.set, token=token)
        try:
            while True:
                effort.renew()
                effort.spend(300)
        except TooMuchWorkError:
            anyio.from_thread.run_sync(ended.set, token=token)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(aside, work)
        await begun.wait()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(30):
        await ended.wait()


@pytest.mark.parametrize("document", [{"a": {1, 2}}, [object()], {1: "one"}, [("a", "b")]])
def test_what_json_has_not_is_no_document(document: object) -> None:
    with pytest.raises(TypeError):
        weigh(document, Effort())
