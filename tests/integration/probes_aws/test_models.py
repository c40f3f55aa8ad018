"""What botocore knows of a service is read once a process, and no call leaves anything of its own in it."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.probe import ProbeContext
from runbook_probes.aws.client import AwsParams, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.models import models

pytestmark = pytest.mark.anyio


async def description(aws: AwsEndpoint) -> Any:
    """The very object that a client has of its service's description."""
    params = AwsParams(endpoint_url=aws.url)
    ctx = ProbeContext(deadline=anyio.current_time() + 30, environ=aws.environ)
    aim = Aim("ecs", "ListClusters")
    return await ask("ecs", params, ctx, aim, lambda client: client.meta.service_model.metadata, asks="it")


async def test_two_calls_share_one_description(aws: AwsEndpoint) -> None:
    assert await description(aws) is await description(aws)


async def test_calls_side_by_side_do(aws: AwsEndpoint) -> None:
    models.cache_clear()
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(description, aws)
    assert await description(aws) is await description(aws)


async def test_no_call_adds_a_folder_to_those_that_are_searched(aws: AwsEndpoint) -> None:
    before = models(None).search_paths
    await description(aws)
    assert models(None).search_paths == before


async def test_folders_with_models_of_ones_own_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "lighthouse" / "2020-01-01"
    own.mkdir(parents=True)
    (own / "service-2.json").write_text("{}")
    monkeypatch.setenv("LIGHT", str(tmp_path))
    assert "lighthouse" in models("$LIGHT").list_available_services("service-2")
    assert "ecs" in models("$LIGHT").list_available_services("service-2")
    assert "lighthouse" not in models(None).list_available_services("service-2")
