"""Environments: the values of inputs in production, in staging, in the lab, shared by all runbooks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path as FilePath
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import Field, ValidationError

from runbook_engine.document import shape
from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel, quoted
from runbook_engine.document.draft import Draft, Mistake, ToText
from runbook_engine.document.fitting import misfit
from runbook_engine.document.load import MOST_MISTAKES, MOST_ROUNDS, ReadText, Report, read_text
from runbook_engine.document.models import (
    ENV_PATTERN,
    Input,
    InputType,
    Model,
    Name,
    RunbookNameField,
    Scalar,
    Text,
)
from runbook_engine.document.nodes import Raw
from runbook_engine.document.places import describe
from runbook_engine.document.source import Path, Source
from runbook_engine.document.wording import shown
from runbook_engine.document.yaml_text import compose
from runbook_engine.errors import closest

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class FromVariable(Model):
    """``{env: STAGING_DATABASE_URL}``: the value is what that variable holds. Where it is not set, there is none, even if the
    input's own variable is set.
    """

    env: Annotated[str, Field(pattern=ENV_PATTERN)] = Field(description="The environment variable that holds the value")


class Environment(Model):
    """The values of inputs in one place where the system runs; they count before variables that inputs name. What a runbook
    has no input for is ignored.
    """

    environment: RunbookNameField = Field(
        description="The name: lower-case words joined by hyphens, as the file is called"
    )
    title: Text = Field(description="Where that is, in one line")
    description: str = Field("", description="More about it")
    allow: tuple[Literal["shell", "shell-string", "sql-functions"], ...] = Field(
        (), description="What runs in this environment may do that is refused by default, as --allow grants it"
    )
    values: dict[Name, Scalar | FromVariable] = Field(
        default_factory=dict,
        description="The values, by the name of the input: literals, or {env: VARIABLE} for secrets",
    )

    @property
    def source(self) -> str:
        """Where its values come from, as reports tell it."""
        return f"environment {self.environment}"


Known = Mapping[str, Mapping[str, Input]]
"""The inputs that there are: by the name of each, by the document that has it."""


class LoadedEnvironment(Struct, frozen=True):
    """An environment that was read. ``environment`` is None where any diagnostic is an error; ``partial`` is what remains
    without the broken parts, for further checks.
    """

    environment: Environment | None
    partial: Environment | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source

    @property
    def sources(self) -> Mapping[str, str]:
        return {self.source.file: self.source.text}


def load_environment_file(file: FilePath | str) -> LoadedEnvironment:
    """Read a file in UTF-8. Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file)
    if isinstance(read, ReadText):
        return load_environment(read.text, read.file)
    return LoadedEnvironment(None, None, read.diagnostics, read.source)


def load_environment(text: str, file: str) -> LoadedEnvironment:
    """Read the text of ``file``. Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text."""
    text = text.removeprefix("\ufeff")
    composed = compose(text, file)
    report = Report(Source(file, text, composed.root), composed.diagnostics)
    if not (composed.diagnostics and composed.root is None):
        if isinstance(composed.value, dict) and "environment" in composed.value:
            return _salvage(composed.value, report)
        found = "the document is empty" if composed.value is None else "this is not an environment"
        hint = "an environment begins with environment: its-name, as the shipped environments/production.yaml does"
        report.add([Mistake("RB110", found, (), "begin with environment: its-name", hint, at_key=True)])
    return LoadedEnvironment(None, None, report.diagnostics, report.source)


def check_values(loaded: LoadedEnvironment, known: Known, names: Sequence[str] | None = None) -> tuple[Diagnostic, ...]:
    """What is wrong with the values for these inputs; an error for each that does not fit one.

    ``names`` are those of all inputs that any document has, by which a misspelled one is told, as a warning. Without it none
    is looked for.
    """
    if loaded.partial is None:
        return ()
    found = [
        each
        for name, value in loaded.partial.values.items()
        for each in _misfits(loaded.source, name, value, known.get(name, {}))
    ]
    if names is not None:
        found += [_unknown(loaded.source, name, names) for name in loaded.partial.values if name not in names]
    return tuple(sorted(found))


def input_names(file: FilePath) -> frozenset[str]:
    """The names of a document's inputs, as they are written, without a check of anything else."""
    read = read_text(file)
    if not isinstance(read, ReadText):
        return frozenset()
    value = compose(read.text.removeprefix("\ufeff"), read.file).value
    inputs = value.get("inputs") if isinstance(value, dict) else None
    return frozenset(inputs) if isinstance(inputs, dict) else frozenset()


