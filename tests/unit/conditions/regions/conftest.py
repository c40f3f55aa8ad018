"""A small world of metrics and inputs whose conditions are analysed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest

from runbook_engine.conditions import Name, parse
from runbook_engine.conditions.regions import Analysis, Witness, analyse
from runbook_engine.quantity import Dimension, MetricType

COUNT = MetricType(Dimension.NUMBER, lower=0, integer=True)
PERCENT = MetricType(Dimension.PERCENT, lower=0, upper=100)
DURATION = MetricType(Dimension.DURATION, lower=0)
TYPES: Mapping[str, MetricType] = MappingProxyType(
    {
        "p95": DURATION,
        "p99": DURATION,
        "error_rate": PERCENT,
        "hit_rate": MetricType(Dimension.PERCENT, lower=0, upper=100, optional=True),
        "active": COUNT,
        "failed": COUNT,
        "requests": MetricType(Dimension.NUMBER, lower=0, integer=True, optional=True),
        "small": MetricType(Dimension.NUMBER, lower=0, upper=3, integer=True),
        "tiny": MetricType(Dimension.NUMBER, lower=0, upper=1, integer=True),
        "load": MetricType(Dimension.NUMBER),
        "used": MetricType(Dimension.BYTES, lower=0),
        "limit": MetricType(Dimension.BYTES, lower=0),
        "state": MetricType(Dimension.TEXT, members=("idle", "active", "waiting")),
        "body": MetricType(Dimension.TEXT),
        "title": MetricType(Dimension.TEXT, optional=True),
        "ready": MetricType(Dimension.BOOL),
        "healthy": MetricType(Dimension.BOOL),
        "trusted": MetricType(Dimension.BOOL, optional=True),
        "database.used": COUNT,
        "inputs.slow": DURATION,
        "inputs.very_slow": DURATION,
        "inputs.errors": MetricType(Dimension.PERCENT, lower=0),
        "inputs.most": COUNT,
        "inputs.wanted": MetricType(Dimension.TEXT),
    }
)

Analyse = Callable[..., Analysis]
Show = Callable[[Witness | None], str]


@pytest.fixture
def types() -> Callable[[Name], MetricType | None]:
    return lambda name: TYPES.get(str(name))


@pytest.fixture
def analysed(types: Callable[[Name], MetricType | None]) -> Analyse:
    """The analysis of conditions given as texts."""
    return lambda *texts: analyse([parse(text) for text in texts], types)


@pytest.fixture
def shown(types: Callable[[Name], MetricType | None]) -> Show:
    return lambda witness: "" if witness is None else witness.shown(types)
