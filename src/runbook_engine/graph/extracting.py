"""The ``extract:`` of a step: checked against what the probe says of its document, and applied to a document."""

from collections.abc import Iterator

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine.document.models import Extract, ExtractType
from runbook_engine.errors import ProbeContractError
from runbook_engine.jmespaths import PathError, checked
from runbook_engine.pasteable import pasteable
from runbook_engine.probe.effort import Effort, TooMuchWorkError
from runbook_engine.probe.extract import (
    ExtractError,
    Mask,
    NothingThereError,
    described,
    find,
    text_at,
    typed,
)
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.probe.shape import Shape, shape_of
from runbook_engine.quantity import UNITS, Value

NOT_WHOLE = "nothing is taken out of the document: "
"""How the reason begins for which nothing is taken out of a document that was cut."""


class ExtractProblem(Struct, frozen=True):
    """What is wrong with a key of an extract. ``within`` are offsets into its text."""

    code: str
    key: str
    message: str
    help: str = ""
    within: tuple[int, int] | None = None


def problems(spec: Extract, probe: AnyProbe | None) -> Iterator[ExtractProblem]:
    """What is wrong with an extract, whatever the document turns out to hold. Without a probe any document is possible."""
    yield from _unit(spec)
    if spec.match is not None:
        yield from _match(spec.match)
    if not spec.path:
        return
    from runbook_engine.probe.paths import NowhereError, follow

    try:
        tree = checked(spec.path)
    except PathError as error:
        yield ExtractProblem("RB406", "path", str(error))
        return
    document = probe.document if probe is not None else None
    if probe is None or document is None:
        return
    try:
        found = follow(tree, shape_of(document))
    except ProbeContractError as error:
        yield ExtractProblem("RB402", "path", f"{probe.name} breaks the contract of probes: {error}")
        return
    except NowhereError as error:
        yield ExtractProblem("RB407", "path", f"leads nowhere: {error}", _shown(probe))
        return
    except RecursionError:
        return
    kinds = _TAKEN[ExtractType.STRING if spec.match is not None else ExtractType(spec.type)]
    if not found.kinds & kinds:
        wanted = "a match is made in a text" if spec.match is not None else f"the type is {spec.type}"
        yield ExtractProblem("RB407", "path", f"leads to {found.describe()}, and {wanted}", _shown(probe))


def _match(pattern: str) -> Iterator[ExtractProblem]:
    from runbook_engine.conditions.capture import read_capture  # few extracts have one
    from runbook_engine.conditions.patterns import PatternError

    try:
        read_capture(pattern)
    except PatternError as error:
        yield ExtractProblem("RB406", "match", error.message, error.hint, (error.start, error.end))


def _unit(spec: Extract) -> Iterator[ExtractProblem]:
    if spec.unit is None:
        return
    if spec.unit not in UNITS:
        yield ExtractProblem("RB406", "unit", f"{spec.unit!r} is not a unit; units are {', '.join(UNITS)}")
    elif (dimension := UNITS[spec.unit][0]).value != spec.type.value:
        yield ExtractProblem("RB406", "unit", f"{spec.unit!r} is a unit of {dimension}, and the type is {spec.type}")


_NUMBERS = frozenset({"number", "string"})
_TAKEN = {
    **dict.fromkeys(ExtractType, _NUMBERS),
    ExtractType.STRING: frozenset({"string", "number", "boolean"}),
    ExtractType.BOOL: frozenset({"boolean", "string"}),
}


def _shown(probe: AnyProbe) -> str:
    says = probe.document.says if probe.document is not None else ""
    return f"the document of {probe.name}: {says}; {pasteable('runbook', 'probes', probe.name)} shows an example"


def shape(probe: AnyProbe) -> Shape | None:
    """The shape of a probe's document; None for a probe that has none, or whose shape is none."""
    try:
        return shape_of(probe.document) if probe.document is not None else None
    except ProbeContractError:
        return None


def take(document: JsonValue, spec: Extract, mask: Mask = str, effort: Effort | None = None) -> Value:
    """The metric. Raises ExtractError, which says what is there instead; NothingThereError where that is nothing.

    Raises TooMuchWorkError where a ``brief`` effort does not reach.
    """
    effort = effort or Effort()
    effort.renew()
    try:
        return _taken(document, spec, mask, effort)
    except TooMuchWorkError as error:
        if effort.brief:
            raise
        raise ExtractError(
            f"{spec.match or spec.path} {error} through this document; ask for a smaller part of it"
        ) from error


def _taken(document: JsonValue, spec: Extract, mask: Mask, effort: Effort) -> Value:
    if spec.match is None:
        return typed(find(document, spec.path, mask, effort), spec.type, spec.unit, spec.path, mask)
    from runbook_engine.conditions.capture import read_capture

    text = text_at(document, spec.path, mask, effort)
    found = read_capture(spec.match).found_in(text, effort)
    if found is None:
        raise NothingThereError(f"{spec.match} does not match {described(text, mask)}")
    return typed(found, spec.type, spec.unit, spec.match, mask)


def remedy(reason: str, probe: str) -> str:
    """What would make a metric visible that could not be taken out of a document."""
    if reason.startswith(NOT_WHOLE):
        return reason.removeprefix(NOT_WHOLE)
    return f"see what the document holds, with: {pasteable('runbook', 'measure', probe)}"
