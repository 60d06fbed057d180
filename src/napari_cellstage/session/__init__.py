"""The session: the one place where state lives. Scripts, the command line and the dock all work through it.

Every change goes through a method, on the main thread, and is on the disk when the method returns; then signals tell
whoever shows it. Knows neither Qt nor napari nor torch.
"""

from __future__ import annotations

from napari_cellstage.session.audit import AuditPart
from napari_cellstage.session.experts import ExpertsPart
from napari_cellstage.session.exports import ExportsPart
from napari_cellstage.session.next_cells import NextCellsPart
from napari_cellstage.session.ordering import OrderPart


class Session(ExportsPart, NextCellsPart, OrderPart, AuditPart, ExpertsPart):
    """Images, cells, classes, labels and predictions of one viewer.

    Where a method takes `image_id`, None means the current image. Projects without a chosen place go to `home`, which
    is `core.store.default_home` when None.
    """
