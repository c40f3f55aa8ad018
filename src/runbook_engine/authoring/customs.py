"""What is usual for a probe: how the runbooks that there are fill in its parameters, and from which values on it is bad."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from runbook_engine import templates
from runbook_engine.conditions import ConditionSyntaxError, names
from runbook_engine.conditions import parse as parse_condition
from runbook_engine.document import load_file
from runbook_engine.document.models import Branch, ErrorRoute, Finding, ProbeStep, Runbook
from runbook_engine.ids import FindingId
from runbook_engine.library import Library
from runbook_engine.probe.registry import AnyProbe

INPUTS = "inputs"
_ERROR = "error"


class Custom(Struct, frozen=True):
    """A step of a runbook that others may begin with: ``bad`` are its branches and routes that say all by themselves."""

    runbook: Runbook
    id: str
    step: ProbeStep
    bad: tuple[Branch, ...]
    failed: tuple[ErrorRoute, ...]
    also: tuple[str, ...] = ()
    """Other steps of the runbook that judge the same measurement; their branches are among these."""

    def finding(self, way: Branch | ErrorRoute) -> Finding:
        return self.runbook.findings[FindingId(way.finding or "")]

    def input_of(self, param: str) -> str | None:
        """The input that fills in a parameter, where nothing else does."""
        return sole_input(self.step.params.get(param))


def sole_input(value: object) -> str | None:
    """``slow`` for ``{{ inputs.slow }}``."""
    if not isinstance(value, str) or "{{" not in value:
        return None
    parts = templates.parse(value).parts
    only = parts[0] if len(parts) == 1 else None
    if isinstance(only, templates.Hole) and only.name.scope == INPUTS and not only.filters and only.default is None:
        return only.name.name
    return None


def used_inputs(value: object) -> Iterator[str]:
    """The inputs that a text, or the texts in a value, are filled in from."""
    for text in _texts(value):
        if "{{" in text:
            yield from (each.name for each in templates.parse(text).names if each.scope == INPUTS)


def condition_inputs(when: str) -> Iterator[str]:
    yield from (each.name for each in names(parse_condition(when)) if each.scope == INPUTS)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def is_template(value: object) -> bool:
    return any("{{" in text for text in _texts(value))


class Customs:
    """The customs of a library. Runbooks with mistakes have none."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._found: Mapping[str, Sequence[Custom]] | None = None

    def of(
        self, probe: AnyProbe, written: Mapping[str, object], telling: frozenset[str], *, whole: bool = False
    ) -> Custom | None:
        """The step that says most about a measurement with these parameters written out, if any measures the same.

        ``telling`` are the parameters that say what is measured, rather than of which system. ``whole``: there are no others,
        so that what is read out of an answer is only known where all that tells what it is an answer to is the same.
        """
        if self._found is None:
            self._found = self._all()
        told = {key: value for key, value in written.items() if key in telling}
        fitting = (
            each
            for each in self._found.get(probe.name, ())
            if _measures_the_same(each, probe, told, written)
            and not (whole and (_reads_more(each, told) or _asks_more(each, written, telling)))
        )
        return max(
            fitting, key=lambda each: (_likeness(each, written), len(each.bad) * 2 + len(each.failed)), default=None
        )

    def _all(self) -> Mapping[str, Sequence[Custom]]:
        found: dict[str, list[Custom]] = {}
        for file in self._library.files().values():
            runbook = load_file(file).runbook
            for step_id, step in runbook.steps.items() if runbook is not None else ():
                if isinstance(step, ProbeStep) and runbook is not None and _speaks_of(step.params, (INPUTS,)):
                    found.setdefault(step.probe, []).append(_custom(runbook, step_id, step))
        return {probe: _together(each) for probe, each in found.items()}


def _together(customs: Sequence[Custom]) -> Sequence[Custom]:
    """One for all steps of a runbook that measure the same and judge different things of it."""
    kept: list[Custom] = []
    for each in customs:
        same = next((index for index, one in enumerate(kept) if _is_same_measurement(one, each)), None)
        if same is None:
            kept.append(each)
            continue
        first = kept[same]
        taken = {kind for route in first.failed for kind in route.kind}
        failed = tuple(route for route in each.failed if not taken & set(route.kind))
        known = {branch.when for branch in first.bad}
        bad = tuple(branch for branch in each.bad if branch.when not in known)
        kept[same] = replace(
            first, bad=(*first.bad, *bad), failed=(*first.failed, *failed), also=(*first.also, each.id)
        )
    return kept


def _is_same_measurement(one: Custom, other: Custom) -> bool:
    return (
        one.runbook is other.runbook
        and one.step.params == other.step.params
        and not (one.step.extract or other.step.extract)
    )


def _custom(runbook: Runbook, step_id: str, step: ProbeStep) -> Custom:
    def whole(finding: FindingId | None) -> bool:
        named = runbook.findings.get(finding) if finding else None
        return named is not None and _speaks_of((named.title, named.cause), (INPUTS, _ERROR, step_id))

    bad = tuple(
        each for each in step.branches if isinstance(each, Branch) and whole(each.finding) and _is_alone(each.when)
    )
    failed = tuple(each for each in step.on_error if isinstance(each, ErrorRoute) and whole(each.finding))
    return Custom(runbook, step_id, step, bad, failed)


def _measures_the_same(
    custom: Custom, probe: AnyProbe, told: Mapping[str, object], written: Mapping[str, object]
) -> bool:
    """Whether what is written out agrees, and what makes the probe measure something else is written out alike."""
    theirs = {key: value for key, value in custom.step.params.items() if not is_template(value)}
    if any(theirs.get(key, value) != value for key, value in told.items()):
        return False
    needed = {name for name, each in probe.params.model_fields.items() if each.is_required()}
    return not written or all(key in written for key in theirs if key in needed)


def _reads_more(custom: Custom, told: Mapping[str, object]) -> bool:
    """Whether it takes values out of an answer, of which nothing says that it has the same form."""
    return bool(custom.step.extract) and not told


def _asks_more(custom: Custom, written: Mapping[str, object], telling: frozenset[str]) -> bool:
    """Whether what it measures is told by a parameter that is not given."""
    return any(key in telling and key not in written for key in custom.step.params)


def _likeness(custom: Custom, written: Mapping[str, object]) -> int:
    """How many parameters come to the same value, where nothing else is said of inputs; less those that do not."""
    defaults = {name: str(each.default) for name, each in custom.runbook.inputs.items() if each.default is not None}

    def filled(found: re.Match[str]) -> str:
        return defaults.get(found[1], "\0")

    likeness = 0
    for key, value in written.items():
        theirs = custom.step.params.get(key)
        text = re.sub(r"\{\{\s*inputs\.(\w+)\s*\}\}", filled, str(theirs))
        if theirs is not None and "\0" not in text:
            likeness += 1 if text == str(value) else -1
    return likeness


def _speaks_of(texts: object, scopes: Iterable[str]) -> bool:
    """Whether templates in it name nothing else. A bare name would be a metric of the step."""
    allowed = (None, *scopes)
    try:
        return all(
            each.scope in allowed for text in _texts(texts) if "{" in text for each in templates.parse(text).names
        )
    except templates.TemplateError:
        return False


def _is_alone(when: str) -> bool:
    """Whether a condition speaks of metrics of its own step and inputs only."""
    try:
        return all(each.scope in (None, INPUTS) for each in names(parse_condition(when)))
    except ConditionSyntaxError:
        return False
