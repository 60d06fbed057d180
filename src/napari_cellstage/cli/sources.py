"""DATA of the command line: a project, or a tree of class folders. Both give a training set and a table of predictions.

A cell is recognised again by its identity: the pixels of a crop file, or the pixels of an image with the time point
and number of the cell. So a cell that was trained on is known as such under another name, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.experts.cell_names import NamedImage, file_names, project_names
from napari_cellstage.core.folders import CropSet, read_class_folders
from napari_cellstage.core.predicted import predicted_among
from napari_cellstage.core.predictions import HELD_OUT, NEITHER, TRAINED, Predictions, joined
from napari_cellstage.core.seeing import as_seen_by
from napari_cellstage.core.sheets import sheet_of
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.core.store import DATABASE, SUFFIX
from napari_cellstage.core.tasks import Task, parse_classes
from napari_cellstage.learn.data import TrainingSet, cell_names
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import judge, predict_snapshot
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session

ShouldStop = Callable[[], bool]
Table = Generator[BatchDone, None, pd.DataFrame]


@dataclass(frozen=True)
class Labelled:
    """Labelled cells in the order of their table: names, and which image, well or movie each is of."""

    names: NDArray[np.str_]
    groups: NDArray[np.str_]


@dataclass(frozen=True)
class KnownCells:
    """Labelled cells in the order of their table, as experts' tables may call them.

    Parameters
    ----------
    called
        All names of each.
    labels
        Class of each, by name.
    listed
        Their names and groups.
    """

    called: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]
    listed: Labelled


@dataclass(frozen=True)
class FolderData:
    """Crops in class folders; their names end in ``#`` and a hash of their pixels.

    Parameters
    ----------
    crops
        All of them.
    task
        The classes to be told apart; None: all.
    """

    crops: CropSet
    task: Task | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Classes that have cells."""
        return tuple(name for name, count in self.crops.counts().items() if count)

    def of(self, task: Task) -> FolderData:
        """Return the data with some classes to be told apart."""
        return replace(self, task=task)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is mixed, how many files were left out, which ones, and why."""
        skipped = self.crops.skipped
        files = "1 file was" if len(skipped) == 1 else f"{len(skipped):,} files were"
        count = (f"{files} left out, {len(self.crops):,} cells are used.",) if skipped else ()
        return (*self.crops.notes, *count, *(f"Left out: {file}" for file in skipped))

    def training_set(self, recipe: Recipe) -> TrainingSet:
        """Return the crops to train on."""
        return TrainingSet.from_crops(self.crops, recipe, self.task)

    def labelled(self) -> Labelled:
        """Return the crops by name; all are labelled."""
        return Labelled(np.array(self.crops.names, dtype=np.str_), self.crops.groups)

    def known_cells(self) -> KnownCells:
        """Return the crops as tables of answers may call them: by file, with its folder or without."""
        files = (name.rpartition("#")[0] for name in self.crops.names)
        labels = tuple(self.crops.classes[place] for place in self.crops.labels.tolist())
        return KnownCells(tuple(map(file_names, files)), labels, self.labelled())

    def table(self, model: TrainedModel, should_stop: ShouldStop, labelled_only: bool = False) -> Table:
        """Predict every crop; all of them are labelled.

        Returns
        -------
        DataFrame
            As ``predictions.csv``; `image` is the file name, cells are numbered in order.
        """
        del labelled_only
        said = yield from judge(model, self.crops.crops, self.crops.masks, should_stop)
        names = self.crops.names
        part = parts(model, names)
        answers = Predictions(said.probabilities, model.classes.ids, part, unlike=said.unlike)
        frame = _frame(answers, _one_cell_a_crop(self.crops), model.classes)
        frame["image"] = [name.rpartition("#")[0] for name in names]
        frame["label"] = [self.crops.classes[place] for place in self.crops.labels]
        return frame


@dataclass(frozen=True)
class ProjectData:
    """A project as it was when the command began."""

    work: WorkSnapshot
    notes: tuple[str, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Classes that have labelled cells."""
        given = {int(one) for image in self.work.images for one in np.unique(image.class_ids)}
        return tuple(one.name for one in self.work.scheme if one.id in given)

    @property
    def task(self) -> Task | None:
        """The classes to be told apart; None: all."""
        out = {one.name for one in self.work.scheme if one.id in self.work.left_out}
        names = self.class_names
        told_apart = [name for name in names if name not in out]
        return Task.of(told_apart, names) if len(told_apart) < len(names) else None

    def of(self, task: Task) -> ProjectData:
        """Return the data with some classes to be told apart, whatever the project's own choice is."""
        out = tuple(one.id for one in self.work.scheme if one.name not in task.classes)
        return replace(self, work=replace(self.work, left_out=out))

    def training_set(self, recipe: Recipe) -> TrainingSet:
        """Return the labelled cells."""
        return TrainingSet.from_snapshot(self.work, recipe)

    def labelled(self) -> Labelled:
        """Return the labelled cells by name."""
        images = [_labelled(image) for image in self.work.images]
        names = [name for image in images for name in cell_names(image)]
        groups = [_groups(image) for image in images]
        return Labelled(np.array(names, dtype=np.str_), np.concatenate(groups or [np.zeros(0, dtype=np.str_)]))

    def known_cells(self) -> KnownCells:
        """Return the labelled cells as tables of answers may call them: as exports of the project do."""
        images = [_labelled(image) for image in self.work.images]
        named = [NamedImage(one.image_id, one.stack.name, one.cells, _files(one)) for one in images]
        name_of = {one.id: one.name for one in self.work.scheme}
        labels = tuple(name_of[i] for image in images for i in image.class_ids.tolist())
        return KnownCells(tuple(project_names(named)), labels, self.labelled())

    def table(self, model: TrainedModel, should_stop: ShouldStop, labelled_only: bool = False) -> Table:
        """Predict the cells, all or those with a label; as ``predictions.csv``."""
        images = tuple(_labelled(image) if labelled_only else image for image in self.work.images)
        work = as_wanted(model, replace(self.work, images=images))
        answers = yield from predict_snapshot(model, work, should_stop)
        names = {c.id: c.name for c in self.work.scheme} | {UNLABELLED: ""}
        frames = []
        for image in images:
            answer = replace(answers[image.image_id], part=parts(model, cell_names(image)))
            frame = _frame(answer, image.cells, model.classes)
            frame["image"] = image.stack.name
            frame["label"] = [names[i] for i in image.class_ids.tolist()]
            frames.append(image.with_notes(frame))
        return joined(frames) if frames else pd.DataFrame({"label": [], "part": []})


