"""Filter patterns of CloudWatch Logs: terms, JSON and columns.

moto knows single terms and phrases, and takes every other pattern for one that matches everything.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Matcher = Callable[[str], bool]


class PatternError(ValueError):
    """The pattern is not written as CloudWatch Logs takes them; its words are those of the API."""


def matcher(pattern: str) -> Matcher:
    """Whether a message matches. Raises PatternError."""
    text = pattern.strip()
    if not text:
        return lambda _message: True
    if text.startswith("{"):
        return _json(text)
    return _columns(text) if text.startswith("[") else _terms(text)


_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"]+))')


def _terms(text: str) -> Matcher:
    wanted: dict[str, list[Matcher]] = {"": [], "?": [], "-": []}
    place = 0
    while place < len(text):
        found = _TERM.match(text, place)
        if not found:
            raise PatternError("Invalid filter pattern")
        word = found["word"]
        if word is not None and not re.fullmatch(r"\w+", word):
            raise PatternError(f"Invalid character(s) in term '{word}'")
        phrase = word if word is not None else re.sub(r"\\(.)", r"\1", found["phrase"] or "")
        wanted[found["sign"]].append(_searched(found["regex"]) if found["regex"] else _contains(phrase))
        place = found.end()

    def matches(message: str) -> bool:
        some = not wanted["?"] or bool(wanted[""]) or any(each(message) for each in wanted["?"])
        return some and all(each(message) for each in wanted[""]) and not any(each(message) for each in wanted["-"])

    return matches


def _contains(phrase: str) -> Matcher:
    return lambda message: phrase in message


def _searched(regex: str) -> Matcher:
    try:
        compiled = re.compile(regex)
    except re.error:
        raise PatternError("Invalid filter pattern: invalid regular expression") from None
    return lambda message: compiled.search(message) is not None


_TOKEN = re.compile(
    r"\s*(?:(?P<both>&&)|(?P<either>\|\|)|(?P<open>\()|(?P<close>\))"
    r"|(?P<path>\$[^\s=!<>()&|]*)\s*(?:(?P<word>IS\s+(?:NULL|TRUE|FALSE)|NOT\s+EXISTS)"
    r"|(?P<sign>!=|<=|>=|=|<|>)\s*(?P<value>\"(?:[^\"\\]|\\.)*\"|%[^%]+%|[^\s()&|]+)))\s*"
)
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _json(text: str) -> Matcher:
    if not text.endswith("}"):
        raise PatternError("Invalid filter pattern")
    tokens = list(_tokens(text[1:-1]))
    condition, rest = _either(tokens)
    if rest:
        raise PatternError("Invalid filter pattern")

    def matches(message: str) -> bool:
        try:
            document = json.loads(message)
        except ValueError:
            return False
        return isinstance(document, dict) and condition(document)

    return matches


Condition = Callable[[Any], bool]
Tokens = Sequence[re.Match[str]]


def _tokens(text: str) -> Iterator[re.Match[str]]:
    place = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if not found:
            raise PatternError("Invalid filter pattern")
        yield found
        place = found.end()


def _either(tokens: Tokens) -> tuple[Condition, Tokens]:
    first, rest = _both(tokens)
    if rest and rest[0]["either"]:
        second, rest = _either(rest[1:])
        return lambda document: first(document) or second(document), rest
    return first, rest


def _both(tokens: Tokens) -> tuple[Condition, Tokens]:
    first, rest = _one(tokens)
    if rest and rest[0]["both"]:
        second, rest = _both(rest[1:])
        return lambda document: first(document) and second(document), rest
    return first, rest


def _one(tokens: Tokens) -> tuple[Condition, Tokens]:
    if tokens and tokens[0]["open"]:
        inner, rest = _either(tokens[1:])
        if rest and rest[0]["close"]:
            return inner, rest[1:]
    elif tokens and tokens[0]["path"]:
        return _comparison(tokens[0]), tokens[1:]
    raise PatternError("Invalid filter pattern")


_ABSENT = object()


def _comparison(token: re.Match[str]) -> Condition:
    steps = [step for step in re.split(r"[.\[\]]+", token["path"][1:]) if step]
    word = " ".join((token["word"] or "").split())
    if word:
        expected = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}.get(word, _ABSENT)
        return lambda document: _at(document, steps) is expected
    compares = _compares(token["sign"], token["value"])

    def holds(document: Any) -> bool:
        value = _at(document, steps)
        return value is not _ABSENT and compares(value)

    return holds


def _at(document: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return _ABSENT
    return document


def _compares(sign: str, written: str) -> Condition:
    """How a value of JSON, or the text of a column, is compared with what is written behind the sign."""
    if sign in _ORDER:
        limit, order = _number(written), _ORDER[sign]
        if limit is None:
            raise PatternError("Invalid filter pattern: not a number")

        def ordered(value: Any) -> bool:
            number = _number(value)
            return number is not None and order(number, limit)

        return ordered
    equal = _equals(written)
    return equal if sign == "=" else lambda value: not equal(value)


def _equals(written: str) -> Condition:
    if written.startswith("%"):
        search = _searched(written.strip("%"))
        return lambda value: search(str(value))
    text = re.sub(r"\\(.)", r"\1", written[1:-1]) if written.startswith('"') else written
    number = _number(text)
    like = re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)

    def equal(value: Any) -> bool:
        if number is not None and _number(value) == number:
            return True
        return not isinstance(value, (dict, list)) and like.fullmatch(str(value)) is not None

    return equal


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


_COLUMN = re.compile(
    r"\s*(?P<name>\.\.\.|\w*)\s*(?:(?P<sign>!=|<=|>=|=|<|>)\s*(?P<value>\"[^\"]*\"|%[^%]+%|[^\s,]+))?\s*\Z"
)
_FIELD = re.compile(r'\[(?P<time>[^\]]*)\]|"(?P<phrase>[^"]*)"|(?P<word>\S+)')


def _columns(text: str) -> Matcher:
    if not text.endswith("]"):
        raise PatternError("Invalid filter pattern")
    columns = [_COLUMN.match(each) for each in text[1:-1].split(",")]
    known = [each for each in columns if each]
    open_ended = bool(known) and known[0]["name"] == "..."
    if len(known) < len(columns) or any(each["name"] == "..." for each in known[1:]):
        raise PatternError("Invalid filter pattern")
    tests = [_compares(each["sign"], each["value"]) if each["sign"] else None for each in known[int(open_ended) :]]

    def matches(message: str) -> bool:
        fields = [each[each.lastgroup or "word"] for each in _FIELD.finditer(message)]
        if len(fields) < len(tests) or (len(fields) > len(tests) and not open_ended):
            return False
        return all(test is None or test(field) for test, field in zip(tests, fields[-len(tests) :], strict=True))

    return matches
