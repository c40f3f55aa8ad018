"""Which probes are found, and what is said when one is not."""

import sys
import zipfile
from pathlib import Path

import pytest

from runbook_engine.errors import DuplicateProbeError, ProbeContractError, UnknownProbeError
from runbook_engine.probe.fake import FakeProbe
from runbook_engine.probe.registry import Registry, scan

OURS = {
    "aws.call",
    "aws.cloudwatch",
    "dns.resolve",
    "http.get",
    "http.latency",
    "postgres.activity",
    "postgres.ping",
    "postgres.query",
    "postgres.slow_queries",
    "redis.info",
    "redis.ping",
    "tcp.connect",
}


def install(folder: Path, name: str, entries: dict[str, str], body: str = "") -> None:
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "\n".join(f"{key} = {value}" for key, value in entries.items())
    (info / "entry_points.txt").write_text(f"[console_scripts]\nx = y:z\n\n[runbook_engine.probes]\n{lines}\n")
    if body:
        (folder / f"{name.replace('-', '_')}.py").write_text(body)


def test_our_own_probes_come_in_by_the_same_door() -> None:
    registry = Registry()
    assert set(registry.names()) >= OURS
    assert registry.provider("http.get") == "runbook-engine"


def test_every_installed_probe_of_ours_loads_and_keeps_its_name() -> None:
    registry = Registry()
    for name in sorted(OURS):
        found = registry.get(name)
        assert found.name == name
        assert found.doc
        assert found.metrics or found.extracts


def test_an_unknown_probe_is_named_with_the_likeliest_one() -> None:
    with pytest.raises(UnknownProbeError, match=r'did you mean "http\.latency"'):
        Registry().get("http.latancy")


def test_two_distributions_that_claim_one_name_are_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "first-probes", {"disk.usage": "first_probes:usage"})
    install(tmp_path, "second-probes", {"disk.usage": "second_probes:usage"})
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    registry = Registry()
    assert registry.names() == ("disk.usage",)
    with pytest.raises(DuplicateProbeError, match="first-probes and by second-probes"):
        registry.get("disk.usage")


def test_the_same_distribution_twice_on_the_path_counts_once(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        install(tmp_path / folder, "some-probes", {"disk.usage": "some_probes:usage"})
    assert len(list(scan([str(tmp_path / "a"), str(tmp_path / "b")]))) == 1


def test_probes_inside_a_zip_archive_are_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "probes.zip", "w") as archive:
        archive.writestr(
            "some_probes-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-probes\nVersion: 1.0\n"
        )
        archive.writestr(
            "some_probes-1.0.dist-info/entry_points.txt", "[runbook_engine.probes]\ndisk.usage = some_probes:usage\n"
        )
    assert [each.name for each in scan([str(tmp_path / "probes.zip")])] == ["disk.usage"]


@pytest.mark.parametrize(
    ("value", "body", "expected"),
    [
        ("gone_probes:usage", "", "cannot be loaded from gone_probes:usage"),
        ("odd_probes:usage", "usage = 1\n", "it is not a probe"),
    ],
)
def test_an_entry_point_that_leads_astray_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, body: str, expected: str
) -> None:
    install(tmp_path, value.partition(":")[0].replace("_", "-"), {"disk.usage": value}, body)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ProbeContractError, match=expected):
        Registry().get("disk.usage")


def test_a_given_probe_replaces_an_installed_one() -> None:
    fake = FakeProbe("http.get").probe
    assert Registry().with_probes(fake).get("http.get") is fake
