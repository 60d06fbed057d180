"""The offer to use what is already open in napari: image layers, and what their axes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QGroupBox, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_cellstage.core.errors import ImageError
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.open_layers import axes_choices, axes_text, image_layers, stack_from_layers
from napari_cellstage.ui.pieces import button, hint, on_click

if TYPE_CHECKING:
    from napari.components import ViewerModel

_LAYER = Qt.ItemDataRole.UserRole


class OpenLayersBox(QGroupBox):
    """Lists image layers that are not in the project, and hands the chosen ones over.

    Signals
    -------
    adopted : the stack, and the layer it was made of (None when it was made of several).

    Parameters
    ----------
    viewer
        Whose layers are listed.
    is_ours
        Whether the project shows itself by this layer already.
    """

    adopted = Signal(object, object)

    def __init__(self, viewer: ViewerModel, is_ours: Callable[[Image], bool], parent: QWidget | None = None) -> None:
        super().__init__("Open in napari", parent)
        self._viewer = viewer
        self._is_ours = is_ours
        self.layers = QListWidget()
        self.layers.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.layers.setAccessibleName("Layers open in napari")
        self.layers.setToolTip("Choose a layer; or several of one shape (Ctrl-click), each a channel of one image.")
        self.axes = QComboBox()
        self.axes.setAccessibleName("Axes of the layer")
        self.axes.setToolTip("What the layer's axes are, outermost first.")
        self.use = button("Use this layer", "Take the chosen layer into the project, to find and label its cells.")
        layout = QVBoxLayout(self)
        for widget in (hint("Already open? Choose it here."), self.layers, self.axes, self.use):
            layout.addWidget(widget)
        self.layers.itemSelectionChanged.connect(self._show_choice)
        on_click(self.use, self._adopt)
        self.refresh()

    def refresh(self) -> None:
        """List the layers as they are now."""
        layers = [one for one in image_layers(self._viewer) if not self._is_ours(one)]
        self.setVisible(bool(layers))
        if layers == self._listed() and [one.name for one in layers] == self._names():
            return
        self.layers.clear()
        for one in layers:
            item = QListWidgetItem(one.name)
            item.setData(_LAYER, one)
            self.layers.addItem(item)
        self.layers.setFixedHeight(min(len(layers), 4) * (self.layers.fontMetrics().height() + 8) + 8)
        if layers:
            self.layers.setCurrentRow(len(layers) - 1)
        self._show_choice()

    def _listed(self) -> list[Image]:
        return [self.layers.item(i).data(_LAYER) for i in range(self.layers.count())]

    def _names(self) -> list[str]:
        return [self.layers.item(i).text() for i in range(self.layers.count())]

    def _chosen(self) -> list[Image]:
        return [item.data(_LAYER) for item in self.layers.selectedItems()]

    def _show_choice(self) -> None:
        chosen = self._chosen()
        self.use.setEnabled(bool(chosen))
        self.use.setText("Use this layer" if len(chosen) < 2 else f"Use {len(chosen)} layers as channels")
        self.axes.clear()
        try:
            choices = axes_choices(chosen[0]) if chosen else ()
        except ImageError as error:
            self.axes.setToolTip(str(error))
            choices = ()
        for axes in choices:
            if len(chosen) < 2 or "C" not in axes:
                self.axes.addItem(axes_text(axes), axes)
        self.axes.setVisible(self.axes.count() > 1)

    @showing_errors
    def _adopt(self) -> None:
        chosen = self._chosen()
        if not chosen:
            return
        axes = self.axes.currentData() or axes_choices(chosen[0])[0]
        stack = stack_from_layers(chosen, axes)
        self.adopted.emit(stack, chosen[0] if len(chosen) == 1 else None)
        self.refresh()
