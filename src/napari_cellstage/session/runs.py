"""The runs of the project: what each training left, its score, and two of them compared."""

from __future__ import annotations

from napari_cellstage.session.browsing import BrowsingPart


class RunsPart(BrowsingPart):
    """Runs of the project, from what is in their folders."""
