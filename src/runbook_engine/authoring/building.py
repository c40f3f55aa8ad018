"""A runbook put together piece by piece. Names stay apart, and what is used is there."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from runbook_engine.authoring.customs import (
    Custom,
    Customs,
    condition_inputs,
    sole_input,
    used_inputs,
)
from runbook_engine.authoring.judgements import JUDGEMENTS, Judgement, guess_at, words
from runbook_engine.authoring.measurement import System, Variable
from runbook_engine.authoring.naming import names_a_system, without_system
from runbook_engine.authoring.suggesting import number_in
from runbook_engine.authoring.texts import deeply_plain, deeply_renamed, renamed, rescoped
from runbook_engine.document.checks import CONDITION_WORDS, STEP_WORDS
from runbook_engine.document.models import Branch, ErrorRoute, Finding, Input, Runbook
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.secret import Secret
from runbook_engine.templates import literal

_MOST_NAME = 48
_UNKNOWN = "unknown"
_HOLE = re.compile(r"\{\{[^{}]*\}\}")

Json = dict[str, Any]


class Building(Struct):
    """What there is so far, in the form that the document has."""

    customs: Customs
    inputs: dict[str, Json] = field(default_factory=dict)
    steps: dict[str, Json] = field(default_factory=dict)
    findings: dict[str, Json] = field(default_factory=dict)
    resolutions: dict[str, Json] = field(default_factory=dict)
    comments: dict[tuple[str, ...], str] = field(default_factory=dict)
    systems: dict[str, list[tuple[str, System]]] = field(default_factory=dict)
    """By the kind of probe: the inputs that hold connection strings, and what is known of the system behind each."""

    def is_judged(self, probe: AnyProbe, given: Mapping[str, object]) -> bool:
        """Whether it is known from which values on a measurement with these parameters, and no others, is bad."""
        if probe.name in JUDGEMENTS:
            return True
        custom = self._custom(probe, given, borrow=False)
        return custom is not None and bool(custom.bad or custom.failed)

    def measure(
        self, title: str, probe: AnyProbe, given: Mapping[str, object], *, borrow: bool
    ) -> tuple[str, Sequence[str]]:
        """Add a step that measures, with ``given`` parameters: values, Variables or Systems. Its id, and its findings.

        What a step measures already is not measured again: that step's id, and nothing that it raises anew. With ``borrow``
        parameters that are not given are filled in as is usual, and the findings keep the resolutions that they have where
        they come from; without, ``given`` are all that say what is measured.
        """
        custom = self._custom(probe, given, borrow=borrow)
        filled = self._params(probe, given, custom, borrow=borrow)
        same = next((key for key, each in self.steps.items() if _measures(each, probe.name, filled)), None)
        if same is not None:
            return self._also(same, title), ()
        step_id = self._name(title, self.steps, STEP_WORDS)
        step: Json = {"title": literal(title), "probe": probe.name}
        if filled:
            step["with"] = filled
        self.steps[step_id] = step
        if custom is not None:
            if custom.step.extract:
                step["extract"] = {
                    name: each.model_dump(mode="json", exclude_defaults=True)
                    for name, each in custom.step.extract.items()
                }
            step["timeout"] = f"{custom.step.timeout:g}s"
        if probe.name in JUDGEMENTS and not borrow:
            raised = self._as_anywhere(step_id, step, JUDGEMENTS[probe.name])
        elif custom is not None and (custom.bad or custom.failed):
            raised = self._as_is_usual(step_id, step, custom, borrow=borrow)
        else:
            raised = self._as_guessed(step_id, step, probe)
        return step_id, raised

    def ask(self, title: str, question: str, finding: str) -> tuple[str, Sequence[str]]:
        """Add a step that a person answers, with the finding that a yes raises."""
        step_id = self._name(title, self.steps, STEP_WORDS)
        finding_id = self._name(finding, self.findings, frozenset())
        self.findings[finding_id] = {"level": "warning", "title": literal(finding)}
        self.steps[step_id] = {
            "title": literal(title),
            "ask": literal(question),
            "branches": [{"when": "answer", "finding": finding_id}, {"else": "end"}],
        }
        return step_id, (finding_id,)

    def resolve(self, title: str, steps: Sequence[str]) -> str:
        """Add a resolution; its id."""
        name = self._name(title, self.resolutions, frozenset())
        self.resolutions[name] = {"title": literal(title), "steps": [literal(each) for each in steps]}
        return name

    def describe(self, step_id: str, text: str) -> None:
        """Say more about a step, unless it says that already."""
        step = self.steps[step_id]
        told = [step["title"], step.get("description", ""), step.get("ask", "")]
        if literal(text) and not any(literal(text) in each for each in told):
            description = f"{told[1]}; {literal(text)}" if told[1] else literal(text)
            self.steps[step_id] = {"title": step["title"], "description": description, **step} | {
                "description": description
            }

    def _custom(self, probe: AnyProbe, given: Mapping[str, object], *, borrow: bool) -> Custom | None:
        if probe.name in JUDGEMENTS and not borrow:
            return None
        written = {key: value for key, value in given.items() if not isinstance(value, Variable | System)}
        found = self.customs.of(probe, written, _telling(probe), whole=not borrow)
        if found is None or borrow:
            return found
        # What a finding says of an input that nothing is given for would be said of another system.
        filled = {sole_input(theirs) for theirs, _ in _fills(found.step.params, given)}
        open_ = set(used_inputs(found.step.params)) - filled
        ways: list[Branch | ErrorRoute] = [*found.bad, *found.failed]
        said = [found.finding(way) for way in ways]
        texts = [_set_aside(text, found.step.params, given)[0] for each in said for text in (each.title, each.cause)]
        return None if open_ & set(used_inputs(texts)) else found

    def _also(self, step_id: str, title: str) -> str:
        """Say in a step what else it was wanted for."""
        step = self.steps[step_id]
        if literal(title) not in (step["title"], *str(step.get("description", "")).split("; ")):
            self.describe(step_id, title if step.get("description") else f"Also: {title}")
        return step_id

    def _as_anywhere(self, step_id: str, step: Json, judgement: Judgement) -> Sequence[str]:
        """What is bad about an answer whoever gives it."""
        raised: list[str] = []
        for suffix, title in (("wrong", judgement.wrong), ("failed", judgement.failed)):
            if title:
                name = self._name(f"{step_id}_{suffix}", self.findings, frozenset())
                told = f"{step['title']}: {title.replace('STEP', step_id)}"
                self.findings[name] = {"level": "critical", "title": told}
                raised.append(name)
        bad = [{"when": judgement.when, "finding": raised[0]}] if judgement.wrong else []
        step["branches"] = [*bad, {"else": "end"}]
        step["on_error"] = [{"kind": list(judgement.kinds), "finding": raised[-1]}, {"else": "end"}]
        return raised

    def _as_is_usual(self, step_id: str, step: Json, custom: Custom, *, borrow: bool) -> Sequence[str]:
        raised: list[str] = []
        routes: dict[str, list[Json]] = {"branches": [], "on_error": []}
        ways: list[Branch | ErrorRoute] = [*custom.bad, *custom.failed]
        for way in ways:
            finding = custom.finding(way)
            name = self._finding(str(way.finding), finding, custom, step_id, step, borrow=borrow)
            raised.append(name)
            if isinstance(way, Branch):
                others = self._renames(step, custom, condition_inputs(way.when))
                routes["branches"].append({"when": renamed(way.when, others), "finding": name})
            else:
                routes["on_error"].append({"kind": [str(each) for each in way.kind], "finding": name})
        step["branches"] = [*routes["branches"], {"else": "end"}]
        if routes["on_error"]:
            step["on_error"] = [*routes["on_error"], {"else": "end"}]
        return list(dict.fromkeys(raised))

    def _renames(self, step: Json, custom: Custom, used: Iterable[str]) -> Mapping[str, str]:
        """The inputs of this runbook for those of another: what fills in the step's parameters here does so there."""
        filling = _fills(custom.step.params, step.get("with", {}))
        own = {theirs: sole_input(value) for hole, value in filling if (theirs := sole_input(hole)) is not None}
        # What is written out here is no input.
        named = [each for each in used if own.get(each, each) is not None]
        return {each: own.get(each) or self._input(each, custom.runbook) for each in named}

    def _finding(self, name: str, finding: Finding, custom: Custom, step_id: str, step: Json, *, borrow: bool) -> str:
        made: Json = {"level": str(finding.level)}
        if finding.kind != Finding.model_fields["kind"].default:
            made["kind"] = str(finding.kind)
        ours = step.get("with", {})
        for key, whole in (("title", finding.title), ("cause", finding.cause)):
            if whole:
                text, aside = _set_aside(whole, custom.step.params, ours)
                for other in (custom.id, *custom.also):
                    text = rescoped(text, other, step_id)
                text = renamed(text, self._renames(step, custom, used_inputs(text)))
                for mark, value in aside.items():
                    text = text.replace(mark, value)
                made[key] = text
        resolution = custom.runbook.resolutions.get(finding.resolution) if finding.resolution else None
        if borrow and resolution is not None:
            made["resolution"] = self._resolution(str(finding.resolution), resolution.title, resolution.steps)
        for known, each in self.findings.items():
            if each == made and known.startswith(name):
                return known
        found = self._name(name, self.findings, frozenset())
        self.findings[found] = made
        return found

    def _resolution(self, name: str, title: str, steps: Sequence[str]) -> str:
        made: Json = {"title": title, "steps": list(steps)}
        if self.resolutions.get(name) != made:
            name = self._name(name, self.resolutions, frozenset())
            self.resolutions[name] = made
        return name

    def _as_guessed(self, step_id: str, step: Json, probe: AnyProbe) -> Sequence[str]:
        types: dict[str, MetricType] = dict(probe.metrics)
        if not types and probe.extracts:
            found = number_in(probe.document.example) if probe.document is not None else None
            name, spec = (found.name, found.spec) if found is not None else ("value", {"path": "value"})
            step["extract"] = {name: spec}
            types = {name: MetricType(Dimension.NUMBER)}
        guess = guess_at(types, step_id)
        if guess is None:
            step["branches"] = [{"else": "end"}]
            return ()
        when = guess.when
        if guess.limit is not None:
            limit = self._name(f"{step_id}_{guess.metric}_limit", self.inputs, CONDITION_WORDS)
            self.inputs[limit] = guess.limit
            when = f"{guess.when} inputs.{limit}"
        self.comments["steps", step_id] = f"Choose what is bad about it; {probe.name} measures: {', '.join(types)}."
        finding = self._name(f"{step_id}_{guess.metric}", self.findings, frozenset())
        self.findings[finding] = {
            "level": "warning",
            "title": f"{words(guess.metric).capitalize()} is {{{{ {step_id}.{guess.metric} }}}}",
        }
        step["branches"] = [{"when": when, "finding": finding}, {"else": "end"}]
        return (finding,)

    def _params(self, probe: AnyProbe, given: Mapping[str, object], custom: Custom | None, *, borrow: bool) -> Json:
        usual = custom.step.params if custom is not None else {}
        filled: Json = {}
        for name, spec in probe.params.model_fields.items():
            key = spec.alias or name
            theirs = usual.get(key)
            if key in given:
                filled[key] = self._given(probe, key, given[key], custom)
            elif theirs is not None and custom is not None and (borrow or spec.is_required()):
                renamed = {each: self._input(each, custom.runbook) for each in used_inputs(theirs)}
                filled[key] = deeply_renamed(theirs, renamed)
            elif spec.is_required():
                filled[key] = self._asked_for(probe, key, None)
        return filled

    def _given(self, probe: AnyProbe, key: str, value: object, custom: Custom | None) -> object:
        """A parameter as a command had it: an input where it is usually one, else as it is written."""
        usual = custom.input_of(key) if custom is not None else None
        if isinstance(value, System):
            return self._system(probe, key, value, custom)
        if isinstance(value, Variable):
            if usual is None or custom is None:
                return self._asked_for(probe, key, value.name)
            definition = _definition(custom.runbook.inputs[usual])
            if definition.get("env") == value.name:
                return _hole(self._input_as(usual, definition))
            definition.pop("default", None)
            return _hole(self._input_as(_slug(value.name), {**definition, "env": value.name}))
        named = names_a_system(probe, key, value)
        if usual is None or custom is None:
            return self._asked_for(probe, key, None, example=str(value)) if named else deeply_plain(value)
        definition = _definition(custom.runbook.inputs[usual])
        if definition.get("type") == "secret":
            return _hole(self._input_as(usual, definition))
        definition.pop("optional", None)
        if named:
            return _hole(self._input_as(usual, self._apart(without_system(definition, str(value)))))
        return _hole(self._input_as(usual, self._apart({**definition, "default": value})))

    def _apart(self, definition: Json) -> Json:
        """The definition with a variable of its own: one variable cannot hold two values."""
        wanted = definition.get("env")
        name, number = wanted, 2
        while name is not None and any(
            each.get("env") == name and {**each, "env": wanted} != definition for each in self.inputs.values()
        ):
            name, number = f"{wanted}_{number}", number + 1
        return {**definition, "env": name} if name is not None else definition

    def _system(self, probe: AnyProbe, key: str, system: System, custom: Custom | None) -> str:
        """The input with the connection string of a system: that of one which may be the same, or another."""
        known = self.systems.setdefault(probe.name.partition(".")[0], [])
        for index, (name, each) in enumerate(known):
            if each.may_be(system):
                known[index] = (name, System({**system.parts, **each.parts}, each.variable or system.variable))
                return _hole(name)
        usual = custom.input_of(key) if custom is not None else None
        if usual is not None and custom is not None:
            definition = _definition(custom.runbook.inputs[usual])
        else:
            usual = f"{probe.name.partition('.')[0]}_{key}"
            definition = {"type": "secret", "env": usual.upper()}
        shared = definition.get("env", usual.upper())
        own = system.variable or (f"{shared}_{len(known) + 1}" if known else shared)
        if known and system.parts:
            definition["help"] = f"Connection string of the system with {literal(system.shown)}"
        # Where it is read from another variable than in other runbooks, it is another input.
        name = self._input_as(usual if own == shared else _slug(own), {**definition, "env": own})
        known.append((name, system))
        return _hole(name)

    def _asked_for(self, probe: AnyProbe, key: str, env: str | None, *, example: str = "") -> str:
        """A new input for a parameter that nobody has filled in."""
        spec = probe.params.model_fields.get(key)
        annotation = spec.annotation if spec is not None else str
        definition: Json = {"type": _input_type(annotation)}
        if env is not None:
            definition["env"] = env
        if spec is not None and spec.description:
            definition["help"] = spec.description
        if example:
            definition = without_system(definition, example)
        name = env if env is not None else key if "_" in key else f"{probe.name.partition('.')[0]}_{key}"
        return _hole(self._input_as(_slug(name), definition))

    def _input(self, name: str, runbook: Runbook) -> str:
        return self._input_as(name, _definition(runbook.inputs[name]))

    def _input_as(self, name: str, definition: Json) -> str:
        """The name of an input of this definition; one that differs in its default only is another one."""
        if self.inputs.get(name) == definition:
            return name
        for known, each in self.inputs.items():
            if each == definition and known.startswith(name):
                return known
        name = self._name(name, self.inputs, CONDITION_WORDS)
        self.inputs[name] = definition
        return name

    def _name(self, text: str, taken: Mapping[str, object], reserved: frozenset[str]) -> str:
        name = base = _slug(text)
        number = 2
        while name in taken or name in reserved:
            name = f"{base}_{number}"
            number += 1
        return name


