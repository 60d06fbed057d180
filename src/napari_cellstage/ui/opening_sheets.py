"""Class folders among what is opened: asked whether they are to be a contact sheet, and read in a worker."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtWidgets import QComboBox, QVBoxLayout

from napari_cellstage.core.channel_guess import guessed_channels
from napari_cellstage.core.folder_files import listed_cells, looks_like_class_folders
from napari_cellstage.core.folders import CropSet, reading_class_folders
from napari_cellstage.core.group_guesses import GroupGuess, group_guesses
from napari_cellstage.core.reading.gather import Gathered
from napari_cellstage.core.sheets import PreparedSheet, prepare_sheet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.ui.opening_questions import Answer, Question
from napari_cellstage.ui.pieces import hint
from napari_cellstage.ui.workers import ShouldStop

SHEET = "sheet"


@dataclass(frozen=True)
class SheetOffer:
    """Folders that look like class folders.

    Parameters
    ----------
    root
        The folder.
    classes
        Names of the folders with pictures.
    cells
        How many there are.
    groups
        Ways to tell which cells are from one movie or well.
    """

    root: Path
    classes: tuple[str, ...]
    cells: int
    groups: tuple[GroupGuess, ...]


@dataclass(frozen=True)
class Looked:
    """What was opened, and class folders to ask about."""

    opened: Gathered
    offers: list[SheetOffer]


@dataclass(frozen=True)
class ReadSheet:
    """Class folders that were read, and which of so many channels looks like nuclei."""

    root: Path
    crops: CropSet
    prepared: PreparedSheet
    channels: dict[int, int]


def sheet_offers(paths: Iterable[Path]) -> list[SheetOffer]:
    """Return an offer for each path that looks like class folders."""
    return [_offer(path) for path in paths if looks_like_class_folders(path)]


def _offer(root: Path) -> SheetOffer:
    cells = listed_cells(root)
    classes = tuple(dict.fromkeys(cell.class_name for cell in cells))
    return SheetOffer(root, classes, len(cells), tuple(group_guesses([cell.name for cell in cells])))


class SheetQuestion(Question):
    """Asks whether folders are classes, and which cells belong together; the answer is `SHEET` or an `Answer`."""

    def __init__(self, offer: SheetOffer) -> None:
        some = ", ".join(offer.classes[:3]) + ("…" if len(offer.classes) > 3 else "")
        super().__init__(
            f"'{offer.root.name}' looks like {offer.cells:,} pictures of single cells in {len(offer.classes)} class "
            f"folders: {some}",
            [
                (SHEET, "One sheet", "All cells side by side in one image, each labelled with its folder."),
                (Answer.SEPARATE, f"{offer.cells:,} images", "Each file is an image of its own, with no label."),
            ],
        )
        self.groups = QComboBox()
        self.groups.setAccessibleName("Which cells are from one movie or well")
        self.groups.setToolTip(
            "Cells from one movie or well look alike. Kept together, the score is measured on movies the model has "
            "not seen, and is honest."
        )
        self.groups.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.groups.setMinimumContentsLength(10)
        self.groups.addItem("each cell by itself", None)
        for guess in offer.groups:
            self.groups.addItem(f"{guess.count:,} groups, such as {guess.example}", guess.expression)
        layout = self.layout()
        if offer.groups and isinstance(layout, QVBoxLayout):
            layout.insertWidget(1, hint("From one movie or well, by how their names begin:"))
            layout.insertWidget(2, self.groups)

    @property
    def group_from(self) -> str | None:
        """The expression that tells which cells belong together; None for each by itself."""
        chosen: str | None = self.groups.currentData()
        return chosen


def reading_sheet(
    offer: SheetOffer, group_from: str | None, should_stop: ShouldStop
) -> Generator[BatchDone, None, ReadSheet]:
    """Read class folders, telling how far it is."""
    work = reading_class_folders(offer.root, group_from, should_stop=should_stop)
    while True:
        try:
            done, total = next(work)
        except StopIteration as end:
            return _prepared(end.value, offer.root)
        yield BatchDone("reading pictures", done, total)


def _prepared(crops: CropSet, root: Path) -> ReadSheet:
    prepared = prepare_sheet(crops, root)
    stack = prepared.sheet.stack(None, lambda cell: crops.crops[prepared.order[cell]])
    return ReadSheet(root, crops, prepared, guessed_channels([stack]))
