"""What the parser says of words that people write, and that mean something else here or nothing."""

from collections.abc import Mapping
from types import MappingProxyType

from runbook_engine.conditions.literals import unit_meant
from runbook_engine.conditions.problems import ConditionSyntaxError
from runbook_engine.conditions.tokens import Kind, Token
from runbook_engine.errors import closest

NOT_NAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "yes": ("is not a boolean", 'write true, or "yes" in quotes for a text'),
        "no": ("is not a boolean", 'write false, or "no" in quotes for a text'),
        "on": ("is not a boolean", 'write true, or "on" in quotes for a text'),
        "off": ("is not a boolean", 'write false, or "off" in quotes for a text'),
        "inputs": ("alone has no value", "write inputs.name"),
    }
)
_OPERATOR_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "between": "write p95 >= 1s and p95 <= 2s",
        "equals": "write ==",
        "eq": "write ==",
        "ne": "write !=",
        "gt": "write >",
        "ge": "write >=",
        "gte": "write >=",
        "lt": "write <",
        "le": "write <=",
        "lte": "write <=",
        "above": "write >",
        "over": "write >",
        "exceeds": "write >",
        "below": "write <",
        "under": "write <",
        "like": 'write contains, or matches with a pattern such as "^5"',
        "startswith": 'write matches "^…"',
        "starts": 'write matches "^…"',
        "endswith": 'write matches "…$"',
        "ends": 'write matches "…$"',
        "has": "write contains",
        "includes": "write contains",
        "mod": "there is no remainder in conditions",
        "xor": "write (a and not b) or (b and not a)",
        "if": "a branch has one condition; write another branch",
        "then": "a branch has one condition; write another branch",
        "else": "write {else: …} as the last branch",
    }
)
_WORDS = ("and", "or", "not in", "in", "is missing", "matches", "contains")
_LOWER = frozenset({"and", "or", "not", "in", "is", "missing", "true", "false", "matches", "contains"})
OPERATORS = "== != < <= > >= + - * / and or not in matches contains is missing"


def instead_of_name(token: Token) -> ConditionSyntaxError:
    """A complaint about a word that stands where a value must stand and is no name."""
    word, place = token.text, (token.start, token.end)
    lower = word.lower()
    if lower in NOT_NAMES:
        message, hint = NOT_NAMES[lower]
        return ConditionSyntaxError(f'"{word}" {message}', *place, hint)
    if lower in _LOWER:
        return ConditionSyntaxError(f'"{word}" is written in small letters', *place, f"write {lower}")
    if word.count(".") > 1:
        return ConditionSyntaxError(f'"{word}" has too many dots', *place, "write metric, step.metric or inputs.name")
    guess = lower.lstrip("_").replace("._", ".")
    return ConditionSyntaxError(
        f'"{word}" is not a name; names have small letters, digits and _, and begin with a letter',
        *place,
        f"write {guess}" if guess else "",
    )


def instead_of_operator(last: Token, token: Token, following: Token) -> ConditionSyntaxError:
    """A complaint about ``token``, which stands behind the complete value that ends with ``last``."""
    place = (token.start, token.end)
    match token.text:
        case ")" | "]":
            return ConditionSyntaxError(f'this "{token.text}" closes nothing', *place)
        case "(" if last.kind is Kind.WORD:
            return ConditionSyntaxError(
                "there are no functions in conditions", last.start, token.end, "compare the metrics themselves"
            )
        case "[":
            return ConditionSyntaxError('a list stands only behind "in"', *place)
        case ",":
            hint = ""
            if last.kind is following.kind is Kind.NUMBER:
                hint = f"write {last.text}{following.text}"
            return ConditionSyntaxError("a comma stands only between the values of a list", *place, hint)
    if token.kind is Kind.WORD:
        return _word_for_operator(last, token)
    if token.kind is Kind.NUMBER and last.kind is Kind.NUMBER and last.end == token.start:
        return ConditionSyntaxError(
            f'"{last.text}{token.text}" is not a number',
            last.start,
            token.end,
            "a text, such as a version, stands in quotes",
        )
    return _missing_operator(last, token)


def _word_for_operator(last: Token, token: Token) -> ConditionSyntaxError:
    word, place = token.text, (token.start, token.end)
    lower = word.lower()
    bare = last.kind is Kind.NUMBER and last.text[-1].isdigit()
    meant = unit_meant(word) if bare and lower not in _LOWER else None
    if meant is not None:
        return ConditionSyntaxError(
            "a number and its unit are written together", last.start, token.end, f"write {last.text}{meant}"
        )
    if lower in _LOWER and word != lower:
        return ConditionSyntaxError(f'"{word}" is written in small letters', *place, f"write {lower}")
    if lower in _OPERATOR_WORDS:
        return ConditionSyntaxError(f'"{word}" is not an operator', *place, _OPERATOR_WORDS[lower])
    guess = closest(lower, _WORDS)
    if guess is not None:
        return ConditionSyntaxError(f'"{word}" is not an operator', *place, f'did you mean "{guess}"?')
    return _missing_operator(last, token)


def _missing_operator(last: Token, token: Token) -> ConditionSyntaxError:
    return ConditionSyntaxError(
        f"an operator is missing between {_quoted(last)} and {_quoted(token)}",
        last.start,
        token.end,
        f"operators are {OPERATORS}",
    )


def _quoted(token: Token) -> str:
    return token.text if token.kind is Kind.TEXT else f'"{token.text}"'
