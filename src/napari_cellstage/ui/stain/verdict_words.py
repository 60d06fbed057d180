"""How the verdict on a predicted stain is shown: a sign, a colour, and its words. No widgets."""

from __future__ import annotations

from html import escape

from napari_cellstage.core.predicted import PredictedStain
from napari_cellstage.ui.curve import readable
from napari_cellstage.ui.theme import PanelTheme

SIGNS = {"like": "✓", "doubtful": "▲", "unlike": "⚠"}  # told apart without colours too
COLORS = {"like": "#009e73", "doubtful": "#e69f00", "unlike": "#d55e00"}  # Okabe-Ito
SHORT = {"like": "like the training images", "doubtful": "doubtful", "unlike": "unlike the training images"}


def sign_of(level: str) -> str:
    """Return the sign of a level; nothing where nobody judged."""
    return SIGNS.get(level, "")


def verdict_text(stain: PredictedStain, theme: PanelTheme) -> str:
    """Return the verdict as rich text, its sign and the first words in the colour of the level."""
    if not stain.verdict:
        return "Nobody has judged whether this image is like the training images."
    color = readable(COLORS.get(stain.verdict, "#999999"), theme)
    head, colon, rest = stain.text.partition(":")
    if stain.verdict == "doubtful" or not colon:  # there are several reasons to doubt
        head, colon, rest = "Doubtful." if stain.verdict == "doubtful" else "", "", stain.text
    return f'<b style="color:{color}">{sign_of(stain.verdict)} {escape(head + colon)}</b> {escape(rest.strip())}'
