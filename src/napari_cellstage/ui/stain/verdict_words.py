"""How the verdict on a predicted stain is shown: a sign, a colour, and its words. No widgets."""

from __future__ import annotations

from html import escape

from napari_cellstage.core.predicted import PredictedStain
from napari_cellstage.ui.curve import readable
from napari_cellstage.ui.theme import PanelTheme

SIGNS = {"like": "✓", "doubtful": "▲", "unlike": "⚠"}  # told apart without colours too
COLORS = {"like": "#009e73", "doubtful": "#e69f00", "unlike": "#d55e00"}  # Okabe-Ito
SHORT = {"like": "like the training images", "doubtful": "partly unlike them", "unlike": "unlike the training images"}


def sign_of(level: str) -> str:
    """Return the sign of a level; nothing where nobody judged."""
    return SIGNS.get(level, "")


def verdict_text(stain: PredictedStain, theme: PanelTheme) -> str:
    """Return the verdict as rich text, its sign and the first words in the colour of the level."""
    if not stain.verdict:
        return "Nobody has judged whether this image is like the training images."
    color = readable(COLORS.get(stain.verdict, "#999999"), theme)
    head = f"{sign_of(stain.verdict)} {SHORT.get(stain.verdict, stain.verdict).capitalize()}."
    return f'<b style="color:{color}">{escape(head)}</b> {escape(stain.text)}'
