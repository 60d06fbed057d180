"""exchange.md: class folders as a contact sheet, and the window that exports. Needs real class folders."""

from __future__ import annotations

from napari_cellstage.core.folders import read_class_folders

from .places import CLASS_FOLDERS
from .window import window


def make() -> None:
    """Make the pictures."""
    if not CLASS_FOLDERS.is_dir():
        print(f"There are no class folders at {CLASS_FOLDERS}; the pictures of the sheet stay as they are.")
        return
    with window("Jurkat cells") as shot:
        shot.session.add_sheet(read_class_folders(CLASS_FOLDERS), CLASS_FOLDERS)
        shot.dock.go_to("Label")
        shot.settle()
        shot.viewer.reset_view()
        shot.viewer.scene.camera.zoom *= 3
        shot.save("sheet.png")
        shot.dock.exports.open()
        shot.dock.exports.dialog.place.setText("/data/Jurkat cells.csv")
        shot.save_dialog(shot.dock.exports.dialog, "export.png")
        shot.dock.exports.dialog.close()
