"""The grammar of conditions: a small parser by precedence, and what it says when a text is no condition.

::

    condition  = condition "or" condition | condition "and" condition | "not" condition | comparison
    comparison = value ("==" | "!=" | "<" | "<=" | ">" | ">=") value
               | value ["not"] "in" "[" value {"," value} "]"
               | value "matches" text | value "contains" value
               | name "is" ["not"] "missing"
               | value
    value      = value ("+" | "-" | "*" | "/") value | "-" value | "(" condition ")" | name | literal
    name       = [step "." | "inputs" "."] metric
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from runbook_engine.conditions import literals, tree
from runbook_engine.conditions.problems import ConditionSyntaxError
from runbook_engine.conditions.tokens import Kind, Token, tokens
from runbook_engine.conditions.tree import (
    AND,
    COMPARE,
    NOT,
    OR,
    PRODUCT,
    SUM,
    UNARY,
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
    unparse,
)
from runbook_engine.conditions.wording import NOT_NAMES, instead_of_name, instead_of_operator

if TYPE_CHECKING:
    from runbook_engine.conditions.patterns import Pattern

MOST_TEXT = 2_000
MOST_DEPTH = 50
MOST_ARITHMETIC = 50

KEYWORDS = frozenset({"and", "or", "not", "in", "is", "missing", "true", "false"})


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """Read a condition such as ``p95 > inputs.slow and error_rate < 5%``.

    Raises ConditionSyntaxError, and nothing else, with the place of the first mistake and what to write instead.
    """
    if len(text) > MOST_TEXT:
        raise ConditionSyntaxError(
            f"a condition may have {MOST_TEXT} characters; this has {len(text)}",
            MOST_TEXT,
            len(text),
            "split it over two branches, or over two steps",
        )
    return _Parser(tokens(text)).condition()


_INFIX: Mapping[str, int] = {
    "or": OR,
    "and": AND,
    **{operator.value: COMPARE for operator in Operator},
    **dict.fromkeys(("in", "not", "is", "matches", "contains"), COMPARE),
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
}
_OPERATORS: Mapping[str, Operator] = {operator.value: operator for operator in Operator}
_NULLS = frozenset({"null", "none", "nil", "nan", "missing", "NULL", "None", "Null", "NaN", "NONE"})
_NAME = re.compile(r"(?:([a-z][a-z0-9_]*)\.)?([a-z][a-z0-9_]*)", re.ASCII)


class _Parser:
    __slots__ = ("_arithmetic", "_at", "_depth", "_tokens")

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self._arithmetic = 0

    def condition(self) -> Expression:
        if self._tokens[0].kind is Kind.END:
            raise ConditionSyntaxError("this condition is empty", 0, 0, "write for example p95 > 1s")
        found = self._expression(OR)
        if self._tokens[self._at].kind is not Kind.END:
            raise self._unexpected()
        return found

    def _expression(self, least: int) -> Expression:
        """What binds at least as tightly as ``least``."""
        start = self._tokens[self._at].start
        left = self._operand(least)
        compared = False
        while True:
            token = self._tokens[self._at]
            level = _INFIX.get(token.text, 0)
            if level < least or level == 0:
                return left
            self._at += 1
            if level == COMPARE:
                if compared:
                    raise self._chained(left, token)
                compared = True
                left = self._comparison(left, token, start)
            elif level > COMPARE:
                self._count(token)
                right = self._right(level + 1)
                left = Arithmetic(token.text, left, right, start, self._end())
            else:
                left = self._joined(left, self._right(level + 1), level, start)

    def _right(self, least: int) -> Expression:
        """What stands to the right of an operator: a level of nesting too, so that trees stay shallow."""
        self._depth += 1
        found = self._expression(least)
        self._depth -= 1
        return found

    def _joined(self, left: Expression, right: Expression, level: int, start: int) -> Expression:
        kind = And if level == AND else Or
        parts = (*_parts(left, kind), *_parts(right, kind))
        return kind(parts, start, self._end())

    def _end(self) -> int:
        return self._tokens[self._at - 1].end

    def _count(self, token: Token) -> None:
        self._arithmetic += 1
        if self._arithmetic > MOST_ARITHMETIC:
            raise ConditionSyntaxError(
                f"a condition may calculate {MOST_ARITHMETIC} times; this does more often", token.start, token.end
            )

    def _deeper(self, token: Token, least: int) -> Expression:
        """An expression one level further in: behind a parenthesis, a ``not`` or a minus."""
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise ConditionSyntaxError(
                f"a condition may be nested {MOST_DEPTH} levels deep; this goes deeper", token.start, token.end
            )
        found = self._expression(least)
        self._depth -= 1
        return found

    def _operand(self, least: int) -> Expression:
        token = self._tokens[self._at]
        self._at += 1
        match token.kind:
            case Kind.WORD:
                return self._word(token, least)
            case Kind.NUMBER:
                return literals.number(token)
            case Kind.TEXT:
                return literals.text(token)
            case Kind.SIGN if token.text == "(":
                return self._parenthesised(token)
            case Kind.SIGN if token.text == "-":
                operand = self._deeper(token, UNARY)
                value = operand.value if isinstance(operand, Constant) else None
                if isinstance(operand, Constant) and isinstance(value, int | float) and operand.dimension.is_numeric:
                    return literals.negative(operand, value, token.start)
                return Minus(operand, token.start, self._end())
        self._at -= 1
        raise self._no_value()

    def _word(self, token: Token, least: int) -> Expression:
        word = token.text
        if word == "not":
            if least > NOT:
                raise ConditionSyntaxError(
                    '"not" stands before a whole comparison', token.start, token.end, "put it in parentheses: (not …)"
                )
            operand = self._deeper(token, NOT)
            return Not(operand, token.start, self._end())
        if word in ("true", "false"):
            return literals.truth(token)
        if word in KEYWORDS:
            self._at -= 1
            raise self._no_value()
        return _name(token)

    def _parenthesised(self, token: Token) -> Expression:
        found = self._deeper(token, OR)
        closing = self._tokens[self._at]
        if closing.text != ")":
            if closing.kind is Kind.END:
                raise ConditionSyntaxError('this "(" is never closed', token.start, token.end, 'add ")"')
            raise self._unexpected()
        self._at += 1
        return found

    def _comparison(self, left: Expression, token: Token, start: int) -> Expression:
        operator = _OPERATORS.get(token.text)
        if operator is not None:
            self._refuse_null(left, operator)
            right = self._right(SUM)
            return Comparison(operator, left, right, start, self._end())
        match token.text:
            case "is":
                return self._is_missing(left, token, start)
            case "matches":
                pattern = self._pattern()
                return Matches(left, pattern, start, self._end())
            case "contains":
                part = self._right(SUM)
                return Contains(left, part, start, self._end())
            case "not":
                self._expect_in(left, token)
        items = self._items()
        return Membership(left, items, token.text == "not", start, self._end())

    def _expect_in(self, left: Expression, token: Token) -> None:
        following = self._tokens[self._at]
        if following.text == "in":
            self._at += 1
            return
        if following.text in ("matches", "contains"):
            hint = f"write not {unparse(left)} {following.text} …"
            raise ConditionSyntaxError(
                f'"not" stands before the whole comparison, not before "{following.text}"',
                token.start,
                following.end,
                hint,
            )
        self._at -= 1
        raise self._unexpected()

    def _is_missing(self, left: Expression, token: Token, start: int) -> Expression:
        following = self._tokens[self._at]
        negated = following.text == "not"
        if negated:
            self._at += 1
            following = self._tokens[self._at]
        if following.text != "missing":
            told = "is not" if negated else "is"
            raise ConditionSyntaxError(
                f'"{told}" is followed by "missing" only',
                token.start,
                following.end,
                f"write {told} missing, or compare with {'!=' if negated else '=='}",
            )
        self._at += 1
        if not isinstance(left, Name):
            raise ConditionSyntaxError(
                "only a metric or an input can be missing", start, self._end(), "write for example p95 is missing"
            )
        return IsMissing(left, negated, start, self._end())

    def _refuse_null(self, left: Expression, operator: Operator) -> None:
        token = self._tokens[self._at]
        if token.text in _NULLS and isinstance(left, Name):
            told = "is not missing" if operator is Operator.UNEQUAL else "is missing"
            raise ConditionSyntaxError(
                f'"{token.text}" is not a value', token.start, token.end, f"write {unparse(left)} {told}"
            )

    def _pattern(self) -> "Pattern":
        from runbook_engine.conditions.patterns import PatternError, read_pattern  # few conditions have patterns

        token = self._tokens[self._at]
        if token.kind is not Kind.TEXT:
            raise ConditionSyntaxError(
                'a pattern in quotes must follow "matches"', token.start, token.end, 'write for example matches "^5"'
            )
        self._at += 1
        inner = token.start + 1
        try:
            return read_pattern(token.text[1:-1])
        except PatternError as error:
            raise ConditionSyntaxError(error.message, inner + error.start, inner + error.end, error.hint) from None

    def _items(self) -> tuple[Expression, ...]:
        opening = self._tokens[self._at]
        if opening.text != "[":
            raise ConditionSyntaxError(
                'a list must follow "in"', opening.start, opening.end, 'write for example in ["idle", "active"]'
            )
        self._at += 1
        items: list[Expression] = []
        while self._tokens[self._at].text != "]":
            if self._tokens[self._at].kind is not Kind.END:
                items.append(self._right(SUM))
            token = self._tokens[self._at]
            if token.kind is Kind.END:
                raise ConditionSyntaxError('this "[" is never closed', opening.start, opening.end, 'add "]"')
            if token.text == ",":
                self._at += 1
            elif token.text != "]":
                raise ConditionSyntaxError(
                    f"a comma is missing before {_quoted(token)}", token.start, token.end, 'values are separated by ","'
                )
        self._at += 1
        if not items:
            raise ConditionSyntaxError("this list is empty: nothing is in it", opening.start, self._end())
        return tuple(items)

    def _chained(self, left: Expression, token: Token) -> ConditionSyntaxError:
        """``1s < p95 < 2s``: say how to write it."""
        hint = "join two comparisons with and"
        operator = _OPERATORS.get(token.text)
        if isinstance(left, Comparison) and operator is not None:
            low, middle, first = left.left, left.right, left.operator
            right = self._expression(SUM)
            one = Comparison(first, low, middle)
            if tree.is_constant(low) and not tree.is_constant(middle):
                one = Comparison(first.flipped, middle, low)
            hint = f"write {unparse(one)} and {unparse(Comparison(operator, middle, right))}"
        return ConditionSyntaxError("comparisons cannot be chained", left.start, self._end(), hint)

    def _no_value(self) -> ConditionSyntaxError:
        """Something else stands where a value must stand."""
        token = self._tokens[self._at]
        if token.kind is Kind.END:
            last = self._tokens[self._at - 1]
            return ConditionSyntaxError(
                f"the condition ends behind {_quoted(last)}; a value must follow", last.start, last.end
            )
        hint = {
            "+": 'leave the "+" out',
            "[": 'a list follows "in"',
            "missing": "write for example p95 is missing",
        }.get(token.text, "a value is a metric, an input, a number or a text in quotes")
        return ConditionSyntaxError(f"{_quoted(token)} stands where a value must stand", token.start, token.end, hint)

    def _unexpected(self) -> ConditionSyntaxError:
        """A value is complete, and what follows continues nothing."""
        token, last = self._tokens[self._at], self._tokens[self._at - 1]
        following = self._tokens[self._at + 1] if token.kind is not Kind.END else token
        return instead_of_operator(last, token, following)


def _parts(node: Expression, kind: type[And | Or]) -> tuple[Expression, ...]:
    return node.parts if isinstance(node, kind) else (node,)


def _name(token: Token) -> Name:
    found = _NAME.fullmatch(token.text)
    if found is None or token.text in NOT_NAMES:
        raise instead_of_name(token)
    return Name(found[1], found[2], token.start, token.end)


def _quoted(token: Token) -> str:
    return token.text if token.kind is Kind.TEXT else f'"{token.text}"'
