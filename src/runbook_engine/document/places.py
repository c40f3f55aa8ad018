"""What stands at a path of a runbook: its name for people, and its model."""

from collections.abc import Mapping, Sequence
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


def describe(path: Path) -> str:
    """``branch 2 of step "database"``, ``"timeout" of step "cache"``, ``item 1 of "symptoms"``."""
    if is_way(path):
        noun = "branch" if path[2] == "branches" else "error route"
        return f"{noun} {int(path[3]) + 1} of step {quoted(path[1])}"
    match path:
        case ():
            return "the runbook"
        case ("inputs" | "steps" | "findings" | "resolutions" | "metrics" as section, name):
            return f"{section.removesuffix('s')} {quoted(name)}"
        case ("values", name):
            return f"value {quoted(name)}"
        case ("references", int(index)):
            return f"reference {index + 1}"
        case ("steps", name, "retry"):
            return f"the retry of step {quoted(name)}"
        case ("steps" | "metrics" as section, name, "extract", metric):
            return f"extract {quoted(metric)} of {section.removesuffix('s')} {quoted(name)}"
        case ("metrics", name, "thresholds", int(index)):
            return f"threshold {index + 1} of metric {quoted(name)}"
    below = f" of {describe(path[:-1])}" if len(path) > 1 else ""
    return (f"item {path[-1] + 1}" if isinstance(path[-1], int) else quoted(path[-1])) + below


def value_at(document: Raw, path: Path) -> Raw:
    """The value at a path that exists."""
    here: Any = document
    for key in path:
        here = here[key]
    return here


STEP_MODELS: Mapping[str, type[BaseModel]] = {"probe": ProbeStep, "ask": AskStep, "call": CallStep}


_WAY_MODELS: Mapping[str, type[BaseModel]] = {"branches": Branch, "on_error": ErrorRoute}
_ENTRY_MODELS: Mapping[str, type[BaseModel]] = {
    "inputs": Input,
    "findings": Finding,
    "resolutions": Resolution,
    "references": Reference,
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
    match path:
        case () if isinstance(value, dict) and "environment" in value:
            return _environment_model()
        case ():
            return _policy_model("Policy") if isinstance(value, dict) and "policy" in value else Runbook
        case ("steps", _, "retry"):
            return Retry
        case ("steps" | "metrics", _, "extract", _):
            return Extract
        case ("metrics", _, "thresholds", _):
            return _policy_model("Threshold")
        case ("metrics", _):
            return _policy_model("PolicyMetric")
        case (section, _):
            return _ENTRY_MODELS.get(str(section))
    return None


def _policy_model(name: str) -> type[BaseModel]:
    """Imported when a policy is read: runbooks do without."""
    from runbook_engine.document import policy

    found: type[BaseModel] = getattr(policy, name)
    return found


def _environment_model() -> type[BaseModel]:
    """As above."""
    from runbook_engine.document.environment import Environment

    return Environment


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
