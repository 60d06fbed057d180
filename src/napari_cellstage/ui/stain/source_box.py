"""What a stain is learned from: where the images are, which channels, which images, and how stacks are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.predicted import is_predicted
from napari_cellstage.session import Session
from napari_cellstage.ui.pieces import shrinking
from napari_cellstage.ui.stain.channel_choice import ChannelChoice, guessed
from napari_cellstage.ui.stain.folder_row import FolderRow
from napari_cellstage.ui.stain.image_choice import ImageChoice, lacks, own_channels
from napari_cellstage.ui.stain.recipe_choice import RecipeChoice
from napari_cellstage.ui.stain.sources import FolderSource, LayerSource, ProjectSource, Source, Wanted, called
from napari_cellstage.ui.stain.stain_form import StainForm
from napari_cellstage.ui.workers import JobRunner

PROJECT, LAYERS, FOLDER = "images of this project", "layers open in napari", "a folder of images"
_MANY_PLANES = 1000
_TIPS = {
    PROJECT: "Images of the step Data that have transmitted light and the stain as channels.",
    LAYERS: "Layers that show the same place, such as a stack of phase contrast and a picture of the stain.",
    FOLDER: "Images that are not in the project, with all channels in each, or in two folders with names alike.",
}
Layers = Mapping[str, Callable[[], ImageStack]]


class SourceBox(QWidget):
    """The choices that say what is learned.

    Signals
    -------
    changed : one of them is another.

    Parameters
    ----------
    session
        Whose images.
    runner
        Where folders are looked into.
    layers
        Returns the image layers open in napari: by name, what makes an image of each.
    form
        Gets the choices of the recipe that is chosen here.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        layers: Callable[[], Layers],
        form: StainForm,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._layers = session, layers
        self.kind = shrinking(QComboBox())
        self.folders = FolderRow(runner)
        self.channels, self.images, self.recipe = ChannelChoice(), ImageChoice(), RecipeChoice(form)
        self._build()
        self.kind.activated.connect(self._on_kind)
        self.folders.changed.connect(self._on_kind)
        self.channels.changed.connect(self._on_channels)
        for part in (self.images, self.recipe):
            part.changed.connect(self.changed)
        self.refresh()

    @property
    def wanted(self) -> Wanted:
        """What is predicted from what."""
        return Wanted(
            self.channels.input_names,
            self.channels.stain_names,
            self.recipe.wanted_output,
            self.recipe.wanted_plane,
        )

    @property
    def missing(self) -> str:
        """What has to be chosen still, as a sentence; or an empty text."""
        kind = self.kind.currentText()
        if kind == FOLDER and self.folders.images is None:
            return "Choose the folder with the images."
        if not self.channels.inputs.count():
            return (
                "Open images that have transmitted light and the stain as channels."
                if kind == PROJECT
                else ("Open the layers in napari.")
            )
        if not self.channels.input_names:
            return "Tick the transmitted light on the left: bright field, phase, DIC."
        if not self.channels.stain_names:
            return "Tick the stains to predict on the right."
        if kind == PROJECT and not self.images.image_ids:
            return "No image with all of these channels is ticked."
        return ""

    def source(self) -> Source:
        """Return where the pairs come from, frozen for a worker.

        Raises
        ------
        CellStageError
            If something has to be chosen still.
        """
        if self.missing:
            raise TrainingError(self.missing)
        wanted, kind = self.wanted, self.kind.currentText()
        if kind == PROJECT:
            return ProjectSource(wanted, self._session.stain_snapshot(self.images.image_ids))
        if kind == LAYERS:
            made = self._layers()
            return LayerSource(wanted, {name: made[name]() for name in (*wanted.inputs, *wanted.stains)})
        images, stains = self.folders.images, self.folders.stains
        if images is None:
            raise TrainingError(self.missing)
        return FolderSource(wanted, images, stains)

    @property
    def pixels(self) -> int:
        """How many pixels are learned from, all planes and time points of the input; 0 where nobody knows."""
        if self.kind.currentText() != PROJECT:
            return 0
        ids = set(self.images.image_ids)
        shapes = [one.record.shape for one in self._session.images if one.image_id in ids]
        return sum(t * z * y * x for t, _c, z, y, x in shapes)

    def refresh(self, *_what: object) -> None:
        """Show images, layers and channels as they are now."""
        kind = self.kind.currentText()
        self.folders.setVisible(kind == FOLDER)
        self.images.setVisible(kind == PROJECT and len(self._session.images) > 1)
        if kind == PROJECT:
            self._refresh_project()
        elif kind == LAYERS:
            names = [one for one in self._layers() if not is_predicted(one)]
            self.channels.put(dict.fromkeys(names, 1), 1)
            self.recipe.show_planes(_MANY_PLANES if names else 1)  # what a layer holds is known when it is used
        else:
            self._refresh_folder()
        self.changed.emit()

    def refresh_layers(self) -> None:
        """Show the layers as they are now."""
        if self.kind.currentText() == LAYERS:
            self.refresh()

    def use(self, kind: str) -> None:
        """Learn from `PROJECT`, `LAYERS` or `FOLDER`."""
        self.kind.setCurrentText(kind)
        self.refresh()

    def _build(self) -> None:
        for name, tip in _TIPS.items():
            self.kind.addItem(name)
            self.kind.setItemData(self.kind.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.kind.setAccessibleName("Where the images are that are learned from")
        self.kind.setToolTip("Where the images are that are learned from.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.addWidget(QLabel("Learn from"))
        row.addWidget(self.kind, 1)
        layout.addLayout(row)
        for part in (self.folders, self.channels, self.images, self.recipe):
            layout.addWidget(part)

    def _refresh_project(self) -> None:
        images = self._session.images
        counts = Counter(name for one in images for name in own_channels(one))
        self.channels.put(counts, len(images), among=_usual([own_channels(one) for one in images]))
        inputs, stains = self.channels.input_names, self.channels.stain_names
        self.images.put(images, inputs, stains)
        able = [one for one in images if not lacks(one, inputs, stains)]
        self.recipe.show_planes(max((one.record.shape[2] for one in able or images), default=1))

    def _refresh_folder(self) -> None:
        images, stains = self.folders.images, self.folders.stains
        if images is None:
            self.channels.put({}, 0)
            return
        names, others = called(images, stains)
        self.channels.put(dict.fromkeys(names, 1), 1, None if stains is None else dict.fromkeys(others, 1))
        self.recipe.show_planes(images.planes)

    def _on_kind(self, _place: int = 0) -> None:
        self.refresh()

    def _on_channels(self) -> None:
        if self.kind.currentText() == PROJECT:
            self._refresh_project()
        self.changed.emit()


def _usual(images: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the channels that most of the images with transmitted light and a stain have."""
    with_both = Counter(names for names in images if all(guessed(names)))
    return next((names for names, _count in with_both.most_common(1)), ())