def _misfits(
    source: Source, name: str, value: Scalar | FromVariable, specs: Mapping[str, Input]
) -> Iterator[Diagnostic]:
    """One for all documents that say the same of their input."""
    if isinstance(value, FromVariable):
        return
    span = source.span(("values", name))
    said: set[str] = set()
    for document, spec in specs.items():
        if spec.type is InputType.SECRET:
            message = f"{quoted(name)} is a secret of {document}, and a literal writes it into the document"
            hint = f"name the variable that holds it: {{env: {spec.env or name.upper()}}}"
            if "secret" not in said:
                yield Diagnostic("RB123", message, source.file, span, "remove it", hint)
            said.add("secret")
            continue
        problem = misfit(value, spec.type, spec.values)
        if problem is None or problem.sentence in said:
            continue
        said.add(problem.sentence)
        message = f"the value of {quoted(name)} {problem.sentence}"
        hint = f"{problem.help + '; ' if problem.help else ''}in {document} it is of the type {spec.type}"
        yield Diagnostic("RB701", message, source.file, span, problem.label, hint)


def _unknown(source: Source, name: str, names: Sequence[str]) -> Diagnostic:
    guess = closest(name, names)
    return Diagnostic(
        "RB702",
        f"no runbook has an input {quoted(name)}",
        source.file,
        source.span(("values", name), key=True),
        f'did you mean "{guess}"?' if guess else "",
        "it has no effect; runbook show NAME lists the inputs of a runbook",
        DiagnosticLevel.WARNING,
        source.rewritten(("values", name), guess, key=True) if guess else None,
    )


def _salvage(raw: dict[str, Raw], report: Report) -> LoadedEnvironment:
    """Validate, take out what is wrong, and validate again until nothing is."""
    draft = Draft(raw)
    for _ in range(MOST_ROUNDS):
        document, moved = draft.build()
        environment, mistakes = _judge(document, ToText(moved))
        if environment is not None and not mistakes:
            report.source = report.source.salvaged(moved)
            whole = None if report.failed else environment
            return LoadedEnvironment(whole, environment, report.diagnostics, report.source)
        # What follows from an earlier mistake lies on the way to it.
        fresh = [each for each in mistakes if each.about not in draft.touched]
        if not report.add(fresh) or not draft.apply(mistakes):
            break
    return LoadedEnvironment(None, None, report.diagnostics, report.source)


def _judge(document: dict[str, Raw], to_text: ToText) -> tuple[Environment | None, list[Mistake]]:
    """The environment, if it is sound, and the mistakes in it, at their places in the text."""

    def name(path: Path) -> str:
        return to_text.describe(path) if path else "the environment"

    values = document.get("values")
    found: list[Mistake] = []
    if isinstance(values, dict):
        found.extend(_values(values))
        wrong = {each.path[1] for each in found}
        document = {**document, "values": {name: value for name, value in values.items() if name not in wrong}}
    environment = None
    try:
        environment = Environment.model_validate(document)
    except ValidationError as error:
        found.extend(shape.mistakes(error, document, name))
    return environment, [to_text.mistake(each) for each in islice(found, MOST_MISTAKES + 1)]


def _values(values: Mapping[str, Raw]) -> Iterator[Mistake]:
    """What is neither a literal nor the name of a variable: told in one sentence, and not in one for each type."""
    hint = "a value is a text, a number, true, false, or {env: VARIABLE}"
    for name, value in values.items():
        at: Path = ("values", name)
        match value:
            case None:
                yield Mistake(
                    "RB113", f"{describe(at)} is empty", at, "give it a value, or remove it", hint, at_key=True
                )
            case {"env": str(variable), **rest}:
                if not _VARIABLE.match(variable):
                    legal = "a variable is written in letters, digits and _, such as DATABASE_URL"
                    message = f"the variable of {describe(at)} is {shown(variable)}, which is no legal name"
                    yield Mistake("RB115", message, (*at, "env"), "", legal, drop=at)
                for key in map(str, rest):
                    message = f"{describe(at)} has no key {quoted(key)}"
                    yield Mistake("RB111", message, (*at, key), "", "its only key is env", at_key=True, drop=at)
            case dict() | list():
                yield Mistake("RB113", f"{describe(at)} is {shown(value)}, not a value", at, "", hint, drop=at)
