"""A live run: probes side by side, each under its deadline, every event written before its effect is shown."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct, field
from pydantic import JsonValue

from runbook_engine.document.environment import Environment
from runbook_engine.document.models import AskStep, CallStep, ProbeStep, Retry
from runbook_engine.engine.asking import Ask, Question, default_of, read_answer
from runbook_engine.engine.border import Border
from runbook_engine.engine.clock import Clock, SystemClock
from runbook_engine.engine.events import (
    AttemptFailed,
    BlindSpot,
    CallStarted,
    Ending,
    Event,
    Failure,
    KnownMessage,
    MessagesRecognised,
    Outcome,
    RunFinished,
    RunStarted,
    StepFailed,
    StepSkipped,
    StepStarted,
)
from runbook_engine.engine.fault import fault
from runbook_engine.engine.inputs import Resolved, resolve
from runbook_engine.engine.journal import Journal, MemoryJournal
from runbook_engine.engine.judgement import Answer, Judgement, NotAsked, Reading, Result, ScopeRun
from runbook_engine.engine.knowledge import Recogniser
from runbook_engine.engine.known import told
from runbook_engine.engine.measure import Prepared, fill, lacking, measure, prepare, timed_out
from runbook_engine.engine.once import measured_once
from runbook_engine.engine.trace import Trace, child_scope, fold, outcome_of
from runbook_engine.engine.walk import Moved
from runbook_engine.engine.writing import Writer
from runbook_engine.errors import InputsError, RunbookError
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.graph.scope import CALL_TYPES
from runbook_engine.ids import RunId, StepId, new_run_id
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import ProbeContext, Value, in_thread
from runbook_engine.templates import MissingValueError
from runbook_engine.version import VERSION

Observer = Callable[[Event], None]
Recognition = Callable[[], tuple[KnownMessage, ...]]
Begun = Prepared | Failure | NotAsked | None
"""A step that is about to run: what it will measure, or why it measures nothing. None where nothing has to be prepared."""


class Surroundings(Struct, frozen=True):
    """What a run is given beside its runbook and inputs. ``deadline`` is for the whole run, in seconds."""

    ask: Ask | None = None
    answers: Mapping[str, object] = {}
    observe: Observer | None = None
    journal: Journal = field(default_factory=MemoryJournal)
    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    grants: Mapping[str, str] = {}
    """What the run may do that is refused by default, each with what grants it."""
    deadline: float | None = None
    environment: Environment | None = None
    knowledge: Recogniser | None = None
    """Asked about what failed, and about the log lines in readings, from a thread."""


class Runner:
    """One run of one plan. ``events`` has all that was written so far, also after an interruption."""

    def __init__(self, plan: Plan, inputs: Mapping[str, Resolved], around: Surroundings) -> None:
        self._plan = measured_once(plan)
        self._around = around
        self._inputs = inputs
        self._border = Border(secret for each in inputs.values() for secret in each.secrets)
        self._border.learn_environment(around.environ)
        self.run_id: RunId = new_run_id(around.clock.now())
        self.events: list[Event] = []
        self._unwritten: list[Event] = []
        self._writer = Writer(around.journal, self.run_id, self._tell)
        self._running: dict[tuple[str, StepId], ScopeRun] = {}
        self._scopes: list[ScopeRun] = []

    def trace(self) -> Trace:
        """How far the run has come."""
        start = self.events[0]
        assert isinstance(start, RunStarted)  # noqa: S101 - a run begins with its start
        # A document that needed no masking is the plan's own, which is validated already.
        known = {
            name: each.runbook for name, each in self._plan.plans.items() if start.documents[name] is each.document
        }
        return fold(self.events, known)

    async def run(self) -> Trace:
        """Walk to the end, the deadline or the cancellation. Cancelled, it writes how far it came and lets go."""
        plan, around = self._plan, self._around
        documents = documents_of(plan, self._border)
        shown = self._border.inputs({name: each.shown() for name, each in self._inputs.items()})
        runbook = plan.runbook
        self._emit(
            RunStarted(
                around.clock.now(),
                self.run_id,
                runbook.runbook,
                runbook.version,
                plan.digest,
                documents,
                shown,
                VERSION,
                around.grants,
            )
        )
        ending = Ending.INTERRUPTED
        try:
            with anyio.move_on_after(around.deadline) as limit:
                self._writer.stop = limit.cancel
                await self._walk(ScopeRun.of("", plan, self._inputs, self._border))
                ending = Ending.COMPLETED
            if limit.cancelled_caught:
                ending = Ending.DEADLINE
        finally:
            self._finish(ending)
            await self._writer.finish()
        return self.trace()

    def _finish(self, ending: Ending) -> None:
        why = "the run's own deadline passed first" if ending is Ending.DEADLINE else "the run was interrupted"
        for (scope, step), run in list(self._running.items()):
            if isinstance(run.plan.steps[step].model, CallStep):
                continue
            failure = Failure(
                ErrorKind.TIMEOUT, f"not measured: {why}", "run it again, with a longer --deadline if need be"
            )
            at = self._around.clock.now()
            self._emit(StepFailed(at, scope, step, 1, failure))
            self._emit(BlindSpot(at, scope, step, failure.kind, failure.message, failure.remedy))
            run.blind_spots += 1
        self._running.clear()
        findings = [each for run in self._scopes for each in run.findings]
        blind = ending is not Ending.COMPLETED or not_well(self._scopes)
        self._emit(RunFinished(self._around.clock.now(), outcome_of(findings, blind=blind), ending))
        self._write()

    def _emit(self, *events: Event) -> None:
        self._unwritten.extend(events)

    def _write(self) -> None:
        """Hand everything that has happened to the journal, which is told once it is kept."""
        events, self._unwritten = self._unwritten, []
        if events:
            self._writer.put(events)

    def _tell(self, events: Sequence[Event]) -> None:
        self.events.extend(events)
        if self._around.observe is not None:
            for event in events:
                self._around.observe(event)

    async def _walk(self, run: ScopeRun) -> None:
        self._scopes.append(run)
        moved = run.walk.begin(run.plan.runbook.start)
        async with anyio.create_task_group() as tasks:
            await self._go_on(run, moved, tasks)

    async def _go_on(self, run: ScopeRun, moved: Moved, tasks: TaskGroup) -> None:
        """Start what is ready: the first in this task, others beside it. So a chain of steps is a loop, not a tower."""
        while True:
            at = self._around.clock.now()
            for skipped in moved.skipped:
                self._emit(StepSkipped(at, run.scope, skipped))
            prepared = [(run.plan.steps[name], self._begin(run, run.plan.steps[name], at)) for name in moved.ready]
            self._write()
            if not prepared:
                return
            for step, ready in prepared[1:]:
                tasks.start_soon(self._branch_off, run, step, ready, tasks)
            step, ready = prepared[0]
            moved = await self._step(run, step, ready, tasks)

    async def _branch_off(self, run: ScopeRun, step: PlannedStep, ready: Begun, tasks: TaskGroup) -> None:
        await self._go_on(run, await self._step(run, step, ready, tasks), tasks)

    def _begin(self, run: ScopeRun, step: PlannedStep, at: float) -> Begun:
        self._running[run.scope, step.id] = run
        prepared = self._prepared(run, step)
        self._emit(StepStarted(at, run.scope, step.id, prepared.command if isinstance(prepared, Prepared) else ""))
        return prepared

    def _prepared(self, run: ScopeRun, step: PlannedStep) -> Begun:
        try:
            prepared: Begun = run.unasked(step)
            if step.probe is not None and prepared is None:
                prepared = prepare(
                    step, run.filled(step.id), run.plan.runbook.inputs, self._border, frozenset(self._around.grants)
                )
        except Exception as error:  # noqa: BLE001 - a mistake of ours is an error of this step alone
            return fault(error, self._border)
        return prepared

    async def _step(self, run: ScopeRun, step: PlannedStep, ready: Begun, tasks: TaskGroup) -> Moved:
        """Run one step to its decision."""
        model = step.model
        attempt = 1
        result: Result
        if isinstance(ready, Failure | NotAsked):
            result = ready
        elif isinstance(model, ProbeStep):
            assert ready is not None  # noqa: S101 - narrows the type
            result, attempt = await self._measure(run, step, model, ready)
        elif isinstance(model, AskStep):
            result = await self._ask(run, step, model)
        else:
            result = await self._call(run, step, model)
        del self._running[run.scope, step.id]
        at = self._around.clock.now()
        judged: Judgement = run.judge(step, result, attempt=attempt, at=at)
        self._emit(*judged.events)
        look = self._to_recognise(step, result)
        if look is not None:
            tasks.start_soon(self._recognise, run, step, at, look)
        return run.walk.decide(step.id, judged.targets)

    def _to_recognise(self, step: PlannedStep, result: Result) -> Recognition | None:
        """How to look for what is known of a failure or of log lines. None where there is nothing to look into."""
        knowledge, probe = self._around.knowledge, step.probe
        if knowledge is None or probe is None:
            return None
        if isinstance(result, Failure):
            return partial(knowledge.in_failure, result, probe.name)
        if isinstance(result, Reading):
            logs = [result.evidence[key] for key in probe.reading.LOGS if key in result.evidence]
            return partial(knowledge.in_logs, logs) if logs else None
        return None

    async def _recognise(self, run: ScopeRun, step: PlannedStep, at: float, look: Recognition) -> None:
        """Say what is known beside the walk, which does not wait for it: no step starts later because another one failed.

        In a thread, where the documents are read too.
        """
        try:
            known = await in_thread(look)
        except Exception as error:  # noqa: BLE001 - what is known of a message is no part of the diagnosis
            logging.getLogger(__name__).warning("%s", fault(error, self._border).message)
            return
        if known:
            self._emit(MessagesRecognised(at, run.scope, step.id, known))

    async def _measure(
        self, run: ScopeRun, step: PlannedStep, model: ProbeStep, prepared: Prepared
    ) -> tuple[Reading | Failure, int]:
        """The step's timeout is the budget of all its attempts together."""
        attempt = 0
        last: Failure | None = None
        deadline = anyio.current_time() + model.timeout
        with anyio.CancelScope(deadline=deadline):
            context = ProbeContext(deadline, self._around.environ, frozenset(self._around.grants))
            while True:
                attempt += 1
                last = None
                result = await measure(step, prepared, context, self._border)
                retry = model.retry
                if (
                    isinstance(result, Reading)
                    or retry is None
                    or attempt >= retry.attempts
                    or result.kind not in retry.on
                ):
                    return result, attempt
                last = result
                wait = self._wait(retry, attempt)
                self._emit(AttemptFailed(self._around.clock.now(), run.scope, step.id, attempt, result, wait))
                self._write()
                await self._around.clock.sleep(wait)
        return last or timed_out(step, model.timeout), attempt

    def _wait(self, retry: Retry, attempt: int) -> float:
        """Doubling from ``wait`` up to ``max_wait``, spread by the jitter so that many runs do not knock at once."""
        wait: float = min(retry.max_wait, retry.wait * 2.0 ** (attempt - 1))
        spread = retry.jitter / 100 * (2 * self._around.clock.chance() - 1)
        return max(0.0, wait * (1 + spread))

    async def _ask(self, run: ScopeRun, step: PlannedStep, model: AskStep) -> Answer | Failure:
        type_ = step.types["answer"]
        key = f"{run.scope}/{step.id}" if run.scope else step.id
        if key in self._around.answers:
            return Answer(read_answer(self._around.answers[key], type_), type_, "given")
        default = default_of(model, type_)
        try:
            title, asked = (told(text, run.filled(step.id)) for text in (model.title, model.ask))
        except Exception as error:  # noqa: BLE001 - a mistake of ours is an error of this step alone
            return fault(error, self._border)
        if self._around.ask is not None:
            question = Question(
                run.scope,
                step.id,
                self._border.text(title) or step.id.replace("_", " "),
                self._border.text(asked),
                type_,
                default,
            )
            answer: Value | None = None
            with anyio.move_on_after(model.timeout):
                answer = await self._around.ask(question)
            if answer is not None:
                kept = self._border.text(answer) if isinstance(answer, str) else answer
                return Answer(kept, type_, "person")
        if default is not None:
            return Answer(default, type_, "default")
        return Failure(
            ErrorKind.MISSING,
            self._border.text(f"nobody answered: {asked}"),
            f"answer it at the terminal, or give --answer {key}=VALUE",
        )

    async def _call(self, run: ScopeRun, step: PlannedStep, model: CallStep) -> Reading | Failure | NotAsked:
        """Walk the called runbook as part of this run."""
        child = step.child
        assert child is not None  # noqa: S101 - a plan without it was refused
        try:
            given = fill(step.filling, run.filled(step.id))
            inputs = resolve(
                child.runbook,
                given,
                self._around.environ,
                inherited=run.inputs,
                source=f"step {step.id}",
                environment=self._around.environment,
            )
        except MissingValueError as error:
            return lacking(error, run.plan.runbook.inputs)
        except InputsError as error:
            return Failure(
                ErrorKind.MISSING, self._border.text(f"{model.call} cannot be called: {'; '.join(error.problems)}")
            )
        except RunbookError:
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours is an error of this step alone
            return fault(error, self._border)
        self._border.learn(*(secret for each in inputs.values() for secret in each.secrets))
        scope = child_scope(run.scope, step.id)
        shown = self._border.inputs({name: each.shown() for name, each in inputs.items()})
        self._emit(CallStarted(self._around.clock.now(), run.scope, step.id, model.call, shown))
        called = ScopeRun.of(scope, child, inputs, self._border)
        with anyio.move_on_after(model.timeout) as limit:
            await self._walk(called)
        if limit.cancelled_caught:
            self._abandon(scope)
            return timed_out(step, model.timeout or 0.0)
        return call_reading(scope, self._scopes)

    def _abandon(self, scope: str) -> None:
        """Steps of a called runbook whose time ran out are no longer running."""
        for key in [key for key in self._running if key[0] == scope or key[0].startswith(f"{scope}/")]:
            del self._running[key]


