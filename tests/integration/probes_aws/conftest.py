"""One AWS endpoint for all tests of this folder, undisturbed before each of them."""

import gzip
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.integration.documents import assert_document_as_declared

from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.probe import Probe, ProbeContext, ProbeError, Reading

ENOUGH_S = 30.0
LATE_S = 10.0
"""So much later than it should a probe may end on a machine that is busy: what is never answered would hold it for ever."""


@pytest.fixture(scope="session")
def endpoint() -> Iterator[AwsEndpoint]:
    with AwsEndpoint(cpu_percent=93.0, memory_percent=61.5) as running:
        yield running


@pytest.fixture
def aws(endpoint: AwsEndpoint) -> Iterator[AwsEndpoint]:
    yield endpoint
    endpoint.recover()
    # What a probe has left behind still asks, and would be counted among the requests of the next test.
    for thread in threading.enumerate():
        if thread.name == "probe":
            thread.join(ENOUGH_S)


@pytest.fixture(autouse=True)
def _no_account_of_the_person_who_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in os.environ:
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _time_for_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked beside the point is answered in time, however busy this machine is."""
    monkeypatch.setattr("runbook_probes.aws.log_group.HINT_TIMEOUT_S", ENOUGH_S / 2)


Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def ask(aws: AwsEndpoint) -> Ask:
    """``await ask(probe, environ=…, within=…, **params)``, told of the deadline that the engine would set."""

    async def measured(
        probe: Probe[Any, Any], *, environ: dict[str, str] | None = None, within: float = ENOUGH_S, **params: object
    ) -> Reading:
        ctx = ProbeContext(deadline=anyio.current_time() + within, environ=aws.environ if environ is None else environ)
        with anyio.fail_after(within + LATE_S):
            reading: Reading = await probe(probe.params.model_validate(params), ctx)
        assert_document_as_declared(probe, reading)
        return reading

    return measured


@pytest.fixture
def fail(ask: Ask) -> Ask:
    """As ``ask``, and gives the ProbeError that must come."""

    async def failure(probe: Probe[Any, Any], **params: Any) -> ProbeError:
        began = time.perf_counter()
        with pytest.raises(ProbeError) as caught:
            await ask(probe, **params)
        assert time.perf_counter() - began < params.get("within", ENOUGH_S) + LATE_S
        return caught.value

    return failure


@pytest.fixture
def answering() -> Iterator[Callable[[str], str]]:
    """``answering(body)`` gives the URL of something that says this, with 200, whatever it is asked."""
    servers: list[ThreadingHTTPServer] = []

    def serve(body: str) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for each in servers:
        each.shutdown()
        each.server_close()


Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def change_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, Change], None]:
    """``change_model(service, change)``: boto3 then knows the service as another release does."""

    def changed(service: str, change: Change) -> None:
        import botocore

        (file,) = (Path(botocore.__file__).parent / "data" / service).glob("*/service-2.json.gz")
        model = json.loads(gzip.decompress(file.read_bytes()))
        change(model)
        own = tmp_path / "models" / service / file.parent.name
        own.mkdir(parents=True)
        (own / "service-2.json").write_text(json.dumps(model))
        monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))

    return changed


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


class Scripted(ThreadingHTTPServer):
    """Answers each operation of a JSON service with the next of its answers, and again and again with the last.

    An answer may be ``(event, answer)``, which is held back until the event is set.
    """

    daemon_threads = True
    answers: Mapping[str, Sequence[object]]
    asked: list[tuple[str, Any]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, operation: str) -> list[Any]:
        """What was asked of that operation, in order."""
        return [request for name, request in self.asked if name == operation]


class _ScriptedHandler(BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        index = len(self.server.of(operation))
        self.server.asked.append((operation, request))
        answers = self.server.answers[operation]
        answer = answers[min(index, len(answers) - 1)]
        if isinstance(answer, tuple):
            held, answer = answer
            held.wait(ENOUGH_S)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nobody reads a line for each request."""


@pytest.fixture
def scripted() -> Iterator[Callable[[Mapping[str, Sequence[object]]], Scripted]]:
    """``scripted({operation: [answer, …]})`` is a server with these answers, for what no well-behaved one would say."""
    servers: list[Scripted] = []

    def serve(answers: Mapping[str, Sequence[object]]) -> Scripted:
        server = Scripted(("127.0.0.1", 0), _ScriptedHandler)
        server.answers, server.asked = answers, []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return server

    yield serve
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What an answer of ``scripted`` is held back by."""
    event = threading.Event()
    yield event
    event.set()
