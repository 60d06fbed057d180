"""Which cell to label next, over all images."""

from __future__ import annotations

from napari_cellstage.session.review import ReviewPart


class NextCellsPart(ReviewPart):
    """Queues of cells."""
