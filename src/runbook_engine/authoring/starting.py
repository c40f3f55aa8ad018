"""Starting runbooks from probes and answers, and what all of them have in common."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from runbook_engine.authoring.building import Building
from runbook_engine.authoring.customs import Customs
from runbook_engine.authoring.secrecy import masked, without_secrets
from runbook_engine.authoring.writing import write
from runbook_engine.probe.registry import Registry
from runbook_engine.templates import literal

_COMMENT = """A starting point. What is measured, and from which values on it is bad, comes from the runbooks that there are;
read it through and make it yours."""
_MOST_NAME = 64


class Started(Struct, frozen=True):
    """A runbook as a document, and its text."""

    document: Mapping[str, object]
    text: str


class Answers(Struct, frozen=True):
    """What is known of a new runbook."""

    name: str
    title: str
    owner: str = ""
    severity: str | None = None
    symptoms: Sequence[str] = ()
    probes: Sequence[str] = ()


def from_answers(answers: Answers, registry: Registry, customs: Customs) -> Started:
    """A runbook that measures with each of the probes, side by side; without any it asks what people see.

    Raises UnknownProbeError.
    """
    building = Building(customs)
    starts = []
    for name in answers.probes:
        step, _ = building.measure(_title(name), registry.get(name), {}, borrow=True)
        starts.append(step)
    if not starts:
        seen = "; ".join(answers.symptoms) or answers.title
        step, _ = building.ask(answers.title, f"Do you see it: {seen}?", answers.title)
        starts.append(step)
    unsolved = [each for each in building.findings.values() if "resolution" not in each]
    if unsolved:
        name = building.resolve("Find out what to do", ["Look at the evidence and write down here what helped"])
        for each in unsolved:
            each["resolution"] = name
    return finished(
        building,
        document(
            name=answers.name,
            title=literal(answers.title),
            owner=answers.owner,
            severity=answers.severity,
            symptoms=[literal(each) for each in answers.symptoms],
            start=starts,
        ),
    )


def document(
    *,
    name: str,
    title: str,
    start: Sequence[str],
    description: str = "",
    owner: str = "",
    severity: str | None = None,
    symptoms: Sequence[str] = (),
    prevention: Sequence[str] = (),
) -> dict[str, Any]:
    """A document with all its keys in their order, of which ``finished`` fills in the rest."""
    return {
        "runbook": name,
        "title": title if title.strip() else name.replace("-", " ").capitalize(),
        "version": "0.1.0",
        "owner": owner,
        "severity": severity,
        "description": description,
        "symptoms": list(symptoms),
        "inputs": {},
        "start": start[0] if len(start) == 1 else list(start),
        "steps": {},
        "findings": {},
        "resolutions": {},
        "prevention": list(prevention),
    }


def finished(building: Building, outline: dict[str, Any]) -> Started:
    """The outline with what was built, without what is empty."""
    whole = {
        **outline,
        "inputs": building.inputs,
        "steps": building.steps,
        "findings": building.findings,
        "resolutions": building.resolutions,
    }
    kept = without_secrets({key: value for key, value in whole.items() if value not in ("", None, [], {})})
    comments = {path: masked(comment) for path, comment in building.comments.items()}
    return Started(kept, write(kept, {(): _COMMENT, **comments}))


def name_of(title: str) -> str:
    """``High response times (>500ms)`` as ``high-response-times``; empty where nothing is left of it."""
    bare = re.sub(r"\([^)]*\)", " ", title)
    words = re.findall(r"[a-z0-9]+", (bare if re.search(r"[A-Za-z0-9]", bare) else title).lower())
    name = ""
    for word in words:
        if name and len(name) + 1 + len(word) > _MOST_NAME:
            break
        name = f"{name}-{word}" if name else word[:_MOST_NAME]
    return name


def _title(probe: str) -> str:
    kind, _, what = probe.partition(".")
    return f"{kind} {what}".replace("_", " ").replace(".", " ").capitalize()
