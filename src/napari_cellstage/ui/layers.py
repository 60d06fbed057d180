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
from napari_cellstage.ui.camera import centre_on_cell, centre_on_place
from napari_cellstage.ui.cell_planes import CellPlanes
from napari_cellstage.ui.channel_layers import ChannelLayers, lies_over, placement_of, put_in_front
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
    from napari_cellstage.core.volumes import LabelVolume
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
        self._channels = ChannelLayers(viewer)
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
        return (*self._channels.layers, *cells, *overlays, *marker)

    def use_layer(self, layer: Image, image_id: int) -> None:
        """Let the user's own layer show an image; its scale and place are taken over."""
        self._own_layers[image_id] = layer
        self._rebuild_if(image_id)

    def rebuild(self) -> None:
        """Show the current image, in the layers of the one before where both are of one kind."""
        before, stack = self._shown_stack, self._session.current
        own = None if stack is None else self._own_layer(stack)
        placement = None if stack is None else placement_of(stack, own)
        if stack is None or placement is None or own is not None or not self._channels.fit(stack, placement):
            self._remove_all()
        self._shown_stack, self._placement = stack, placement
        if stack is None or placement is None:
            return
        self._front = self._session.find_channel
        if own is None:
            self._show_channels(stack, placement)
        self._rebuild_cells()
        self._come_to_front(own, before, stack)

    def _show_channels(self, stack: ImageStack, placement: Placement) -> None:
        """Show the pixels; where they can't be read that is said, and the cells and labels are shown without them."""
        try:
            self._channels.show(stack, placement, self._front)
        except ImageError as error:
            self._on_error(error)

    def _come_to_front(self, own: Image | None, before: ImageStack | None, stack: ImageStack) -> None:
        """Select the image, and show all of it unless it is as large as the one before: then zoom and place stay."""
        front = own if own is not None else next(iter(self._channels.layers), None)
        if front is not None:
            self._viewer.layers.selection.active = front
        if before is not None and own is None and _extent(before) != _extent(stack):
            self._viewer.reset_view()

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

    def mark(self, *rows: int) -> None:
        """Put rings around cells, or take them away."""
        if self._planes is None or self._placement is None:
            rows = ()
        cells = self._planes.cells if self._planes is not None else None
        self._marker.show(cells, rows, self._placement)

    @property
    def base_layer(self) -> Layer | None:
        """A layer in whose pixels the image's places are: of the cells, else of the image itself; None without any."""
        if self.cells_layer is not None:
            return self.cells_layer
        own = self._own_layers.get(self._session.current_id or 0)
        return next(iter(self._channels.layers), own)

    def centre_on_place(self, place: tuple[float, float, float, float]) -> None:
        """Move camera and sliders to t, z, y, x of the image."""
        if self._placement is not None and self.base_layer is not None:
            centre_on_place(self._viewer, self.base_layer, np.array(place), self._placement)

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
        if self._channels.layers and self._session.find_channel != self._front:
            self._front = self._session.find_channel
            put_in_front(
                self._channels.layers, self._front, self._shown_stack.channel_colors if self._shown_stack else ()
            )

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
        labels = self._session.labels()
        self._marker.hide()
        if labels is None or self._placement is None:
            self._remove_cells()
            return
        self._planes = CellPlanes(labels, self._session.cells())
        if self.cells_layer is None or not self._take_over_cells(self.cells_layer, labels, self._placement):
            self._remove_cells()
            self._planes = CellPlanes(labels, self._session.cells())
            self.cells_layer = self._new_cells(labels, self._placement)
        self._show_predictions(anew=True)
        self._show_labelled(self._planes, self._placement)
        self._features.all_changed()

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

    def _show_predictions(self, anew: bool = False) -> None:
        """Show the predictions there are; `anew` when the cells are others than before."""
        if self._planes is None or self._placement is None:
            return
        predictions = self._session.predictions()
        if predictions is None:
            self._drop_predicted()
            return
        codes = predicted_table(predictions, self._session.scheme, self.settings)
        shown, pattern = self._predicted, self._predicted_pattern()
        if shown is None or shown.layer not in self._viewer.layers:
            self._predicted = self._new_predicted(codes, self._planes, self._placement)
        elif not anew:
            shown.set_all(codes, pattern)
        elif not shown.show(self._planes, codes, pattern, self._placement):
            self._drop_predicted()
            self._predicted = self._new_predicted(codes, self._planes, self._placement)

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
        self._marker.remove()
        self._channels.clear()
        self._placement = None

    def _remove(self, layer: Layer) -> None:
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def _extent(stack: ImageStack) -> tuple[object, ...]:
    return (*stack.shape[3:], stack.pixel_size_um)
