"""A runbook put together piece by piece. Names stay apart, and what is used is there."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from runbook_engine import templates
from runbook_engine.authoring.customs import (
    Custom,
    Customs,
    condition_inputs,
    used_inputs,
)
from runbook_engine.document.checks import CONDITION_WORDS, STEP_WORDS
from runbook_engine.document.models import Branch, ErrorRoute, Finding, Input, Runbook
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.secret import Secret

_MOST_NAME = 48
_UNKNOWN = "unknown"

Json = dict[str, Any]


class Variable(Struct, frozen=True):
    """A value that stands in an environment variable: ``$DB_HOST``."""

    name: str


class Guess(Struct, frozen=True):
    """What is bad about a metric of which nobody has said it yet."""

    metric: str
    when: str
    limit: Json | None = None


class Building(Struct):
    """What there is so far, in the form that the document has."""

    customs: Customs
    inputs: dict[str, Json] = field(default_factory=dict)
    steps: dict[str, Json] = field(default_factory=dict)
    findings: dict[str, Json] = field(default_factory=dict)
    resolutions: dict[str, Json] = field(default_factory=dict)
    comments: dict[tuple[str, ...], str] = field(default_factory=dict)

    def measure(
        self, title: str, probe: AnyProbe, given: Mapping[str, object], *, borrow: bool
    ) -> tuple[str, Sequence[str]]:
        """Add a step that measures, with ``given`` parameters: values, or Variables. Its id, and the findings that it raises.

        What a step measures already is not measured again: that step's id, and nothing that it raises anew. With ``borrow``
        the findings keep the resolutions that they have where they come from.
        """
        written = {key: value for key, value in given.items() if not isinstance(value, Variable)}
        custom = self.customs.of(probe, written, _telling(probe))
        filled = self._params(probe, given, custom)
        same = next((key for key, each in self.steps.items() if _measures(each, probe.name, filled)), None)
        if same is not None:
            return self._also(same, title), ()
        step_id = self._name(title, self.steps, STEP_WORDS)
        step: Json = {"title": plain(title), "probe": probe.name}
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
        if custom is not None and (custom.bad or custom.failed):
            raised = self._as_is_usual(step_id, step, custom, borrow=borrow)
        else:
            raised = self._as_guessed(step_id, step, probe)
        return step_id, raised

    def ask(self, title: str, question: str, finding: str) -> tuple[str, Sequence[str]]:
        """Add a step that a person answers, with the finding that a yes raises."""
        step_id = self._name(title, self.steps, STEP_WORDS)
        finding_id = self._name(finding, self.findings, frozenset())
        self.findings[finding_id] = {"level": "warning", "title": plain(finding)}
        self.steps[step_id] = {
            "title": plain(title),
            "ask": plain(question),
            "branches": [{"when": "answer", "finding": finding_id}, {"else": "end"}],
        }
        return step_id, (finding_id,)

    def resolve(self, title: str, steps: Sequence[str]) -> str:
        """Add a resolution; its id."""
        name = self._name(title, self.resolutions, frozenset())
        self.resolutions[name] = {"title": plain(title), "steps": [plain(each) for each in steps]}
        return name

    def describe(self, step_id: str, text: str) -> None:
        """Say more about a step, unless it says that already."""
        step = self.steps[step_id]
        told = [step["title"], step.get("description", ""), step.get("ask", "")]
        if plain(text) and not any(plain(text) in each for each in told):
            description = f"{told[1]}; {plain(text)}" if told[1] else plain(text)
            self.steps[step_id] = {"title": step["title"], "description": description, **step} | {
                "description": description
            }

    def _also(self, step_id: str, title: str) -> str:
        """Say in a step what else it was wanted for."""
        step = self.steps[step_id]
        if plain(title) not in (step["title"], *str(step.get("description", "")).split("; ")):
            self.describe(step_id, title if step.get("description") else f"Also: {title}")
        return step_id

    def _as_is_usual(self, step_id: str, step: Json, custom: Custom, *, borrow: bool) -> Sequence[str]:
        raised: list[str] = []
        routes: dict[str, list[Json]] = {"branches": [], "on_error": []}
        ways: list[Branch | ErrorRoute] = [*custom.bad, *custom.failed]
        for way in ways:
            finding = custom.finding(way)
            name = self._finding(str(way.finding), finding, custom, step_id, borrow=borrow)
            raised.append(name)
            if isinstance(way, Branch):
                renamed = {each: self._input(each, custom.runbook) for each in condition_inputs(way.when)}
                routes["branches"].append({"when": _renamed(way.when, renamed), "finding": name})
            else:
                routes["on_error"].append({"kind": [str(each) for each in way.kind], "finding": name})
        step["branches"] = [*routes["branches"], {"else": "end"}]
        if routes["on_error"]:
            step["on_error"] = [*routes["on_error"], {"else": "end"}]
        return list(dict.fromkeys(raised))

    def _finding(self, name: str, finding: Finding, custom: Custom, step_id: str, *, borrow: bool) -> str:
        made: Json = {"level": str(finding.level)}
        if finding.kind != Finding.model_fields["kind"].default:
            made["kind"] = str(finding.kind)
        renamed = {each: self._input(each, custom.runbook) for each in used_inputs((finding.title, finding.cause))}
        for key, text in (("title", finding.title), ("cause", finding.cause)):
            if text:
                made[key] = _renamed(_rescoped(text, custom.id, step_id), renamed)
        resolution = custom.runbook.resolutions.get(finding.resolution) if finding.resolution else None
        if borrow and resolution is not None:
            made["resolution"] = self._resolution(str(finding.resolution), resolution.title, resolution.steps)
        if self.findings.get(name) == made:
            return name
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
            step["extract"] = {"value": {"path": "value"}}
            types = {"value": MetricType(Dimension.NUMBER)}
        guess = _guess(types, step_id)
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
            "title": f"{_words(guess.metric).capitalize()} is {{{{ {step_id}.{guess.metric} }}}}",
        }
        step["branches"] = [{"when": when, "finding": finding}, {"else": "end"}]
        return (finding,)

    def _params(self, probe: AnyProbe, given: Mapping[str, object], custom: Custom | None) -> Json:
        usual = custom.step.params if custom is not None else {}
        filled: Json = {}
        for name, spec in probe.params.model_fields.items():
            key = spec.alias or name
            theirs = usual.get(key)
            if key in given:
                filled[key] = self._given(probe, key, given[key], custom)
            elif theirs is not None and custom is not None:
                renamed = {each: self._input(each, custom.runbook) for each in used_inputs(theirs)}
                filled[key] = _deeply_renamed(theirs, renamed)
            elif spec.is_required():
                filled[key] = self._asked_for(probe, key, None)
        return filled

    def _given(self, probe: AnyProbe, key: str, value: object, custom: Custom | None) -> object:
        """A parameter as a command had it: an input where it is usually one, else as it is written."""
        usual = custom.input_of(key) if custom is not None else None
        if isinstance(value, Variable):
            if usual is None or custom is None:
                return self._asked_for(probe, key, value.name)
            definition = _definition(custom.runbook.inputs[usual])
            if definition.get("env") == value.name:
                return _hole(self._input_as(usual, definition))
            definition.pop("default", None)
            return _hole(self._input_as(usual, {**definition, "env": value.name}))
        if usual is None or custom is None:
            return _deeply_plain(value)
        definition = _definition(custom.runbook.inputs[usual])
        if definition.get("type") == "secret":
            return _hole(self._input_as(usual, definition))
        definition.pop("optional", None)
        return _hole(self._input_as(usual, {**definition, "default": value}))

    def _asked_for(self, probe: AnyProbe, key: str, env: str | None) -> str:
        """A new input for a parameter that nobody has filled in."""
        spec = probe.params.model_fields.get(key)
        annotation = spec.annotation if spec is not None else str
        definition: Json = {"type": _input_type(annotation)}
        if env is not None:
            definition["env"] = env
        if spec is not None and spec.description:
            definition["help"] = spec.description
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


def plain(text: str) -> str:
    """A text in which nothing is filled in, whatever it holds."""
    try:
        if templates.parse(text).parts in ((), (text,)) and "{#" not in text:
            return text
    except templates.TemplateError:
        pass
    if "endraw" in text:
        return re.sub(r"\{(?=[{%#])", "{ ", text)
    return f"{{% raw %}}{text}{{% endraw %}}"


def _deeply_plain(value: object) -> object:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {key: _deeply_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_deeply_plain(each) for each in value]
    return value


def _deeply_renamed(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _renamed(value, names) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: _deeply_renamed(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_deeply_renamed(each, names) for each in value]
    return value


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """A condition or a template with other names for its inputs."""
    return re.sub(r"\binputs\.(\w+)", lambda found: f"inputs.{names.get(found[1], found[1])}", text)


def _rescoped(text: str, old: str, new: str) -> str:
    return re.sub(r"\{\{.*?\}\}", lambda hole: re.sub(rf"\b{old}\.", f"{new}.", hole[0]), text)


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


_LIMITS: Sequence[tuple[Dimension, Json, str]] = (
    (Dimension.PERCENT, {"type": "percent", "default": "80%"}, ">"),
    (Dimension.DURATION, {"type": "duration", "default": "1s"}, ">"),
    (Dimension.RATE, {"type": "rate", "default": "100/s"}, ">"),
    (Dimension.BYTES, {"type": "bytes", "default": "1GiB"}, ">"),
    (Dimension.NUMBER, {"type": "number", "default": 0}, ">"),
)


def _guess(types: Mapping[str, MetricType], step_id: str) -> Guess | None:
    """A condition to begin with, on the metric that says most."""
    for dimension, definition, operator in _LIMITS:
        for name, each in types.items():
            if each.dimension is dimension and name not in CONDITION_WORDS:
                told = f"{_words(name).capitalize()} of {_words(step_id)} that is a warning"
                return Guess(name, f"{name} {operator}", {**definition, "help": told})
    for name, each in types.items():
        if each.dimension is Dimension.BOOL:
            return Guess(name, f"not {name}")
        if each.members:
            return Guess(name, f'{name} != "{each.members[0]}"')
    return None


def _words(name: str) -> str:
    return name.replace("_", " ")


def _slug(text: str) -> str:
    """``Check active connections`` as ``check_active_connections``."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    name = ""
    for word in words:
        if name and len(name) + 1 + len(word) > _MOST_NAME:
            break
        name = f"{name}_{word}" if name else word[:_MOST_NAME]
    return name if name[:1].isalpha() else f"step_{name}" if name else _UNKNOWN
