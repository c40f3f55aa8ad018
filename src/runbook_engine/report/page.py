"""What all HTML pages have in common: one look, light and dark, and nothing from elsewhere."""

import base64
import hashlib
from pathlib import Path

from markupsafe import Markup

from runbook_engine.graph.drawing.icons import ICONS
from runbook_engine.graph.drawing.icons import css as icon_css
from runbook_engine.graph.drawing.palette import DARK, LIGHT, variables

TEMPLATES = Path(__file__).parent / "templates"


def stylesheet(more: str = "") -> str:
    """The colours stand in one place and are said three times: light, dark by the system, dark by choice.

    ``more`` comes before the rules of the page, which win.
    """
    dark = f"color-scheme:dark;{variables(DARK)}"
    colours = (
        f":root{{color-scheme:light;{variables(LIGHT)}}}"
        f"@media(prefers-color-scheme:dark){{:root:not(:has(#theme-light:checked)){{{dark}}}}}"
        f":root:has(#theme-dark:checked){{{dark}}}"
        f"@media print{{:root,:root:has(#theme-dark:checked){{color-scheme:light;{variables(LIGHT)}}}}}"
    )
    return f"{colours}{icon_css('.icon')}{more}{(TEMPLATES / 'report.css').read_text('utf-8')}"


def content_policy(style: str, script: str = "") -> str:
    """A Content-Security-Policy that admits this style and this script, by their hashes, and nothing else."""
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; {scripts}img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def icon(name: str) -> Markup:
    return Markup(f'<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{ICONS[name]}</svg>')  # noqa: S704 - ours


def favicon(tone: str) -> str:
    """A disc in a colour of the palette."""
    circle = f"<circle cx='8' cy='8' r='7' fill='{LIGHT[tone].replace('#', '%23')}'/>"
    return f"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>{circle}</svg>"
