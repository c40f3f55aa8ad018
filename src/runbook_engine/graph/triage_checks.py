"""A policy held against the installed probes and the runbooks that there are, and compiled."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from runbook_engine import quantity
from runbook_engine.conditions import (
    Comparison,
    ConditionSyntaxError,
    Constant,
    Expression,
    Name,
    Problem,
    check,
    parse,
)
from runbook_engine.document import Diagnostic, DiagnosticLevel, Loaded, RawNames
from runbook_engine.document.models import InputType
from runbook_engine.document.policy import Fault, Policy, PolicyMetric, Threshold
from runbook_engine.document.policy_load import LoadedPolicy, load_policy_file
from runbook_engine.errors import RunbookError, RunbookNotFoundError, closest, did_you_mean
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.mistakes import Path as Place
from runbook_engine.graph.plan import Plan
from runbook_engine.graph.scope import INPUTS, extract_type, input_type
from runbook_engine.graph.triage import condition, runbook_of, ways
from runbook_engine.ids import StepId
from runbook_engine.library import Library
from runbook_engine.probe import MetricType
from runbook_engine.probe.registry import Registry
from runbook_engine.templates import TemplateError
from runbook_engine.templates import parse as parse_template


class CompiledPolicy(Struct, frozen=True):
    """``plan`` is None where a mistake keeps it from being carried out.

    That a runbook to run next does not exist is an error too, and does not: the table is worth more than what comes after it.
    """

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]


def compile_policy_file(file: Path, registry: Registry, library: Library) -> CompiledPolicy:
    return compile_policy(load_policy_file(file), registry, library, file)


def compile_policy(
    loaded: LoadedPolicy, registry: Registry, library: Library, file: Path | None = None
) -> CompiledPolicy:
    """Compile what could be read; mistakes of shape and of meaning are reported together."""
    found = Mistakes(loaded.source, list(loaded.diagnostics), checking=True)
    plan = None
    if loaded.partial is not None:
        policy = loaded.partial
        fitting = {
            name: metric for name, metric in policy.metrics.items() if _Fit(policy, metric, name, found).fits(registry)
        }
        _check_duplicates(policy, found)
        if fitting:
            plan = _compiled(loaded, policy.model_copy(update={"metrics": fitting}), registry, library, file, found)
    failed = loaded.policy is None or any(each.level is DiagnosticLevel.ERROR for each in found.diagnostics)
    if loaded.partial is not None:
        _check_runbooks(loaded.partial, library, found)
    return CompiledPolicy(None if failed else plan, found.sorted(), {loaded.source.file: loaded.source.text})


def _compiled(
    loaded: LoadedPolicy, policy: Policy, registry: Registry, library: Library, file: Path | None, found: Mistakes
) -> Plan | None:
    """The runbook's own checks: probes, parameters, templates, inputs that nothing uses. Places are those of the policy."""
    runbook = runbook_of(policy)
    complete = loaded.partial is not None and policy.metrics == loaded.partial.metrics
    broken = loaded.broken if complete else loaded.broken | {("metrics",)}
    names = RawNames(
        frozenset(runbook.steps),
        frozenset(runbook.findings),
        frozenset(runbook.resolutions),
        frozenset(policy.inputs),
        broken,
    )
    moved: dict[Place, Mapping[str | int, str | int]] = {(): {"steps": "metrics"}}
    for name, metric in policy.metrics.items():
        moved["steps", name] = {"branches": "faults"}
        moved["steps", name, "branches"] = {
            index: number for index, (number, each) in enumerate(ways(metric)) if isinstance(each, Fault)
        }
    source = loaded.source.salvaged(moved)
    compiled = Compiler(registry, library).loaded(Loaded(runbook, runbook, (), source, names), file)
    found.diagnostics.extend(compiled.diagnostics)
    return compiled.plan


