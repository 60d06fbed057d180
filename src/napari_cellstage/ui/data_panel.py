"""The Data step: images in, which channel is for what, where the project is. It knows the session only."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_cellstage.session import Session
from napari_cellstage.ui.image_list import ImageList
from napari_cellstage.ui.notices import showing_errors, shown
from napari_cellstage.ui.opening import PROJECT_ENDING, Opening
from napari_cellstage.ui.pieces import button, clear_layout, hint, on_click, small_button
from napari_cellstage.ui.sample_buttons import SampleButtons
from napari_cellstage.ui.workers import JobRunner

_ROW = 36  # letters that fit beside each other in the narrowest dock


class DataPanel(QWidget):
    """Images, channels and project of a session.

    Signals
    -------
    stain_wanted : a stain is to be predicted.

    Parameters
    ----------
    session
        Whose data.
    runner
        Where the sample is made.
    open_layers
        The offer to use layers that are open in napari, shown among the others.
    """

    stain_wanted = Signal()

    def __init__(
        self, session: Session, runner: JobRunner, open_layers: QWidget, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._runner = runner
        layout = QVBoxLayout(self)
        layout.addWidget(self._build_open())
        layout.addWidget(open_layers)
        self.image_list = ImageList(session)
        layout.addWidget(self.image_list)
        layout.addWidget(self._build_channels())
        self.stain = small_button(
            "Predict a stain from transmitted light…",
            "For cells that were not stained: a network learns the stain from images that have both, and gives it to "
            "the others. Opens the page Stain.",
        )
        on_click(self.stain, self.stain_wanted.emit)
        layout.addWidget(self.stain)
        layout.addWidget(self._build_project())
        layout.addStretch(1)
        for signal in (session.project_changed, session.images_changed, session.current_changed):
            signal.connect(self.refresh)
        session.settings_changed.connect(self._refresh_channels)
        self.refresh()

    def open_paths(self, paths: Iterable[Path]) -> None:
        """Open images, folders of images and a project folder; say of each that can't be opened why."""
        self.opening.open_paths(paths)

    def refresh(self) -> None:
        """Show the session as it is now."""
        self.welcome.setVisible(not self.session.images)
        self.stain.setVisible(bool(self.session.images))
        self._refresh_channels()
        self._refresh_project()

    # build

    def _build_open(self) -> QWidget:
        self.opening = Opening(self.session)
        self.open = button(
            "Open images…", "TIFF, OME-TIFF, OME-Zarr, CZI, ND2, LIF, PNG or JPEG; several at once, all scenes of each."
        )
        self.folder = button("Open folder…", "All images in a folder and the folders in it; or an OME-Zarr image.")
        self.sample = SampleButtons(self.session, self._runner)
        on_click(self.open, self.opening.choose_files)
        on_click(self.folder, self.opening.choose_folder)
        self.welcome = hint("Begin here: open your images, or drop files or a folder on this panel.")
        box, row = QWidget(), QHBoxLayout()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.open)
        row.addWidget(self.folder)
        layout.addWidget(self.welcome)
        layout.addLayout(row)
        layout.addWidget(self.sample)
        layout.addWidget(self.opening)
        return box

    def _build_channels(self) -> QWidget:
        self.channels_box = QGroupBox("Channels")
        self.find_channel = QComboBox()
        self.find_channel.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.find_channel.setMinimumContentsLength(8)
        self.find_channel.setAccessibleName("Channel that cells are found in")
        self.find_channel.setToolTip("The channel in which nuclei are bright spots: DNA, H2B, DAPI, Hoechst.")
        self.find_channel.activated.connect(self._choose_find_channel)
        self.network_row = QGridLayout()
        layout = QVBoxLayout(self.channels_box)
        row = QHBoxLayout()
        row.addWidget(QLabel("Find cells in"))
        row.addWidget(self.find_channel, 1)
        layout.addLayout(row)
        layout.addWidget(QLabel("The model sees"))
        layout.addLayout(self.network_row)
        return self.channels_box

    def _build_project(self) -> QWidget:
        self.project_box = QGroupBox("Project")
        self.project_text = hint("")
        self.open_project = button("Open project…", "Go on with a project: choose its folder, NAME.cellstage.")
        self.save_as = button("Save a copy as…", "Copy the whole project to another place or name, and go on there.")
        on_click(self.open_project, self._choose_project)
        on_click(self.save_as, self._choose_copy)
        layout, row = QVBoxLayout(self.project_box), QHBoxLayout()
        layout.addWidget(self.project_text)
        row.addWidget(self.open_project)
        row.addWidget(self.save_as)
        layout.addLayout(row)
        return self.project_box

    # show

    def _refresh_channels(self) -> None:
        stack = self.session.current
        self.channels_box.setVisible(stack is not None and len(stack.channel_names) > 1)
        if stack is None:
            return
        self.find_channel.clear()
        self.find_channel.addItems(stack.channel_names)
        self.find_channel.setCurrentIndex(self.session.find_channel)
        clear_layout(self.network_row)
        names = stack.channel_names
        columns = len(names) if sum(len(name) + 4 for name in names) <= _ROW else 1
        for index, name in enumerate(stack.channel_names):
            box = QCheckBox(_short(name))
            box.setToolTip(f"Whether the model looks at '{name}' when it tells classes apart.")
            box.setChecked(index in self.session.network_channels)
            box.toggled.connect(self._choose_network_channels)
            self.network_row.addWidget(box, *divmod(index, columns))

    def _refresh_project(self) -> None:
        project = self.session.project
        self.save_as.setEnabled(project is not None)
        if project is None:
            self.project_text.setText("None yet. It begins with your first image, and everything is kept as you go.")
            return
        state = f"Read-only: {project.reason}" if project.read_only else "Every change is saved at once."
        self.project_text.setText(
            f"<b>{escape(project.name)}</b><br>in {escape(str(project.folder.parent))}<br>{state}"
        )

    # what the user does

    @showing_errors
    def _choose_find_channel(self, index: int) -> None:
        self.session.find_channel = index

    def _choose_network_channels(self) -> None:
        boxes = [w for i in range(self.network_row.count()) if (w := self.network_row.itemAt(i).widget())]
        with shown():
            self.session.network_channels = tuple(i for i, box in enumerate(boxes) if box.isChecked())
        self._refresh_channels()

    @showing_errors
    def _choose_project(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Open a project: choose its folder, NAME.cellstage"):
            self.session.open_project(Path(folder))

    @showing_errors
    def _choose_copy(self) -> None:
        name, _filter = QFileDialog.getSaveFileName(self, "Save a copy of the project as", "", "Project (*.cellstage)")
        if name:
            self.session.save_project_as(Path(name).with_suffix(PROJECT_ENDING))


def _short(name: str) -> str:
    """Return a name that fits the panel: its middle left out where it is long."""
    return name if len(name) <= _ROW else f"{name[: _ROW // 2]}…{name[-_ROW // 3 :]}"
