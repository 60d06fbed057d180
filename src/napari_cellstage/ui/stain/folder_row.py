"""Which folder pairs are learned from, and which other folder its stains are in, if they are in another."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QGridLayout, QWidget
from superqt import QElidingLabel

from napari_cellstage.ui.notices import show, showing_errors
from napari_cellstage.ui.pieces import allow, on_click, small_button
from napari_cellstage.ui.stain.learn_work import looking
from napari_cellstage.ui.stain.sources import FolderFacts
from napari_cellstage.ui.workers import Job, JobRunner


class FolderRow(QWidget):
    """Two folders to choose.

    Signals
    -------
    changed : another folder was looked into.

    Parameters
    ----------
    runner
        Where folders are looked into.
    """

    changed = Signal()

    def __init__(self, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self.images: FolderFacts | None = None
        self.stains: FolderFacts | None = None
        self.choose = small_button("Folder…", "Images with all channels in each, also in folders within the folder.")
        self.other = small_button(
            "Stains in…", "Another folder, where the stains are in files of their own that are named alike."
        )
        self.where, self.where_stains = QElidingLabel("none yet"), QElidingLabel("in the same images")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for row, (pressed, said) in enumerate(((self.choose, self.where), (self.other, self.where_stains))):
            said.setElideMode(Qt.TextElideMode.ElideMiddle)
            layout.addWidget(pressed, row, 0)
            layout.addWidget(said, row, 1)
        layout.setColumnStretch(1, 1)
        allow(self.other, "Choose the folder with the images first.")
        on_click(self.choose, partial(self._ask, False))
        on_click(self.other, partial(self._ask, True))

    @showing_errors
    def look(self, folder: Path, for_stains: bool = False) -> None:
        """Look into a folder, in a worker."""
        job = Job("looking into the folder", looking(folder))
        job.returned.connect(partial(self._take, for_stains))
        job.failed.connect(show)
        self._runner.start(job)

    def _ask(self, for_stains: bool) -> None:
        title = "Choose the folder with the stains" if for_stains else "Choose the folder with the images"
        if chosen := QFileDialog.getExistingDirectory(self, title):
            self.look(Path(chosen), for_stains)

    def _take(self, for_stains: bool, facts: FolderFacts) -> None:
        said = self.where_stains if for_stains else self.where
        said.setText(facts.folder.name)
        said.setToolTip(str(facts.folder))
        if for_stains:
            self.stains = facts
        else:
            self.images, self.stains = facts, None
            allow(self.other)
            self.where_stains.setText("in the same images")
            self.where_stains.setToolTip("")
        self.changed.emit()