Data = FolderData | ProjectData


def read_data(path: Path, group_from: str | None = None, classes: str | None = None) -> Data:
    """Read what a command works on.

    Parameters
    ----------
    path
        A project or a folder of class folders.
    group_from
        Regular expression for the group of a crop; class folders only, as in a project every image is a group.
    classes
        The classes to be told apart, with commas between; None: all, or what was chosen in the project.

    Raises
    ------
    CellStageError
        If there is neither, or a class is not in it.
    """
    data = _read(path, group_from)
    return data if classes is None else data.of(parse_classes(classes, data.class_names))


def _read(path: Path, group_from: str | None) -> Data:
    if path.suffix == SUFFIX or (path / DATABASE).is_file():
        if group_from is not None:
            raise ProjectError(
                f"--group-from '{group_from}' is for class folders; in a project, such as '{path}', the cells of one "
                "image stay together anyway. Leave it out."
            )
        return _read_project(path)
    crops = read_class_folders(path, group_from)
    return FolderData(crops.hashed())


def parts(model: TrainedModel, names: Iterable[str]) -> NDArray[np.uint8]:
    """Return what each cell was to a model, by its identity, whatever it is called now."""
    split = model.card["split"]
    known = {identity(name): HELD_OUT for name in split["held_out"]}
    known |= {identity(name): TRAINED for name in split["trained"]}  # the same cell twice: it was trained on
    return np.array([known.get(identity(name), NEITHER) for name in names], dtype=np.uint8)


def identity(name: str) -> str:
    """Return the part of a cell's name that does not change when files are renamed."""
    return name.rpartition("#")[2]


def image_of(name: str) -> str:
    """Return which image a cell's pixels are of, by its name; empty for a crop, which is a file of its own."""
    image, slash, _ = identity(name).partition("/")
    return image if slash else ""


def as_wanted(model: TrainedModel, work: WorkSnapshot) -> WorkSnapshot:
    """Return a project as a model is to see it; see `channels_for`. Predicted channels are found by name in each image.

    Raises
    ------
    ImageError
        If an image lacks one of those.
    """
    names = [str(name) for name in model.card["channel_names"]]
    if predicted_among(names):
        return as_seen_by(work, (), names)
    return replace(work, channels=channels_for(model, work))


def channels_for(model: TrainedModel, work: WorkSnapshot) -> tuple[int, ...]:
    """Return the channels a model looks at: those with the names it was trained on, else the ones that were chosen.

    Names such as "channel 0" were given for want of a name and so are no reason to take a channel.
    """
    wanted = model.card["channel_names"]
    names = work.images[0].stack.channel_names if work.images else ()
    if wanted and all(names.count(name) == 1 and not re.fullmatch(r"channel \d+", name) for name in wanted):
        return tuple(names.index(name) for name in wanted)
    return work.channels


def _read_project(folder: Path) -> ProjectData:
    session = Session()
    session.open_project(folder)
    try:
        missing = tuple(entry.missing for entry in session.images if entry.missing)
        return ProjectData(session.snapshot(), missing)
    finally:
        session.close()


def _labelled(image: ImageSnapshot) -> ImageSnapshot:
    rows = np.flatnonzero(image.class_ids != UNLABELLED)
    return image.take(rows)


def _files(image: ImageSnapshot) -> NDArray[np.str_] | None:
    """Return the picture of each cell of a contact sheet."""
    sheet = sheet_of(image.stack)
    if sheet is None:
        return None
    names = ("", *sheet.names)
    return np.array([names[i] if i < len(names) else "" for i in image.cells.cell_id.tolist()], dtype=np.str_)


def _groups(image: ImageSnapshot) -> NDArray[np.str_]:
    return np.full(len(image.cells), str(image.image_id)) if image.groups is None else image.groups


def _frame(answers: Predictions, cells: CellTable, classes: ClassScheme) -> pd.DataFrame:
    return answers.to_frame("", cells, np.zeros(len(cells), dtype=np.int64), classes)


def _one_cell_a_crop(crops: CropSet) -> CellTable:
    count, _, height, width = crops.crops.shape
    box = np.array([0, 0, 0, 1, height, width], dtype=np.int32)
    return CellTable(
        cell_id=np.arange(1, count + 1),
        t=np.zeros(count, dtype=np.int32),
        z=np.zeros(count),
        y=np.full(count, (height - 1) / 2),
        x=np.full(count, (width - 1) / 2),
        bbox=np.tile(box, (count, 1)),
        area=np.full(count, height * width),
        at_border=np.zeros(count, dtype=bool),
    )
