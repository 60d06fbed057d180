"""The table behind `layer.features` of the segmentation layer: written a moment later, never during a key press."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QCoreApplication, QTimer

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_cellstage.session import Session

DELAY_MS = 400


class FeatureTable:
    """Keeps `features` of a layer equal to the session's table.

    Parameters
    ----------
    session
        Whose table it is.
    layer
        Returns the segmentation layer, or None.
    """

    def __init__(self, session: Session, layer: Callable[[], Labels | None]) -> None:
        self._session = session
        self._layer = layer
        self._whole = False
        self._rows: set[int] = set()
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.flush)

    def all_changed(self) -> None:
        """Write the whole table in a moment."""
        self._whole = True
        self._wait()

    def labels_changed(self, rows: NDArray[np.intp]) -> None:
        """Write the labels of some rows in a moment."""
        self._rows.update(rows.tolist())
        self._wait()

    def flush(self) -> None:
        """Write what has changed."""
        self._timer.stop()
        layer = self._layer()
        if layer is not None and self._whole:
            self._write_all(layer)
        elif layer is not None and self._rows:
            self._write_labels(layer, np.fromiter(self._rows, dtype=np.intp))
        self._whole, self._rows = False, set()

    def close(self) -> None:
        """Write nothing any more."""
        self._timer.stop()
        self._timer.timeout.disconnect(self.flush)

    def _wait(self) -> None:
        if QCoreApplication.instance() is not None:  # without an event loop nothing but `flush` would write
            self._timer.start()

    def _write_all(self, layer: Labels) -> None:
        table = self._session.table()
        table.insert(0, "index", table["cell_id"])
        layer.features = table

    def _write_labels(self, layer: Labels, rows: NDArray[np.intp]) -> None:
        if "label" not in layer.features or len(layer.features) != len(self._session.cells()):
            self._write_all(layer)
            return
        name_of = {one.id: one.name for one in self._session.scheme}
        names = [name_of.get(int(class_id), "") for class_id in self._session.class_ids()[rows]]
        layer.features.iloc[rows, layer.features.columns.get_loc("label")] = names
        layer.features.iloc[rows, layer.features.columns.get_loc("origin")] = self._session.origins()[rows]
        layer.events.features()
