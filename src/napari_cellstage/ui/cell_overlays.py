"""The cells of the current image in the viewer: their ids, and two overlays with the classes given and predicted."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.ui.cell_planes import CellPlanes
from napari_cellstage.ui.lazy_codes import in_levels, shown_labels
from napari_cellstage.ui.overlay import NO_LABEL, RIM, UNLIKE, UNSURE, CodeTable, labelled_table, predicted_table
from napari_cellstage.ui.overlay_layer import OverlayLayer, Placement
from napari_cellstage.ui.overlay_settings import OverlaySettings
from napari_cellstage.ui.pattern import Pattern

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

    from napari_cellstage.core.volumes import LabelVolume
    from napari_cellstage.session import Session

CONTOUR = 2  # pixels
STRONG = 9  # a typical cell is this many times as wide as the outline that says it is labelled


class CellOverlays:
    """Layers over the current image; layers that fit are used again, as napari takes long to remove one.

    Parameters
    ----------
    viewer
        Where they are shown.
    session
        What they show.
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self.settings = OverlaySettings()
        self.planes: CellPlanes | None = None
        self.cells_layer: Labels | None = None
        self._placement: Placement | None = None
        self._predicted: OverlayLayer | None = None
        self._labelled: OverlayLayer | None = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Those that are there."""
        overlays = [o.layer for o in (self._predicted, self._labelled) if o is not None]
        cells = [self.cells_layer] if self.cells_layer is not None else []
        return (*cells, *overlays)

    def show(self, placement: Placement | None) -> None:
        """Show the cells of the current image, or none."""
        labels, self._placement = self._session.labels(), placement
        if labels is None or placement is None:
            self.remove()
            return
        if self.cells_layer is None or not self._take_over_cells(self.cells_layer, labels, placement):
            self.remove()
            self.cells_layer = self._new_cells(labels, placement)
        self.planes, self._placement = CellPlanes(labels, self._session.cells()), placement
        self.show_predictions(anew=True)
        self._show_labelled(self.planes, placement)

    def set_settings(self, settings: OverlaySettings) -> None:
        """Draw the overlays as `settings` say."""
        before, self.settings = self.settings, settings
        changed = {one.name for one in fields(settings) if getattr(before, one.name) != getattr(settings, one.name)}
        if changed & {"style", "confidence", "unsure_below", "flag_unlike"}:
            self.show_predictions()
        if self._predicted is not None:
            self._predicted.set_visible(settings.show_predicted)
        if self._labelled is not None and changed & {"show_labelled", "show_outlines"}:
            self._labelled.set_all(self._labelled_codes())
            self._labelled.set_visible(settings.show_labelled or settings.show_outlines)

    def show_labels(self, rows: NDArray[np.intp]) -> None:
        """Show the classes of some cells as they are now."""
        if self._labelled is not None:
            ids = self._session.class_ids()[rows]
            self._labelled.set_rows(rows, labelled_table(ids, self._session.scheme, self.settings).codes)

    def recolor(self) -> None:
        """Show all in the colours of the scheme as it is now."""
        if self._labelled is not None:
            self._labelled.set_all(self._labelled_codes())
        self.show_predictions()

    def remove(self) -> None:
        """Take the layers away."""
        self._drop_predicted()
        if self._labelled is not None:
            self._remove(self._labelled.layer)
        if self.cells_layer is not None:
            self._remove(self.cells_layer)
        self._labelled = self.cells_layer = self.planes = self._placement = None

    def _new_cells(self, labels: LabelVolume, placement: Placement) -> Labels:
        shown, large = shown_labels(labels, placement.axes), in_levels(labels.shape)
        layer = self._viewer.add_labels(
            shown, name="Cells", visible=False, opacity=0.5, multiscale=large, **placement.transform
        )
        layer.editable = False
        return layer

    def _take_over_cells(self, layer: Labels, labels: LabelVolume, placement: Placement) -> bool:
        alike = layer.multiscale == in_levels(labels.shape) and layer.ndim == len(placement.axes)
        if not alike or layer not in self._viewer.layers:
            return False
        layer.data = shown_labels(labels, placement.axes)
        placement.put(layer)
        return True

    def _show_labelled(self, planes: CellPlanes, placement: Placement) -> None:
        table, pattern = self._labelled_codes(), self._outlined()
        if self._labelled is None or not self._labelled.show(planes, table, pattern, placement):
            outlined = self.settings.show_labelled or self.settings.show_outlines
            self._labelled = OverlayLayer(self._viewer, planes, table, "Labelled", pattern, placement, outlined)

    def show_predictions(self, anew: bool = False) -> None:
        """Show the predictions there are; `anew` when the cells are others than before."""
        if self.planes is None or self._placement is None:
            return
        predictions = self._session.predictions()
        if predictions is None:
            self._drop_predicted()
            return
        codes = predicted_table(predictions, self._session.scheme, self.settings)
        shown, pattern = self._predicted, self._predicted_pattern()
        if shown is None or shown.layer not in self._viewer.layers:
            self._predicted = self._new_predicted(codes, self.planes, self._placement)
        elif not anew:
            shown.set_all(codes, pattern)
        elif not shown.show(self.planes, codes, pattern, self._placement):
            self._drop_predicted()
            self._predicted = self._new_predicted(codes, self.planes, self._placement)

    def _new_predicted(self, codes: CodeTable, planes: CellPlanes, placement: Placement) -> OverlayLayer:
        active = self._viewer.layers.selection.active
        pattern, visible = self._predicted_pattern(), self.settings.show_predicted
        made = OverlayLayer(self._viewer, planes, codes, "Predicted", pattern, placement, visible)
        if self._labelled is not None and self._labelled.layer in self._viewer.layers:
            layers = self._viewer.layers
            layers.move(layers.index(made.layer), layers.index(self._labelled.layer))
        self._viewer.layers.selection.active = active
        return made

    def _predicted_pattern(self) -> Pattern:
        width = CONTOUR if self.settings.style == "contour" else 0
        period = int(np.clip(self._session.cells().typical_diameter / 5, 4, 12))
        predictions = self._session.predictions()
        flagged = self.settings.flag_unlike and predictions is not None and bool(predictions.flagged.any())
        # Each kind of stripes costs a pass over the pixels.
        return Pattern(width=width, hatched=UNSURE, crossed=UNLIKE if flagged else 0, period=period)

    def _outlined(self) -> Pattern:
        width = int(np.clip(round(self._session.cells().typical_diameter / STRONG), 2, 6))
        return Pattern(width=width, thin=NO_LABEL, rim=RIM if width > 2 else 0)

    def _labelled_codes(self) -> CodeTable:
        return labelled_table(self._session.class_ids(), self._session.scheme, self.settings)

    def _drop_predicted(self) -> None:
        if self._predicted is not None:
            self._remove(self._predicted.layer)
            self._predicted = None

    def _remove(self, layer: Layer) -> None:
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
