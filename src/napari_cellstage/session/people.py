"""Who labels, what each person said, and what is settled."""

from __future__ import annotations

from napari_cellstage.session.browsing import BrowsingPart


class PeoplePart(BrowsingPart):
    """Persons and their labels."""
