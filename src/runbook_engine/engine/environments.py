"""An environment chosen for a plan: found, read, and held against the inputs that there are."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel
from runbook_engine.document.environment import (
    Environment,
    Known,
    LoadedEnvironment,
    check_values,
    input_names,
    load_environment_file,
)
from runbook_engine.document.models import Input
from runbook_engine.errors import InvalidDocumentError
from runbook_engine.graph.plan import Plan
from runbook_engine.library import Library


class Chosen(Struct, frozen=True):
    """An environment without mistakes for the plan. ``warnings`` are about names that no runbook has."""

    environment: Environment
    file: Path
    warnings: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] = {}


def choose(which: str | Path, plan: Plan, library: Library) -> Chosen:
    """The environment of that name, or in that file, for a plan and the runbooks that it calls.

    Raises UsageError where there is none, and InvalidDocumentError with every mistake at once.
    """
    file = which if isinstance(which, Path) else library.environment_file(which)
    loaded = load_environment_file(file)
    known = inputs_of({name: each.runbook.inputs for name, each in plan.plans.items()})
    names = None
    if loaded.partial is not None and not loaded.partial.values.keys() <= known.keys():
        names = sorted(known.keys() | all_names(_beside(file, library)))
    found = tuple(sorted((*loaded.diagnostics, *check_values(loaded, known, names))))
    if loaded.environment is None or any(each.level is DiagnosticLevel.ERROR for each in found):
        raise InvalidDocumentError(found, loaded.sources)
    return Chosen(loaded.environment, file, found, loaded.sources)


def check_environment_file(file: Path, library: Library) -> LoadedEnvironment:
    """The environment with all that is wrong with it, for every runbook and policy of the library, and those beside it."""
    return check_environment(load_environment_file(file), file, library)


class Inputs(Struct, frozen=True):
    """The inputs of all documents of a library, and the names of those too that are broken."""

    known: Known
    names: tuple[str, ...]


def check_environment(
    loaded: LoadedEnvironment, file: Path, library: Library, memory: dict[Library, Inputs] | None = None
) -> LoadedEnvironment:
    """As ``check_environment_file``, for what was read already and stands in ``file``.

    ``memory`` keeps what was read of libraries, for the next environment.
    """
    memory = {} if memory is None else memory
    library = _beside(file, library)
    if library not in memory:
        memory[library] = _inputs(library)
    there = memory[library]
    found = tuple(sorted((*loaded.diagnostics, *check_values(loaded, there.known, there.names))))
    whole = None if any(each.level is DiagnosticLevel.ERROR for each in found) else loaded.environment
    return LoadedEnvironment(whole, loaded.partial, found, loaded.source)


def _inputs(library: Library) -> Inputs:
    from runbook_engine.document import load_file
    from runbook_engine.document.policy_load import load_policy_file

    documents: dict[str, Mapping[str, Input]] = {}
    for name, each in library.files().items():
        runbook = load_file(each).partial
        documents[name] = runbook.inputs if runbook is not None else {}
    for each in library.policies():
        policy = load_policy_file(each).partial
        documents[f"the policy {each.stem}"] = policy.inputs if policy is not None else {}
    known = inputs_of(documents)
    return Inputs(known, tuple(sorted(known.keys() | all_names(library))))


def inputs_of(documents: Mapping[str, Mapping[str, Input]]) -> Known:
    """The inputs of documents, by the name of each input."""
    known: dict[str, dict[str, Input]] = {}
    for document, inputs in documents.items():
        for name, spec in inputs.items():
            known.setdefault(name, {})[document] = spec
    return known


def all_names(library: Library) -> frozenset[str]:
    """The names of all inputs that any runbook or policy of the library has, sound or not."""
    files: Iterable[Path] = (*library.files().values(), *library.policies())
    return frozenset(name for file in files for name in input_names(file))


def _beside(file: Path, library: Library) -> Library:
    """The library, and before it the directory in whose ``environments`` the file lies."""
    return Library(tuple(dict.fromkeys((file.resolve().parent.parent, *library.directories))))
