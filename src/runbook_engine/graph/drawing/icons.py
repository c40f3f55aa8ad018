"""Small signs on a grid of 16, drawn in the current colour; ``cut`` strokes take the colour of what lies behind."""

from collections.abc import Mapping
from types import MappingProxyType

_BUBBLE = "M2.6 2h10.8Q15 2 15 3.6v5.8Q15 11 13.4 11H8l-3.4 3.2V11h-2Q1 11 1 9.4V3.6Q1 2 2.6 2z"

ICONS: Mapping[str, str] = MappingProxyType(
    {
        "passed": '<circle class="solid" cx="8" cy="8" r="7"/><path class="cut" d="M4.9 8.3 7 10.4l4.2-4.6"/>',
        "warning": '<path class="solid" d="M8 1.9 14.8 13.8H1.2z"/><path class="cut" d="M8 6.2v3.4M8 11.6v.01"/>',
        "critical": '<path class="solid" d="M5.2 1.2h5.6l4 4v5.6l-4 4H5.2l-4-4V5.2z"/>'
        '<path class="cut" d="M8 4.6v4M8 11.2v.01"/>',
        "blind": '<path class="thin" d="M1.2 8S3.7 3.4 8 3.4 14.8 8 14.8 8 12.3 12.6 8 12.6 1.2 8 1.2 8z"/>'
        '<circle class="thin" cx="8" cy="8" r="2"/><path class="thin" d="M2.6 13.6 13.4 2.4"/>',
        "skipped": '<circle class="thin" cx="8" cy="8" r="6.2"/><path class="thin" d="M5.2 8h5.6"/>',
        "answered": f'<path class="solid" d="{_BUBBLE}"/><path class="cut" d="M5 6.6l2 2 3.8-4.1"/>',
        "not asked": '<circle class="thin dotted" cx="8" cy="8" r="6.2"/><path class="thin" d="M5.2 8h5.6"/>',
        "not reached": '<circle class="thin dotted" cx="8" cy="8" r="6.2"/>',
        "probe": '<path class="thin" d="M2.3 11.8a6.4 6.4 0 1 1 11.4 0"/><path class="thin" d="M8 9.4l2.9-3.6"/>'
        '<circle class="solid" cx="8" cy="9.4" r=".8"/>',
        "ask": f'<path class="thin" d="{_BUBBLE}"/>'
        '<path class="thin" d="M6.4 5.3a1.6 1.6 0 1 1 2.3 1.4c-.5.3-.7.5-.7 1M8 9.2v.01"/>',
        "call": '<path class="thin" d="M3 2.5v5A2.5 2.5 0 0 0 5.5 10H13M10 6.9l3.1 3.1-3.1 3.1"/>',
        "end": '<circle class="thin" cx="8" cy="8" r="3.2"/>',
    }
)


def css(scope: str) -> str:
    """How signs below the selector ``scope`` are drawn."""
    return (
        f"{scope} .solid{{fill:currentColor;stroke:currentColor;stroke-width:1.2;stroke-linejoin:round}}"
        f"{scope} .cut{{fill:none;stroke:var(--rb-surface);stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}}"
        f"{scope} .thin{{fill:none;stroke:currentColor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}}"
        f"{scope} .dotted{{stroke-dasharray:1.6 2.6}}"
    )
