"""Every form of a known secret is hidden: however it is escaped, encoded, nested, folded or cut off."""

import base64
import json
import re
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.planted import FORMS

from runbook_engine.masking import HIDDEN, Mask
from runbook_engine.masking.several import search_for

# Whatever people and programs make: letters, signs that something escapes, beyond ASCII, with each kind of quote.
secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs", "Co", "Cn"]), min_size=6, max_size=60
).map(lambda text: f"Zq7{text}9Xj")


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _rest(masked: str, form: str) -> str:
    """What is left of the form: at most quotes, and what stood around the secret in what was encoded."""
    return masked.replace(HIDDEN, "") if HIDDEN in masked else form


@pytest.mark.parametrize("name", FORMS)
@given(secret=secrets)
def test_a_secret_is_hidden_in_each_form(name: str, secret: str) -> None:
    form = FORMS[name](secret)
    masked = Mask([secret]).known(f"before {form} after")
    assert HIDDEN in masked, masked
    assert masked.startswith("before")
    assert masked.endswith("after")
    assert FORMS["as it is"]("Zq7") not in _rest(masked, form)
    if name.startswith(("base64", "hexadecimal")):
        longest = max((len(each) for each in re.findall(r"\w+", _rest(masked, form))), default=0)
        assert longest <= (120 if "folded" in name else 14), masked


BUNDLE = "".join(
    f"-----BEGIN CERTIFICATE-----\n{chr(10).join(textwrap.wrap(_coded(f'key {number} ' * 60), 64))}\n-----END CERTIFICATE-----\n"
    for number in range(1_500)
)


def test_a_secret_of_a_megabyte_is_hidden() -> None:
    assert len(BUNDLE) > 1_000_000
    mask = Mask([BUNDLE])
    for form in (BUNDLE, json.dumps(BUNDLE), BUNDLE.replace("\n", "\r\n"), " ".join(BUNDLE.split()), _coded(BUNDLE)):
        masked = mask.known(f"before {form} after")
        assert len(masked) < 100, f"{masked[:200]!r}"


@pytest.mark.parametrize("secret", ["(a+)+$" * 2_000, "a|b" * 4_000, "[" * 9_000, "\\" * 10_000, ".*" * 5_000])
def test_what_a_secret_would_mean_as_a_regular_expression_does_not_matter(secret: str) -> None:
    mask = Mask([secret])
    assert mask.known(f"before {secret} after") == "before *** after"
    assert mask.known("a letter, and b") == "a letter, and b"


@given(
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=30, max_size=60), at=st.integers(0, 4)
)
def test_half_a_secret_at_the_end_of_a_text_that_was_cut_is_hidden(secret: str, at: int) -> None:
    half = len(secret) // 2 + 1 + at
    for text in (f"said {secret[:half]}", f"said {secret[:half]}…", f"{secret[-half:]} was said"):
        assert HIDDEN in Mask([secret]).known(text), text


def test_where_masking_fails_nothing_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = Mask(["a-secret-that-is-known"])

    def fail(text: object) -> str:
        raise MemoryError(text)

    monkeypatch.setattr(mask._known, "spans", fail)
    assert mask.text("it said a-secret-that-is-known") == HIDDEN
    monkeypatch.setattr("runbook_engine.masking.mask.parts", fail)
    mask.learn("another")
    assert mask.text("whatever") == HIDDEN


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("it's", "its own"),
        ("abc", "abcd and xabc"),
        ("post gres", "postgres"),
        ("admin", "YWRt in a longer word"),
        ("s3cr3t", "secret"),
    ],
)
def test_what_only_resembles_a_secret_stays(secret: str, text: str) -> None:
    assert Mask([secret]).known(text) == text


@given(st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=5), st.text("abc", max_size=40))
def test_without_its_library_the_search_finds_the_same(wanted: list[str], text: str) -> None:
    texts = [each.encode() for each in dict.fromkeys(wanted)]
    found = sorted(search_for(texts)(text.encode()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sys.modules, "ahocorasick_rs", None)
        assert sorted(search_for(texts)(text.encode())) == found
