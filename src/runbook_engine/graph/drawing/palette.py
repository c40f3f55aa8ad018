"""The colours of pictures and pages, for light and for dark. Every pair that carries text keeps WCAG AA (4.5 : 1)."""

from collections.abc import Mapping
from types import MappingProxyType

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "page": "#f5f6f8",
        "surface": "#ffffff",
        "sunken": "#f0f2f5",
        "ink": "#171b22",
        "muted": "#545d6b",
        "faint": "#616b7b",
        "line": "#dce0e6",
        "quiet": "#c6ccd5",
        "edge": "#98a1ae",
        "accent": "#1d5fd1",
        "ok": "#14744a",
        "ok-tint": "#e7f6ee",
        "warning": "#8f5200",
        "warning-tint": "#fff4df",
        "critical": "#bd1e2d",
        "critical-tint": "#fdecec",
        "blind": "#6541b8",
        "blind-tint": "#f3effd",
    }
)
DARK: Mapping[str, str] = MappingProxyType(
    {
        "page": "#0e1116",
        "surface": "#161a21",
        "sunken": "#1d222b",
        "ink": "#e9ecf1",
        "muted": "#a4adba",
        "faint": "#8d97a6",
        "line": "#2b323d",
        "quiet": "#3a4350",
        "edge": "#5c6675",
        "accent": "#7db0ff",
        "ok": "#53c88f",
        "ok-tint": "#12291f",
        "warning": "#f2b04b",
        "warning-tint": "#2d2311",
        "critical": "#ff8087",
        "critical-tint": "#35191d",
        "blind": "#b9a3ff",
        "blind-tint": "#241d3b",
    }
)


def variables(palette: Mapping[str, str]) -> str:
    """As CSS custom properties: ``--rb-ink:#171b22;…``."""
    return "".join(f"--rb-{name}:{colour};" for name, colour in palette.items())
