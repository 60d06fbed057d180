"""What napari finds by the manifest: sample data, reader, writer and menu commands. Widgets are in `dock`.

npe2 imports this module for each of them, so that everything heavy is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellstage.ui.file_layers import LayerData, image_layers

if TYPE_CHECKING:
    from napari import Viewer

    from napari_cellstage.core.images import ImageStack
    from napari_cellstage.sample_data import SampleField
    from napari_cellstage.session import Session
    from napari_cellstage.ui.dock import CellStageDock

PLUGIN, WIDGET = "napari-cellstage", "Cellstage"
SUFFIX = ".cellstage"


def sample_cell_cycle() -> list[LayerData]:
    """Return the built-in synthetic field as image layers, one a channel."""
    from napari_cellstage.sample_data import cell_cycle_field

    return image_layers(cell_cycle_field().stack)


def sample_movie() -> list[LayerData]:
    """Return the built-in synthetic movie as image layers, one a channel."""
    from napari_cellstage.sample_movie import cell_cycle_movie

    return image_layers(cell_cycle_movie().stack)


def sample_microtubules() -> list[LayerData]:
    """Return the built-in synthetic microtubules as an image layer and a labels layer."""
    from napari_cellstage.sample_microtubules import microtubule_field

    return _with_labels(microtubule_field())


def sample_photograph() -> list[LayerData]:
    """Return the built-in synthetic photograph as an image layer and a labels layer."""
    from napari_cellstage.sample_photographs import photograph_field

    return _with_labels(photograph_field())


def sample_stained() -> list[LayerData]:
    """Return built-in synthetic cells in phase contrast with their stains as image layers, one a channel."""
    from napari_cellstage.sample_stained import stained_field

    return image_layers(stained_field().stack)


def _with_labels(field: SampleField) -> list[LayerData]:
    """Return the layers of a sample; the class of each cell is among the features of the labels layer."""
    from napari_cellstage.ui.channel_layers import placement_of

    features = {"index": range(1, len(field.classes_of) + 1), "class": field.classes_of}
    name = f"cells of {field.stack.name}"
    details: dict[str, Any] = {"name": name, "features": features, **placement_of(field.stack, None).transform}
    return [*image_layers(field.stack), (field.labels[0, 0], details, "labels")]


def get_project_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """Return the reader of a project folder, or None when `path` is none."""
    if not isinstance(path, str) or not Path(path).is_dir() or not path.rstrip("/\\").endswith(SUFFIX):
        return None
    return read_project


def read_project(path: str) -> list[LayerData]:
    """Open a project: in the dock where there is a window, else as layers.

    Parameters
    ----------
    path
        The project's folder.

    Returns
    -------
    list of layer data
        Channels and cells of each image; where the dock shows the project, napari's sign for "nothing to add".
    """
    if (dock := open_dock()) is not None:
        dock.open_paths([Path(path)])
        return [(None,)]  # type: ignore[list-item] # napari's own sign
    from napari_cellstage.session import Session

    session = Session()
    try:
        session.open_project(path)
        return project_layers(session)
    finally:
        session.close()


def write_project(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Save as a project: a copy of the open one when the layers are its own, else a new one made of the layers.

    Parameters
    ----------
    path
        The new project's folder; its name ends in ``.cellstage``.
    layers
        What napari was asked to save. Image layers become images, each labels layer the cells of the image before it
        that has its shape.

    Returns
    -------
    list of str
        The folder.
    """
    dock = find_dock()
    shown = dock is not None and dock.shows_all([data for data, _details, _kind in layers])
    if dock is not None and dock.session.project is not None and shown:
        dock.session.save_project_as(path)
        return [path]
    from napari_cellstage.session import Session

    session = Session()
    try:
        session.new_project(path)
        fill_project(session, layers)
    finally:
        session.close()
    return [path]


def open_project_command(viewer: Viewer) -> None:
    """Ask for a project folder and open it in the dock."""
    from qtpy.QtWidgets import QFileDialog

    folder = QFileDialog.getExistingDirectory(None, "Open a project: choose its folder, NAME.cellstage")
    dock = open_dock(viewer) if folder else None
    if dock is not None:
        dock.open_paths([Path(folder)])


def export_command(viewer: Viewer) -> None:
    """Open the window that exports cells; say what is missing where no project is open."""
    from napari_cellstage.ui.notices import warn

    dock = open_dock(viewer)
    if dock is not None and dock.session.project is not None:
        dock.exports.open()
    elif dock is not None:
        warn("There are no cells to export yet. Open an image or a project first.")


def find_dock(viewer: Viewer | None = None) -> CellStageDock | None:
    """Return the dock that is open in the viewer, else in napari's current one; None when there is none."""
    import napari

    from napari_cellstage.ui.dock import CellStageDock

    viewer = viewer or napari.current_viewer()
    if viewer is None:
        return None
    docked = list(viewer.window.dock_widgets.values())
    return next((widget for widget in docked if isinstance(widget, CellStageDock)), None)


def open_dock(viewer: Viewer | None = None) -> CellStageDock | None:
    """Return the dock of the viewer, opened if need be; None where there is no window."""
    import napari

    viewer = viewer or napari.current_viewer()
    if viewer is None:
        return None
    if (dock := find_dock(viewer)) is None:
        viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
        dock = find_dock(viewer)
    return dock


def project_layers(session: Session) -> list[LayerData]:
    """Return channels and cells of every image whose file is there."""
    from napari_cellstage.ui.channel_layers import placement_of

    layers: list[LayerData] = []
    for entry in session.images:
        if entry.stack is None:
            continue
        layers += image_layers(entry.stack)
        labels = session.labels(entry.image_id)
        if labels is not None:
            kept = _kept_axes(entry.stack)
            shown = labels[tuple(slice(None) if keep else 0 for keep in kept)]
            features = session.table(entry.image_id)
            details: dict[str, Any] = {"name": f"cells of {entry.name}", **placement_of(entry.stack, None).transform}
            if entry.stack.shape[0] == 1:  # napari's features are by label value, which is unique in one frame only
                details["features"] = features.rename(columns={"cell_id": "index"})
            layers.append((shown, details, "labels"))
    return layers


def fill_project(session: Session, layers: Sequence[LayerData]) -> None:
    """Put layers into an empty project: images, and cells for the image before that has their shape."""
    import numpy as np

    from napari_cellstage.core.images import from_array
    from napari_cellstage.ui.open_layers import likely_axes

    for data, details, kind in layers:
        if kind == "image":
            name = details.get("name", "image")
            axes = likely_axes(np.shape(data), bool(details.get("rgb")), name)[0]
            session.add_image(from_array(data, axes, name))
        elif kind == "labels" and session.current is not None:
            session.set_labels(np.asarray(data))


def _kept_axes(stack: ImageStack) -> tuple[bool, bool, bool, bool]:
    """Return of T, Z, Y, X which a layer has."""
    return stack.shape[0] > 1, stack.shape[2] > 1, True, True
