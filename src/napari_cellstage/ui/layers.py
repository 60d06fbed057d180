"""The napari layers of the current image: made from the session, kept in step with it, never read back.

Channels as images, the segmentation as Labels (its ids and the table of features), two overlays, and a ring around
the selected cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.core.errors import CellStageError, ImageError
from napari_cellstage.ui.camera import centre_on_cell
from napari_cellstage.ui.cell_planes import CellPlanes
from napari_cellstage.ui.channel_layers import add_channels, lies_over, placement_of, put_in_front
from napari_cellstage.ui.feature_table import FeatureTable
from napari_cellstage.ui.lazy_codes import in_levels, shown_labels
from napari_cellstage.ui.marker import CellMarker
from napari_cellstage.ui.overlay import NO_LABEL, RIM, UNSURE, CodeTable, labelled_table, predicted_table
from napari_cellstage.ui.overlay_layer import OverlayLayer, Placement
from napari_cellstage.ui.overlay_settings import OverlaySettings
from napari_cellstage.ui.pattern import Pattern

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_cellstage.core.images import ImageStack
    from napari_cellstage.session import Session

CONTOUR = 2  # pixels
STRONG = 9  # a typical cell is this many times as wide as the outline that says it is labelled


class CellLayers:
    """Layers of one session in one viewer.

    Parameters
    ----------
    viewer
        Where they are shown.
    session
        What they show.
    on_error
        Called with the error when the pixels of an image can't be read.
    """

    def __init__(self, viewer: ViewerModel, session: Session, on_error: Callable[[CellStageError], None]) -> None:
        self._viewer = viewer
        self._session = session
        self._on_error = on_error
        self.settings = OverlaySettings()
        self._own_layers: dict[int, Image] = {}
        self._channels: list[Image] = []
        self._front = 0  # the channel that was put in front
        self._shown_stack: ImageStack | None = None
        self._placement: Placement | None = None
        self._planes: CellPlanes | None = None
        self.cells_layer: Labels | None = None
        self._predicted: OverlayLayer | None = None
        self._labelled: OverlayLayer | None = None
        self._features = FeatureTable(session, lambda: self.cells_layer)
        self._marker = CellMarker(viewer)
        session.current_changed.connect(self._on_current_changed)
        session.settings_changed.connect(self._on_settings_changed)
        session.cells_changed.connect(self._on_cells_changed)
        session.scheme_changed.connect(self._recolor)
        session.labels_changed.connect(self._on_labels_changed)
        session.predictions_changed.connect(self._on_predictions_changed)
        self.rebuild()

    @property
    def placement(self) -> Placement | None:
        """Axes and place of the layers, or None when no image is shown."""
        return self._placement

    @property
    def made_here(self) -> tuple[Layer, ...]:
        """Layers that were made by this object and go when it is closed."""
        overlays = [o.layer for o in (self._predicted, self._labelled) if o is not None]
        marker = [self._marker.layer] if self._marker.layer is not None else []
        cells = [self.cells_layer] if self.cells_layer is not None else []
        return (*self._channels, *cells, *overlays, *marker)

    def use_layer(self, layer: Image, image_id: int) -> None:
        """Let the user's own layer show an image; its scale and place are taken over."""
        self._own_layers[image_id] = layer
        self._rebuild_if(image_id)

    def rebuild(self) -> None:
        """Make the layers of the current image anew."""
        self._remove_all()
        self._shown_stack = stack = self._session.current
        if stack is None:
            return
        own = self._own_layer(stack)
        self._placement = placement_of(stack, own)
        if own is None:
            self._front = self._session.find_channel
            self._channels = self._add_channels(stack, self._placement)
        self._rebuild_cells()
        front = own if own is not None else next(iter(self._channels), None)
        if front is not None:
            self._viewer.layers.selection.active = front

    def _add_channels(self, stack: ImageStack, placement: Placement) -> list[Image]:
        """Show the pixels; where they can't be read that is said, and the cells and labels are shown without them."""
        before = list(self._viewer.layers)
        try:
            return add_channels(self._viewer, stack, placement, self._front)
        except ImageError as error:
            for layer in [one for one in self._viewer.layers if one not in before]:
                self._viewer.layers.remove(layer)
            self._on_error(error)
            return []

    def set_settings(self, settings: OverlaySettings) -> None:
        """Draw the overlays as `settings` say."""
        before, self.settings = self.settings, settings
        changed = {one.name for one in fields(settings) if getattr(before, one.name) != getattr(settings, one.name)}
        if changed & {"style", "confidence", "unsure_below"}:
            self._show_predictions()
        if self._predicted is not None:
            self._predicted.set_visible(settings.show_predicted)
        if self._labelled is not None and changed & {"show_labelled", "show_outlines"}:
            self._labelled.set_all(self._labelled_codes())
            self._labelled.set_visible(settings.show_labelled or settings.show_outlines)

    def mark(self, row: int | None) -> None:
        """Put the ring around a cell, or take it away."""
        if self._planes is None or self._placement is None:
            row = None
        cells = self._planes.cells if self._planes is not None else None
        self._marker.show(cells, row, self._placement)

    def centre_on(self, row: int) -> None:
        """Move camera and sliders to a cell, nearer when the cell would be too small to see."""
        if self._planes is not None and self._placement is not None and self.cells_layer is not None:
            centre_on_cell(self._viewer, self.cells_layer, self._planes.cells, row, self._placement)

    def flush_features(self) -> None:
        """Write the table of features now instead of in a moment."""
        self._features.flush()

    def close(self) -> None:
        """Stop following the session and remove the layers made here."""
        self._session.current_changed.disconnect(self._on_current_changed)
        self._session.settings_changed.disconnect(self._on_settings_changed)
        self._session.cells_changed.disconnect(self._on_cells_changed)
        self._session.scheme_changed.disconnect(self._recolor)
        self._session.labels_changed.disconnect(self._on_labels_changed)
        self._session.predictions_changed.disconnect(self._on_predictions_changed)
        self._features.close()
        self._remove_all()

    def _on_current_changed(self) -> None:
        # The session also says so when the same image is chosen again.
        if self._session.current is not self._shown_stack:
            self.rebuild()

    def _on_settings_changed(self) -> None:
        if self._channels and self._session.find_channel != self._front:
            self._front = self._session.find_channel
            put_in_front(self._channels, self._front, self._shown_stack.channel_colors if self._shown_stack else ())

    def _rebuild_if(self, image_id: int) -> None:
        if image_id == self._session.current_id:
            self.rebuild()

    def _own_layer(self, stack: ImageStack) -> Image | None:
        own = self._own_layers.get(self._session.current_id or 0)
        return own if own is not None and own in self._viewer.layers and lies_over(own, stack) else None

    def _on_cells_changed(self, image_id: int) -> None:
        if image_id == self._session.current_id:
            active = self._viewer.layers.selection.active
            self._rebuild_cells()
            if active is not None and active in self._viewer.layers:
                self._viewer.layers.selection.active = active

    def _on_labels_changed(self, image_id: int, rows: object) -> None:
        if image_id == self._session.current_id:
            some = np.asarray(rows, dtype=np.intp)
            if self._labelled is not None:
                ids = self._session.class_ids()[some]
                self._labelled.set_rows(some, labelled_table(ids, self._session.scheme, self.settings).codes)
            self._features.labels_changed(some)

    def _on_predictions_changed(self, image_id: int) -> None:
        if image_id == self._session.current_id and self._planes is not None:
            self._show_predictions()
            self._features.all_changed()

    def _recolor(self) -> None:
        if self._labelled is not None:
            self._labelled.set_all(self._labelled_codes())
        self._show_predictions()
        self._features.all_changed()

    def _rebuild_cells(self) -> None:
        self._remove_cells()
        labels = self._session.labels()
        if labels is None or self._placement is None:
            return
        self._planes = CellPlanes(labels, self._session.cells())
        self.cells_layer = self._viewer.add_labels(
            shown_labels(labels, self._placement.axes),
            name="Cells",
            visible=False,
            opacity=0.5,
            multiscale=in_levels(labels.shape),
            **self._placement.transform,
        )
        self.cells_layer.editable = False
        self._show_predictions()
        outlined = self.settings.show_labelled or self.settings.show_outlines
        self._labelled = OverlayLayer(
            self._viewer, self._planes, self._labelled_codes(), "Labelled", self._outlined(), self._placement, outlined
        )
        self._features.all_changed()

    def _show_predictions(self) -> None:
        if self._planes is None or self._placement is None:
            return
        predictions = self._session.predictions()
        if predictions is None:
            self._drop_predicted()
            return
        codes = predicted_table(predictions, self._session.scheme, self.settings)
        if self._predicted is None or self._predicted.layer not in self._viewer.layers:
            self._predicted = self._new_predicted(codes, self._planes, self._placement)
        else:
            self._predicted.set_all(codes, self._predicted_pattern())

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
        return Pattern(width=width, hatched=UNSURE, period=period)

    def _outlined(self) -> Pattern:
        width = int(np.clip(round(self._session.cells().typical_diameter / STRONG), 2, 6))
        return Pattern(width=width, thin=NO_LABEL, rim=RIM if width > 2 else 0)

    def _labelled_codes(self) -> CodeTable:
        return labelled_table(self._session.class_ids(), self._session.scheme, self.settings)

    def _drop_predicted(self) -> None:
        if self._predicted is not None:
            self._remove(self._predicted.layer)
            self._predicted = None

    def _remove_cells(self) -> None:
        self._marker.hide()
        self._drop_predicted()
        if self._labelled is not None:
            self._remove(self._labelled.layer)
        if self.cells_layer is not None:
            self._remove(self.cells_layer)
        self._labelled = self.cells_layer = self._planes = None

    def _remove_all(self) -> None:
        self._remove_cells()
        for layer in self._channels:
            self._remove(layer)
        self._channels, self._placement = [], None

    def _remove(self, layer: Layer) -> None:
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
