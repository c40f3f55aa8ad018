"""What stands at a path of a runbook: its name for people, and its model."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.models import (
    STEP_KINDS,
    AskStep,
    Branch,
    CallStep,
    Else,
    ErrorRoute,
    Extract,
    Finding,
    Input,
    ProbeStep,
    Reference,
    Resolution,
    Retry,
    Runbook,
)
from runbook_engine.document.nodes import Raw
from runbook_engine.document.source import Path
from runbook_engine.document.triggers import Trigger


def describe(path: Path) -> str:
    """``branch 2 of step "database"``, ``"timeout" of step "cache"``, ``item 1 of "symptoms"``."""
    if is_way(path):
        noun = "branch" if path[2] == "branches" else "error route"
        return f"{noun} {int(path[3]) + 1} of step {quoted(path[1])}"
    if not path:
        return "the runbook"
    said = next((said for shape, said in _DESCRIPTIONS if _is_like(path, shape)), None)
    if said is not None:
        return said.format(*(each + 1 if isinstance(each, int) else quoted(each) for each in path))
    below = f" of {describe(path[:-1])}" if len(path) > 1 else ""
    return (f"item {path[-1] + 1}" if isinstance(path[-1], int) else quoted(path[-1])) + below


_DESCRIPTIONS = (
    *(
        ((section, "*"), f"{section.removesuffix('s')} {{1}}")
        for section in ("inputs", "steps", "findings", "resolutions")
    ),
    (("references", "#"), "reference {1}"),
    (("triggers", "#"), "trigger {1}"),
    (("steps", "*", "retry"), "the retry of step {1}"),
    (("steps", "*", "extract", "*"), "extract {3} of step {1}"),
    (("metrics", "*"), "metric {1}"),
    (("metrics", "*", "extract", "*"), "extract {3} of metric {1}"),
    (("metrics", "*", "thresholds", "#"), "threshold {3} of metric {1}"),
    (("metrics", "*", "faults", "#"), "fault {3} of metric {1}"),
    (("values", "*"), "value {1}"),
    (("entries", "*"), "entry {1}"),
    (("entries", "*", "errors", "#"), "error {3} of entry {1}"),
    (("roles", "*"), "role {1}"),
    (("priorities", "*"), "priority {1}"),
    (("escalation", "#"), "row {1} of the escalation matrix"),
    (("facts", "*"), "fact {1}"),
    (("rules", "#"), "rule {1}"),
    (("alerts", "*"), "channel {1}"),
    (("routing", "#"), "route {1}"),
    (("phases", "*"), "phase {1}"),
    (("phases", "*", "groups", "*"), "group {3}"),
    (("phases", "*", "groups", "*", "tasks", "*"), "task {5}"),
    (("cases", "*"), "case {1}"),
    (("cases", "*", "inputs", "*"), "input {3} of case {1}"),
    (("cases", "*", "expect"), "what case {1} expects"),
)
"""What stands at a path of that shape: ``*`` is a name or a number there, ``#`` a number."""


def _is_like(path: Path, shape: tuple[str, ...]) -> bool:
    return len(path) == len(shape) and all(
        there in (here, "*") or (there == "#" and isinstance(here, int))
        for here, there in zip(path, shape, strict=True)
    )


def value_at(document: Raw, path: Path) -> Raw:
    """The value at a path that exists."""
    here: Any = document
    for key in path:
        here = here[key]
    return here


STEP_MODELS: Mapping[str, type[BaseModel]] = {"probe": ProbeStep, "ask": AskStep, "call": CallStep}


