"""The audit set: random cells set aside, on which no choice is ever made."""

from __future__ import annotations

from napari_cellstage.session.browsing import BrowsingPart


class AuditPart(BrowsingPart):
    """Cells set aside."""
