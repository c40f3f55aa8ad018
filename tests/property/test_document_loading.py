"""The loader raises nothing on any text, and every place that it names lies in the text."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.document import Loaded, Source, Span, load, load_file, render_all
from runbook_engine.document.lines import LINE_BREAK

SOUND = (Path(__file__).parents[1] / "golden" / "document" / "sound.yaml").read_text(encoding="utf-8")
TOKENS = st.sampled_from(
    ("{", "}", "[", "]", ":", ": ", "- ", "? ", ",", "\n", "\n  ", "\n    ", "\t", "'", '"', "#", " #", "&a ", "*a", "!!str ", "|", ">", "<<: ",
     "{{ x }}", "{{", "---", "...", "%", "@", "\\", "\r", "\r\n", "\u2028", "\x85", "\ufeff", "\0", "漢", "🙂", "\ud800", "~", "1", ".nan", "0x", "9" * 400,
     "runbook", "title", "steps", "start", "inputs", "findings", "probe", "ask", "call", "when", "else", "goto", "branches", "kind", "type", "enum", "default")
)  # fmt: skip
KEYS = st.sampled_from(
    ("runbook", "title", "steps", "start", "inputs", "findings", "resolutions", "references", "symptoms", "a", "b", "end", "in",
     "probe", "ask", "call", "with", "params", "extract", "retry", "timeout", "branches", "on_error", "when", "else", "goto",
     "kind", "kinds", "finding", "level", "type", "values", "default", "env", "optional", "path", "unit", "url", "attempts", "otherwise")
)  # fmt: skip
SCALARS = st.sampled_from(
    [None, True, 0, -1, 1.5, float("nan"), "", "a", "b", "end", "500ms", "80%", "enum", "secret", "duration", "dns", "warning", "{{ a }}"]
)  # fmt: skip
SHAPES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A sound document with a few slices removed, doubled, moved or replaced by tokens that mean something to YAML."""
    text = SOUND
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        piece = draw(st.one_of(TOKENS, st.just(""), st.just(text[start:end] * 2), st.text(max_size=3)))
        text = text[:start] + piece + text[end:]
    return text


@st.composite
def shaped(draw: st.DrawFn) -> str:
    """Sound YAML with the keys of a runbook in any wrong place."""
    import yaml

    document = {"runbook": "a", "title": "b", "start": "a", "steps": {"a": {"ask": "x"}}}
    for _ in range(draw(st.integers(1, 4))):
        here: dict[str, object] = document  # type: ignore[assignment] # widened as it is filled
        for key in draw(st.lists(KEYS, max_size=3)):
            below = here.get(key)
            if not isinstance(below, dict):
                break
            here = below
        here[draw(KEYS)] = draw(SHAPES)
    written: str = yaml.safe_dump(
        document, default_flow_style=draw(st.sampled_from([True, False, None])), allow_unicode=True
    )
    return written


def inside(span: Span, text: str) -> bool:
    lines = LINE_BREAK.split(text)
    begin, end = (span.line, span.column), (span.end_line, span.end_column)
    return begin <= end and all(
        1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1 for line, column in (begin, end)
    )


def paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, below in pairs:
        yield from paths(below, (*path, key))


def hold(loaded: Loaded) -> None:
    text = loaded.source.text
    assert all(inside(each.span, text) for each in loaded.diagnostics)
    assert all(each.code.startswith("RB1") and each.message for each in loaded.diagnostics)
    assert len({(each.code, each.span, each.label) for each in loaded.diagnostics}) == len(loaded.diagnostics)
    assert list(loaded.diagnostics) == sorted(loaded.diagnostics)
    assert (loaded.runbook is not None) == (not loaded.diagnostics)
    shown = render_all(loaded.diagnostics, {loaded.source.file: text})
    assert all(character.isprintable() or character == "\n" for character in shown)
    if loaded.partial is not None:
        for path in paths(loaded.partial.model_dump(by_alias=True)):
            assert inside(loaded.source.span(path), text)
            assert inside(loaded.source.span(path, key=True), text)
        assert loaded.names.steps >= set(loaded.partial.steps)
        assert loaded.names.inputs >= set(loaded.partial.inputs)


@given(st.text(max_size=200))
def test_any_text_gives_diagnostics_and_no_exception(text: str) -> None:
    hold(load(text, "r.yaml"))


@given(st.lists(TOKENS, max_size=40).map("".join))
def test_any_heap_of_yaml_tokens_gives_diagnostics_and_no_exception(text: str) -> None:
    hold(load(text, "r.yaml"))


@given(mutated())
def test_any_damage_to_a_sound_document_gives_diagnostics_and_no_exception(text: str) -> None:
    hold(load(text, "r.yaml"))


@given(shaped())
def test_any_wrong_shape_gives_diagnostics_and_no_exception(text: str) -> None:
    hold(load(text, "r.yaml"))


@given(shaped())
def test_what_can_be_salvaged_has_no_mistake_of_shape_left(text: str) -> None:
    partial = load(text, "r.yaml").partial
    if partial is not None:
        again = load(partial.model_dump_json(by_alias=True, exclude_none=True), "r.yaml")
        assert [each.code for each in again.diagnostics] == []
        assert again.runbook == partial


@given(content=st.binary(max_size=200) | mutated().map(lambda text: text.encode("utf-16", "surrogatepass")))
def test_any_bytes_give_diagnostics_and_no_exception(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(content)

    hold(load_file(file))


@given(
    text=st.text(alphabet="ab '\"\\:#\n\t é漢\x07", min_size=1, max_size=30),
    style=st.sampled_from(["'", '"', "|", ">", None]),
    data=st.data(),
)
def test_offsets_into_any_text_lead_to_their_characters(text: str, style: str | None, data: st.DataObject) -> None:
    import yaml

    written = yaml.safe_dump(
        {"a": {"b": text}}, default_style=style, width=data.draw(st.integers(5, 80)), allow_unicode=True
    )
    source = Source("r.yaml", written)
    start = data.draw(st.integers(0, len(text) - 1))
    span = source.span_within(("a", "b"), start, start + 1)

    assert inside(span, written)
    if span != source.span(("a", "b")) and not text[start].isspace() and span.line == span.end_line:
        cut = LINE_BREAK.split(written)[span.line - 1][span.column - 1 : span.end_column - 1]
        assert (
            cut == text[start]
            or cut in ("''", "\\" + text[start], '\\"', "\\\\")
            or cut.startswith(("\\x", "\\u", "\\a"))
        )