class _Fit(Struct):
    """One metric of a policy, held against its probe."""

    policy: Policy
    metric: PolicyMetric
    name: StepId
    found: Mistakes

    def fits(self, registry: Registry) -> bool:
        """Whether a runbook can be made of it; if not, why stands in ``found``."""
        try:
            probe = registry.get(self.metric.probe)
        except RunbookError:
            return True  # the runbook's own checks say so
        known = {**probe.metrics, **{name: extract_type(spec) for name, spec in self.metric.extract.items()}}
        type_ = known.get(self.metric.metric)
        at: Place = ("metrics", self.name, "metric")
        if type_ is None:
            guess = closest(self.metric.metric, known)
            self.found.add(
                "RB501",
                f'the probe {probe.name} has no metric "{self.metric.metric}"',
                at,
                label=f'did you mean "{guess}"?' if guess else "",
                help=f"metrics of {probe.name}: {', '.join(sorted(known)) or 'none; take them out with extract'}",
                write=guess,
            )
            return False
        if not type_.dimension.is_numeric:
            legal = ", ".join(sorted(name for name, each in known.items() if each.dimension.is_numeric)) or "none"
            message = f'"{self.metric.metric}" of {probe.name} is {type_.describe()}, and has no threshold'
            self.found.add("RB502", message, at, help=f"metrics with numbers: {legal}")
            return False
        sound = [self._sound(index, each, type_) for index, each in enumerate(self.metric.thresholds)]
        hint = "write {{ value }} for what was measured, or {{ inputs.name }}"
        told = [self._is_sentence(self.metric.sentence, {"value"}, hint, ("sentence",))]
        for index, each in enumerate(self.metric.faults):
            hint = "it may name an input" if each.errors else f"metrics of {probe.name}: {', '.join(sorted(known))}"
            told.append(self._is_sentence(each.says, () if each.errors else known, hint, ("faults", index, "says")))
        return all([*sound, *told]) and self._ordered(type_)

    def _is_sentence(self, text: str, known: Collection[str], hint: str, where: Place) -> bool:
        at: Place = ("metrics", self.name, *where)
        try:
            names = parse_template(text).names
        except TemplateError as error:
            self.found.add("RB403", error.message, at, within=(error.start, error.end), help=error.hint)
            return False
        strange = [each for each in names if str(each) not in known and not self._is_input(each)]
        for each in strange:
            self.found.add("RB404", f'"{each}" is not known in this sentence', at, help=hint)
        return not strange

    def _is_input(self, name: Name) -> bool:
        return name.scope == INPUTS and name.name in self.policy.inputs

    def _sound(self, index: int, threshold: Threshold, type_: MetricType) -> bool:
        at: Place = ("metrics", self.name, "thresholds", index, threshold.side)
        problems = list(self._problems(threshold, type_))
        for problem in problems:
            code = "RB304" if problem.message.startswith("there is no input") else "RB502"
            self.found.add(code, problem.message, at, help=problem.hint)
        return not problems

    def _problems(self, threshold: Threshold, type_: MetricType) -> Iterator[Problem]:
        try:
            expression: Expression = parse(condition(self.metric, threshold))
        except ConditionSyntaxError as error:
            yield Problem(f'"{threshold.limit}" is not a limit: {error.message}', 0, 0, error.hint or _LIMIT)
            return
        match expression:
            case Comparison(left=Name(), right=Constant() | Name(scope="inputs")):
                yield from check(expression, lambda name: self._resolve(name, type_))
            case _:
                yield Problem(f'"{threshold.limit}" is not a limit', 0, 0, _LIMIT)

    def _resolve(self, name: Name, type_: MetricType) -> MetricType | Problem:
        if name.scope != INPUTS:
            return type_
        spec = self.policy.inputs.get(name.name)
        if spec is None:
            known = ", ".join(sorted(self.policy.inputs)) or "none"
            guess = did_you_mean(name.name, self.policy.inputs)
            told = f'there is no input named "{name.name}"{guess}'
            return Problem(told, name.start, name.end, f"inputs of this policy: {known}")
        if spec.type is InputType.SECRET:
            return Problem(f'"{name.name}" is a secret and cannot be compared', name.start, name.end)
        return input_type(spec)

    def _ordered(self, type_: MetricType) -> bool:
        """As far as it can be told before a run: inputs may be set to anything then."""
        values = [self._value(each) for each in self.metric.thresholds]
        first, last = values[0], values[-1]
        if len(values) < 2 or first is None or last is None:
            return True
        side = self.metric.thresholds[0].side
        if (first < last) if side == "above" else (first > last):
            return True
        shown = [quantity.show(each, type_.dimension) for each in (first, last)]
        self.found.add(
            "RB503",
            f'metric "{self.name}" is critical {side} {shown[1]} already, and a warning only {side} {shown[0]}',
            ("metrics", self.name, "thresholds", 1, side),
            help=f"the warning comes first: {side} the {'smaller' if side == 'above' else 'larger'} of the two",
        )
        return False

    def _value(self, threshold: Threshold) -> float | None:
        limit = threshold.limit
        if isinstance(limit, str) and limit.startswith("inputs."):
            spec = self.policy.inputs.get(limit.removeprefix("inputs."))
            if spec is None or spec.default is None:
                return None
            limit = str(spec.default)
        try:
            return quantity.parse(str(limit))[0]
        except ValueError:
            return None


def _check_duplicates(policy: Policy, found: Mistakes) -> None:
    seen: dict[str, StepId] = {}
    for name, each in policy.metrics.items():
        extract = each.extract.get(each.metric)
        key = json.dumps(
            [each.probe, each.params, each.metric, extract.model_dump(mode="json") if extract else None], sort_keys=True
        )
        first = seen.setdefault(key, name)
        if first != name:
            message = f'metric "{name}" is the same as metric "{first}": {each.metric} of {each.probe}, asked alike'
            found.add("RB504", message, ("metrics", name), key=True, help="write its thresholds there, and delete it")


def _check_runbooks(policy: Policy, library: Library, found: Mistakes) -> None:
    for name, each in policy.metrics.items():
        try:
            library.find(each.runbook)
        except RunbookNotFoundError as error:
            guess = closest(each.runbook, error.known)
            found.add(
                "RB210",
                f'metric "{name}" names the runbook "{each.runbook}", which does not exist',
                ("metrics", name, "runbook"),
                label=f'did you mean "{guess}"?' if guess else "",
                help=f"runbooks: {', '.join(error.known) or 'none'}; searched {', '.join(error.searched) or 'nowhere'}",
                write=guess,
            )


_LIMIT = "a limit is a value with its unit, such as 500ms or 80%, or an input, such as inputs.slow"
