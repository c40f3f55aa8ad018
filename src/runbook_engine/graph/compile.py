"""Document -> plan, with everything that can be known before running."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine.document import Diagnostic, DiagnosticLevel, Loaded, RawNames, Source
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.load import SAVED, Unsaved
from runbook_engine.document.models import AnyStep, CallStep, ProbeStep, Runbook
from runbook_engine.errors import RunbookNotFoundError, closest, did_you_mean
from runbook_engine.graph.limits import check_limits
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.names import NameChecks
from runbook_engine.graph.parts import Parts
from runbook_engine.graph.plan import Plan, PlannedStep, dimensions
from runbook_engine.graph.scope import Scope, input_type, step_types
from runbook_engine.graph.structure import check_structure, topological_order
from runbook_engine.graph.triggers import check_triggers
from runbook_engine.ids import StepId
from runbook_engine.library import Library
from runbook_engine.probe.registry import AnyProbe, Registry

if TYPE_CHECKING:
    from runbook_engine.document.policy import Policy


class CompiledRunbook(Struct, frozen=True):
    """``plan`` is None where any diagnostic is an error. ``sources`` has the text of every file read, by file name."""

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]


class Compiler(Struct, frozen=True):
    """Compiles runbooks against the installed probes and a library for those that are called."""

    registry: Registry
    library: Library
    thorough: bool = False
    """Also say what is legal and rarely meant, and prove what can be proven: for the checker; a run does without."""
    policies: tuple["Policy", ...] = ()
    """Those whose thresholds a thorough check holds against the runbook's."""
    priorities: tuple[str, ...] = ()
    """Those of the policy of incidents, one of which the runbook's severity must be; none, where that is not checked."""
    called: "dict[Path, CompiledRunbook] | None" = None
    """Sound runbooks that others call or test, kept so that each is compiled once; None keeps nothing."""
    texts: bool = True
    """Also check the texts that people read: for whoever has not done so where they stand."""
    notes: bool = True
    """Also look for what is only worth knowing where that takes long."""
    unsaved: Unsaved = SAVED
    """What counts instead of what stands in the files of runbooks that others call or test."""
    _calling: tuple[str, ...] = ()

    def for_others(self, file: Path, calling: tuple[str, ...] = ()) -> CompiledRunbook:
        """A runbook that is not checked itself, but called by ``calling`` or tested."""
        known = self.called.get(file) if self.called is not None else None
        if known is not None:
            return known
        compiler = Compiler(self.registry, self.library, called=self.called, unsaved=self.unsaved, _calling=calling)
        compiled = compiler.file(file)
        # One with a mistake may be without it where others call it: a circle has a beginning.
        if self.called is not None and compiled.plan is not None:
            self.called[file] = compiled
        return compiled

    def file(self, file: Path) -> CompiledRunbook:
        from runbook_engine.document import load_file

        return self.loaded(load_file(file, self.unsaved), file)

    def loaded(self, loaded: Loaded, file: Path | None = None) -> CompiledRunbook:
        """Compile what could be read; mistakes of shape and of meaning are reported together."""
        found = Mistakes(loaded.source, list(loaded.diagnostics))
        plan = None
        if loaded.partial is not None:
            plan = self._compile(loaded.partial, loaded, found, file)
        diagnostics = found.sorted()
        failed = loaded.runbook is None or any(each.level is DiagnosticLevel.ERROR for each in diagnostics)
        sources = {loaded.source.file: loaded.source.text, **found.other_sources}
        return CompiledRunbook(None if failed else plan, diagnostics, sources)

    def _compile(self, runbook: Runbook, loaded: Loaded, found: Mistakes, file: Path | None) -> Plan | None:
        names = NameChecks(runbook, loaded.names, found)
        names.check_targets()
        if runbook.triggers:
            check_triggers(runbook, loaded.names.inputs, found)
        if self.priorities and runbook.severity is not None and runbook.severity not in self.priorities:
            message, hint = f'"severity" is {quoted(runbook.severity)}', f"legal values: {', '.join(self.priorities)}"
            found.add("RB114", f"{message}, which is not legal", ("severity",), help=hint)
        probes = {
            step_id: self._probe(step.probe, step_id, found)
            for step_id, step in runbook.steps.items()
            if isinstance(step, ProbeStep)
        }
        children = {
            step_id: self._child(step, step_id, found, file)
            for step_id, step in runbook.steps.items()
            if isinstance(step, CallStep)
        }
        successors = names.successors()
        order = topological_order(successors)
        check_structure(runbook, order, successors, found, whole=not (names.dangling or loaded.names.broken))
        scope = Scope(
            inputs={name: input_type(spec) for name, spec in runbook.inputs.items()},
            unknowable_inputs=frozenset(loaded.names.inputs) - set(runbook.inputs),
            steps={step_id: step_types(step, probes.get(step_id)) for step_id, step in runbook.steps.items()},
            unknowable=frozenset(loaded.names.steps) - set(runbook.steps)
            | {step_id for step_id, each in probes.items() if each is None},
        )
        # The prover finds what is not covered on its way, where there is an order to prove in.
        parts = Parts(runbook, scope, found, order, successors, covering=order is None or not self.thorough)
        steps = {
            step_id: self._step(step_id, step, parts, probes.get(step_id), children.get(step_id))
            for step_id, step in runbook.steps.items()
        }
        texts = parts.findings(steps)
        if self.texts:
            parts.texts()
        names.check_unused(parts.used_inputs)
        if order is None:
            return None
        document = as_json(runbook)
        plan = Plan(runbook, document, digest(document), steps, successors, order, texts, scope.inputs, file)
        check_limits(plan, found)
        if self.thorough:
            self._advise(plan, parts, found)
        return plan

    def _advise(self, plan: Plan, parts: Parts, found: Mistakes) -> None:
        from runbook_engine.graph import advice
        from runbook_engine.graph.contradictions import check_contradictions
        from runbook_engine.graph.known import check_known
        from runbook_engine.graph.label_hosts import check_label_hosts
        from runbook_engine.graph.proofs import Prover
        from runbook_engine.graph.secret_checks import check_secrets

        check_known(plan, found)
        sound = {step_id: step for step_id, step in plan.steps.items() if step_id not in parts.unsound}
        Prover(sound, frozenset(plan.runbook.start), parts.types, found, notes=self.notes).check()

        check_contradictions(plan, self.policies, found)
        advice.check_findings(plan.runbook, found)
        advice.check_ways(plan.steps, found)
        advice.check_latencies(plan, found)
        advice.check_duration(plan, found)
        advice.check_reading_only(plan, found)
        check_secrets(plan, found)
        check_label_hosts(plan, found)

    def _step(
        self, step_id: StepId, step: AnyStep, parts: Parts, probe: AnyProbe | None, child: Plan | None
    ) -> PlannedStep:
        params, filling = parts.params(step_id, step, probe, child)
        extracting = parts.extracting(step_id, step, probe)
        ways, routes = parts.ways(step_id, step)
        types = parts.scope.steps[step_id]
        return PlannedStep(
            step_id, step, types, dimensions(types), ways, routes, probe, params, filling, child, extracting
        )

    def _probe(self, name: str, step: StepId, found: Mistakes) -> AnyProbe | None:
        from runbook_engine.errors import RunbookError, UnknownProbeError

        try:
            return self.registry.get(name)
        except UnknownProbeError as error:
            listed = ", ".join(error.known) or "none; install a package that provides probes"
            guess = closest(name, error.known)
            family = name.partition(".")[0]
            hint = f"installed probes: {listed}"
            if not any(each.startswith(f"{family}.") for each in error.known):
                hint = f"no {family} probes are installed; pip install runbook-probes-{family} is the customary name; {hint}"
            found.add("RB401", str(error), ("steps", step, "probe"), help=hint, write=guess)
        except RunbookError as error:
            found.add("RB402", str(error), ("steps", step, "probe"))
        return None

    def _child(self, step: CallStep, step_id: StepId, found: Mistakes, file: Path | None) -> Plan | None:
        at = ("steps", step_id, "call")
        calling = (*self._calling, found.runbook)
        if step.call in calling:
            found.add("RB211", f"runbooks call each other in a circle: {' -> '.join((*calling, step.call))}", at)
            return None
        try:
            path = self.library.find(step.call, near=file.parent if file else None)
        except RunbookNotFoundError as error:
            found.add(
                "RB210",
                f'step "{step_id}" calls the runbook "{step.call}", which does not exist'
                + did_you_mean(step.call, error.known),
                at,
                help=f"runbooks: {', '.join(error.known) or 'none'}; searched {', '.join(error.searched) or 'nowhere'}",
                write=closest(step.call, error.known),
            )
            return None
        compiled = self.for_others(path, calling)
        if compiled.plan is None:
            errors = [each for each in compiled.diagnostics if each.level is DiagnosticLevel.ERROR]
            found.add(
                "RB212", f'the called runbook "{step.call}" has {len(errors)} mistakes of its own: {errors[0]}', at
            )
        return compiled.plan


