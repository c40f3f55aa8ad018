"""Servers that misbehave, beside one that is well: nothing of them is called healthy, and nothing of it critical.

The gate asks each once. ``make soak`` asks all of them, many at once, for half an hour.
"""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from tests.soak.misbehaviours import HEALTHY, NO_VALUE, TABLE, Misbehaviour
from tests.soak.walking import NEIGHBOUR, Served, plan, serving, walk

import runbook_engine as rb

BOUND_S = 60.0
"""A run has ended by then on a machine that is busy; what holds it here would hold it for ever."""
ENOUGH_S = 30.0
"""What a step gets whose server comes to an end by itself."""


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving([each.name for each in TABLE], tmp_path_factory.mktemp("misbehaving")) as served:
        yield served


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(["neighbour"], tmp_path_factory.mktemp("well")) as served:
        yield served


@pytest.fixture(scope="module")
def neighbour() -> rb.Plan:
    return plan(NEIGHBOUR, ENOUGH_S)


@pytest.mark.anyio
@pytest.mark.parametrize("misbehaviour", [pytest.param(each, id=each.name) for each in TABLE])
async def test_a_server_that_misbehaves_is_told_as_what_it_is_and_its_neighbour_stays_well(
    misbehaviour: Misbehaviour, misbehaving: Served, well: Served, neighbour: rb.Plan, tmp_path: Path
) -> None:
    beside: list[str] = []

    async def ask_neighbour() -> None:
        beside.append((await walk(neighbour, well, "neighbour", samples=5)).result)

    with anyio.fail_after(BOUND_S):
        async with anyio.create_task_group() as group:
            group.start_soon(ask_neighbour)
            asked = plan(misbehaviour.step, 0.5 if misbehaviour.endless else ENOUGH_S)
            walked = await walk(asked, misbehaving, misbehaviour.name)
    step = walked.trace.step("asked")
    assert walked.result in misbehaviour.right, step.error or step.missing
    assert beside[0] in (HEALTHY, NO_VALUE)
    assert rb.record(walked.trace, tmp_path / "run.jsonl").replay().events == walked.trace.events
    for each in rb.ReportFormat:
        assert rb.render(walked.trace, each)


def test_no_misbehaviour_of_the_table_may_be_called_healthy() -> None:
    assert len({each.name for each in TABLE}) == len(TABLE) >= 30
    assert [each.name for each in TABLE if HEALTHY in each.right or not each.right] == []
