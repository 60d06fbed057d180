"""How long a training will take, in words; guessed before it begins. No widgets."""

from __future__ import annotations

from napari_cellstage.learn.expected import Speed, Work, expected_seconds
from napari_cellstage.ui.job_bar import clock

__all__ = ["Speed", "Work", "expected_seconds", "expected_text"]


def expected_text(seconds: float) -> str:
    """Return ``"about 40 s"``, rounded as roughly as it is known."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    if seconds < 3600:
        return f"about {round(seconds / 60):.0f} min"
    return f"about {clock(seconds)} hours"
