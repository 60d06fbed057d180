"""The napari layers of the current image: made from the session, kept in step with it, never read back.

Channels as images, the segmentation as Labels (its ids and the table of features), two overlays, and a ring around
the selected cell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.core.errors import CellStageError, ImageError
from napari_cellstage.ui.camera import centre_on_cell, centre_on_place
from napari_cellstage.ui.cell_overlays import CellOverlays
from napari_cellstage.ui.channel_layers import ChannelLayers, is_bright, lies_over, placement_of, put_in_front
from napari_cellstage.ui.feature_table import FeatureTable
from napari_cellstage.ui.marker import CellMarker
from napari_cellstage.ui.overlay_layer import Placement
from napari_cellstage.ui.overlay_settings import OverlaySettings
from napari_cellstage.ui.predicted_layers import PredictedLayers

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_cellstage.core.images import ImageStack
    from napari_cellstage.session import Session


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
        self._own_layers: dict[int, Image] = {}
        self._channels = ChannelLayers(viewer)
        self._predicted = PredictedLayers(viewer, on_error)
        self._front = 0  # the channel that was put in front
        self._shown_stack: ImageStack | None = None
        self._placement: Placement | None = None
        self._overlays = CellOverlays(viewer, session)
        self._features = FeatureTable(session, lambda: self.cells_layer)
        self._marker = CellMarker(viewer)
        session.current_changed.connect(self._on_current_changed)
        session.settings_changed.connect(self._on_settings_changed)
        session.stains_changed.connect(self._on_stains_changed)
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
    def channels(self) -> tuple[Image, ...]:
        """The layers of the channels, in their order, predicted ones last.

        Of the file's there is none where the user's own layer shows the image, and one for a colour picture.
        """
        return (*self._channels.layers, *self._predicted.layers)

    @property
    def predicted(self) -> PredictedLayers:
        """The layers of predicted stains, and the maps of how far they can be trusted."""
        return self._predicted

    @property
    def made_here(self) -> tuple[Layer, ...]:
        """Layers that were made by this object and go when it is closed."""
        marker = [self._marker.layer] if self._marker.layer is not None else []
        return (*self._channels.layers, *self._predicted.all, *self._overlays.layers, *marker)

    @property
    def cells_layer(self) -> Labels | None:
        """The layer of cell ids, None without cells."""
        return self._overlays.cells_layer

    @property
    def settings(self) -> OverlaySettings:
        """How the overlays are drawn."""
        return self._overlays.settings

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
        front, self._front = self._front, self._session.find_channel
        if own is None:
            self._show_channels(stack, placement)
        if front != self._front:
            self._put_in_front(stack)
        self._show_predicted(stack, placement, visible=False)
        if before is None or before.shape[:3:2] != stack.shape[:3:2]:
            self._begin(stack, placement)
        self._rebuild_cells()
        self._come_to_front(own, before, stack)

    def _show_channels(self, stack: ImageStack, placement: Placement) -> None:
        """Show the pixels; where they can't be read that is said, and the cells and labels are shown without them."""
        try:
            self._channels.show(stack, placement, self._front)
        except ImageError as error:
            self._on_error(error)

    def _show_predicted(self, stack: ImageStack, placement: Placement, visible: bool) -> bool:
        """Show the predicted stains upon the image, under the cells."""
        own = self._own_layer(stack)
        under = self._channels.layers if own is None else [own]
        active = self._viewer.layers.selection.active
        new = self._predicted.show(stack, placement, under, visible)
        self._predicted.put_in_front(self._front)
        if active in self._viewer.layers:
            self._viewer.layers.selection.active = active
        return new

    def _come_to_front(self, own: Image | None, before: ImageStack | None, stack: ImageStack) -> None:
        """Select the image, and show all of it unless it is as large as the one before: then zoom and place stay."""
        front = own if own is not None else next(iter(self._channels.layers), None)
        if front is not None:
            self._viewer.layers.selection.active = front
        if before is not None and own is None and _extent(before) != _extent(stack):
            self._viewer.reset_view()

    def _begin(self, stack: ImageStack, placement: Placement) -> None:
        """Go to the first frame and the middle plane; napari would begin in the middle of a movie."""
        frames_and_planes = (0, stack.shape[2] // 2)
        if self._viewer.dims.ndim < len(placement.axes):
            return  # no layer of it: its pixels can't be read
        for place, axis in enumerate(placement.axes[:-2]):
            self._viewer.dims.set_current_step(place - len(placement.axes), frames_and_planes[axis])

    def set_settings(self, settings: OverlaySettings) -> None:
        """Draw the overlays as `settings` say."""
        self._overlays.set_settings(settings)

    def mark(self, *rows: int) -> None:
        """Put rings around cells, or take them away."""
        if self._overlays.planes is None or self._placement is None:
            rows = ()
        cells = self._overlays.planes.cells if self._overlays.planes is not None else None
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
        if self._overlays.planes is not None and self._placement is not None and self.cells_layer is not None:
            centre_on_cell(self._viewer, self.cells_layer, self._overlays.planes.cells, row, self._placement)

    def flush_features(self) -> None:
        """Write the table of features now instead of in a moment."""
        self._features.flush()

    def close(self) -> None:
        """Stop following the session and remove the layers made here."""
        self._session.current_changed.disconnect(self._on_current_changed)
        self._session.settings_changed.disconnect(self._on_settings_changed)
        self._session.stains_changed.disconnect(self._on_stains_changed)
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
        if self.channels and self._session.find_channel != self._front:
            self._front = self._session.find_channel
            self._put_in_front(self._shown_stack)
            self._predicted.put_in_front(self._front)

    def _put_in_front(self, stack: ImageStack | None) -> None:
        """Show the channel of the nuclei in front of the others of the file."""
        layers = self._channels.layers
        put_in_front(layers, self._front, stack.channel_colors[: len(layers)] if stack else ())

    def _on_stains_changed(self, image_id: int) -> None:
        stack = self._session.current
        if image_id != self._session.current_id or stack is None or self._placement is None:
            return
        self._shown_stack = stack
        front, self._front = self._front, self._session.find_channel
        if front != self._front:  # channels behind one that has gone have other numbers now
            self._put_in_front(stack)
        if self._show_predicted(stack, self._placement, visible=True):
            self._hide_bright(stack)
        elif self.channels and not any(layer.visible for layer in self.channels):
            self._put_in_front(stack)  # the stain that was seen has gone

    def _hide_bright(self, stack: ImageStack) -> None:
        """Hide transmitted light: on its bright ground no colour can be seen."""
        for channel, layer in enumerate(self._channels.layers):
            if not layer.rgb and layer.visible and is_bright(stack, channel):
                layer.visible = False

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
            self._overlays.show_labels(some)
            self._features.labels_changed(some)

    def _on_predictions_changed(self, image_id: int) -> None:
        if image_id == self._session.current_id:
            self._overlays.show_predictions()
            self._features.all_changed()

    def _recolor(self) -> None:
        self._overlays.recolor()
        self._features.all_changed()

    def _rebuild_cells(self) -> None:
        self._marker.hide(self._placement)
        self._overlays.show(self._placement)
        self._features.all_changed()

    def _remove_all(self) -> None:
        self._overlays.remove()
        self._marker.remove()
        self._predicted.clear()
        self._channels.clear()
        self._placement = None


def _extent(stack: ImageStack) -> tuple[object, ...]:
    return (*stack.shape[3:], stack.pixel_size_um)