def thorough(registry: Registry, library: Library, unsaved: Unsaved = SAVED) -> Compiler:
    """The compiler as ``runbook check`` uses it. ``unsaved`` is what counts instead of what stands in files."""
    from runbook_engine.document.policy_load import load_policy_file

    policies = (load_policy_file(each, unsaved).partial for each in library.policies())
    sound = tuple(each for each in policies if each is not None)
    order = _priorities(library, unsaved)
    return Compiler(registry, library, thorough=True, policies=sound, priorities=order, called={}, unsaved=unsaved)


def _priorities(library: Library, unsaved: Unsaved) -> tuple[str, ...]:
    from runbook_engine.document.incident_policy_load import load_incident_policy_file
    from runbook_engine.errors import UsageError

    try:
        policy = load_incident_policy_file(library.policy_file("incidents"), unsaved).partial
    except UsageError:
        return ()
    return policy.order if policy is not None else ()


def as_json(runbook: Runbook) -> dict[str, JsonValue]:
    """What a run does, as JSON, defaults left out; ``triggers``, too: by which alerts it is run is no part of that."""
    text = runbook.model_dump_json(by_alias=True, exclude_defaults=True, exclude={"triggers"})
    plain: dict[str, JsonValue] = json.loads(text)
    return plain


def digest(document: Mapping[str, JsonValue]) -> str:
    """A fingerprint of what a runbook says, whatever its layout and the order of its keys."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def recorded_plan(documents: Mapping[str, Runbook], name: str, fingerprint: str) -> Plan:
    """The plan of a recorded run: its runbooks were proven when they ran, and its probes need not be installed."""
    runbook = documents[name]
    mistakes = Mistakes(Source("", ""), [], runbook.runbook, checking=False)
    names = NameChecks(runbook, RawNames(), mistakes)
    successors = names.successors()
    order = topological_order(successors)
    scope = Scope(
        inputs={name: input_type(spec) for name, spec in runbook.inputs.items()},
        unknowable_inputs=frozenset(),
        steps={step_id: step_types(step, None) for step_id, step in runbook.steps.items()},
        unknowable=frozenset(runbook.steps),
    )
    parts = Parts(runbook, scope, mistakes, order, successors)
    steps = {}
    for step_id, step in runbook.steps.items():
        child = None
        if isinstance(step, CallStep):
            called = documents[step.call]
            child = recorded_plan(documents, step.call, digest(as_json(called)))
        params, filling = parts.params(step_id, step, None, child)
        ways, routes = parts.ways(step_id, step)
        types = scope.steps[step_id]
        steps[step_id] = PlannedStep(
            step_id, step, types, dimensions(types), ways, routes, None, params, filling, child
        )
    return Plan(
        runbook, as_json(runbook), fingerprint, steps, successors, order or (), parts.findings(steps), scope.inputs
    )
