"""Whatever is written in a policy, it is read, checked or refused with diagnostics; nothing else ever happens."""

from hypothesis import given, settings
from hypothesis import strategies as st

import runbook_engine as rb
from runbook_engine.document import render_all
from runbook_engine.document.policy_load import load_policy
from runbook_engine.graph.judged import judged_metrics
from runbook_engine.graph.triage_checks import compile_policy
from runbook_engine.library import shipped_directory
from runbook_engine.quantity import Dimension, MetricType

SHIPPED = (shipped_directory() / "policy" / "metrics.yaml").read_text("utf-8")
LIBRARY = rb.Library((shipped_directory(),))
PIECES = (
    "", " ", "\n", "  ", "- ", ": ", "{", "}", "[", "]", "{{", "}}", '"', "'", "#", "*requests", "&requests", "~", "true", "0", "-1",
    "1e400", "500ms", "5%", "inputs.", "inputs.slow", "above", "below", "above: 1s", "errors: refused", "metric", "thresholds", "policy",
    "policy: metrics", "metrics:", "extract", "with", "p95", "end", "\x00", "é", "𝒳", "\u202e", "\t",
)  # fmt: skip


def _registry() -> rb.Registry:
    """So that names are resolved and nothing that is installed is imported."""
    known = {
        "http.latency": {"p95": Dimension.DURATION, "error_rate": Dimension.PERCENT},
        "aws.cloudwatch": {"latest_percent": Dimension.PERCENT, "maximum_percent": Dimension.PERCENT},
        "postgres.activity": {"utilization": Dimension.PERCENT},
        "aws.rds_instance": {"storage_utilization": Dimension.PERCENT},
        "tls.certificate": {"expires_in": Dimension.DURATION},
    }
    return rb.Registry.of(
        *(
            rb.FakeProbe(name, {}, metrics={metric: MetricType(each) for metric, each in metrics.items()}).probe
            for name, metrics in known.items()
        )
    )


REGISTRY = _registry()


def _read(text: str) -> None:
    loaded = load_policy(text, "p.yaml")
    compiled = compile_policy(loaded, REGISTRY, LIBRARY)
    assert render_all(compiled.diagnostics, compiled.sources)
    assert (loaded.policy is not None) or loaded.diagnostics
    if compiled.plan is not None:
        assert len(judged_metrics(compiled.plan.runbook)) == len(compiled.plan.runbook.steps)


@given(st.text())
def test_any_text_is_read_or_diagnosed(text: str) -> None:
    _read(text)


@settings(max_examples=150)
@given(st.data())
def test_a_policy_with_anything_written_anywhere_is_read_or_diagnosed(data: st.DataObject) -> None:
    text = SHIPPED
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(at, min(len(text), at + 40)))
        text = text[:at] + data.draw(st.sampled_from(PIECES)) + text[end:]
    _read(text)
