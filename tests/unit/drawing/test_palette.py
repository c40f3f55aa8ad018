from collections.abc import Mapping

import pytest

from runbook_engine.graph.drawing.palette import DARK, LIGHT, variables

TEXT_ON = [
    ("ink", ("page", "surface", "sunken", "ok-tint", "warning-tint", "critical-tint", "blind-tint")),
    ("muted", ("page", "surface", "sunken", "warning-tint", "critical-tint", "blind-tint", "ok-tint")),
    ("faint", ("page", "surface", "sunken", "warning-tint", "critical-tint")),
    ("accent", ("page", "surface", "sunken")),
    ("ok", ("page", "surface", "sunken", "ok-tint")),
    ("warning", ("page", "surface", "sunken", "warning-tint")),
    ("critical", ("page", "surface", "sunken", "critical-tint")),
    ("blind", ("page", "surface", "sunken", "blind-tint")),
]


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [(text, ground) for text, grounds in TEXT_ON for ground in grounds])
def test_text_keeps_the_contrast_of_wcag_aa(palette: Mapping[str, str], text: str, ground: str) -> None:
    assert contrast(palette[text], palette[ground]) >= 4.5


def test_light_and_dark_have_the_same_colours() -> None:
    assert set(LIGHT) == set(DARK)


def test_variables_are_custom_properties_of_css() -> None:
    assert variables({"ink": "#000000"}) == "--rb-ink:#000000;"
