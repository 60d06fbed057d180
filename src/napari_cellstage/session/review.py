"""What the review shows: every cell with what a model that had not seen it says."""

from __future__ import annotations

from napari_cellstage.session.runs import RunsPart


class ReviewPart(RunsPart):
    """The table behind matrix, gallery, lists and map."""
