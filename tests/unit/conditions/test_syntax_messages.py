"""What the parser says: the place, the sentence, and what to write instead."""

import pytest

from runbook_engine.conditions import ConditionSyntaxError, parse
from runbook_engine.conditions.grammar import MOST_ARITHMETIC, MOST_DEPTH, MOST_TEXT

UNITS = "units are ns, us, ms, s, min, h, d, %, B, kB, MB, GB, TB, KiB, MiB, GiB, TiB, /s, /min, /h"
OPERATORS = "operators are == != < <= > >= + - * / and or not in matches contains is missing"
VALUE = "a value is a metric, an input, a number or a text in quotes"
NAMES = "names have small letters, digits and _, and begin with a letter"
TOGETHER = "a number and its unit are written together"
SUPPORTED = r"patterns know . [..] () | * + ? {2,5} ^ $ and the classes of \d \w \s \b"

CASES = [
    # Nothing, or not all of it.
    ("", "", "this condition is empty", "write for example p95 > 1s"),
    (" \n", "", "this condition is empty", "write for example p95 > 1s"),
    ("p95 >", ">", 'the condition ends behind ">"; a value must follow', ""),
    ("p95 > 1s and", "and", 'the condition ends behind "and"; a value must follow', ""),
    ("> 1s", ">", '">" stands where a value must stand', VALUE),
    ("a and or b", "or", '"or" stands where a value must stand', VALUE),
    ("(a > 1", "(", 'this "(" is never closed', 'add ")"'),
    ("a > 1)", ")", 'this ")" closes nothing', ""),
    ("a > 1]", "]", 'this "]" closes nothing', ""),
    ('a == "b', '"b', "this text has no closing quote", 'end it with "; inside, use the other quote'),
    ("a b", "a b", 'an operator is missing between "a" and "b"', OPERATORS),
    ('a "b"', 'a "b"', 'an operator is missing between "a" and "b"', OPERATORS),
    ("(a) (b)", ") (", 'an operator is missing between ")" and "("', OPERATORS),
    # Operators of other languages.
    ("a && b", "&&", "&& is not an operator or a sign", "write and"),
    ("a || b", "||", "|| is not an operator or a sign", "write or"),
    ("!a", "!", "! is not an operator or a sign", "write not"),
    ("a = 1", "=", "= is not an operator or a sign", "write =="),
    ("a === 1", "===", "=== is not an operator or a sign", "write =="),
    ("a !== 1", "!==", "!== is not an operator or a sign", "write !="),
    ("a <> 1", "<>", "<> is not an operator or a sign", "write !="),
    ("a => 1", "=>", "=> is not an operator or a sign", "write >="),
    ("a =< 1", "=<", "=< is not an operator or a sign", "write <="),
    ("a ≥ 1", "≥", "≥ is not an operator or a sign", "write >="),
    ("a =~ 'x'", "=~", "=~ is not an operator or a sign", "write matches"),
    ("a // 2", "//", "// is not an operator or a sign", "write /"),
    ("a ** 2", "**", "there is no power in conditions", "multiply instead"),
    ("a == “x”", "“", "“ is not an operator or a sign", 'write "'),
    ("a % 2", "%", "% stands only right behind a number", "write for example 80%"),
    ("$a > 1", "$", "names stand in conditions without a dollar sign", "write inputs.slow for an input"),
    (
        "{{ inputs.a }} > 1",
        "{{",
        "names stand in conditions without braces",
        "write inputs.slow, not {{ inputs.slow }}",
    ),
    ("a . b", ".", "a dot stands between two names, without blanks", "write step.metric"),
    ("a > 1; b", ";", "a semicolon has no meaning in a condition", 'join comparisons with "and" or "or"'),
    ("a >\N{NO-BREAK SPACE}1", "\N{NO-BREAK SPACE}", "this is a non-breaking space", "write a plain space"),
    ("a > \x07", "\x07", '"U+0007" has no meaning in a condition', ""),
    ("größe > 1", "ö", '"ö" cannot be part of a name', "names have a to z, 0 to 9 and _; texts stand in quotes"),
    ("a > +5", "+", '"+" stands where a value must stand', 'leave the "+" out'),
    # Words that people write.
    ("a AND b", "AND", '"AND" is written in small letters', "write and"),
    ("NOT a", "NOT", '"NOT" is written in small letters', "write not"),
    ("a == True", "True", '"True" is written in small letters', "write true"),
    ("ready == yes", "yes", '"yes" is not a boolean', 'write true, or "yes" in quotes for a text'),
    ("ready == No", "No", '"No" is not a boolean', 'write false, or "no" in quotes for a text'),
    ("a between 1 and 2", "between", '"between" is not an operator', "write p95 >= 1s and p95 <= 2s"),
    ("a above 1", "above", '"above" is not an operator', "write >"),
    ("a match 'x'", "match", '"match" is not an operator', 'did you mean "matches"?'),
    ("a == null", "null", '"null" is not a value', "write a is missing"),
    ("a != None", "None", '"None" is not a value', "write a is not missing"),
    ("a is null", "is null", '"is" is followed by "missing" only', "write is missing, or compare with =="),
    ("a is not 5", "is not 5", '"is not" is followed by "missing" only', "write is not missing, or compare with !="),
    ("missing", "missing", '"missing" stands where a value must stand', "write for example p95 is missing"),
    (
        "5 is missing",
        "5 is missing",
        "only a metric or an input can be missing",
        "write for example p95 is missing",
    ),
    ("len(a) > 1", "len(", "there are no functions in conditions", "compare the metrics themselves"),
    ("a not 5", "not", '"not" is not an operator', 'did you mean "not in"?'),
    (
        "a not contains 'x'",
        "not contains",
        '"not" stands before the whole comparison, not before "contains"',
        "write not a contains …",
    ),
    ("a == not b", "not", '"not" stands before a whole comparison', "put it in parentheses: (not …)"),
    # Names.
    ("P95 > 1s", "P95", f'"P95" is not a name; {NAMES}', "write p95"),
    ("_a > 1s", "_a", f'"_a" is not a name; {NAMES}', "write a"),
    ("a.b.c > 1", "a.b.c", '"a.b.c" has too many dots', "write metric, step.metric or inputs.name"),
    ("inputs > 1", "inputs", '"inputs" alone has no value', "write inputs.name"),
    # Numbers and units.
    ("p95 > 500 ms", "500 ms", TOGETHER, "write 500ms"),
    ("p95 > 5 seconds", "5 seconds", TOGETHER, "write 5s"),
    ("a > 80 %", "80 %", TOGETHER, "write 80%"),
    ("p95 > 5m", "5m", '"m" is not a unit', "write 5min"),
    ("p95 > 5MS", "5MS", '"MS" is not a unit', "write 5ms"),
    ("a > 5kb", "5kb", '"kb" is not a unit', "write 5kB"),
    ("p95 > 5µs", "5µs", '"µs" is not a unit', "write 5us"),
    ("a > 5rps", "5rps", '"rps" is not a unit', "write 5/s"),
    ("a > 5/sec", "5/sec", '"/sec" is not a unit', "write 5/s"),
    ("p95 > 5weeks", "5weeks", '"weeks" is not a unit', UNITS),
    ("p95 > 1h30m", "1h30m", '"1h30m" has more than one unit', "write one, for example 90min for 1h30m"),
    ("a > 1_000", "1_000", "numbers have no underscores", "write 1000"),
    ("a > 1,000", ",", "a comma stands only between the values of a list", "write 1000"),
    ("a == 1.2.3", "1.2.3", '"1.2.3" is not a number', "a text, such as a version, stands in quotes"),
    ("a > 1e999", "1e999", "this number is too large", ""),
    ("a > " + "9" * 400, "9" * 400, "this number is too large", ""),
    # Chains and lists.
    ("1s < p95 < 2s", "1s < p95 < 2s", "comparisons cannot be chained", "write p95 > 1s and p95 < 2s"),
    ("a < b <= c", "a < b <= c", "comparisons cannot be chained", "write a < b and b <= c"),
    ("a in [1] == b", "a in [1] ==", "comparisons cannot be chained", "join two comparisons with and"),
    ("a in 5", "5", 'a list must follow "in"', 'write for example in ["idle", "active"]'),
    ("a in []", "[]", "this list is empty: nothing is in it", ""),
    ("a in [1, 2", "[", 'this "[" is never closed', 'add "]"'),
    ("a in [", "[", 'this "[" is never closed', 'add "]"'),
    ("a in [1 2]", "2", 'a comma is missing before "2"', 'values are separated by ","'),
    ("a in [,]", ",", '"," stands where a value must stand', VALUE),
    ("[1] == a", "[", '"[" stands where a value must stand', 'a list follows "in"'),
    ("a[0] > 1", "[", 'a list stands only behind "in"', ""),
    # Patterns: offsets are into the condition.
    ("a matches b", "b", 'a pattern in quotes must follow "matches"', 'write for example matches "^5"'),
    ("a matches '('", "(", 'this "(" is never closed', r"write \( for the character"),
    ("a matches 'x)'", ")", 'this ")" closes nothing', r"write \) for the character"),
    ("a matches '[x'", "[", 'this "[" is never closed', r"write \[ for the character"),
    ("a matches 'x**'", "x**", "this repeats a repetition", "put the inner one in parentheses"),
    ("a matches 'x*+'", "x*+", "this repeats a repetition", "put the inner one in parentheses"),
    ("a matches '+x'", "+", "there is nothing to repeat", r"write \+ for the character"),
    ("a matches '{2}x'", "{", "there is nothing to repeat", r"write \{ for the character"),
    ("a matches '^*'", "^*", "there is nothing to repeat", ""),
    ("a matches 'x{3,2}'", "x{3,2}", "{3,2} repeats at least 3 and at most 2 times", ""),
    ("a matches 'x{999}'", "x{999}", "a pattern may repeat 200 times", ""),
    ("a matches '(x{100}){100}'", "(x{100}){100}", "this pattern is too large", "repeat less often"),
    (
        "a matches '(?=x)'",
        "(?=",
        "only groups (…) and (?:…) are supported",
        "put (?i) in front of the whole pattern",
    ),
    (r"a matches '(x)\1'", r"\1", r"\1 is not supported", SUPPORTED),
    (r"a matches '\q'", r"\q", r"\q is not supported", SUPPORTED),
    (r"a matches '\xg'", r"\x", r"\x needs hexadecimal digits", ""),
    ("a matches 'x\\'", "\\", "a pattern cannot end with a backslash", r"write \\ for the character"),
    ("a matches '[z-a]'", "z-a", "z-a is not a range", ""),
    ("a matches ''", "", "an empty pattern is found in every text", "write is not missing"),
    ("a matches '" + "(" * 31 + "'", "(", "a pattern may have 30 groups within each other", ""),
]


