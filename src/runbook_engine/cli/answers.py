"""Answers that were given beforehand, held against the questions that a run may ask."""

from collections.abc import Iterator, Mapping

from runbook_engine.document.models import AskStep
from runbook_engine.engine.asking import read_answer
from runbook_engine.engine.trace import child_scope
from runbook_engine.errors import InputsError, did_you_mean
from runbook_engine.graph.plan import Plan
from runbook_engine.quantity import MetricType


def check_answers(plan: Plan, answers: Mapping[str, str]) -> None:
    """Raises InputsError with every answer that no question asks for, or that does not fit its question."""
    questions = dict(_questions(plan))
    problems: list[str] = []
    for step, answer in answers.items():
        if step not in questions:
            problems.append(f'no step "{step}" asks anything{did_you_mean(step, questions)}')
            continue
        try:
            read_answer(answer, questions[step])
        except ValueError as error:
            problems.append(f"--answer {step}: {error}")
    if problems:
        raise InputsError(problems)


def _questions(plan: Plan, scope: str = "") -> Iterator[tuple[str, MetricType]]:
    """The steps that ask, as ``--answer`` names them: ``step``, or ``calling_step/step`` in a called runbook."""
    for step in plan.steps.values():
        path = child_scope(scope, step.id)
        if isinstance(step.model, AskStep):
            yield path, step.types["answer"]
        if step.child is not None:
            yield from _questions(step.child, path)
