"""Which probes are installed. Names are listed without importing anything; a probe is imported when it is asked for."""

import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from runbook_engine.errors import DuplicateProbeError, ProbeContractError, UnknownProbeError
from runbook_engine.hostile import lines_of
from runbook_engine.probe.contract import Probe

GROUP = "runbook_engine.probes"

AnyProbe = Probe[Any, Any]


class EntryPoint(Struct, frozen=True):
    """``http.latency = runbook_probes.http:latency``, as the distribution ``runbook-engine`` declares it."""

    name: str
    value: str
    distribution: str


class Registry:
    """Probes by name. ``Registry()`` finds the installed ones; ``Registry.of`` holds just the given ones."""

    def __init__(self, given: Iterable[AnyProbe] = (), *, installed: bool = True) -> None:
        self._loaded: dict[str, AnyProbe] = {each.name: each for each in given}
        self._installed = installed

    @classmethod
    def of(cls, *probes: AnyProbe) -> "Registry":
        """Just these, nothing that is installed: for tests and embedding."""
        return cls(probes, installed=False)

    def with_probes(self, *probes: AnyProbe) -> "Registry":
        """This registry with some probes replaced or added."""
        return Registry((*self._loaded.values(), *probes), installed=self._installed)

    def names(self) -> tuple[str, ...]:
        """All names, sorted, without importing a probe."""
        return tuple(sorted({*self._loaded, *self._entry_points}))

    def provider(self, name: str) -> str:
        """The distribution that provides a probe, or an empty text for one that was given."""
        found = self._entry_points.get(name)
        return found[0].distribution if found else ""

    def get(self, name: str) -> AnyProbe:
        """The probe of that name.

        Raises UnknownProbeError, DuplicateProbeError where two distributions claim the name, ProbeContractError where the
        entry point does not lead to a probe of that name.
        """
        found = self._loaded.get(name)
        if found is None:
            found = self._loaded[name] = self._load(name)
        return found

    @cached_property
    def _entry_points(self) -> Mapping[str, tuple[EntryPoint, ...]]:
        if not self._installed:
            return {}
        found: dict[str, tuple[EntryPoint, ...]] = {}
        for each in scan(sys.path):
            found[each.name] = (*found.get(each.name, ()), each)
        return found

    def _load(self, name: str) -> AnyProbe:
        claims = self._entry_points.get(name, ())
        if not claims:
            raise UnknownProbeError(name, self.names())
        if len(claims) > 1:
            raise DuplicateProbeError(name, sorted(each.distribution for each in claims))
        claim = claims[0]
        module, _, attribute = claim.value.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ProbeContractError(
                f"the probe {name!r} of {claim.distribution} cannot be loaded from {claim.value}: {error}"
            ) from error
        if not isinstance(found, Probe) or found.name != name:
            raise ProbeContractError(
                f"{claim.distribution} declares {claim.value} as the probe {name!r}, but "
                + (f"it is named {found.name!r}" if isinstance(found, Probe) else "it is not a probe")
            )
        return found


def scan(path: Iterable[str]) -> Iterator[EntryPoint]:
    """The probes that the distributions on ``path`` declare.

    Reads just the ``entry_points.txt`` files: importlib.metadata parses every distribution's metadata, which costs more
    than a whole run may. Of two copies of one distribution the first on the path counts, as for imports.
    """
    seen: set[str] = set()
    for place in dict.fromkeys(path):
        for distribution, text in _declarations(place or "."):
            if distribution in seen:
                continue
            seen.add(distribution)
            if GROUP in text:
                yield from _parse(text, distribution)


_DIRECTORY = re.compile(r"(?P<name>.+?)(-[^-]+)?(-py[^-]*)?\.(dist|egg)-info\Z")


def _declarations(place: str) -> Iterator[tuple[str, str]]:
    if os.path.isfile(place):  # noqa: PTH113 - a zip archive on the path; hot at start-up
        import importlib.metadata

        for each in importlib.metadata.distributions(path=[place]):
            yield _normal(each.name), each.read_text("entry_points.txt") or ""
        return
    try:
        names = sorted(os.listdir(place))  # noqa: PTH208 - hot at start-up
    except OSError:
        return
    for name in names:
        found = _DIRECTORY.match(name)
        if found is None:
            continue
        try:
            text = Path(place, name, "entry_points.txt").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            text = ""
        yield _normal(found["name"]), text


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _parse(text: str, distribution: str) -> Iterator[EntryPoint]:
    section = ""
    for raw in lines_of(text):
        line = raw.strip()
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == GROUP and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.split("[")[0].strip(), distribution)
