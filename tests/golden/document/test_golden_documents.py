"""Each ``x.yaml`` here is a document, and ``x.out`` what a person reads about it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook_engine.document import load_file, render_all

HERE = Path(__file__).parent
DOCUMENTS = sorted(HERE.glob("*.yaml"))


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_a_document_is_reported_as_in_its_golden_file(
    file: Path, golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HERE)

    loaded = load_file(file)

    golden(file.with_suffix(".out"), render_all(loaded.diagnostics, {loaded.source.file: loaded.source.text}) + "\n")


def test_every_golden_file_belongs_to_a_document() -> None:
    assert [file.with_suffix(".yaml") for file in sorted(HERE.glob("*.out"))] == DOCUMENTS
