"""Texts with other names in them, or with none."""

import re
from collections.abc import Mapping

from runbook_engine.templates import literal


def deeply_plain(value: object) -> object:
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Mapping):
        return {key: deeply_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [deeply_plain(each) for each in value]
    return value


def deeply_renamed(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return renamed(value, names) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: deeply_renamed(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [deeply_renamed(each, names) for each in value]
    return value


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A condition or a template with other names for its inputs."""
    return re.sub(r"\binputs\.(\w+)", lambda found: f"inputs.{names.get(found[1], found[1])}", text)


def rescoped(text: str, old: str, new: str) -> str:
    return re.sub(r"\{\{.*?\}\}", lambda hole: re.sub(rf"\b{old}\.", f"{new}.", hole[0]), text)