@pytest.mark.parametrize(("text", "marked", "message", "hint"), CASES, ids=[case[0][:30] for case in CASES])
def test_a_mistake_is_named_placed_and_mended(text: str, marked: str, message: str, hint: str) -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse(text)
    error = caught.value
    assert (error.message, error.hint, text[error.start : error.end]) == (message, hint, marked)
    assert str(error) == message


def test_a_condition_may_be_so_long_and_no_longer() -> None:
    longest = "a > 1".ljust(MOST_TEXT)
    parse(longest)
    with pytest.raises(ConditionSyntaxError, match="a condition may have 2000 characters; this has 2001") as caught:
        parse(longest + " ")
    assert caught.value.hint == "split it over two branches, or over two steps"
    assert (caught.value.start, caught.value.end) == (MOST_TEXT, MOST_TEXT + 1)


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("not ", ""), ("-", "")])
def test_a_condition_may_be_nested_so_deep_and_no_deeper(opening: str, closing: str) -> None:
    parse(opening * MOST_DEPTH + "a" + closing * MOST_DEPTH)
    with pytest.raises(ConditionSyntaxError, match="a condition may be nested 50 levels deep; this goes deeper"):
        parse(opening * (MOST_DEPTH + 1) + "a" + closing * (MOST_DEPTH + 1))


def test_a_condition_may_calculate_so_often_and_no_more() -> None:
    parse("a > " + "1 + " * MOST_ARITHMETIC + "1")
    with pytest.raises(ConditionSyntaxError, match="a condition may calculate 50 times; this does more often"):
        parse("a > " + "1 + " * (MOST_ARITHMETIC + 1) + "1")


def test_many_joined_comparisons_are_no_nesting() -> None:
    parse(" or ".join(["a > 1"] * 200))


def test_a_syntax_error_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        parse("a >")