def _fills(theirs: Mapping[str, object], ours: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """What fills in parameters of another step, ``{{ ... }}``, each with what fills them in here."""
    for key, value in ours.items():
        usual = theirs.get(key)
        if isinstance(usual, Mapping) and isinstance(value, Mapping):
            yield from _fills(usual, value)
        elif isinstance(usual, str) and _HOLE.fullmatch(usual):
            yield usual, value


def _set_aside(text: str, theirs: Mapping[str, object], ours: Mapping[str, object]) -> tuple[str, Mapping[str, str]]:
    """A text with a mark where something else than an input is filled in here or there, and what stands for each mark."""
    aside: dict[str, str] = {}
    for number, (hole, value) in enumerate(_fills(theirs, ours)):
        if hole in text and (sole_input(hole) is None or sole_input(value) is None):
            mark = f"\0{number}\0"
            aside[mark] = str(value) if sole_input(value) is not None else literal(str(value))
            text = text.replace(hole, mark)
    return text, aside


def _hole(name: str) -> str:
    return f"{{{{ inputs.{name} }}}}"


def _definition(spec: Input) -> Json:
    return {"type": str(spec.type), **spec.model_dump(mode="json", exclude_defaults=True)}


def _measures(step: Json, probe: str, params: Json) -> bool:
    return step.get("probe") == probe and step.get("with", {}) == params


_TELLING = frozenset({"metric", "namespace", "statistic", "sql", "query", "pattern", "service", "operation", "type"})


def _telling(probe: AnyProbe) -> frozenset[str]:
    """The parameters that say what is measured, rather than of which system: never an address, always a text."""
    return frozenset(each for each in probe.params.model_fields if each in _TELLING)


def _input_type(annotation: object) -> str:
    members = getattr(annotation, "__args__", ())
    for kind, name in ((Secret, "secret"), (bool, "bool"), (int, "int"), (float, "number")):
        if annotation is kind or kind in members:
            return name
    return "string"


def _slug(text: str) -> str:
    """``Check active connections`` as ``check_active_connections``."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    name = ""
    for word in words:
        if name and len(name) + 1 + len(word) > _MOST_NAME:
            break
        name = f"{name}_{word}" if name else word[:_MOST_NAME]
    return name if name[:1].isalpha() else f"step_{name}" if name else _UNKNOWN