def documents_of(plan: Plan, border: Border) -> Mapping[str, JsonValue]:
    """Every runbook that a run may use, as it is kept in the journal."""
    return {name: border.document(each.document) for name, each in plan.plans.items()}


def not_well(scopes: Iterable[ScopeRun]) -> bool:
    """Whether a walk in which nothing was found is no bill of health: something could not be seen, or nothing was asked."""
    walked = tuple(scopes)
    return any(each.blind_spots for each in walked) or not any(each.results for each in walked)


def call_reading(scope: str, scopes: Iterable[ScopeRun]) -> Reading | NotAsked:
    """What a call measured: the outcome of everything walked under it. A call under which nothing was asked at all, for want
    of inputs, is not asked itself.
    """
    under = [each for each in scopes if each.scope == scope or each.scope.startswith(f"{scope}/")]
    findings = [finding for each in under for finding in each.findings]
    blind = sum(each.blind_spots for each in under)
    unasked = {name: None for each in under for inputs in each.not_asked.values() for name in inputs}
    if unasked and not (findings or blind or any(each.results for each in under)):
        return NotAsked(tuple(unasked))
    outcome: Outcome = outcome_of(findings, blind=bool(blind))
    return Reading({"outcome": outcome.value, "findings": len(findings), "blind_spots": blind}, CALL_TYPES)
