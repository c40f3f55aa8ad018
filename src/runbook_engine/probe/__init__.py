"""All that a probe's author needs.

A probe measures one thing, read-only: ``Params`` in, ``Reading`` out, or a ``ProbeError`` that says why nothing was
measured::

    class LatencyParams(Params):
        url: str
        samples: int = Field(20, ge=1, le=1000)

    class LatencyReading(Reading):
        p95: Duration

    @probe("http.latency", command=lambda params: f"curl -w '%{time_total}' {params.url}")
    async def latency(params: LatencyParams, ctx: ProbeContext) -> LatencyReading: ...
"""

from runbook_engine.kinds import ErrorKind
from runbook_engine.probe.contract import (
    Bytes,
    Count,
    DocumentReading,
    Duration,
    Metric,
    Number,
    Params,
    Percent,
    Probe,
    ProbeContext,
    Rate,
    Reading,
    SampledDuration,
    SampledPercent,
    bounded,
    metric_types,
    probe,
)
from runbook_engine.probe.cutting import cut_at, first
from runbook_engine.probe.failure import ProbeError
from runbook_engine.probe.json_text import NoCertainValueError, TooManyValuesError, read_json
from runbook_engine.probe.shape import Document
from runbook_engine.probe.threads import in_thread, in_thread_if_large
from runbook_engine.quantity import Dimension, MetricType, Value
from runbook_engine.sampled import Sample, Sampled, quantile, share
from runbook_engine.secret import Secret

__all__ = [
    "Bytes",
    "Count",
    "Dimension",
    "Document",
    "DocumentReading",
    "Duration",
    "ErrorKind",
    "Metric",
    "MetricType",
    "NoCertainValueError",
    "Number",
    "Params",
    "Percent",
    "Probe",
    "ProbeContext",
    "ProbeError",
    "Rate",
    "Reading",
    "Sample",
    "Sampled",
    "SampledDuration",
    "SampledPercent",
    "Secret",
    "TooManyValuesError",
    "Value",
    "bounded",
    "cut_at",
    "first",
    "in_thread",
    "in_thread_if_large",
    "metric_types",
    "probe",
    "quantile",
    "read_json",
    "share",
]
