"""Inputs of one name in several documents of a directory."""

from pathlib import Path

import pytest

from runbook_engine.graph.alike import unlike


def told(folder: Path, own: str, **others: str) -> list[str]:
    for name, inputs in others.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(exist_ok=True)
        kind = "policy" if "__" in name else "runbook"
        file.write_text(f"{kind}: {file.stem}\ninputs:\n  host: {inputs}\n")
    path = folder / "own.yaml"
    text = f"runbook: own\ninputs:\n  host: {own}\n"
    path.write_text(text)
    found = unlike(text, "own.yaml", path)
    assert all(
        (each.code, each.level, each.span.line, each.span.column) == ("RB219", "warning", 3, 3) for each in found
    )
    return [each.message for each in found]


@pytest.mark.parametrize(
    ("own", "other", "message"),
    [
        ("{env: A}", "{env: B}", 'input "host" is read from the variable A, and is read from the variable B in one'),
        ("{type: string}", "{env: B}", 'input "host" is read from no variable, and is read from the variable B in one'),
        ("{type: url}", "{type: secret}", 'input "host" is of the type url, and is of the type secret in one'),
        ("{type: int}", "{help: x}", 'input "host" is of the type int, and is of the type string in one'),
        (
            "{type: enum, values: [a, b]}",
            "{type: enum, values: [a, c]}",
            'input "host" has the values a, b, and has the values a, c in one',
        ),
    ],
)
def test_another_type_variable_or_other_values_are_told(own: str, other: str, message: str, tmp_path: Path) -> None:
    assert told(tmp_path, own, one=other) == [message]


def test_a_default_and_a_help_of_its_own_are_no_other_definition(tmp_path: Path) -> None:
    assert told(tmp_path, "{default: a, help: x}", one="{default: b, optional: true}") == []


def test_it_is_told_of_the_one_that_differs_from_most(tmp_path: Path) -> None:
    assert told(tmp_path, "{env: A}", one="{env: A}", two="{env: B}") == []
    assert told(tmp_path, "{env: B}", one="{env: A}", two="{env: A}", three="{env: A}", four="{env: A}") == [
        'input "host" is read from the variable B, and is read from the variable A in four, one, three and 1 more'
    ]


def test_policies_count_and_tests_and_broken_documents_do_not(tmp_path: Path) -> None:
    assert told(tmp_path, "{env: A}", policy__metrics="{env: B}") == [
        'input "host" is read from the variable A, and is read from the variable B in the policy metrics'
    ]
    (tmp_path / "policy" / "metrics.yaml").unlink()
    (tmp_path / "own.test.yaml").write_text("tests: own\ninputs: {host: {env: B}}\n")
    (tmp_path / "broken.yaml").write_text("runbook: broken\ninputs: {host: [")
    assert told(tmp_path, "{env: A}") == []
