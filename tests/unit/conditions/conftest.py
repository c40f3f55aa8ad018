"""A small world of metrics and inputs in which conditions are checked and explained."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest

from runbook_engine.conditions import Name, Problem
from runbook_engine.errors import did_you_mean
from runbook_engine.quantity import Dimension, MetricType

TYPES: Mapping[str, MetricType] = MappingProxyType(
    {
        "p95": MetricType(Dimension.DURATION, lower=0),
        "error_rate": MetricType(Dimension.PERCENT, lower=0, upper=100),
        "active": MetricType(Dimension.NUMBER, lower=0, integer=True),
        "load": MetricType(Dimension.NUMBER),
        "used": MetricType(Dimension.BYTES, lower=0),
        "limit": MetricType(Dimension.BYTES, lower=0, optional=True),
        "requests": MetricType(Dimension.RATE, lower=0),
        "state": MetricType(Dimension.TEXT, members=("idle", "active", "idle_in_transaction")),
        "body": MetricType(Dimension.TEXT),
        "ready": MetricType(Dimension.BOOL),
        "database.used": MetricType(Dimension.NUMBER, lower=0, integer=True),
        "inputs.slow": MetricType(Dimension.DURATION, lower=0),
        "inputs.very_slow": MetricType(Dimension.DURATION, lower=0),
        "inputs.most": MetricType(Dimension.NUMBER),
        "inputs.wanted": MetricType(Dimension.TEXT),
    }
)


@pytest.fixture
def types() -> Callable[[Name], MetricType | None]:
    return lambda name: TYPES.get(str(name))


@pytest.fixture
def resolve() -> Callable[[Name], MetricType | Problem]:
    def look_up(name: Name) -> MetricType | Problem:
        found = TYPES.get(str(name))
        guess = did_you_mean(str(name), TYPES)
        return found or Problem(f'there is no "{name}"{guess}', name.start, name.end)

    return look_up