_WAY_MODELS: Mapping[str, type[BaseModel]] = {"branches": Branch, "on_error": ErrorRoute}
_MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    ("inputs", "*"): Input,
    ("findings", "*"): Finding,
    ("resolutions", "*"): Resolution,
    ("references", "*"): Reference,
    ("triggers", "*"): Trigger,
    ("steps", "*", "retry"): Retry,
    ("steps", "*", "extract", "*"): Extract,
    ("metrics", "*", "extract", "*"): Extract,
}
_LATER: Mapping[tuple[str, ...], tuple[str, str]] = {
    ("metrics", "*"): ("policy", "PolicyMetric"),
    ("metrics", "*", "thresholds", "*"): ("policy", "Threshold"),
    ("metrics", "*", "faults", "*"): ("policy", "Fault"),
    ("entries", "*"): ("knowledge", "KnownError"),
    ("entries", "*", "errors", "*"): ("knowledge", "FailedProbe"),
    ("entries", "*", "source"): ("knowledge", "Origin"),
    ("business_hours",): ("incident_policy", "BusinessHours"),
    ("roles", "*"): ("incident_policy", "Role"),
    ("priorities", "*"): ("incident_policy", "Priority"),
    ("escalation", "#"): ("incident_policy", "Rung"),
    ("facts", "*"): ("incident_policy", "Fact"),
    ("rules", "#"): ("incident_policy", "Rule"),
    ("communication",): ("incident_policy", "Communication"),
    ("communication", "*", "#"): ("incident_policy", "Channel"),
    ("alerts", "*"): ("incident_policy", "AlertChannel"),
    ("routing", "#"): ("incident_policy", "Route"),
    ("post_incident",): ("incident_policy", "PostIncident"),
    ("post_incident", "process", "#"): ("incident_policy", "ProcessStep"),
    ("post_incident", "horizons"): ("incident_policy", "Horizons"),
    ("post_incident", "horizons", "*"): ("incident_policy", "Horizon"),
    ("phases", "*"): ("playbook", "Phase"),
    ("phases", "*", "groups", "*"): ("playbook", "TaskGroup"),
    ("phases", "*", "groups", "*", "tasks", "*"): ("playbook", "Task"),
    ("cases", "*"): ("cases", "Case"),
    ("cases", "*", "expect"): ("cases", "Expect"),
}
"""The module and the model, imported when such a document is read: runbooks do without."""
_ROOTS: Mapping[str, tuple[str, str]] = {
    "environment": ("environment", "Environment"),
    "knowledge": ("knowledge", "Knowledge"),
    "playbook": ("playbook", "Playbook"),
    "policy": ("policy", "Policy"),
    "tests": ("cases", "Cases"),
}


def is_step(path: Path) -> bool:
    return len(path) == 2 and path[0] == "steps"


def is_way(path: Path) -> bool:
    """Whether the path is that of a branch or an error route."""
    return len(path) == 4 and path[0] == "steps" and path[2] in ("branches", "on_error")


def model_at(path: Path, value: Raw) -> type[BaseModel] | None:
    """The model of the mapping ``value`` at ``path``, or None where any key is legal."""
    if is_step(path):
        return next((STEP_MODELS[kind] for kind in kinds_of(value)), None)
    if is_way(path):
        return Else if isinstance(value, dict) and "else" in value else _WAY_MODELS[str(path[2])]
    if not path:
        kind = next((each for each in _ROOTS if isinstance(value, dict) and each in value), None)
        if kind == "policy" and isinstance(value, dict) and value[kind] == "incidents":
            return _imported("incident_policy", "IncidentPolicy")
        return Runbook if kind is None else _imported(*_ROOTS[kind])
    known = next((model for shape, model in _MODELS.items() if _is_like(path, shape)), None)
    later = next((place for shape, place in _LATER.items() if _is_like(path, shape)), None)
    return known if later is None else _imported(*later)


def _imported(module: str, name: str) -> type[BaseModel]:
    found: type[BaseModel] = getattr(import_module(f"runbook_engine.document.{module}"), name)
    return found


def kinds_of(step: Raw) -> Sequence[str]:
    """Which of probe, ask and call a step has; one, if it is sound."""
    return [kind for kind in STEP_KINDS if kind in step] if isinstance(step, dict) else []


def keys_of(model: type[BaseModel]) -> Sequence[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def legal_keys(path: Path, value: Raw) -> Sequence[str]:
    """The keys that a mapping at ``path`` may have, in the order of the format."""
    match path:
        case ("steps", _, "branches", _):
            return ["when", "else", "finding", "goto"]
        case ("steps", _, "on_error", _):
            return ["kind", "else", "finding", "goto"]
        case ("steps", _) if not kinds_of(value):
            return list(dict.fromkeys(key for model in STEP_MODELS.values() for key in keys_of(model)))
    model = model_at(path, value)
    return keys_of(model) if model is not None else []
