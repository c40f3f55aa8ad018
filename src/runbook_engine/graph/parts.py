"""The texts inside a runbook: conditions, templates and parameters, parsed once and checked against what is known."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from runbook_engine.conditions import (
    ConditionSyntaxError,
    Expression,
    Name,
    Problem,
    check,
    names,
    parse,
)
from runbook_engine.conditions import compile as compile_condition
from runbook_engine.document.models import (
    AnyStep,
    AskStep,
    Branch,
    CallStep,
    Else,
    ErrorRoute,
    InputType,
    ProbeStep,
    Runbook,
)
from runbook_engine.document.told import Told, named_in, texts
from runbook_engine.errors import closest
from runbook_engine.graph.extract_checks import ExtractChecks
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.graph.plan import Filling, Plan, PlannedStep, Way
from runbook_engine.graph.scope import ERROR, ERROR_TYPES, INPUTS, Scope
from runbook_engine.graph.structure import ancestors
from runbook_engine.ids import FindingId, StepId
from runbook_engine.probe import Dimension, MetricType, Params, ProbeError
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.templates import Template, TemplateError
from runbook_engine.templates import parse as parse_template


@dataclass
class Parts:
    """Parses and checks what one runbook's steps say. ``used_inputs`` fills as names are met."""

    runbook: Runbook
    scope: Scope
    mistakes: Mistakes
    order: Sequence[StepId] | None
    successors: Mapping[StepId, Sequence[StepId]]
    covering: bool = True
    """Whether to prove at once that branches without an else cover every value."""
    used_inputs: set[str] = field(default_factory=set)
    unsound: set[StepId] = field(default_factory=set)
    """Steps with a condition that has a mistake, of which nothing is proven."""

    def __post_init__(self) -> None:
        self._bit, self._before = ancestors(self.order, self.successors) if self.order else ({}, {})

    def ways(self, step_id: StepId, step: AnyStep) -> tuple[tuple[Way, ...], tuple[Way, ...]]:
        """The branches and the error routes of a step."""
        branches = tuple(self._way(step_id, ("branches", index), each) for index, each in enumerate(step.branches))
        routes = tuple(self._way(step_id, ("on_error", index), each) for index, each in enumerate(step.on_error))
        if self.covering and self.mistakes.checking:
            self._check_coverage(step_id, branches)
        return branches, routes

    def _check_coverage(self, step_id: StepId, branches: Sequence[Way]) -> None:
        """Without an else the branches have to cover every value."""
        if not branches or step_id in self.unsound or any(way.expression is None for way in branches):
            return  # there is an else, or it was told already
        from runbook_engine.graph.proofs import check_coverage  # most steps have an else, and a run does without

        check_coverage(step_id, branches, self.types(step_id), self.mistakes)

    def types(self, step_id: StepId) -> Callable[[Name], MetricType | None]:
        """The types of names as a step sees them; None for what cannot be told."""

        def known(name: Name) -> MetricType | None:
            found = self.scope.resolve(name, step_id, None)
            return found if isinstance(found, MetricType) else None

        return known

    def _way(self, step_id: StepId, place: tuple[str, int], way: Branch | Else | ErrorRoute) -> Way:
        match way:
            case Branch():
                expression = self._condition(way.when, step_id, ("steps", step_id, *place, "when"))
                compiled = compile_condition(expression) if expression is not None else None
                return Way(place, way.when, expression, compiled, way.finding, way.goto)
            case ErrorRoute():
                return Way(place, " or ".join(way.kind), None, None, way.finding, way.goto, frozenset(way.kind))
            case Else():
                return Way(place, "else", None, None, way.finding, way.otherwise)

    def _condition(self, text: str, step: StepId, path: Path) -> Expression | None:
        try:
            expression = parse(text)
        except ConditionSyntaxError as error:
            self.unsound.add(step)
            self.mistakes.add(
                "RB302", error.message, path, within=(error.start, error.end), label=error.hint, help=_CONDITION_HELP
            )
            return None
        if not self.mistakes.checking:
            return expression
        known: dict[tuple[str | None, str], Any] = {}
        trusted = False
        for name in names(expression):
            found = self._resolve(name, step)
            spec = self.runbook.inputs.get(name.name) if name.scope == INPUTS else None
            if spec is not None and spec.type is InputType.SECRET:
                hint = "pass it to a probe instead; conditions and their values are written into reports"
                found = Problem(f'"{name.name}" is a secret and cannot be compared', name.start, name.end, hint)
            known[name.scope, name.name] = found
            if isinstance(found, Problem):
                self.unsound.add(step)
                self._problem("RB304", found, path)
            trusted = trusted or found is None or isinstance(found, Problem)
        if not trusted:
            for problem in check(expression, lambda name: known[name.scope, name.name]):
                self.unsound.add(step)
                self._problem("RB303", problem, path)
        return expression

    def _resolve(self, name: Name, step: StepId) -> Any:
        if name.scope == INPUTS:
            self.used_inputs.add(name.name)
        return self.scope.resolve(name, step, _Before(self._bit, self._before.get(step, 0)) if self._bit else None)

    def _problem(self, code: str, problem: Problem, path: Path) -> None:
        place = (problem.start, problem.end)
        self.mistakes.add(code, problem.message, path, within=place, help=problem.hint, write=problem.write)

    def params(
        self, step_id: StepId, step: AnyStep, probe: AnyProbe | None, child: Plan | None
    ) -> tuple[Params | None, Mapping[str, Filling]]:
        """What a step hands to its probe or its called runbook: validated now, or a filling for later."""
        if isinstance(step, AskStep):
            return None, {}
        path: Path = ("steps", step_id, "with")
        filling = {key: self._filling(value, (*path, key), step_id) for key, value in step.params.items()}
        if isinstance(step, CallStep):
            self._check_call(step, child, path)
            return None, filling
        if probe is None:
            return None, filling
        return self._check_params(step_id, step, probe, filling), filling

    def extracting(self, step_id: StepId, step: AnyStep, probe: AnyProbe | None) -> Mapping[str, Filling]:
        """What inputs give to the extracts of a step, by metric and key."""
        if not isinstance(step, ProbeStep) or not step.extract:
            return {}
        checks = ExtractChecks(self.runbook.inputs, self.scope, self.mistakes, self.used_inputs)
        return checks.check(step_id, step, probe)

    def _filling(self, value: Any, path: Path, step: StepId) -> Filling:
        match value:
            case str():
                return self._template(value, path, step)
            case dict():
                return {key: self._filling(each, (*path, key), step) for key, each in value.items()}
            case list():
                return [self._filling(each, (*path, index), step) for index, each in enumerate(value)]
            case bool() | int() | float():
                return value
        return None

    def _template(self, text: str, path: Path, step: StepId, *, errors: bool = False) -> Template:
        try:
            template = parse_template(text)
        except TemplateError as error:
            self.mistakes.add("RB403", error.message, path, within=(error.start, error.end), help=error.hint)
            return Template(())
        for name in template.names:
            if errors and name.scope == ERROR:
                if name.name in ERROR_TYPES:
                    continue
                found: Any = Problem(f'an error has no "{name.name}"', 0, 0, f"it has {', '.join(ERROR_TYPES)}")
            elif self._is_known(name, step, errors=errors):
                found = self._resolve(name, step)
            else:
                found = self._unmeasured(name)
            if isinstance(found, Problem):
                place = _place(text, name)
                self.mistakes.add("RB404", found.message, path, within=place, help=found.hint, write=found.write)
        return template

    def _is_known(self, name: Name, step: StepId, *, errors: bool) -> bool:
        """Whether it may stand for something there. Its own metrics a step knows only once it has measured."""
        if not errors:
            return name.scope not in (None, step)
        return name.scope is not None or name.name in self.scope.steps.get(step, {})

    def texts(self) -> None:
        """Check the texts that people read, each with the names that it may have. Those of findings are checked with them."""
        for path, text, mark in texts(self.runbook):
            if "{" not in text or mark is Told.FINDING:
                continue
            if mark is not Told.PLAIN:
                self._told(text, path, mark)
            elif (name := named_in(text)) is not None:
                message = f"{name[0]} stands for nothing: this text is read before the inputs have values"
                self.mistakes.add("RB404", message, path, within=name.span(), help="write what people are to read")

    def _told(self, text: str, path: Path, mark: Told) -> None:
        try:
            template = parse_template(text)
        except TemplateError as error:
            self.mistakes.add("RB403", error.message, path, within=(error.start, error.end), help=error.hint)
            return
        for name in template.names:
            found = self._in_told(name, path, mark)
            if isinstance(found, Problem):
                place = _place(text, name)
                self.mistakes.add("RB404", found.message, path, within=place, help=found.hint, write=found.write)

    def _in_told(self, name: Name, path: Path, mark: Told) -> Any:
        if name.scope == INPUTS:
            return self._resolve(name, self.runbook.start[0])
        if name.scope is None or (mark is Told.BEFORE and name.scope == path[1]):
            return self._unmeasured(name)
        if mark is Told.INPUTS:
            hint = "it knows the inputs alone, because it is read before anything is measured: {{ inputs.name }}"
            return Problem(f"{name} is not known in this text", 0, 0, hint)
        owner = StepId(str(path[1])) if mark is Told.BEFORE else StepId(name.scope)
        if mark is Told.BEFORE:
            return self._resolve(name, owner)
        return self.scope.resolve(name, owner, None)

    def _unmeasured(self, name: Name) -> Problem:
        """A name of the step's own, where it has not measured anything yet."""
        guess = closest(name.name, self.scope.inputs) if name.scope is None else None
        meant = f"inputs.{guess}" if guess else None
        hint = f"write {{{{ inputs.{guess or name.name} }}}}, or {{{{ step.metric }}}} of an earlier step"
        return Problem(f'"{name}" is not known in this text', 0, 0, hint, meant)

    def findings(self, steps: Mapping[StepId, PlannedStep]) -> Mapping[FindingId, tuple[Template, Template]]:
        """Title and cause of every finding, their names checked as seen from a step that raises it."""
        raised: dict[str, StepId] = {}
        for step_id, step in steps.items():
            for way in (*step.ways, *step.routes):
                if way.finding is not None:
                    raised.setdefault(way.finding, step_id)
        texts = {}
        for finding_id, finding in self.runbook.findings.items():
            path: Path = ("findings", finding_id)
            raiser = raised.get(finding_id)
            if raiser is None:
                texts[finding_id] = (Template((finding.title,)), Template((finding.cause,)))
                continue
            texts[finding_id] = (
                self._template(finding.title, (*path, "title"), raiser, errors=True),
                self._template(finding.cause, (*path, "cause"), raiser, errors=True),
            )
        return texts

    def _check_params(
        self, step_id: StepId, step: ProbeStep, probe: AnyProbe, filling: Mapping[str, Filling]
    ) -> Params | None:
        """Validate what does not depend on the run; parameters that do are left for then."""
        if not self.mistakes.checking:
            return None
        self._check_code(step_id, probe, filling)
        static = {key: value for key, value in step.params.items() if not any(_holes(filling[key]))}
        later = step.params.keys() - static.keys()
        try:
            params: Params = probe.params.model_validate(static)
        except ValidationError as error:
            self._report_params(step_id, step, probe, error, later)
            return None
        except ProbeError as error:
            self.mistakes.add("RB402", error.message, ("steps", step_id, "with"), key=True, help=error.remedy)
            return None
        return None if later else params

    def _check_code(self, step_id: StepId, probe: AnyProbe, filling: Mapping[str, Filling]) -> None:
        """Refuse texts that are filled into what an interpreter reads: they would be read as code."""
        for key in probe.params.CODE:
            for name in _holes(filling.get(key)):
                known = self._resolve(name, step_id)
                safe = isinstance(known, MetricType) and (known.dimension is not Dimension.TEXT or known.members)
                if not safe:
                    self.mistakes.add(
                        "RB217",
                        f'{name} is a text that "{key}" of {probe.name} would run as code',
                        ("steps", step_id, "with", key),
                        help="hand it over as a value of its own, such as a word of argv, a variable or a parameter",
                    )

    def _report_params(
        self, step_id: StepId, step: ProbeStep, probe: AnyProbe, error: ValidationError, later: set[str]
    ) -> None:
        known = sorted(field.alias or name for name, field in probe.params.model_fields.items())
        path: Path = ("steps", step_id, "with") if step.params else ("steps", step_id, "probe")
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            place = each["loc"]
            if not place:
                if not later:
                    self.mistakes.add("RB402", _sentence(each["msg"]), path, key=bool(step.params))
                continue
            key = str(place[0])
            if key in later:
                continue
            if each["type"] == "missing" and len(place) == 1:
                message = f'step "{step_id}": the probe {probe.name} needs "{key}"'
                self.mistakes.add("RB402", message, path, key=bool(step.params), help=f"parameters: {', '.join(known)}")
            elif each["type"] == "extra_forbidden" and len(place) == 1:
                guess = closest(key, known)
                self.mistakes.add(
                    "RB402",
                    f'the probe {probe.name} has no parameter "{key}"',
                    ("steps", step_id, "with", key),
                    key=True,
                    label=f'did you mean "{guess}"?' if guess else "",
                    help=f"parameters of {probe.name}: {', '.join(known)}",
                    write=guess if guess not in step.params else None,
                )
            else:
                where = ("steps", step_id, "with", *place)
                self.mistakes.add("RB402", f'"{key}" of {probe.name}: {_sentence(each["msg"])}', where)

    def _check_call(self, step: CallStep, child: Plan | None, path: Path) -> None:
        if child is None:
            return
        known = child.runbook.inputs
        self.used_inputs.update(name for name in self.runbook.inputs if name in known)
        for key in step.params:
            if key not in known:
                guess = closest(key, known)
                self.mistakes.add(
                    "RB402",
                    f'the runbook {step.call} has no input "{key}"',
                    (*path, key),
                    key=True,
                    label=f'did you mean "{guess}"?' if guess else "",
                    help=f"inputs of {step.call}: {', '.join(sorted(known)) or 'none'}",
                    write=guess if guess not in step.params else None,
                )


class _Before:
    """The steps before a step, as a set that is asked, not listed."""

    def __init__(self, bit: Mapping[StepId, int], before: int) -> None:
        self._bit = bit
        self._before = before

    def __contains__(self, step: object) -> bool:
        return isinstance(step, str) and bool(self._bit.get(StepId(step), 0) & self._before)


def _place(text: str, name: Name) -> tuple[int, int]:
    """Where a template first names it."""
    found = re.compile(rf"\{{\{{[^{{}}]*?(?<![\w.])({re.escape(str(name))})(?![\w.])").search(text)
    return found.span(1) if found is not None else (0, len(text))


def _holes(filling: Filling) -> Iterator[Name]:
    match filling:
        case Template():
            yield from filling.names
        case dict():
            for each in filling.values():
                yield from _holes(each)
        case list():
            for each in filling:
                yield from _holes(each)


def _sentence(message: str) -> str:
    """Pydantic's message without its prefix."""
    return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")


_CONDITION_HELP = "a condition compares, for example: p95 > 1s, utilization > 80% and active > 20, ttl is missing"
