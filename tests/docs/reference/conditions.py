"""The reference of conditions and of texts with ``{{ }}``. Every example in it is evaluated while the page is made."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from msgspec import Struct
from tests.docs.reference.markdown import code, page, table

from runbook_engine.conditions import Name, Problem, check, parse
from runbook_engine.conditions import compile as compile_condition
from runbook_engine.document.told import Told
from runbook_engine.quantity import UNITS, Dimension, MetricType, Value, show
from runbook_engine.templates import FILTERS, Filled
from runbook_engine.templates import parse as parse_template

METRICS: Mapping[str, tuple[MetricType, Value | None]] = {
    "p95": (MetricType(Dimension.DURATION, lower=0), 1.24),
    "error_rate": (MetricType(Dimension.PERCENT, lower=0, upper=100), 0.4),
    "memory": (MetricType(Dimension.BYTES, lower=0), 2.0**29),
    "requests": (MetricType(Dimension.RATE, lower=0), 120.0),
    "active": (MetricType(Dimension.NUMBER, lower=0, integer=True), 45),
    "limit": (MetricType(Dimension.NUMBER, lower=0, integer=True), 50),
    "hit_rate": (MetricType(Dimension.PERCENT, lower=0, upper=100, optional=True), None),
    "state": (MetricType(Dimension.TEXT, members=("available", "modifying", "stopped")), "modifying"),
    "version": (MetricType(Dimension.TEXT), "18.1 (Debian 18.1-1)"),
    "ready": (MetricType(Dimension.BOOL), True),
    "database.used": (MetricType(Dimension.NUMBER, lower=0, integer=True), 40),
    "database.waiting": (MetricType(Dimension.NUMBER, lower=0, integer=True), 1),
    "certificate.expires_in": (MetricType(Dimension.DURATION), 12 * 86_400.0),
    "database.region": (MetricType(Dimension.TEXT), "eu west"),
    "database.hit_rate": (MetricType(Dimension.PERCENT, lower=0, upper=100, optional=True), None),
    "inputs.slow": (MetricType(Dimension.DURATION, lower=0), 0.5),
}
"""What the examples are evaluated with, by name."""


class Way(Struct, frozen=True):
    """One thing that can be written in a condition: what it means, and examples with what each comes to."""

    written: str
    means: str
    examples: tuple[str, ...]


WAYS: Sequence[Way] = (
    Way("`==` `!=`", "is the same, is another", ("active == 45", 'state != "available"', "ready == true")),
    Way(
        "`<` `<=` `>` `>=`",
        "is less, more; numbers and quantities only",
        ("p95 > 1s", "error_rate >= 0.4%", "1s < p95"),
    ),
    Way("`and` `or` `not`", "all of them, one of them, the opposite", ("p95 > 1s and error_rate < 5%", "not ready")),
    Way(
        "`in [...]` `not in [...]`",
        "is one of these, is none of them",
        ('state in ["modifying", "stopped"]', "active not in [0, 1]"),
    ),
    Way("`contains`", "the text has this in it, case as written", ('version contains "Debian"',)),
    Way("`matches`", "a regular expression is found in the text", (r'version matches "^1[78]\."',)),
    Way(
        "`is missing` `is not missing`",
        "a probe could not tell the value",
        ("hit_rate is missing", "hit_rate is not missing and hit_rate < 80%"),
    ),
    Way(
        "`+` `-` `*` `/`",
        "calculates; like with like, and quantities with numbers",
        ("limit - active < 10", "active / limit > 0.8", "p95 > 2 * inputs.slow"),
    ),
    Way("`( )`", "what belongs together", ("not (ready and active == 0)",)),
    Way("a name", "a metric of this step that is true or false", ("ready",)),
    Way("`step.metric`", "a metric of an earlier step", ("database.used > 30",)),
    Way("`inputs.name`", "an input", ("p95 > inputs.slow",)),
)

WRONG: Sequence[str] = ("p95 > 1000", "error_rate > 120%", 'state == "broken"', "p95 > 80%", "hit_rate == missing")
"""What a checker refuses, each with what it says."""

TEMPLATES: Sequence[str] = (
    "{{ database.used }} connections are in use",
    '{{ database.used|count("connection") }}, {{ database.waiting|count("query waits", "queries wait") }}',
    'The certificate {{ certificate.expires_in|when("expires", "expired") }}',
    "more than {{ inputs.slow }}",
    "{{ inputs.slow|number }}",
    "{{ database.region|upper }}",
    "{{ database.region|urlencode }}",
    '{{ database.hit_rate|default("unknown") }}',
)


def resolve(name: Name) -> MetricType | Problem:
    found = METRICS.get(str(name))
    return found[0] if found else Problem(f"there is no {name}", name.start, name.end)


def value(name: Name) -> Value | None:
    return METRICS[str(name)][1]


def comes_to(condition: str) -> str:
    """``true``, ``false`` or ``undecided``. Raises ValueError where the checker has anything to say."""
    expression = parse(condition)
    problems = list(check(expression, resolve))
    if problems:
        raise ValueError(f"{condition}: {problems[0].message}")
    truth = compile_condition(expression).evaluate(value).value
    return "undecided" if truth is None else str(truth).lower()


def refused(condition: str) -> str:
    """What is said of a condition that is wrong."""
    from runbook_engine.conditions import ConditionSyntaxError

    try:
        found: Sequence[Problem] = list(check(parse(condition), resolve))
    except ConditionSyntaxError as error:
        return f"{error.message}; {error.hint}" if error.hint else error.message
    if not found:
        raise ValueError(f"{condition} is not wrong")
    return f"{found[0].message}; {found[0].hint}" if found[0].hint else found[0].message


TOLD = (
    ("title, description, symptoms and references of a runbook", Told.INPUTS),
    ("title, description, question and parameters of a step", Told.BEFORE),
    ("title and cause of a finding", Told.FINDING),
    ("resolutions and prevention", Told.RUN),
    ("help of an input, playbooks", Told.PLAIN),
)
"""When texts are read."""


def filled(template: str) -> str:
    def look_up(name: Name) -> Filled:
        known, held = METRICS[str(name)]
        return Filled(held, known.dimension)

    return parse_template(template).text(look_up)


def pages() -> Iterator[tuple[str, str]]:
    values = [
        (code(name), "missing" if held is None else show(held, known.dimension))
        for name, (known, held) in METRICS.items()
    ]
    ways = [
        (each.written, each.means, "\n".join(f"{code(example)} is {comes_to(example)}" for example in each.examples))
        for each in WAYS
    ]
    yield (
        "conditions.md",
        page(
            "Conditions and texts",
            "A condition is the text after `when`. Names in it are metrics and inputs, literals carry their units, and "
            "`runbook check` proves which values the conditions of a step leave open. Nothing in it is ever run as a program.",
            "The examples on this page are evaluated with these values:",
            table(["name", "value"], values),
            "## What can be written",
            table(["written", "it means", "for example"], ways),
            "`and` binds tighter than `or`, `not` tighter than `and`; comparisons come before all three, `*` and `/` before "
            "`+` and `-`. A text stands in double or single quotes; there are no escapes in it.",
            "In YAML a condition with `: `, ` #`, a quote at its beginning or, within `{ }`, a comma or a bracket stands in "
            'quotes: `when: \'state in ["modifying", "stopped"]\'`.',
            "## Missing values",
            "A value that is missing makes a comparison *undecided*, never false: `hit_rate < 80%` does not hold, and neither "
            "does `not hit_rate < 80%`. `false and ...` is false and `true or ...` is true whatever is missing beside it. A step "
            "whose branches stay undecided is a [blind spot](../concepts.md#blind-spots). NaN, a division by zero and a result "
            "too large for a number are missing.",
            "## Units",
            "A quantity is compared with a quantity of its kind. Units stand right behind the number.",
            _units(),
            "A metric that is a `number` or a `whole number` is compared with a bare number.",
            "## Patterns",
            "`matches` knows characters, `.`, classes `[a-z]`, `\\d \\w \\s` and their opposites, `^ $ \\A \\Z \\b`, groups, `|`, "
            "`* + ? {2,5}` and `(?i)` in front. There are no look-arounds and no back-references: a pattern is searched in a time "
            "that grows with the text alone. Of a longer text the first 10,000 characters are searched.",
            "## What is refused",
            table(["written", "what `runbook check` says"], [(code(each), refused(each)) for each in WRONG]),
            "## Texts with `{{ }}` { #texts }",
            "The texts that people read, and parameters, may hold names between `{{` and `}}`. A name there is `step.metric` or "
            "`inputs.name`. `{{ error.message }}` is what a probe said when it failed, in the finding of an `on_error` route.",
            table(["written", "it becomes"], [(code(each), filled(each)) for each in TEMPLATES]),
            "Which names a text may have depends on when it is read:",
            table(["text", "knows"], [(where, mark.value) for where, mark in TOLD]),
            "What is not known in the end reads `unknown`. Before a run, `runbook show` and drawings have `<name>` in its place. "
            "Braces that mean themselves stand between `{% raw %}` and `{% endraw %}`.",
            "In titles and causes minutes, hours and days are spelled out, as a sentence wants them; in parameters quantities "
            "have their short units.",
            f"The filters are {', '.join(code(each) for each in ('default', *FILTERS))}. `number` writes a quantity bare, in its "
            "base unit; `host` and `port` are those of a URL; `count` says what is counted, with an s for more than one or with "
            "the second word; `when` says of a time left whether it lies ahead or is past; `default` stands in for a missing "
            "value, with a text or with another name: `{{ inputs.tls_host | default(inputs.api_url | host) }}`. A parameter that "
            "is one name and nothing else keeps its type.",
        ),
    )


def _units() -> str:
    rows = []
    for dimension, units in groupby(UNITS.items(), key=lambda each: each[1][0]):
        listed = list(units)
        base = next(unit for unit, (_, factor) in listed if factor == 1)
        rows.append(
            (str(dimension), ", ".join(code(unit) for unit, _ in listed), code(base), code(_LITERALS[dimension]))
        )
    return table(["kind", "units", "base unit", "for example"], rows)


_LITERALS: Mapping[Dimension, str] = {
    Dimension.DURATION: "p95 > 500ms",
    Dimension.PERCENT: "error_rate > 5%",
    Dimension.BYTES: "memory < 512MiB",
    Dimension.RATE: "requests > 100/s",
}
