"""Whatever a procedure holds, the runbook made of it is sound and says the same."""

from collections.abc import Sequence
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbook_engine import templates
from runbook_engine.authoring.customs import Customs
from runbook_engine.authoring.markdown import procedures
from runbook_engine.authoring.procedure import from_procedure
from runbook_engine.authoring.starting import Answers, from_answers, name_of
from runbook_engine.cli.check_files import CheckedFile, Checker
from runbook_engine.document.yaml_text import compose
from runbook_engine.document.yaml_writing import flow
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

REGISTRY, LIBRARY = Registry(), Library.default()
CUSTOMS, CHECKER = Customs(LIBRARY), Checker(REGISTRY, LIBRARY)

_WORDS = st.sampled_from(
    ["Check", "the", "pool", "end", "else", "inputs", "error", "answer", "true", "null", "{{", "}}", "{%", "{#", "%}", "endraw",
     "#", ": ", "- ", "'", '"', "`x`", "*a*", "yes", "1e3", "12:30", "ü", "🐌", "é́", "1.", "a.b", "|", "{{ inputs.x }}", "&"]
)  # fmt: skip
_LINES = st.lists(_WORDS, min_size=1, max_size=6).map(" ".join) | st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1, max_size=30
)
_COMMANDS = st.sampled_from(
    ["curl https://api.example.com", "df -h", "kubectl get pods", "psql -c 'select 1'", "redis-cli INFO", "echo '{{ x }}'",
     "aws ecs describe-services --cluster {{ a }} --services b", "nc -z db 1", "dig x", "curl '", "a && df; b",
     "for a in b; do", "done", "$ uptime", "# df /", "NAME  READY {{ x }}", "psql <<X", "X", "SELECT '{{ x }}'", "> y", "ssh a", "A=1",
     "curl $A", "openssl s_client -connect a.example.com:443", "psql -h $B -c 'select 1'", "{% x %}", "\t- tab", "trailing ",
     "curl -H 'Accept: {{ x }}' https://a.example.com", "redis-cli -h {{ x }} ping"]
)  # fmt: skip
_LISTED = st.lists(_LINES, max_size=4)


@st.composite
def _markdown(draw: st.DrawFn) -> str:
    lines = [
        f"# {draw(_LINES)}",
        "## Symptoms",
        *(f"- {each}" for each in draw(st.lists(_LINES, min_size=1, max_size=3))),
    ]
    lines.append("## Diagnostic Steps")
    for number, each in enumerate(draw(_LISTED)):
        lines += [
            f"{number + 1}. {each}",
            "",
            f"   ```{draw(st.sampled_from(['bash', '', 'console', 'sql', 'yaml']))}",
            *(f"   {one}" for one in draw(st.lists(_COMMANDS))),
            "   ```",
        ]
    lines += [f"### {draw(_LINES)}", "", draw(_LINES), "", *(f"    {one}" for one in draw(st.lists(_COMMANDS)))]
    lines.append("## Resolution")
    lines += [f"{number + 1}. {each}\n   - {draw(_LINES)}" for number, each in enumerate(draw(_LISTED))]
    lines += ["## Prevention", *(f"- {each}" for each in draw(_LISTED))]
    return "\n".join(lines)


def errors(text: str) -> Sequence[str]:
    checked: CheckedFile = CHECKER.text(text, "new.yaml", Path("new.yaml").resolve())
    return [str(each) for each in checked.without_notes().diagnostics if each.level == "error"]


@settings(max_examples=40)
@given(_markdown())
@example("# #\n## Symptoms\n- Check\n## Diagnostic Steps\n1. Look")
@example("# \f\n## Symptoms\n- Check\n## Diagnostic Steps")
@example("## Symptoms\n- Check\n## Resolution\n1. Wait")
def test_a_procedure_becomes_a_runbook_without_mistakes_and_keeps_its_words(text: str) -> None:
    for procedure in procedures(text):
        name = name_of(procedure.title) or "new"
        made = from_procedure(procedure, name, REGISTRY, CUSTOMS).started
        assert errors(made.text) == []
        assert compose(made.text, "new.yaml").value == made.document
        told = [each for group in procedure.symptoms for each in (group.title, *group.items) if each]
        symptoms = made.document.get("symptoms", [])
        assert isinstance(symptoms, list)
        plain = [templates.parse(str(each)).text(lambda _: templates.Filled(None)) for each in symptoms]
        assert [each for each in told if "endraw" not in each] == [
            each for each, one in zip(plain, told, strict=False) if "endraw" not in one
        ]


@settings(max_examples=30)
@given(_LINES, _LISTED, st.lists(st.sampled_from(REGISTRY.names()), max_size=4))
def test_answers_become_a_runbook_without_mistakes(title: str, symptoms: list[str], probes: list[str]) -> None:
    answers = Answers("new", title, symptoms=tuple(symptoms), probes=tuple(probes))
    made = from_answers(answers, REGISTRY, CUSTOMS)
    assert errors(made.text) == []


@given(st.text(max_size=300))
def test_any_text_is_read_as_markdown_without_an_error(text: str) -> None:
    assert all(each.line >= 1 for each in procedures(text))


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | _WORDS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), below, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_a_value_that_is_written_is_read_back_as_the_same(value: object) -> None:
    composed = compose(f"value: {flow(value)}\n", "x.yaml")
    assert composed.value == {"value": value}
