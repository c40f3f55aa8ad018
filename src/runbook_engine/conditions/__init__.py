"""Conditions: the text after ``when``, parsed into a typed tree, checked against what is measured, evaluated, explained.

::

    expression = parse("p95 > inputs.very_slow and hit_rate is not missing")
    problems = check(expression, resolve)
    truth = compile(expression).evaluate(lookup)
    why = explain(expression, lookup, types)
"""

from runbook_engine.conditions.checking import Resolve, check
from runbook_engine.conditions.evaluation import Compiled, Lookup, Truth, compile  # noqa: A004 - as in re.compile
from runbook_engine.conditions.explaining import Measured, Types, evidence, explain
from runbook_engine.conditions.grammar import parse
from runbook_engine.conditions.problems import ConditionSyntaxError, Problem
from runbook_engine.conditions.tree import (
    And,
    Arithmetic,
    Comparison,
    Constant,
    Contains,
    Expression,
    IsMissing,
    Matches,
    Membership,
    Minus,
    Name,
    Not,
    Operator,
    Or,
    Threshold,
    children,
    names,
    needed,
    thresholds,
    unparse,
)

__all__ = [
    "And",
    "Arithmetic",
    "Comparison",
    "Compiled",
    "ConditionSyntaxError",
    "Constant",
    "Contains",
    "Expression",
    "IsMissing",
    "Lookup",
    "Matches",
    "Measured",
    "Membership",
    "Minus",
    "Name",
    "Not",
    "Operator",
    "Or",
    "Problem",
    "Resolve",
    "Threshold",
    "Truth",
    "Types",
    "check",
    "children",
    "compile",
    "evidence",
    "explain",
    "names",
    "needed",
    "parse",
    "thresholds",
    "unparse",
]
