"""Documents to begin with that are no runbooks: environments, policies, playbooks, knowledge. None names a system."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from string import Template
from types import MappingProxyType

from runbook_engine.document.load import load_file
from runbook_engine.document.models import Input, InputType
from runbook_engine.document.policy_load import load_policy_file
from runbook_engine.document.yaml_writing import flow
from runbook_engine.graph.extract_checks import given_to_extracts
from runbook_engine.library import Library

PLACES: Mapping[str, str] = MappingProxyType(
    {
        "environment": "environments/{name}.yaml",
        "policy": "policy/{name}.yaml",
        "playbook": "playbooks/{name}.yaml",
        "knowledge": "knowledge.yaml",
    }
)
"""The kinds, with where each lies below a directory of runbooks."""

POLICIES = ("incidents", "metrics")
"""The policies that there are: how people respond, and what is measured first."""

_SHAPES: Mapping[InputType, str] = MappingProxyType(
    {
        InputType.URL: "https://...",
        InputType.INT: "1",
        InputType.NUMBER: "1",
        InputType.BOOL: "true",
        InputType.DURATION: "500ms",
        InputType.PERCENT: "80%",
        InputType.BYTES: "1GiB",
        InputType.RATE: "10/s",
    }
)


def skeleton(kind: str, name: str, *, title: str, owner: str, library: Library) -> str:
    """The text of a new document of one of the kinds in PLACES; it has no mistake as it is."""
    if kind == "environment":
        return "".join(f"{line}\n" for line in _environment(name, title, library))
    text = files("runbook_engine.authoring").joinpath("blank", f"{_file(kind, name)}.yaml").read_text("utf-8")
    roles = _roles(library)
    return Template(text).substitute(
        name=name, title=flow(title), owner=flow(owner or "operations"), roles=", ".join(roles), lead=roles[0]
    )


def _file(kind: str, name: str) -> str:
    return name if kind == "policy" else kind


def _roles(library: Library) -> Sequence[str]:
    """The roles of the policy of incidents that there is."""
    from runbook_engine.document.incident_policy_load import load_incident_policy_file

    policy = load_incident_policy_file(library.policy_file("incidents")).partial
    return tuple(policy.roles) if policy is not None else ("incident_commander",)


def _environment(name: str, title: str, library: Library) -> Iterator[str]:
    inputs = _of_a_system(library)
    yield "# The values of inputs that have no default, and where answers keep their values: fill in those that are commented"
    yield "# out, take out what is not needed."
    yield "# A secret is never written here: its variable is."
    yield f"environment: {flow(name)}"
    yield f"title: {flow(title)}"
    yield ""
    secrets = any(spec.type is InputType.SECRET for spec, _ in inputs.values())
    yield "values:" if secrets else "# values:"
    prefix = name.replace("-", "_").upper()
    for key, (spec, documents) in inputs.items():
        most = ", ".join(documents[:3])
        more = f" and {len(documents) - 3} more" if len(documents) > 3 else ""
        may = "; may be left out" if spec.optional or spec.default is not None else ""
        yield f"  # {spec.help or key.replace('_', ' ')} ({most}{more}{may})".replace("\n", " ")
        if spec.type is InputType.SECRET:
            yield f"  {key}: {{env: {prefix}_{key.upper()}}}"
        else:
            named = spec.default if spec.default is not None else spec.values[0] if spec.values else None
            example = flow(named) if named is not None else _SHAPES.get(spec.type, "...")
            yield f"  # {key}: {example}"


def _of_a_system(library: Library) -> Mapping[str, tuple[Input, Sequence[str]]]:
    """The inputs of all documents that have no default, or say where answers keep their values; by name, those first that
    are always needed, each with its documents.
    """
    documents: dict[str, Mapping[str, Input]] = {}
    of_answers: set[str] = set()
    for name, file in library.files().items():
        runbook = load_file(file).partial
        documents[name] = runbook.inputs if runbook is not None else {}
        of_answers.update(given_to_extracts(runbook.steps.values()) if runbook is not None else ())
    for file in library.policies():
        policy = load_policy_file(file).partial
        documents[f"policy {file.stem}"] = policy.inputs if policy is not None else {}
        of_answers.update(given_to_extracts(policy.metrics.values()) if policy is not None else ())
    found: dict[str, tuple[Input, list[str]]] = {}
    for document, inputs in documents.items():
        for key, spec in inputs.items():
            if spec.default is None or key in of_answers:
                known, names = found.get(key, (spec, []))
                # One that any of them needs is needed.
                found[key] = (spec if known.optional and not spec.optional else known, [*names, document])
    return dict(sorted(found.items(), key=lambda each: (_is_optional(each[1][0]), each[0])))


def _is_optional(spec: Input) -> bool:
    return spec.optional or spec.default is not None
