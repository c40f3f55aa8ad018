"""One AWS endpoint for all tests of this folder, undisturbed before each of them."""

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.probe import Probe, ProbeContext, ProbeError, Reading

ENOUGH_S = 30.0


@pytest.fixture(scope="session")
def endpoint() -> Iterator[AwsEndpoint]:
    with AwsEndpoint(cpu_percent=93.0, memory_percent=61.5) as running:
        yield running


@pytest.fixture
def aws(endpoint: AwsEndpoint) -> Iterator[AwsEndpoint]:
    yield endpoint
    endpoint.recover()


@pytest.fixture(autouse=True)
def _no_account_of_the_person_who_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in os.environ:
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def ask(aws: AwsEndpoint) -> Ask:
    """``await ask(probe, environ=…, within=…, **params)``, under the deadline that the engine would set."""

    async def measured(
        probe: Probe[Any, Any], *, environ: dict[str, str] | None = None, within: float = ENOUGH_S, **params: object
    ) -> Reading:
        ctx = ProbeContext(deadline=anyio.current_time() + within, environ=aws.environ if environ is None else environ)
        with anyio.fail_after(within):
            reading: Reading = await probe(probe.params.model_validate(params), ctx)
        return reading

    return measured


@pytest.fixture
def fail(ask: Ask) -> Ask:
    """As ``ask``, and gives the ProbeError that must come."""

    async def failure(probe: Probe[Any, Any], **params: Any) -> ProbeError:
        began = time.perf_counter()
        with pytest.raises(ProbeError) as caught:
            await ask(probe, **params)
        assert time.perf_counter() - began < params.get("within", ENOUGH_S) + 0.25
        return caught.value

    return failure


@pytest.fixture
def client(aws: AwsEndpoint) -> Iterator[Callable[[str], Any]]:
    """A plain boto3 client of the endpoint, to put things there."""
    import boto3

    opened: list[Any] = []

    def of(service: str) -> Any:
        key, secret = (aws.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
        session = boto3.session.Session(key, secret, region_name=aws.region)
        opened.append(session.client(service, endpoint_url=aws.url))
        return opened[-1]

    yield of
    for each in opened:
        each.close()
