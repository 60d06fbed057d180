"""Make the pictures of docs/exchange.md: class folders as a contact sheet, and the window that exports.

Needs real class folders, `jurkat`, beside the project.
Run on a screen: `.venv/bin/python -m napari_cellstage.screen scripts/screenshots_sheet.py`
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from qtpy.QtWidgets import QApplication

from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.demo import save_screenshot
from napari_cellstage.window import open_viewer

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "images"
FOLDERS = ROOT.parent / "shared" / "data" / "jurkat"
WINDOW = (1280, 800)


def let_it_paint(seconds: float) -> None:
    """Let the window do what it has to do."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def main() -> None:
    """Make the pictures."""
    if not FOLDERS.is_dir():
        print(f"There are no class folders at {FOLDERS}; the pictures stay as they are.")
        return
    viewer, dock = open_viewer()
    viewer.window.resize(*WINDOW)
    with tempfile.TemporaryDirectory() as folder:
        dock.session.new_project(Path(folder) / "Jurkat cells")
        dock.session.add_sheet(read_class_folders(FOLDERS), FOLDERS)
        dock.go_to("Label")
        let_it_paint(1)
        viewer.reset_view()
        viewer.scene.camera.zoom *= 3
        let_it_paint(2)
        save_screenshot(viewer, PICTURES / "sheet.png")
        dock.exports.open()
        dock.exports.dialog.place.setText("/data/Jurkat cells.csv")
        let_it_paint(1)
        dock.exports.dialog.grab().save(str(PICTURES / "export.png"))
        dock.exports.dialog.close()
        viewer.close()


if __name__ == "__main__":
    os.environ.setdefault("QT_API", "pyqt5")
    main()
