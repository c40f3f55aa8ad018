"""Every ``extract:`` of the documentation, applied to the document that its real probe gives."""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import psycopg
import pytest
import yaml
from tests.docs.reference.formats import EXAMPLES
from tests.integration.documents import assert_document_as_declared

from runbook_engine.document import CODES
from runbook_engine.document.models import Extract
from runbook_engine.document.pages import page
from runbook_engine.graph.extracting import take
from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.probe import ProbeContext
from runbook_engine.probe.contract import DocumentReading
from runbook_engine.probe.registry import Registry

# As Prometheus answers: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-vectors
LABELS = {"instance": "10.0.0.1:9100", "device": "/dev/sda1", "sale": "ends in 3"}
VECTOR = {
    "status": "success",
    "data": {"resultType": "vector", "result": [{"metric": LABELS, "value": [1767225600.0, "840"]}]},
}
HEALTH = Registry().get("http.get").document


def steps() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every step and metric with an extract: in the examples of the reference, and in the right documents of the codes."""
    for file in sorted(EXAMPLES.glob("*.yaml")):
        yield from _of(file.name, file.read_text("utf-8"))
    for code in CODES:
        for number, each in enumerate(page(code).right):
            yield from _of(f"{code} {number}", each.text)


def _of(name: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    document = yaml.safe_load(text)
    places = ("steps", "metrics") if isinstance(document, dict) else ()
    for place in places:
        found = document.get(place)
        for key, step in found.items() if isinstance(found, dict) else ():
            if isinstance(step, dict) and "extract" in step:
                yield f"{name}: {key}", step


FOUND = dict(steps())


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = VECTOR if self.path.startswith("/api/v1/") else HEALTH.example if HEALTH else None
        body = json.dumps(asked).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mapping[str, Any], Mapping[str, str]]]:
    """The parameters that lead to servers of our own, and the variables of the run."""
    with (
        PostgresServer(tmp_path_factory.mktemp("postgres")) as postgres,
        AwsEndpoint() as aws,
        ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server,
    ):
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            connection.execute("CREATE TABLE orders (state text)")
            connection.execute("INSERT INTO orders VALUES ('waiting'), ('sent')")
        aws.put_log_events("/ecs/api", ["ERROR one", "ERROR two"])
        aws.set_insights_result("/ecs/api", [{"errors": "2"}])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield (
                {
                    "url": f"http://127.0.0.1:{server.server_port}",
                    "dsn": postgres.dsn(),
                    "endpoint_url": aws.url,
                    "region": "us-east-1",
                },
                {**os.environ, **aws.environ},
            )
        finally:
            server.shutdown()
            thread.join()


def test_probes_with_documents_all_have_an_example() -> None:
    registry = Registry()
    named = {step["probe"] for step in FOUND.values()}
    documented = {name for name in registry.names() if registry.provider(name) == "runbook-engine"}
    assert named == {name for name in documented if registry.get(name).extracts}


@pytest.mark.parametrize("name", FOUND)
def test_an_extract_of_the_documentation_gives_its_metric(
    name: str, around: tuple[Mapping[str, Any], Mapping[str, str]]
) -> None:
    step = FOUND[name]
    places, environ = around
    probe = Registry().get(step["probe"])
    given = {**step["with"], **{key: value for key, value in places.items() if key in probe.params.model_fields}}

    async def measured() -> Any:
        with anyio.fail_after(30):
            context = ProbeContext(anyio.current_time() + 20, environ, frozenset({"shell"}))
            return await probe(probe.params.model_validate(given), context)

    reading = anyio.run(measured)

    assert isinstance(reading, DocumentReading)
    assert_document_as_declared(probe, reading)
    assert reading.incomplete == ""
    for metric, spec in step["extract"].items():
        assert take(reading.document, Extract.model_validate(spec)) is not None, metric
