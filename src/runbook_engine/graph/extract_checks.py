"""The ``extract:`` of a step checked: what it says itself, and what it leaves to inputs.

Where an answer keeps a value, and in which unit, differs from system to system. So ``path`` and ``unit`` may each be an input
as a whole: the type of the input says that its value fits, wherever that comes from.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from runbook_engine.conditions import Problem
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.models import Extract, Input, InputType, ProbeStep
from runbook_engine.document.policy import PolicyMetric
from runbook_engine.graph.extracting import problems
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.graph.plan import Filling
from runbook_engine.graph.scope import INPUTS, Scope
from runbook_engine.ids import StepId
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.quantity import UNITS
from runbook_engine.templates import Hole, Template, TemplateError, parse

OPEN = ("path", "unit")
"""The keys of an extract that an input may give."""


class ExtractChecks(Struct):
    """The extracts of the steps of one runbook. ``inputs`` are sound ones; ``used`` fills with the names that are met."""

    inputs: Mapping[str, Input]
    scope: Scope
    mistakes: Mistakes
    used: set[str]

    def check(self, step_id: StepId, step: ProbeStep, probe: AnyProbe | None) -> Mapping[str, Filling]:
        """What inputs give to the extracts of a step, by metric and key."""
        if probe is not None and step.extract and not probe.extracts:
            self.mistakes.add(
                "RB405",
                f"the probe {probe.name} measures its metrics itself; there is nothing to extract from",
                ("steps", step_id, "extract"),
                key=True,
                help=f"its metrics: {', '.join(sorted(probe.metrics)) or 'none'}",
            )
        given: dict[str, Filling] = {}
        for name, spec in step.extract.items():
            at: Path = ("steps", step_id, "extract", name)
            left_open = {key: self._given(name, spec, key, (*at, key), step_id) for key in OPEN if is_open(spec, key)}
            if left_open:
                given[name] = {key: each for key, each in left_open.items() if each is not None}
            if None not in left_open.values():
                self._check(name, spec, probe, at)
            if probe is not None and name in probe.metrics:
                self.mistakes.add("RB406", f'"{name}" is a metric of {probe.name} already', at, key=True)
        return given

    def _check(self, name: str, spec: Extract, probe: AnyProbe | None, at: Path) -> None:
        """What is wrong with it by itself, with the defaults of its inputs."""
        usual = self._usual(spec)
        if usual is None:
            return
        for each in problems(usual, probe if self.mistakes.checking else None):
            by_default = f", by default of the input {input_of(spec, each.key)}," if is_open(spec, each.key) else ""
            shown = f"{usual.path} " if each.code == "RB407" else ""
            message = f'extract "{name}"{by_default}: {shown}{each.message}'.replace(",:", ":")
            within = None if by_default else each.within
            self.mistakes.add(each.code, message, (*at, each.key), within=within, help=each.help)

    def _usual(self, spec: Extract) -> Extract | None:
        """The extract as it is by default; None where an input that has none says it all."""
        found: dict[str, object] = {}
        for key in OPEN:
            if is_open(spec, key):
                known = self.inputs.get(input_of(spec, key) or "")
                if known is None or (known.default is None and key == "path"):
                    return None
                found[key] = known.default
        return spec.model_copy(update=found) if found else spec

    def _given(self, name: str, spec: Extract, key: str, at: Path, step_id: StepId) -> Template | None:
        """The input that gives a key, parsed; None where that is a mistake, which is told."""
        text = str(getattr(spec, key))
        try:
            template = parse(text)
        except TemplateError as error:
            self.mistakes.add("RB403", error.message, at, within=(error.start, error.end), help=error.hint)
            return None
        asked = input_of(spec, key)
        if asked is None:
            self.mistakes.add(
                "RB406",
                f'extract "{name}": the {key} is made of parts',
                at,
                help=f"write it out, or let one input give the whole of it: {key}: {'{{'} inputs.name {'}}'}",
            )
            return None
        self.used.add(asked)
        (used,) = template.names
        found = self.scope.resolve(used, step_id, None)
        if isinstance(found, Problem):
            start = max(text.find(str(used)), 0)
            within = (start, start + len(str(used)))
            self.mistakes.add("RB404", found.message, at, within=within, help=found.hint, write=found.write)
            return None
        known = self.inputs.get(asked)
        if known is None:
            return None  # its mistakes were told
        wrong = next(_unfit(known, spec, key), None)
        if wrong is not None:
            message, hint = wrong
            self.mistakes.add("RB406", f'extract "{name}": the input {quoted(asked)} {message}', at, help=hint)
            return None
        return template


def is_open(spec: Extract, key: str) -> bool:
    """Whether a key of an extract is left to an input. No JMESPath and no unit has two braces in a row, but in a literal."""
    return "{{" in str(getattr(spec, key))


def input_of(spec: Extract, key: str) -> str | None:
    """The input that gives a key as a whole; None where it is made of anything else."""
    try:
        parts = parse(str(getattr(spec, key))).parts
    except TemplateError:
        return None
    only = parts[0] if len(parts) == 1 else ""
    if not isinstance(only, Hole) or only.filters or only.default is not None or only.name.scope != INPUTS:
        return None
    return only.name.name


def given_to_extracts(steps: Iterable[object]) -> Iterator[str]:
    """The inputs that extracts of these steps, or metrics of a policy, are left to."""
    for step in steps:
        for spec in step.extract.values() if isinstance(step, ProbeStep | PolicyMetric) else ():
            yield from (found for key in OPEN if is_open(spec, key) and (found := input_of(spec, key)))


def _unfit(known: Input, spec: Extract, key: str) -> Iterator[tuple[str, str]]:
    """Why an input cannot give a key, and what can."""
    if key == "path":
        if known.type is not InputType.JMESPATH:
            yield f"is of the type {known.type}, and a path is a JMESPath", "write type: jmespath"
        return
    units = [unit for unit, (dimension, _) in UNITS.items() if dimension.value == spec.type.value]
    if not units:
        yield f"gives a unit, and the type {spec.type} has none", "leave the unit out"
    elif known.type is not InputType.ENUM:
        hint = f"write type: enum, and as values those of {', '.join(units)} that may be meant"
        yield f"is of the type {known.type}, and a unit is one of a few", hint
    for member in known.values:
        if member not in units:
            yield f"may be {quoted(member)}, which is no unit of the type {spec.type}", f"its units: {', '.join(units)}"
